import type { Listed } from '../work/worklists.ts';
import type { RecordWrite } from './commit.ts';
import type { RowChanges } from './directive-rows.ts';
import { hashed } from './index-rows.ts';
import { type Row, registryPartition } from './keys.ts';
import type { RecordStore } from './record-store.ts';
import type { StoredRecord } from './rows.ts';

/** Under this stand the lists of work, whatever type a record is of. */
const worklists = '_work';

/** Partition of what an organisation has somebody to do. */
export const worklistPartition = (store: RecordStore, organization: string, list: string): string =>
  registryPartition(organization, worklists, worklists, hashed(store, list));

/** Rows of lists of work to put and remove with a write: each kind by itself, in order of what comes first. */
export const worklistChanges = (
  store: RecordStore,
  listsOf: (record: StoredRecord) => readonly Listed[],
  { next, previous }: Pick<RecordWrite, 'next' | 'previous'>,
): RowChanges => {
  const rowsOf = (record: StoredRecord): Row[] =>
    listsOf(record).map(({ list, as, rank }) => ({
      pk: worklistPartition(store, record.custodian, list),
      sk: `${as}#${rank}#${record.id}`,
      type: record.type,
      chart: record.chart,
      place: record.place,
    }));
  const puts = rowsOf(next);
  const kept = new Set(puts.map(({ pk, sk }) => `${pk} ${sk}`));
  const before = previous ? rowsOf(previous) : [];
  return { puts, removes: before.flatMap(({ pk, sk }) => (kept.has(`${pk} ${sk}`) ? [] : [{ pk, sk }])) };
};
