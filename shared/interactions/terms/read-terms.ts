import { RecordError } from '../../errors.ts';
import type { CodeSystem } from '../../terminology/code-system.ts';
import type { HeldTerminology } from '../../terminology/held.ts';
import type { Terminology } from '../../terminology/members.ts';
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
 * Reads value sets and code systems, and what these are made of: R4's own, else the organisation's. What is not found is not known to what is
 * returned.
 *
 * @param taken - how a value set that was read is taken, such as with other versions.
 */
export const readTerms = async (
  stored: StoredTerms,
  held: HeldTerminology,
  wanted: WantedTerms,
  taken = (valueSet: fhir4.ValueSet): fhir4.ValueSet => valueSet,
): Promise<Terminology> => {
  const { neededFor, readCodeSystem } = await import('../../terminology/evaluation.lazy.ts');
  const valueSets = new Map<string, fhir4.ValueSet | undefined>();
  const codeSystems = new Map<string, CodeSystem | undefined>();
  const readValueSet = async (canonical: string): Promise<void> => {
    if (valueSets.has(canonical)) return;
    valueSets.set(canonical, undefined); // is being read
    const found = held.valueSet(canonical) ?? (await stored.find('ValueSet', canonical));
    if (!found) return;
    const valueSet = taken(found);
    valueSets.set(canonical, valueSet);
    await readAll(neededFor(valueSet));
  };
  const readSystem = async (canonical: string): Promise<void> => {
    if (codeSystems.has(canonical)) return;
    codeSystems.set(canonical, held.codeSystem(canonical));
    const found = codeSystems.get(canonical) ? undefined : await stored.find('CodeSystem', canonical);
    if (found) codeSystems.set(canonical, readCodeSystem(found));
  };
  const readAll = (needed: WantedTerms): Promise<unknown> =>
    Promise.all([...needed.valueSets.map(readValueSet), ...needed.codeSystems.map(readSystem)]);
  await readAll(wanted);
  return {
    valueSet: (canonical) => valueSets.get(canonical),
    codeSystem: (canonical) => codeSystems.get(canonical) ?? held.codeSystem(canonical),
  };
};
