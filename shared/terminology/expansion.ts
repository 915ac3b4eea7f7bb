import { splitCanonical, withVersion } from './canonical.ts';
import type { CodeSystem } from './code-system.ts';
import { definitionOf, isAbstract, nameOfCode } from './concept-definitions.ts';
import type { Named } from './displays.ts';
import { TerminologyGap } from './gap.ts';
import { completeExpansion, membersOf, type Terminology } from './members.ts';

/** A code of a value set, and what is known of it. */
export interface Member {
  readonly system: string;
  /** The version of its code system, if the value set names one. */
  readonly version: string | undefined;
  /** The version that was used, where it is known. */
  readonly usedVersion: string | undefined;
  readonly code: string;
  /** What the value set says of it, then what its code system does. */
  readonly said: readonly Named[];
  readonly inactive: boolean;
  readonly abstract: boolean;
}

/** A code that may be in a value set. */
interface Candidate {
  readonly system: string;
  readonly version: string | undefined;
  readonly code: string;
  readonly listed?: Named;
}

/** Codes that are looked at for one expansion. A code may be looked at several times. */
const mostCandidates = 100_000;
/** Times that a code may be asked of a selection, in the worst case, that of hierarchies: some seconds. */
const mostTests = 5_000_000;

/** A value set that has too many codes to look at each. */
export class TooManyCodes extends Error {
  override readonly name = 'TooManyCodes';
}

/**
 * All codes of a value set, in the order in which it and its code systems list them, each once. They are the candidates that its composition
 * names, as far as `membersOf` says that they are in it.
 *
 * @throws TerminologyGap as `membersOf` does, and where all codes of a system are in it that are not known here; TooManyCodes.
 */
export const expansionOf = (valueSet: fhir4.ValueSet, known: Terminology): readonly Member[] => {
  const members = membersOf(valueSet, known);
  const all = new Map<string, Member>();
  const looked = { at: 0, selections: 0 };
  const candidates = candidatesOf(valueSet, { known, looked });
  if (candidates.length * looked.selections > mostTests) throw new TooManyCodes();
  for (const { system, version, code, listed } of candidates) {
    const codeSystem = known.codeSystem(withVersion(system, version));
    const name = `${system}|${nameOfCode(system, codeSystem, code)}`;
    if (all.has(name) || !members.has(system, code)) continue;
    const usedVersion = version ?? codeSystem?.definition.version;
    all.set(name, { system, version, usedVersion, code, ...factsOf(codeSystem, code, listed ? [listed] : []) });
  }
  return [...all.values()];
};

/** What is known of a code. @param listed - what value sets say of it. */
export const factsOf = (
  codeSystem: CodeSystem | undefined,
  code: string,
  listed: readonly Named[],
): Pick<Member, 'said' | 'inactive' | 'abstract'> => {
  const concept = codeSystem?.find(code);
  return {
    said: codeSystem && concept ? [...listed, definitionOf(codeSystem, concept)] : listed,
    inactive: concept?.inactive ?? false,
    abstract: concept !== undefined && isAbstract(concept),
  };
};

interface Search {
  readonly known: Terminology;
  /** Codes that were looked at, and selections that each of them may be asked of. */
  readonly looked: { at: number; selections: number };
}

/** Every code that its composition could mean, and maybe others; and what a complete expansion lists. */
const candidatesOf = (valueSet: fhir4.ValueSet, search: Search): Candidate[] => {
  const entries = completeExpansion(valueSet.expansion)?.map(
    ({ system = '', version, code = '', display, designation }): Candidate => ({
      system,
      version,
      code,
      listed: { display, designation },
    }),
  );
  search.looked.selections += (valueSet.compose?.include.length ?? 0) + (valueSet.compose?.exclude?.length ?? 0);
  try {
    const composed = (valueSet.compose?.include ?? []).flatMap((selection) => selectable(selection, search));
    return [...composed, ...counted(entries ?? [], search)];
  } catch (error) {
    if (entries && error instanceof TerminologyGap) return counted(entries, search);
    throw error;
  }
};

const counted = (candidates: Candidate[], { looked }: Search): Candidate[] => {
  looked.at += candidates.length;
  if (looked.at > mostCandidates) throw new TooManyCodes();
  return candidates;
};

/** What is selected is of the system and in each value set, so the codes of any of these will do. */
const selectable = (selection: fhir4.ValueSetComposeInclude, search: Search): Candidate[] => {
  const gaps: TerminologyGap[] = [];
  const { system, valueSet = [] } = selection;
  const ways = [
    ...(system === undefined ? [] : [() => counted(codesOf(selection, system, search), search)]),
    ...valueSet.map((canonical) => () => {
      const imported = search.known.valueSet(canonical);
      return imported ? candidatesOf(imported, search) : [];
    }),
  ];
  for (const way of ways) {
    try {
      return way();
    } catch (error) {
      if (!(error instanceof TerminologyGap)) throw error;
      gaps.push(error);
    }
  }
  throw gaps[0] ?? new TerminologyGap('A part of the value set selects nothing');
};

const codesOf = (
  { version, concept = [] }: fhir4.ValueSetComposeInclude,
  canonical: string,
  { known }: Search,
): Candidate[] => {
  const [system, own = version] = splitCanonical(canonical);
  if (concept.length > 0) return concept.map((listed) => ({ system, version: own, code: listed.code, listed }));
  const codeSystem = known.codeSystem(withVersion(canonical, version));
  if (!codeSystem?.complete)
    throw new TerminologyGap(`All codes of ${withVersion(canonical, version)} are in it, which are not known here`);
  return [...codeSystem.concepts.keys()].map((code) => ({ system, version: own, code }));
};

/** The code systems that a value set draws on and that are known here, each with its version. */
export const codeSystemsOf = (valueSets: readonly fhir4.ValueSet[], known: Terminology): readonly CodeSystem[] => [
  ...new Set(
    valueSets.flatMap(({ compose }) =>
      (compose?.include ?? []).flatMap(({ system, version }) =>
        system === undefined ? [] : (known.codeSystem(withVersion(system, version)) ?? []),
      ),
    ),
  ),
];
