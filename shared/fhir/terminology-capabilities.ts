import { splitCanonical } from '../terminology/canonical.ts';
import { releasedOn } from './capability-statement.ts';

/**
 * What operations on terminology know and take, for `metadata?mode=terminology`. https://hl7.org/fhir/R4/terminologycapabilities.html
 *
 * @param codeSystems - R4's own that are known, a line each, which begins with the address and version.
 * @param parameters - names of the input of `$expand`.
 * @param baseUrl - as the client calls it.
 */
export const terminologyCapabilities = (
  codeSystems: string,
  parameters: readonly string[],
  baseUrl: string,
): fhir4.TerminologyCapabilities => ({
  resourceType: 'TerminologyCapabilities',
  status: 'active',
  date: releasedOn,
  description: "R4's own code systems; the CodeSystem records of the caller's organisation are known beside them.",
  kind: 'instance',
  software: { name: 'Concord' },
  implementation: { description: 'Concord, an electronic health record', url: baseUrl },
  lockedDate: false,
  codeSystem: codeSystems
    .trim()
    .split('\n')
    .map((line) => {
      const [uri, code] = splitCanonical(line.slice(0, line.indexOf(' ')));
      return { uri, ...(code === undefined ? {} : { version: [{ code, isDefault: true }] }), subsumption: true };
    }),
  expansion: {
    hierarchical: false,
    paging: true,
    incomplete: false,
    parameter: parameters.map((name) => ({ name })),
    textFilter:
      'Each word begins a word of the code, of its display or of another name of it, without case and accents.',
  },
  codeSearch: 'explicit',
  validateCode: { translations: true },
});
