import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { fileByTime } from '../../shared/changes/file-by-time.ts';
import { commit } from '../../shared/store/commit.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { completeUpTo, sendBeats } from '../../shared/store/feed/completeness.ts';
import { FeedReading } from '../../shared/store/feed/read-feed.ts';
import { beatsKey, feedProgressPartition, transactionKey, unfinishedKey } from '../../shared/store/keys.ts';
import { openStore } from '../../shared/store/open-store.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { recordRow } from '../../shared/store/rows.ts';
import { sweepAndBeat } from '../../shared/store/sweep-on-schedule.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { localBucket, localTable } from '../support/dynamodb.ts';
import { fileRecords, streamOf } from '../support/feed.ts';
import { insertEvent } from '../support/stream-events.ts';
import { allRows, commitOf, intercepted, newRecord } from '../support/test-store.ts';

const minute = 60_000;
const hour = 60 * minute;
const start = Date.UTC(2026, 4, 1);

let store: RecordStore;
let streamed: () => Promise<DynamoDBRecord[]>;
const open = async () => {
  const table = await localTable();
  store = await openStore(documentClient({ endpoint: table.endpoint }), table.tableName, await localBucket());
  streamed = await streamOf(table);
};
beforeEach(open);

const gaps = async () =>
  (await allRows(store)).filter(({ pk, sk }) => pk === feedProgressPartition && sk !== beatsKey.sk);
const isBeat = ({ dynamodb }: DynamoDBRecord) => dynamodb?.NewImage?.pk?.S?.startsWith('F~') === true;
const fileAll = async () => fileRecords(store, await streamed());

describe('up to when the feed is complete', () => {
  it('is told by the last round of beats that came through', async () => {
    expect(await completeUpTo(store)).toBeUndefined();

    for (const to of [start, start + minute, start + 2 * minute]) {
      await sendBeats(store, to);
      await fileAll();

      expect(await completeUpTo(store)).toBe(to);
    }
  });

  it('is told by the slowest shard', async () => {
    await sendBeats(store, start);
    await fileAll();
    await sendBeats(store, start + minute);
    const records = await streamed();
    const isSlow = ({ dynamodb }: DynamoDBRecord) => dynamodb?.NewImage?.pk?.S === 'F~7';

    await fileRecords(
      store,
      records.filter((record) => !isSlow(record)),
    );
    const behind = await completeUpTo(store);
    await fileRecords(store, records.filter(isSlow));

    expect([behind, await completeUpTo(store)]).toEqual([start, start + minute]);
  });

  it('is known once every beat has come', async () => {
    await sendBeats(store, start);
    const [first, ...rest] = (await streamed()).filter(isBeat);

    await fileRecords(store, rest);
    const without = await completeUpTo(store);
    await fileRecords(store, [first as DynamoDBRecord]);

    expect([without, await completeUpTo(store)]).toEqual([undefined, start]);
  });

  it('is not changed by a delivery that is repeated', async () => {
    await sendBeats(store, start);
    const first = await streamed();
    await sendBeats(store, start + minute);
    const second = await streamed();

    for (const records of [first, second, first, second, [...first, ...second]]) await fileRecords(store, records, 5);

    expect(await completeUpTo(store)).toBe(start + minute);
    expect(await gaps()).toEqual([]);
  });

  it('is noted behind several rounds that come in one batch', async () => {
    for (const to of [start, start + minute, start + 2 * minute]) await sendBeats(store, to);

    await fileAll();

    expect(await completeUpTo(store)).toBe(start + 2 * minute);
    expect(await gaps()).toEqual([]);
  });

  it('stays where it was when a beat was lost, whatever comes after', async () => {
    await sendBeats(store, start);
    await fileAll();
    await sendBeats(store, start + minute);
    const lost = await streamed();
    await sendBeats(store, start + 2 * minute);
    await fileAll();
    await sendBeats(store, start + 3 * minute);
    await fileAll();

    expect(lost.filter(isBeat)).toHaveLength(64);
    expect(await completeUpTo(store)).toBe(start);
    expect(await gaps()).toHaveLength(1);
  });

  it('is not known if the first beats were lost', async () => {
    await sendBeats(store, start);
    await streamed();
    await sendBeats(store, start + minute);
    await fileAll();

    expect(await completeUpTo(store)).toBeUndefined();
  });

  it('moves on once what is missing was filed and the gap is taken away', async () => {
    await sendBeats(store, start);
    await fileAll();
    await sendBeats(store, start + minute);
    const lost = await streamed();
    await sendBeats(store, start + 2 * minute);
    await fileAll();

    await fileRecords(store, lost);
    await writeRows(store, [], await gaps());

    expect(await completeUpTo(store)).toBe(start + 2 * minute);
  });

  it('stays before what came five hours late: something else may have been given up', async () => {
    await sendBeats(store, start);
    await fileAll();
    const created = Math.floor(Date.now() / 1_000);
    const late = insertEvent([{ pk: 'A#x', sk: 'y' }]).Records.map((record) => ({
      ...record,
      dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: created },
    }));

    await fileByTime(store, { Records: late }, created * 1_000 + 5 * hour - 1_000);
    const inTime = await gaps();
    await fileByTime(store, { Records: late }, created * 1_000 + 5 * hour);
    await fileByTime(store, { Records: late }, created * 1_000 + 5 * hour + minute);
    await sendBeats(store, Date.now() + 24 * hour);
    await fileAll();

    expect(inTime).toEqual([]);
    expect(await gaps()).toHaveLength(1);
    const complete = (await completeUpTo(store)) ?? Number.NaN;
    expect(complete).toBeLessThanOrEqual(created * 1_000 - minute);
    expect(complete).toBeGreaterThanOrEqual(created * 1_000 - hour - minute);
  });

  it('is behind a transaction that is still under way', async () => {
    const now = Date.now();
    await store.client.send(
      new PutCommand({
        TableName: store.tableName,
        Item: { ...transactionKey('0open'), status: 'open', deadline: now + 10_000, parts: 0 },
      }),
    );
    await writeRows(store, [{ ...unfinishedKey('0open') }]);

    await sweepAndBeat(store, now);
    await fileAll();

    expect(await completeUpTo(store)).toBe(now + 10_000 - 30_000 - minute);
  });

  it('is not told where a transaction cannot be settled', async () => {
    await sendBeats(store, start);
    await fileAll();
    const broken = intercepted(store, ({ input, send }) => {
      if (JSON.stringify(input).includes('T~3')) throw new Error('away');
      return send();
    });

    await expect(sweepAndBeat(broken)).rejects.toThrow('away');

    expect((await streamed()).filter(isBeat)).toEqual([]);
  });

  it('does not run back for a round that was overtaken', async () => {
    await sendBeats(store, start + minute);
    await sendBeats(store, start);
    await fileAll();
    await sendBeats(store, start + 2 * minute);
    await fileAll();

    expect(await completeUpTo(store)).toBe(start + 2 * minute);
    expect(await gaps()).toEqual([]);
  });
});

describe('the function that files by time', () => {
  const found = async () => {
    const reading = new FeedReading(store, { owners: ['northside'], wanted: () => true, limit: 10 });
    const changes = [];
    while (!reading.ended) changes.push(...(await reading.more()));
    return changes.map(({ type, version, change }) => `${change} ${type} ${version}`);
  };

  it('asks again from a change that a newer release wrote, and files what stood before it', async () => {
    const rows = [newRecord(store, store.ids.newChart()), newRecord(store, store.ids.newChart(), { type: 'Task' })].map(
      (record) => ({ ...recordRow(record, store.ids) }),
    );
    const [first, second] = rows;
    const event = insertEvent([first ?? {}, { ...second, layout: 99 }, { ...second }]);

    const report = await fileByTime(store, event);

    expect(report).toEqual({ batchItemFailures: [{ itemIdentifier: '2' }] });
    expect(await found()).toEqual(['created Observation 1']);
  });

  it('notes no beat that stands behind what could not be filed', async () => {
    await sendBeats(store, start);
    const beats = await streamed();
    const unreadable = insertEvent([
      { ...recordRow(newRecord(store, store.ids.newChart()), store.ids), layout: 99 },
    ]).Records;

    await fileByTime(store, { Records: [...unreadable, ...beats] });

    expect(await completeUpTo(store)).toBeUndefined();
  });

  it('notes no beat where the feed could not be written', async () => {
    await commit(store, commitOf({ writes: [{ next: newRecord(store, store.ids.newChart()) }] }));
    await sendBeats(store, start);
    const records = await streamed();
    const broken = intercepted(store, ({ name, send }) => {
      if (name === 'BatchWrite') throw new Error('away');
      return send();
    });

    await expect(fileByTime(broken, { Records: records })).rejects.toThrow('away');

    expect(await completeUpTo(store)).toBeUndefined();
  });

  it('costs one unit for a batch of changes of one chart, and nothing for other rows', async () => {
    const calls: string[] = [];
    const counted = intercepted(store, ({ name, input, send }) => {
      calls.push(`${name} ${((input.RequestItems as Record<string, unknown[]>)?.[store.tableName] ?? []).length}`);
      return send();
    });
    const chart = store.ids.newChart();
    const rows = Array.from({ length: 40 }, () => ({ ...recordRow(newRecord(store, chart), store.ids) }));

    await fileByTime(counted, insertEvent(rows));
    await fileByTime(counted, insertEvent([{ pk: 'X#northside#Patient#_all#0', sk: 'x' }]));

    expect(calls).toEqual(['BatchWrite 1']);
  });
});
