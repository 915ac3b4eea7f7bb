import type { TerminologyFacts } from '../../search/facts.ts';
import type { NeededTerminology } from '../../search/joins.ts';
import { unsupportedParameter } from '../../search/refusal.ts';
import type { HeldTerminology } from '../../terminology/held.ts';
import type { Members, Terminology } from '../../terminology/members.ts';
import { mostCalls, readTerms, tooManyTerms } from './read-terms.ts';
import { storedTerms, type TermsContext } from './stored-terms.ts';

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
  const evaluation = await import('../../terminology/evaluation.lazy.ts');
  const held = await evaluation.heldTerminology();
  let calls = 0;
  const stored = storedTerms(context, () => {
    if (++calls > mostCalls) throw tooManyTerms([...needed.valueSets, ...needed.codes][0]?.parameter ?? '');
  });
  const known = await readTerms(stored, held, {
    valueSets: needed.valueSets.map(({ url }) => url),
    codeSystems: needed.codes.flatMap(({ system }) => system || []),
  });
  const members = new Map(
    needed.valueSets.map(({ url, parameter }) => [url, requiredMembers(known, url, parameter, evaluation)] as const),
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

const requiredMembers = (
  known: Terminology,
  url: string,
  parameter: string,
  { membersOf, TerminologyGap }: typeof import('../../terminology/evaluation.lazy.ts'),
): Members => {
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
