import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { publishChanges } from '../../shared/changes/publish.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { completeUpTo, sendBeats } from '../../shared/store/feed/completeness.ts';
import { beatsKey, feedProgressPartition } from '../../shared/store/feed/feed-keys.ts';
import { transactionKey, unfinishedKey } from '../../shared/store/keys.ts';
import { openStore } from '../../shared/store/open-store.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { sweepAndBeat } from '../../shared/store/sweep-on-schedule.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { localBucket, localTable } from '../support/dynamodb.ts';
import { fileRecords, streamOf } from '../support/feed.ts';
import { publisherOn } from '../support/publisher.ts';
import { insertEvent } from '../support/stream-events.ts';
import { allRows, intercepted } from '../support/test-store.ts';

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

    await publishChanges(publisherOn(store), { Records: late }, created * 1_000 + 5 * hour - 1_000);
    const inTime = await gaps();
    await publishChanges(publisherOn(store), { Records: late }, created * 1_000 + 5 * hour);
    await publishChanges(publisherOn(store), { Records: late }, created * 1_000 + 5 * hour + minute);
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
