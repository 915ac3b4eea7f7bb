import { dayOf, logsChainedOn } from '../../../shared/audit/chain/chained-logs.ts';
import { verifyLog } from '../../../shared/audit/chain/verify.ts';
import { inParallel } from '../../../shared/store/in-parallel.ts';
import { compareTables } from './compare.ts';
import { rowsToWrite } from './copy-rows.ts';
import { type Deletions, decideRecords } from './decide-records.ts';
import { kindOf } from './row-kinds.ts';
import type { Restoring } from './write-records.ts';

/** Something that must not be, before anybody uses a restored table. Names kinds and counts, never whose chart. */
export interface Fault {
  readonly what: string;
  readonly count: number;
}

const atOnce = 8;
const dayMs = 86_400_000;

/**
 * Looks whether a restored table may be used: nothing differs any more that was to be taken over, each record has a version of its own behind those that were told, and the chains of all logs that
 * were continued hold.
 */
export const verifyRestored = async (restoring: Restoring, deletions: Deletions): Promise<readonly Fault[]> => {
  const { restored, at, now } = restoring;
  const { records, rows } = await compareTables(restoring);
  const { puts, removes } = rowsToWrite(rows);
  const faults = new Map<string, number>();
  const name = (what: string, count = 1) => faults.set(what, (faults.get(what) ?? 0) + count);
  for (const row of puts) name(`not taken over: ${kindOf(row)?.name ?? 'unknown'}`);
  for (const row of removes) name(`not removed: ${kindOf(row)?.name ?? 'unknown'}`);
  for (const { outcome } of decideRecords(records, rows, deletions)) name(`record: ${outcome} is still to be done`);
  for (const { old: last, restored: row } of records)
    if ((row?.version ?? 0) < last.version && !last.purged) name('a number of a version would be given twice');
  const logs = new Set<string>();
  for (let day = at - dayMs; day < now + dayMs; day += dayMs)
    for await (const log of logsChainedOn(restored, dayOf(day))) logs.add(log);
  await inParallel(atOnce, [...logs], async (log) => {
    for (const kind of await brokenIn(restoring, log)) name(`chain of a log: ${kind}`);
  });
  return [...faults].map(([what, count]) => ({ what, count }));
};

/** What is wrong with a log and was not before. Rows that were held for a while are late in both tables: whether they may be is told by who has the bucket that held them, `npm run audit:verify`. */
const brokenIn = async ({ old, restored }: Restoring, log: string): Promise<readonly string[]> => {
  const { faults } = await verifyLog(restored, log);
  if (faults.length === 0) return [];
  const before = (await verifyLog(old, log)).faults;
  return faults
    .filter(({ kind, place }) => !before.some((fault) => fault.kind === kind && fault.place === place))
    .map(({ kind }) => kind);
};
