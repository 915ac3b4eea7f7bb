import { RecordError } from '../../errors.ts';
import type { Shown } from '../../store/chart-page.ts';

/** Where something stands among records of several types: newest first, those of one place by their types. */
export type Spot = readonly [place: string, type: string];

/** Less than 0 if the first of the two comes first. */
export const compareSpots = ([place, type]: Spot, [otherPlace, otherType]: Spot): number =>
  place === otherPlace ? order(type, otherType) : order(otherPlace, place);

const order = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** The spot of a sort key. */
export const spotOf = (key: string): Spot => {
  const [type = '', place = ''] = key.split('#');
  return [place, type];
};

/** The sort key of a type behind which its records come that stand behind a spot. */
export const keyBehind = ([place, type]: Spot, of: string): string => `${of}#${place}${of > type ? '!' : ''}`;

/** A record, and where it stands. */
export interface Placed extends Shown {
  readonly spot: Spot;
}

/**
 * Reads records of one type, newest first.
 *
 * @param after - sort key behind which to begin.
 * @param rows - to be read at most.
 * @returns undefined for `next` where the type ends.
 */
export type ReadType = (
  type: string,
  after: string | undefined,
  rows: number,
) => Promise<{ readonly items: readonly Shown[]; readonly next: string | undefined }>;

/** One type of which some has been read. */
interface Stream {
  readonly type: string;
  read: Placed[];
  next: string | undefined;
  ended: boolean;
  /** Rows that the next call reads. */
  rows: number;
}

/** Rows of each type that are read at first: most types have few. */
const firstRows = 10;
const mostRows = 500;
/** JSON of what was read and is not given yet, in bytes: a function has 1 GB, and a page of each of 66 types may have 10 MB. */
const mostHeld = 50_000_000;

/**
 * Records of several types as one list, newest first: a few rows of each type at once, and more only of those whose next record may be among
 * the next ones wanted. Each round reads more of a type than the last one did.
 *
 * @param behind - the spot behind which to begin.
 * @param wanted - how many more records its reader would take now; fewer are not read for.
 * @param rounds - to be read at most.
 * @param bytesOf - JSON of a record, in bytes.
 * @yields the records, and at last the spot up to which all was read, if the rounds were not enough.
 * @throws RecordError `too-costly` if more would have to be held than memory has room for.
 */
export async function* newestFirst(
  types: readonly string[],
  {
    read,
    behind,
    wanted,
    rounds,
    bytesOf,
  }: {
    readonly read: ReadType;
    readonly behind: Spot | undefined;
    readonly wanted: () => number;
    readonly rounds: number;
    readonly bytesOf: (item: Shown) => number;
  },
): AsyncGenerator<Placed | { readonly stoppedAt: Spot }> {
  const streams = types.map(
    (type): Stream => ({
      type,
      read: [],
      next: behind && keyBehind(behind, type),
      ended: false,
      rows: Math.min(firstRows, wanted()),
    }),
  );
  let left = rounds;
  let held = 0;
  let begun = false;
  for (;;) {
    const waiting = streams.filter((stream) => stream.read.length === 0 && !stream.ended);
    const known = streams.flatMap((stream) => stream.read.map(({ spot }) => spot)).sort(compareSpots);
    const last = known[wanted() - 1];
    const bounds = waiting.map((stream): [Stream, Spot] => [
      stream,
      stream.next === undefined ? newest : spotOf(stream.next),
    ]);
    const [first] = bounds.map(([, spot]) => spot).sort(compareSpots);
    if (first && (known[0] === undefined || compareSpots(first, known[0]) < 0)) {
      if (left-- === 0) {
        yield { stoppedAt: first };
        return;
      }
      const needed = begun && last ? bounds.filter(([, spot]) => compareSpots(spot, last) < 0) : bounds;
      await Promise.all(
        needed.map(async ([stream]) => {
          // All that is left of the page may be of one type.
          if (begun) stream.rows = Math.min(Math.max(stream.rows, wanted()), mostRows);
          await readMore(stream, read);
          held += stream.read.reduce((sum, item) => sum + bytesOf(item), 0);
          if (held > mostHeld)
            throw new RecordError('too-costly', 'These records are too large together; ask for a few types at a time', {
              expression: '_type',
            });
        }),
      );
      begun = true;
      continue;
    }
    const next = streams.filter(({ read: [head] }) => head).sort((a, b) => compareSpots(headOf(a), headOf(b)))[0];
    const item = next?.read.shift();
    if (!item) return;
    held -= bytesOf(item);
    yield item;
  }
}

const newest: Spot = ['~', ''];
const headOf = ({ read: [head] }: Stream): Spot => head?.spot ?? newest;

const readMore = async (stream: Stream, read: ReadType): Promise<void> => {
  const { items, next } = await read(stream.type, stream.next, stream.rows);
  stream.read = items.map((item) => ({ ...item, spot: spotOf(item.key) }));
  stream.ended = next === undefined;
  stream.next = next;
  stream.rows = Math.min(stream.rows * 4, mostRows);
};
