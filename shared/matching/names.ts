import { foldText } from '../search/fold.ts';
import { areNicknames } from './nicknames.ts';
import { areSimilar } from './similar.ts';
import type { Finding } from './weights.ts';

/** A name as it is compared: folded, and taken apart where it stands in one text. */
export interface ComparedName {
  readonly family: string;
  readonly given: readonly string[];
  readonly former: boolean;
}

const formerUses: ReadonlySet<string | undefined> = new Set(['old', 'maiden']);

/** The names of a patient, without those that say nothing, such as a temporary text for who is not identified. `Okafor, Ngozi` and `Ngozi Okafor` are told by the comma. */
export const namesOf = ({ name = [] }: Pick<fhir4.Patient, 'name'>): ComparedName[] =>
  name
    .filter(({ use, family, given }) => !(use === 'temp' && family === undefined && given === undefined))
    .map(({ family, given, text, use, period }): ComparedName => {
      const former = formerUses.has(use) || period?.end !== undefined;
      const present = (given ?? []).filter((each: string | null) => each !== null);
      if (family !== undefined || present.length > 0) return nameFrom(family ?? '', present, former);
      const [before = '', behind] = (text ?? '').split(',');
      const words = before.trim().split(/\s+/);
      return behind === undefined
        ? nameFrom(words.at(-1) ?? '', words.slice(0, -1), former)
        : nameFrom(before, behind.trim().split(/\s+/), former);
    })
    .filter(({ family, given }) => family !== '' || given.length > 0);

const nameFrom = (family: string, given: readonly string[], former: boolean): ComparedName => ({
  family: foldText(family),
  given: given.flatMap((each) => foldText(each).split(' ')).filter((each) => each !== ''),
  former,
});

const familyLevels = ['same', 'swapped', 'part', 'former', 'similar', 'different'] as const;
const givenLevels = ['same', 'swapped', 'nickname', 'similar', 'other', 'initial', 'different'] as const;
type FamilyLevel = (typeof familyLevels)[number];
type GivenLevel = (typeof givenLevels)[number];

/** Compares each name of one patient with each of the other; what agrees best is what counts. */
export const compareNames = (a: readonly ComparedName[], b: readonly ComparedName[]): Finding[] => {
  const pairs = a.flatMap((one) => b.map((other) => [one, other] as const));
  const family = best(familyLevels, pairs.map(compareFamily));
  const given = best(givenLevels, pairs.map(compareGiven));
  return [
    ...(family ? [{ field: 'family', level: family } as const] : []),
    ...(given ? [{ field: 'given', level: given } as const] : []),
  ];
};

const best = <L extends string>(levels: readonly L[], found: readonly (L | undefined)[]): L | undefined =>
  levels.find((level) => found.includes(level));

type Pair = readonly [ComparedName, ComparedName];

const compareFamily = ([a, b]: Pair): FamilyLevel | undefined => {
  if (a.family === '' || b.family === '') return undefined;
  if (joined(a.family) === joined(b.family)) return a.former !== b.former ? 'former' : 'same';
  if (areSwapped([a, b])) return 'swapped';
  const words = new Set(a.family.split(' '));
  if (b.family.split(' ').some((word) => word.length > 2 && words.has(word))) return 'part';
  return areSimilar(joined(a.family), joined(b.family)) ? 'similar' : 'different';
};

/** `de la Cruz` is `Delacruz`. */
const joined = (text: string): string => text.replaceAll(' ', '');

const areSwapped = ([a, b]: Pair): boolean =>
  joined(a.family) === joined(b.given.join(' ')) && joined(b.family) === joined(a.given.join(' '));

const compareGiven = ([a, b]: Pair): GivenLevel | undefined => {
  const [first, other] = [a.given[0], b.given[0]];
  if (first === undefined || other === undefined) return undefined;
  if (first === other || a.given.join('') === b.given.join('')) return 'same';
  if (areSwapped([a, b])) return 'swapped';
  if (areNicknames(first, other)) return 'nickname';
  if (areSimilar(first, other)) return 'similar';
  if (a.given.some((each) => each.length > 1 && b.given.includes(each))) return 'other';
  const short = Math.min(first.length, other.length);
  return short === 1 && first[0] === other[0] ? 'initial' : 'different';
};
