import { furtherCharts } from '../../../shared/interactions/plan-write.ts';
import { searchTypes } from '../../../shared/record-types/search-types.ts';
import { commit } from '../../../shared/store/commit.ts';
import { indexChanges } from '../../../shared/store/index-rows.ts';
import { type Address, chartKey, purgeKey, type Row, recordRange } from '../../../shared/store/keys.ts';
import { addressOf, type RecordRow, type StoredRecord } from '../../../shared/store/rows.ts';
import { rowsBetween } from '../../../shared/store/rows-between.ts';
import { writeRows } from '../../../shared/store/write-rows.ts';
import type { ChangedRow } from './compare.ts';
import type { Restoring } from './write-records.ts';

/** Charts that were purged behind the moment, and that the restored table has again. */
export const purgedLater = (rows: readonly ChangedRow[]): readonly string[] =>
  rows.flatMap(({ kind, old, restored }) =>
    kind.name === 'keeping' && old?.['state'] === 'purged' && restored?.['state'] !== 'purged'
      ? [old.pk.slice(old.pk.indexOf('#') + 1)]
      : [],
  );

/**
 * Takes a chart that was purged out of sight again, with all that leads to its records. Its rows are then removed by the sweeper, which goes by the row of the purge: the old table has that no more where
 * its sweeper was done.
 */
export const purgeAgain = async ({ restored, now, baseUrl }: Restoring, chart: string): Promise<void> => {
  const types = await searchTypes();
  for (const previous of await recordsOf(restored, chart)) {
    const recordType = types.get(previous.type);
    if (!recordType) throw new Error(`There is no type ${previous.type}`);
    const next: StoredRecord = {
      ...previous,
      version: previous.version + 1,
      updated: Math.max(now, previous.updated + 1),
      resource: undefined,
      shown: undefined,
      purged: true,
    };
    const context = { store: restored, known: new Map<string, Address>(), request: { baseUrl }, recordType };
    const further = await furtherCharts(context, previous, undefined, previous.resource);
    const { removes } = indexChanges(restored, recordType, { next, previous }, further);
    const write = { next, previous, puts: [], removes };
    await commit(restored, { writes: [write], checks: [], unique: [], log: [], claims: [] });
  }
  await writeRows(restored, [{ ...purgeKey(chart) }]);
};

const recordsOf = async (store: Restoring['restored'], chart: string): Promise<StoredRecord[]> => {
  const records: StoredRecord[] = [];
  let after: string | undefined;
  do {
    const { rows, next } = await rowsBetween(store, { pk: chartKey(chart), ...recordRange, after });
    for (const row of rows as (Row & RecordRow)[]) {
      const at = addressOf(row);
      if (at && row.version !== undefined && !row.purged) records.push(...(await store.recordsIn([{ row, at }])));
    }
    after = next;
  } while (after !== undefined);
  return records;
};
