import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { uploadedOf } from '../content/uploaded.ts';
import { bodyReference, unpackBody } from './body.ts';
import { contentKey } from './content-objects.ts';
import { toldSightsKey } from './feed/feed-keys.ts';
import { inParallel } from './in-parallel.ts';
import { type Address, chartKey, purgeKey, purgesPartition, type Row, type RowKey } from './keys.ts';
import { bodiesAtOnce, objectKey } from './large-bodies.ts';
import type { RecordStore } from './record-store.ts';
import { addressOf, type RecordRow } from './rows.ts';
import { rowsBetween } from './rows-between.ts';
import { writeRows } from './write-rows.ts';

/** Rows of a chart that are removed at once, and how often in one run: the next run goes on. */
const rowsAtOnce = 200;
const mostSteps = 50;
const chartsAtOnce = 20;

/**
 * Removes what is left of purged charts: their rows, those of earlier versions, and the objects of their large bodies and of what was uploaded. Nobody sees any of it any more. Who was told that it sees the chart goes with it. The locators of ids that
 * clients chose stay: processes remember where they lead, so such an id is never used again. Each step may be repeated, so a run that was killed is taken up by the next one.
 *
 * @returns how many rows were removed.
 */
export const sweepPurges = async (store: RecordStore): Promise<number> => {
  const purges = await rowsBetween(store, { pk: purgesPartition, from: '0', to: 'w', limit: chartsAtOnce });
  const rows = [...purges.rows];
  let removed = 0;
  for (let step = 0; step < mostSteps && rows.length > 0; step++) {
    const chart = rows[0]?.sk ?? '';
    const { rows: left } = await rowsBetween(store, { pk: chartKey(chart), from: '!', to: '~~', limit: rowsAtOnce });
    if (left.length > 0) {
      // What a transaction has marked is its own until it is settled.
      if (left.some((row) => row['tx'] !== undefined || row['intent'] !== undefined)) rows.shift();
      else removed += await remove(store, left);
      continue;
    }
    // Nothing is told of the chart any more, so neither row comes back.
    for (const Key of [toldSightsKey(chart), purgeKey(chart)])
      await store.client.send(new DeleteCommand({ TableName: store.tableName, Key }));
    rows.shift();
  }
  return removed;
};

const remove = async (store: RecordStore, rows: readonly Row[]): Promise<number> => {
  const records = rows.flatMap((row) => {
    const at = addressOf(row) ?? earlierAt(row);
    return at && row['version'] !== undefined ? [{ row: row as unknown as RecordRow, at }] : [];
  });
  const objects = records.flatMap(({ row, at }) => {
    const large = bodyReference(row.body);
    return large ? [objectKey(store.ids, at, row.version, large.name)] : uploadedTo(store, row, at);
  });
  await inParallel(bodiesAtOnce, objects, (key) => store.objects.delete(key));
  await writeRows(store, [], rows);
  return rows.length;
};

/** The object of uploaded content. A Binary that has one is small itself. */
const uploadedTo = ({ ids }: RecordStore, { body }: RecordRow, at: Address): string[] => {
  const uploaded = at.type === 'Binary' && body ? uploadedOf(unpackBody(body, at.chart).resource) : undefined;
  return uploaded ? [contentKey(ids, at, uploaded)] : [];
};

/** Where the record is of which this is an earlier version. */
const earlierAt = ({ pk, sk }: RowKey): Address | undefined => {
  const [, type, place] = /^~H#([A-Z][A-Za-z]+)#([0-9a-v]*)#/.exec(sk) ?? [];
  return type === undefined || place === undefined ? undefined : { type, chart: pk.slice(chartKey('').length), place };
};
