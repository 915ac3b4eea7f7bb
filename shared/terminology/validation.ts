import { splitCanonical, withVersion } from './canonical.ts';
import type { CodeSystem } from './code-system.ts';
import { nameOfCode } from './concept-definitions.ts';
import { displayOf, displaysOf, type Named } from './displays.ts';
import { factsOf, type Member } from './expansion.ts';
import { TerminologyGap } from './gap.ts';
import { completeExpansion, type Members, type Terminology } from './members.ts';
import { versionsNamed } from './version-rules.ts';

/** What is asked about a coding beside whether it is one of the codes. */
export interface Circumstances {
  /** Whether codes that group others will do. Undefined: they do, and are told of. */
  readonly abstract: boolean | undefined;
  readonly language: string | undefined;
}

/** Whether a coding will do. */
export interface Verdict {
  /** Why it will not; empty if it will. */
  readonly faults: readonly string[];
  /** What is to be known although it will do. */
  readonly hints: readonly string[];
  /** A name of the code, if one is known. */
  readonly display: string | undefined;
}

/** The codes of a value set, and what it is made of. */
export interface MembersOfSet {
  readonly members: Members;
  /** The value set and those that it imports. */
  readonly valueSets: readonly fhir4.ValueSet[];
  readonly known: Terminology;
}

/**
 * Whether a coding is in a value set.
 *
 * @throws TerminologyGap where all codes of its system are in it and are not known here, so that a misspelt one would be, too.
 */
export const validateInValueSet = (
  coding: fhir4.Coding,
  { members, valueSets, known }: MembersOfSet,
  circumstances: Circumstances,
): Verdict => {
  const { system, code, version } = coding;
  if (system === undefined || code === undefined)
    return fault('A coding without a system or a code is in no value set');
  const named = versionsNamed(valueSets, system);
  const [usual] = named;
  const codeSystem = known.codeSystem(withVersion(system, version)) ?? known.codeSystem(withVersion(system, usual));
  const listed = listedAs(valueSets, system, codeSystem, code);
  const facts = factsOf(codeSystem, code, listed);
  const missing = codeSystem?.complete && !codeSystem.find(code);
  const notThere = `The code is not in the code system ${system}`;
  if (!members.has(system, code)) {
    return {
      ...fault(missing ? notThere : 'The code is not in the value set'),
      display: displayOf(facts.said, circumstances.language),
    };
  }
  if (!members.certain(system, code))
    throw new TerminologyGap(`All codes of ${withVersion(system, version)} are in it, which are not known here`);
  const otherVersion = version !== undefined && named.size > 0 && !named.has(version);
  const verdict = judged(coding, facts, circumstances);
  return {
    ...verdict,
    faults: [...(otherVersion ? ['The value set takes another version of the code system'] : []), ...verdict.faults],
    // a value set may list what it likes, so this is no fault of the coding
    hints: [...(missing ? [notThere] : []), ...verdict.hints],
  };
};

/**
 * Whether a coding is in a code system.
 *
 * @throws TerminologyGap where only a part of the code system is here, and the code is not in that part.
 */
export const validateInCodeSystem = (
  coding: fhir4.Coding,
  codeSystem: CodeSystem,
  circumstances: Circumstances,
): Verdict => {
  const { system, code = '', version } = coding;
  const { url, complete, definition } = codeSystem;
  if (system !== url) return fault('The coding is of another code system');
  if (version !== undefined && definition.version !== undefined && version !== definition.version)
    return fault('The coding is of another version of the code system');
  if (!codeSystem.find(code)) {
    if (complete) return fault(`The code is not in the code system ${url}`);
    throw new TerminologyGap(`Of ${url} a part is here, which does not have this code`);
  }
  return judged(coding, factsOf(codeSystem, code, []), circumstances);
};

const fault = (message: string): Verdict => ({ faults: [message], hints: [], display: undefined });

const judged = (
  { display }: fhir4.Coding,
  { said, abstract, inactive }: Pick<Member, 'said' | 'abstract' | 'inactive'>,
  circumstances: Circumstances,
): Verdict => {
  const right = displayOf(said, circumstances.language);
  const [faults, hints]: [string[], string[]] = [[], []];
  if (abstract && circumstances.abstract === false)
    faults.push('The code groups others and is not meant to be recorded');
  if (abstract && circumstances.abstract === undefined) hints.push('The code groups others: it is abstract');
  if (inactive) hints.push('The code is not in use any more');
  if (display !== undefined && right === undefined) hints.push('The display was not checked: none is known here');
  if (display !== undefined && right !== undefined && !isNamed(said, display)) faults.push('The display is incorrect');
  return { faults, hints, display: right };
};

/** Case and spaces make no difference: whether they should is for each code system to say, and R4 has no element where it could. */
const isNamed = (said: readonly Named[], display: string): boolean => {
  const plain = (text: string): string => text.trim().replace(/\s+/g, ' ').toLowerCase();
  return displaysOf(said).some((each) => plain(each) === plain(display));
};

/** What value sets say of a code that they list. */
const listedAs = (
  valueSets: readonly fhir4.ValueSet[],
  system: string,
  codeSystem: CodeSystem | undefined,
  code: string,
): readonly Named[] => {
  const name = nameOfCode(system, codeSystem, code);
  const isMeant = (listed: { readonly code?: string | undefined }): boolean =>
    nameOfCode(system, codeSystem, listed.code ?? '') === name;
  return valueSets.flatMap(({ compose, expansion }) => [
    ...(compose?.include ?? []).flatMap((selection) =>
      splitCanonical(selection.system ?? '')[0] === system ? (selection.concept ?? []).filter(isMeant) : [],
    ),
    ...(completeExpansion(expansion) ?? []).filter((entry) => entry.system === system && isMeant(entry)),
  ]);
};
