import { RecordError } from '../errors.ts';
import type { TerminologyFacts } from '../search/facts.ts';
import type { NeededTerminology } from '../search/joins.ts';
import { unsupportedParameter } from '../search/refusal.ts';
import { type CodeSystem, readCodeSystem } from '../terminology/code-system.ts';
import { TerminologyGap } from '../terminology/gap.ts';
import { type HeldTerminology, heldTerminology } from '../terminology/held.ts';
import { type Members, membersOf, neededFor, type Terminology } from '../terminology/members.ts';
import { storedTerms, type TermsContext } from './stored-terms.ts';

/** Calls to the store that the terminology of one search may take. */
const mostCalls = 100;

/**
 * Reads what a search needs of code systems and value sets: R4's own first, then the organisation's, as far as the caller may search them,
 * with all that they are made of. Nothing is read if nothing is needed.
 *
 * @throws RecordError `not-supported`, naming the parameter, for what is not known here or cannot be evaluated, since a result without it
 *   would look like an answer; `too-costly` if too much would have to be read.
 */
export const loadTerminology = async (
  context: TermsContext,
  needed: NeededTerminology,
): Promise<TerminologyFacts | undefined> => {
  if (needed.valueSets.length === 0 && needed.codes.length === 0) return undefined;
  const held = await heldTerminology();
  const known = await read(context, held, needed);
  const members = new Map(
    needed.valueSets.map(({ url, parameter }) => [url, requiredMembers(known, url, parameter)] as const),
  );
  for (const { system, code, parameter } of needed.codes) requireHierarchy(known, held, system, code, parameter);
  return {
    members: (valueSet) => members.get(valueSet),
    ancestors: (system, code) => {
      const codeSystems = system === undefined ? held.systemsWith(code) : [known.codeSystem(system)];
      const above = codeSystems.map((each) => ({ each, ancestors: each?.ancestors(code) }));
      return { has: (other) => above.some(({ each, ancestors }) => ancestors?.has(each?.find(other)?.code ?? other)) };
    },
    systemsOf: (resourceType, parameter, code) => {
      const bound = held.boundTo(resourceType, parameter);
      return [...(bound?.systems ?? [])].filter((system) => bound?.has(system, code));
    },
  };
};

const requiredMembers = (known: Terminology, url: string, parameter: string): Members => {
  const valueSet = known.valueSet(url);
  if (!valueSet) throw unsupportedParameter(parameter, 'This value set is not known here');
  try {
    return membersOf(valueSet, known);
  } catch (error) {
    if (error instanceof TerminologyGap) throw unsupportedParameter(parameter, error.message);
    throw error;
  }
};

const requireHierarchy = (
  known: Terminology,
  held: HeldTerminology,
  system: string | undefined,
  code: string,
  parameter: string,
): void => {
  if (system === undefined) {
    if (held.systemsWith(code).length > 0) return;
    throw unsupportedParameter(parameter, 'No code system of FHIR has this code: write system|code');
  }
  if (system !== '' && !known.codeSystem(system)?.complete)
    throw unsupportedParameter(
      parameter,
      'The codes of this system are not known here, nor what is above or below them',
    );
};

/** Reads value sets and code systems, level by level of what they are made of. */
const read = async (context: TermsContext, held: HeldTerminology, needed: NeededTerminology): Promise<Terminology> => {
  let calls = 0;
  const stored = storedTerms(context, () => {
    if (++calls > mostCalls)
      throw new RecordError('too-costly', 'These value sets are made of too many others', {
        expression: [...needed.valueSets, ...needed.codes][0]?.parameter ?? '',
      });
  });
  const valueSets = new Map<string, fhir4.ValueSet | undefined>();
  const codeSystems = new Map<string, CodeSystem | undefined>();
  const readValueSet = async (canonical: string): Promise<void> => {
    valueSets.set(canonical, held.valueSet(canonical) ?? (await stored.find('ValueSet', canonical)));
  };
  const readSystem = async (canonical: string): Promise<void> => {
    const own = held.codeSystem(canonical);
    const found = own ? undefined : await stored.find('CodeSystem', canonical);
    codeSystems.set(canonical, own ?? (found && readCodeSystem(found)));
  };
  let wanted = {
    valueSets: needed.valueSets.map(({ url }) => url),
    codeSystems: needed.codes.flatMap(({ system }) => system || []),
  };
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
