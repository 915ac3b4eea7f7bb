import { inParallel } from '../in-parallel.ts';
import { type Table, writeRows } from '../write-rows.ts';
import type { RecordChange } from './change.ts';
import { feedOf, feedOwner, feedRows } from './feed-rows.ts';
import { appendToSequence } from './sequence.ts';
import { byPosition, type Entries } from './sequence-rows.ts';

/** A change, and who is to be told of it: organisations, or the network (`*`). */
export interface Telling {
  readonly change: RecordChange;
  readonly recipients: readonly string[];
}

/** Changes that one row of a sequence may hold: at 150 bytes each, far less than a row may have. */
const mostAtOnce = 1_000;

/** Sequences that are continued beside one another. */
const concurrency = 16;

/**
 * Files changes in the feed, in order of time, and tells each recipient of them, in order of telling. Changes of one record have to be told by one
 * caller after the other, in the order of their versions; in one call they may be in any. What whoever keeps a record is told of stands in the feed, and the
 * sequence leads there: some 30 bytes for hundreds of changes.
 *
 * One BatchWrite for each 25 rows, then a Query and a put for each recipient, 16 at once.
 *
 * @throws if the table did not take all of it. Some recipients may have been told by then, and are told again, or not, when it is repeated.
 */
export const tell = async (table: Table, tellings: readonly Telling[]): Promise<void> => {
  const inOrder = tellings.toSorted((a, b) => byPosition(a.change, b.change));
  for (let at = 0; at < inOrder.length; at += mostAtOnce) await tellSome(table, inOrder.slice(at, at + mostAtOnce));
};

const tellSome = async (table: Table, tellings: readonly Telling[]): Promise<void> => {
  const isKeeper = ({ change, recipients }: Telling) => recipients.includes(feedOf(change));
  const filed = feedRows(tellings.filter(isKeeper).map(({ change }) => change));
  const untold = feedRows(tellings.filter((each) => !isKeeper(each)).map(({ change }) => change));
  await writeRows(table, [...filed, ...untold]);
  const others = tellings.flatMap(({ change, recipients }) =>
    recipients.filter((recipient) => recipient !== feedOf(change)).map((recipient) => ({ change, recipient })),
  );
  const rows = Map.groupBy(filed, feedOwner);
  const changes = Map.groupBy(others, ({ recipient }) => recipient);
  await inParallel(concurrency, [...new Set([...rows.keys(), ...changes.keys()])], (recipient) => {
    const entries: Entries = {
      filed: rows.get(recipient) ?? [],
      changes: (changes.get(recipient) ?? []).map(({ change }) => change),
    };
    return appendToSequence(table, recipient, entries);
  });
};
