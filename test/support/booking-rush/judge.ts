import { collide, type Refusal, type Tenure, type Version, type Wanted } from './diary.ts';

/** Hours in which free time is offered, and how far starts are apart. Milliseconds. */
export interface Hours {
  readonly opens: number;
  readonly closes: number;
  readonly grain: number;
}

/**
 * Versions that nobody has acknowledged, or two have: one of them is lost.
 *
 * @param stored - the last version of each record, as it is read in the end.
 */
export const lostVersions = (versions: readonly Version[], stored: readonly Version[]): string[] => {
  const acknowledged = Map.groupBy(versions, ({ name }) => name);
  const read = new Map(stored.map((each) => [each.name, each]));
  const faults = [...acknowledged].flatMap(([name, own]) => {
    const numbers = own.map(({ version }) => version).sort((a, b) => a - b);
    const last = own.find(({ version }) => version === numbers.at(-1));
    const there = read.get(name);
    return [
      ...(numbers.every((number, index) => number === index + 1) ? [] : [`${name} has the versions ${numbers.join()}`]),
      ...(there?.version === last?.version && JSON.stringify(there?.holds) === JSON.stringify(last?.holds)
        ? []
        : [`${name} is stored otherwise than it was acknowledged`]),
    ];
  });
  const unknown = stored.filter(({ name }) => !acknowledged.has(name));
  return [...faults, ...unknown.map(({ name }) => `${name} is there, and nobody was told`)];
};

/** Pairs that have one actor at once, in the end. */
export const overlaps = (stored: readonly Version[], now: number): string[] => {
  const busy = stored.flatMap(({ name, holds }) =>
    holds && (holds.until ?? Number.POSITIVE_INFINITY) > now ? [{ name, ...holds }] : [],
  );
  return pairsOf(busy)
    .filter(([a, b]) => collide(a, b))
    .map(([a, b]) => `${a.name} and ${b.name} overlap`);
};

/** Time that was taken from who surely had it at that moment: a booking or live hold that was lost, though perhaps not for ever. */
export const lostTime = (tenures: readonly Tenure[]): string[] =>
  pairsOf(tenures)
    .filter(([a, b]) => a.name !== b.name && collide(a, b))
    .filter(([a, b]) => Math.max(a.surely[0], b.surely[0]) < Math.min(a.surely[1], b.surely[1]))
    .map(([a, b]) => `${a.name} and ${b.name} had the same time at once`);

const pairsOf = <T extends Wanted>(all: readonly T[]): [T, T][] => {
  const pairs: [T, T][] = [];
  const inOrder = all.toSorted((a, b) => a.from - b.from);
  for (const [index, a] of inOrder.entries()) {
    for (const b of inOrder.slice(index + 1)) {
      if (b.from >= a.to) break;
      pairs.push([a, b]);
    }
  }
  return pairs;
};

/** What is wrong with a refusal: that nobody had the time, that what is offered was not free, or that nothing is, though something was. */
export const judgeRefusal = (
  refusal: Refusal,
  versions: readonly Version[],
  tenures: readonly Tenure[],
  hours: Hours,
): string[] => {
  const { own, wanted, sent, answered } = refusal;
  // What was to be confirmed may have been moved by others at the same moment: one of its times has to explain the answer.
  const times: readonly Wanted[] = wanted
    ? [wanted]
    : versions.flatMap(({ name, holds }) => (name === own && holds ? [holds] : []));
  const alive = tenures.filter(({ maybe: [begins, ends] }) => begins <= answered && sent <= ends);
  const faults = times.map((time) => faultsOf(refusal, time, alive, hours));
  return faults.some(({ length }) => length === 0) ? [] : (faults[0] ?? ['A refusal is about nothing']);
};

const faultsOf = (
  { own, offers, sent, answered }: Refusal,
  wanted: Wanted,
  alive: readonly Tenure[],
  hours: Hours,
): string[] => {
  const about = `The refusal of ${new Date(wanted.from).toISOString()} for ${wanted.actors.join()}`;
  const rivals = alive.filter(({ actors }) => actors.some((actor) => wanted.actors.includes(actor)));
  const faults: string[] = [];
  if (!rivals.some((rival) => rival.name !== own && collide(rival, wanted))) faults.push(`${about} has no reason`);
  for (const { from, to } of offers ?? []) {
    const hadAllAlong = rivals.some(
      (rival) => rival.surely[0] < sent && answered < rival.surely[1] && collide(rival, { ...wanted, from, to }),
    );
    if (hadAllAlong) faults.push(`${about} offers what was taken`);
    if (to - from !== wanted.to - wanted.from || from < hours.opens || to > hours.closes)
      faults.push(`${about} offers what suits nobody`);
  }
  if (offers?.length === 0 && freeStarts(rivals, wanted, hours).length > 0) faults.push(`${about} offers nothing`);
  return faults;
};

/** Starts that were free all the time. */
const freeStarts = (rivals: readonly Tenure[], wanted: Wanted, { opens, closes, grain }: Hours): number[] => {
  const length = wanted.to - wanted.from;
  const starts = Array.from({ length: Math.floor((closes - opens - length) / grain) + 1 }, (_, n) => opens + n * grain);
  return starts.filter((from) => !rivals.some((rival) => collide(rival, { ...wanted, from, to: from + length })));
};
