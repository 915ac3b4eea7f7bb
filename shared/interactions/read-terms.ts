import { RecordError } from '../errors.ts';
import type { CodeSystem } from '../terminology/code-system.ts';
import type { HeldTerminology } from '../terminology/held.ts';
import type { Terminology } from '../terminology/members.ts';
import type { StoredTerms } from './stored-terms.ts';

/** Calls to the store that the terminology of one request may take. */
export const mostCalls = 100;

/** @param expression - the parameter that asked for so many. */
export const tooManyTerms = (expression: string): RecordError =>
  new RecordError('too-costly', 'These value sets are made of too many others', { expression });

/** Canonical addresses of what is to be read. */
export interface WantedTerms {
  readonly valueSets: readonly string[];
  readonly codeSystems: readonly string[];
}

/**
 * Reads value sets and code systems, level by level of what they are made of: R4's own, else the organisation's. What is not found is not
 * known to what is returned.
 *
 * @param taken - how a value set that was read is taken, such as with other versions.
 */
export const readTerms = async (
  stored: StoredTerms,
  held: HeldTerminology,
  { valueSets: wantedSets, codeSystems: wantedSystems }: WantedTerms,
  taken = (valueSet: fhir4.ValueSet): fhir4.ValueSet => valueSet,
): Promise<Terminology> => {
  const { neededFor, readCodeSystem } = await import('../terminology/evaluation.lazy.ts');
  const valueSets = new Map<string, fhir4.ValueSet | undefined>();
  const codeSystems = new Map<string, CodeSystem | undefined>();
  const readValueSet = async (canonical: string): Promise<void> => {
    const found = held.valueSet(canonical) ?? (await stored.find('ValueSet', canonical));
    valueSets.set(canonical, found && taken(found));
  };
  const readSystem = async (canonical: string): Promise<void> => {
    const own = held.codeSystem(canonical);
    const found = own ? undefined : await stored.find('CodeSystem', canonical);
    codeSystems.set(canonical, own ?? (found && readCodeSystem(found)));
  };
  let wanted: WantedTerms = { valueSets: wantedSets, codeSystems: wantedSystems };
  while (wanted.valueSets.length > 0 || wanted.codeSystems.length > 0) {
    const sets = [...new Set(wanted.valueSets)].filter((canonical) => !valueSets.has(canonical));
    const systems = [...new Set(wanted.codeSystems)].filter((canonical) => !codeSystems.has(canonical));
    await Promise.all([...sets.map(readValueSet), ...systems.map(readSystem)]);
    const further = sets.flatMap((canonical) => valueSets.get(canonical) ?? []).map(neededFor);
    wanted = {
      valueSets: further.flatMap((each) => each.valueSets),
      codeSystems: further.flatMap((each) => each.codeSystems),
    };
  }
  return {
    valueSet: (canonical) => valueSets.get(canonical),
    codeSystem: (canonical) => codeSystems.get(canonical) ?? held.codeSystem(canonical),
  };
};
