import { observedAt } from './observed-at.ts';

/** An observation, when it was written, and what it was read from. */
export interface Grouped<R> {
  readonly observation: fhir4.Observation;
  /** Milliseconds since 1970. Of two that were made at one time, the one that was written last comes first. */
  readonly updated: number;
  readonly record: R;
}

/**
 * The newest of each group, and those that are as new as the last of them: groups by their newest member, each from its newest to its oldest. Pure.
 *
 * @param max - how many of each group.
 * @see https://hl7.org/fhir/R4/observation-operation-lastn.html
 */
export const newestOfEach = <R>(observations: readonly Grouped<R>[], max: number): readonly R[] =>
  groupsOf(observations)
    .map((group) => {
      const sorted = group.toSorted((a, b) => compared(b.at, a.at) || b.updated - a.updated);
      const last = sorted[max - 1];
      return last ? sorted.filter(({ at }, index) => index < max || at === last.at) : sorted;
    })
    .sort(([a], [b]) => compared(b?.at ?? 0, a?.at ?? 0))
    .flatMap((group) => group.map(({ record }) => record));

/** What has no time has the time before all others: the difference of two of them is no number. */
const compared = (one: number, other: number): number => (one === other ? 0 : one - other);

interface Timed<R> extends Grouped<R> {
  readonly at: number;
}

/** Observations whose codes are equal, or equal to the same third one: codings are translations of one another. */
const groupsOf = <R>(observations: readonly Grouped<R>[]): Timed<R>[][] => {
  const parents = new Map<string, string>();
  const rootOf = (key: string): string => {
    let root = key;
    for (let up = parents.get(root); up !== undefined && up !== root; up = parents.get(root)) root = up;
    parents.set(key, root);
    return root;
  };
  const keyed = observations.map((each) => {
    const keys = keysOf(each.observation.code);
    const [first = ''] = keys;
    for (const key of keys) parents.set(rootOf(key), rootOf(first));
    return { first, ...each, at: observedAt(each.observation) };
  });
  return [...Map.groupBy(keyed, ({ first }) => rootOf(first)).values()];
};

/** What makes codes equal: system and code of a coding; the text, to the letter, where there is no code. */
const keysOf = ({ coding = [], text }: fhir4.CodeableConcept = {}): string[] => {
  const codes = coding.flatMap(({ system, code }) => (code === undefined ? [] : [`c${system ?? ''}|${code}`]));
  return codes.length > 0 ? codes : [`t${text ?? coding[0]?.display ?? ''}`];
};
