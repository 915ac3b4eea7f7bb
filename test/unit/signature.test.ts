import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseJson } from '../../shared/fhir/json.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { contentHash, keepMarks, signatureOf, withMarks } from '../../shared/signing/signature.ts';
import { type SignableType, signedState, signers } from '../../shared/signing/states.ts';

const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

it('signs members in order of their names, decimals as they were written, and no meta', () => {
  const sent =
    '{"resourceType":"DiagnosticReport","meta":{"versionId":"3"},"id":"x","extension":[{"valueDecimal":1.50,"url":"u"}]}';

  const hash = contentHash(parseJson(sent) as Resource);

  expect(hash).toBe(
    sha256('{"extension":[{"url":"u","valueDecimal":1.50}],"id":"x","resourceType":"DiagnosticReport"}'),
  );
});

it('keeps no mark that a client gives, and other extensions of meta', () => {
  const note: Resource = { resourceType: 'Composition', id: 'x', meta: { extension: [{ url: 'http://other.test' }] } };
  const forged = withMarks(note, [signatureOf(note, { signer: 'Practitioner/1', at: 0, version: 1 })]);

  expect([keepMarks(undefined, forged), keepMarks(forged, note)]).toEqual([note, forged]);
});

const states: [SignableType, string, string[]][] = [
  ['Composition', 'status', ['preliminary', 'final', 'amended', 'entered-in-error']],
  ['DocumentReference', 'docStatus', ['preliminary', 'final', 'amended', 'entered-in-error']],
  [
    'DiagnosticReport',
    'status',
    [
      'registered',
      'partial',
      'preliminary',
      'final',
      'amended',
      'corrected',
      'appended',
      'cancelled',
      'entered-in-error',
      'unknown',
    ],
  ],
];

it('is given in the states, by the roles, that the documentation says', () => {
  const signed = (type: SignableType, element: string, state: string): string => {
    try {
      const sent = { resourceType: type, status: 'current', [element]: state };
      return String(signedState(sent, 'Practitioner/1', 0)[element]);
    } catch {
      return 'refused';
    }
  };
  const rows = states.flatMap(([type, element, each]) =>
    each.map((state) => `| ${type} | ${state} | ${signed(type, element, state)} | ${signers[type].join(', ')} |`),
  );

  const documented = readFileSync('docs/signing.md', 'utf8')
    .split('\n')
    .filter((line) => /^\| (?:Composition|DocumentReference|DiagnosticReport) /.test(line))
    .map((line) => line.replaceAll(/ +/g, ' '));
  expect(documented).toEqual(rows);
});
