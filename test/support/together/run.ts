import { Random } from '../naive-search/random.ts';
import { type Known, Ledger } from './ledger.ts';
import { type Ask, count, kinds, look } from './searches.ts';
import { createPatient, Writer } from './writer.ts';

const patients = 4;
/** Of so many writes of a writer, one is of many records. */
const stagedEach = 20;

export interface Together {
  readonly seed: number;
  readonly writers: number;
  readonly readers: number;
  /** Whether each writer also creates and deletes many records at once. */
  readonly staged: boolean;
  /** Whether a writer that has made so many writes goes on. */
  readonly goesOn: (writes: number) => boolean;
}

/** What came of it. */
export interface TogetherRun {
  readonly writes: number;
  /** Searches to their last page, by kind. */
  readonly searches: ReadonlyMap<string, number>;
  /** What was missing, too much or twice; empty if all is as it should be. */
  readonly faults: readonly string[];
}

/**
 * Lets writers and readers work at once on the same charts. After each acknowledged write its writer looks for it in every way that a search
 * can be planned; meanwhile readers look for records at random. Nothing here waits for time.
 *
 * @param ask - as somebody who may write observations.
 */
export const runTogether = async (
  ask: Ask,
  { seed, writers, readers, staged, goesOn }: Together,
): Promise<TogetherRun> => {
  const ledger = new Ledger();
  const searches = new Map<string, number>();
  const faults: string[] = [];
  let number = 0;
  const next = () => ++number;
  const searched = (name: string, wrong: readonly string[]) => {
    searches.set(name, (searches.get(name) ?? 0) + 1);
    faults.push(...wrong);
  };
  const about: Known[] = [];
  for (let each = 0; each < patients; each++) about.push(await createPatient(ask, ledger, next()));
  const noted = (reference: string) => ledger.settled().filter((known) => known.reference === reference);

  const lookForAll = async (references: readonly string[]) => {
    for (const known of references.flatMap(noted)) {
      for (const kind of kinds) searched(kind.name, await look(ask, ledger, kind, known));
      searched('a count', await count(ask, ledger, known));
    }
  };
  await lookForAll(referencesOf(about));

  let writing = writers;
  const write = async (lane: number) => {
    const random = new Random(seed + lane);
    const writer = new Writer(ask, ledger, random, next, about);
    try {
      // Of many that are written at once, the first and the last tell of all.
      const ends = (many: readonly Known[]) => referencesOf([...many.slice(0, 1), ...many.slice(-1)]);
      for (let writes = 0; goesOn(writes); writes++) {
        await lookForAll(referencesOf(await writer.write()));
        if (!staged || writes % stagedEach !== lane % stagedEach) continue;
        const many = await writer.createMany();
        await lookForAll(ends(many));
        await lookForAll(ends(await writer.deleteMany(many)));
      }
    } finally {
      writing--;
    }
  };
  const read = async (lane: number) => {
    const random = new Random(seed - 1 - lane);
    while (writing > 0) {
      const kind = random.of(kinds);
      searched(kind.name, await look(ask, ledger, kind, random.of(ledger.settled())));
    }
  };
  await Promise.all([
    ...Array.from({ length: writers }, (_, lane) => write(lane)),
    ...Array.from({ length: readers }, (_, lane) => read(lane)),
  ]);
  return { writes: ledger.writes, searches, faults };
};

const referencesOf = (those: readonly Known[]) => those.map(({ reference }) => reference);
