import { unfinishedPartition } from '../../../shared/store/keys.ts';
import type { RecordStore } from '../../../shared/store/record-store.ts';
import { rowsBetween } from '../../../shared/store/rows-between.ts';
import { sweepTransactions } from '../../../shared/store/settle-transaction.ts';
import { CommandFailed } from '../command.ts';
import { compareTables, type Differences } from './compare.ts';
import { copyRows, rowsToWrite } from './copy-rows.ts';
import { type DecidedRecord, type Deletions, decideRecords, type Outcome } from './decide-records.ts';
import { purgeAgain, purgedLater } from './purge-again.ts';
import { type WorkItem, workList } from './work-list.ts';
import { putBackRecords, type Restoring, takeRecords } from './write-records.ts';

/** What is to be done to a restored table, before anybody uses it. */
export interface Replay {
  readonly decided: readonly DecidedRecord[];
  readonly differences: Differences;
  readonly work: readonly WorkItem[];
}

/**
 * Finds out what a restored table takes over from the one that went on. Changes nothing but what staged transactions were under way at the moment: these are settled, as after a crash.
 *
 * @throws CommandFailed where transactions are under way in the old table, a row is of an unknown kind, or the tables are of different deployments.
 */
export const planReplay = async (restoring: Restoring, deletions: Deletions): Promise<Replay> => {
  const { old, restored } = restoring;
  await requireNothingUnderWay(old);
  await sweepTransactions(restored, Number.POSITIVE_INFINITY);
  const differences = await compareTables(restoring);
  const decided = decideRecords(differences.records, differences.rows, deletions);
  const { kept } = rowsToWrite(differences.rows);
  return { decided, differences, work: workList(old, decided, differences.rows, kept) };
};

const of = (decided: readonly DecidedRecord[], ...outcomes: readonly Outcome[]) =>
  decided.filter(({ outcome }) => outcomes.includes(outcome));

/**
 * Takes over what was done, told, opened and closed. While the restored table has no stream: nothing of this happens again. What closes comes first. May be done again.
 */
export const replayTraces = async (restoring: Restoring, { decided, differences }: Replay): Promise<void> => {
  const [closing, others] = [true, false].map((tightens) =>
    differences.rows.filter(({ kind }) => (kind.fate === 'tightened') === tightens),
  );
  // Before the rows that tell of purges: a run that breaks off leaves what the next one finds them by.
  for (const chart of purgedLater(differences.rows)) await purgeAgain(restoring, chart);
  await copyRows(restoring.restored, rowsToWrite(closing ?? []));
  await takeRecords(restoring, of(decided, 'taken', 'kept-deleted'));
  await copyRows(restoring.restored, rowsToWrite(others ?? []));
};

/**
 * Takes away what a run left in the restored table that broke off while it put records back: it had its stream by then, and all else had been taken over.
 *
 * @throws CommandFailed where something was written to the old table since, which cannot be taken over in silence any more.
 */
export const goOn = async ({ restored }: Restoring, { differences }: Replay): Promise<void> => {
  const { puts, removes } = rowsToWrite(differences.rows);
  if (puts.length > 0)
    throw new CommandFailed('The restored table has a stream by now, and the old one was written since: restore anew');
  await copyRows(restored, { puts, removes });
};

/** Puts records back. With the restored table's own stream, so that whoever follows changes is told. May be done again. */
export const replayRecords = (restoring: Restoring, { decided }: Replay): Promise<void> =>
  putBackRecords(restoring, of(decided, 'put-back', 'ended'));

const requireNothingUnderWay = async (old: RecordStore): Promise<void> => {
  for (const letter of '0123456789abcdefghijklmnopqrstuv') {
    const { rows } = await rowsBetween(old, { pk: unfinishedPartition(letter), from: '!', to: '~', limit: 1 });
    if (rows.length > 0)
      throw new CommandFailed(
        'Transactions are under way in the old table. Close the door, wait a quarter of an hour for the sweeper, and try again.',
      );
  }
};
