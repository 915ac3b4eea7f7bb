import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { auditRow } from '../../shared/audit/audit-row.ts';
import { dayOf, noteChained } from '../../shared/audit/chain/chained-logs.ts';
import { logNameOf } from '../../shared/audit/log-name.ts';
import { type ReconcileOptions, reconcile } from '../../shared/changes/reconcile.ts';
import type { PublishRows } from '../../shared/changes/retry-parked.ts';
import { commit } from '../../shared/store/commit.ts';
import { changeIn } from '../../shared/store/feed/change.ts';
import { completeUpTo, noteBeats, noteLateness } from '../../shared/store/feed/completeness.ts';
import { beatKey, feedGapKey, feedProgressPartition } from '../../shared/store/feed/feed-keys.ts';
import { parkChart, parkedCharts } from '../../shared/store/feed/parked-charts.ts';
import { tell } from '../../shared/store/feed/tell.ts';
import { auditKey } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { allRows, commitOf, intercepted, newRecord, nextOf, testStore } from '../support/test-store.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const now = Date.UTC(2026, 10, 27, 12);
const recently = now - 3 * hour;

let store: RecordStore;
let published: string[];
let beat: number | undefined;
beforeEach(async () => {
  beat = undefined;
  store = await testStore();
  published = [];
});

/** Files what rows became in the feed, as the publisher does, and tells whoever keeps the record. */
const publish: PublishRows = async (rows) => {
  const changes = rows.flatMap((row) => changeIn(row) ?? []);
  published.push(...changes.map(({ type, version, change }) => `${type} ${version} ${change}`));
  await tell(
    store,
    changes.map((change) => ({ change, recipients: [change.custodian] })),
  );
};

/** Stores a record, and notes that its chart was touched. */
const stored = async (over: Partial<StoredRecord> = {}, chart = store.ids.newChart()): Promise<StoredRecord> => {
  const record = newRecord(store, chart, { updated: recently, ...over });
  await commit(store, commitOf({ writes: [{ next: record }] }));
  await noteChained(store, dayOf(record.updated), [logNameOf(store, chart)]);
  return record;
};

const updated = async (previous: StoredRecord, over: Partial<StoredRecord> = {}): Promise<StoredRecord> => {
  const next = nextOf(previous, over);
  await commit(store, commitOf({ writes: [{ next, previous }] }));
  return next;
};

const filed = async (...records: readonly StoredRecord[]) => {
  const changes = records.map((record) => ({ ...record, change: 'updated' as const }));
  await tell(
    store,
    changes.map((change) => ({ change, recipients: [change.custodian] })),
  );
};

/** All has come out of the stream that was written up to then. */
const streamedUpTo = async (to: number) => {
  const before = beat;
  beat = to;
  const rowOf = (number: number, time: number) => ({ ...beatKey(String(number)), to: time });
  await noteBeats(
    store,
    Array.from({ length: 64 }, (_, number) => ({
      before: before === undefined ? undefined : rowOf(number, before),
      after: rowOf(number, to),
    })),
    now,
  );
};

const gaps = async () =>
  (await allRows(store)).filter(({ pk, sk }) => pk === feedProgressPartition && sk.startsWith('gap'));

const run = (over: Partial<ReconcileOptions> = {}) => reconcile(store, publish, { now, proceed: () => true, ...over });

describe('charts that were touched lately', () => {
  it('have published what the feed lacks of them, versions in order, and nothing else', async () => {
    const whole = await stored();
    await filed(whole);
    const first = await stored();
    const second = await updated(first);
    await updated(second, { resource: undefined });
    const later = await updated(await stored({ type: 'Condition' }, first.chart));
    await filed(later);
    await streamedUpTo(now - minute);

    const done = await run();

    expect(done).toEqual({ charts: 2, republished: 4, closed: 0, failed: 0, ended: true });
    expect(published).toEqual([
      'Condition 1 created',
      'Observation 1 created',
      'Observation 2 updated',
      'Observation 3 deleted',
    ]);
  });

  it('are compared once a day, and what was published is not published again', async () => {
    await stored();
    await streamedUpTo(now - minute);

    const first = await run();
    await stored();
    const again = await run({ now: now + hour });
    await streamedUpTo(now + day - minute);
    const nextDay = await run({ now: now + day });

    expect([first, again, nextDay].map(({ charts, republished }) => [charts, republished])).toEqual([
      [1, 1],
      [0, 0],
      [2, 1],
    ]);
  });

  it('are those of two days, and of these the versions that have come out of the stream', async () => {
    await stored({ updated: now - 2 * day - minute });
    await stored({ type: 'Condition', updated: now - 2 * day + minute });
    await stored({ type: 'Procedure', updated: now - 5 * minute });
    await streamedUpTo(now - 10 * minute);

    await run();

    expect(published).toEqual(['Condition 1 created']);
  });

  it('may be those of the directory, whose log has another name than they', async () => {
    const chart = 'northside-nurse';
    const record = newRecord(store, chart, { type: 'Practitioner', place: '', id: chart, updated: recently });
    await commit(store, commitOf({ writes: [{ next: record }] }));
    const log = logNameOf(store, chart);
    const Item = auditRow(store.ids, auditKey(log, store.ids.newPlace(recently)), {
      at: recently,
      interaction: 'create',
      what: [`Practitioner/${chart}/_history/1`],
      subject: 's',
      name: 'n',
      client: 'c',
      fhirUser: 'Practitioner/admin',
      roles: ['admin'],
      request: 'r',
    });
    await store.client.send(new PutCommand({ TableName: store.tableName, Item }));
    await noteChained(store, dayOf(recently), [log]);
    await streamedUpTo(now - minute);

    await run();

    expect(published).toEqual(['Practitioner 1 created']);
  });

  it('are left alone while they are parked, and one that cannot be published is parked', async () => {
    const parked = await stored();
    const bad = await stored({ type: 'Condition' });
    await stored({ type: 'Procedure' });
    await parkChart(store, { chart: parked.chart, reason: 'unreadable', written: recently, now });
    await streamedUpTo(now - minute);
    const failing: PublishRows = async (rows) => {
      if (rows.some(({ after }) => after?.pk.endsWith(bad.chart))) throw new Error('poison');
      await publish(rows);
    };

    const done = await reconcile(store, failing, { now, proceed: () => true });

    expect(published).toEqual(['Procedure 1 created']);
    expect(done).toMatchObject({ charts: 3, ended: true });
    expect([...(await parkedCharts(store)).keys()].toSorted()).toEqual([parked.chart, bad.chart].toSorted());
  });

  it('are compared some at a time, and a run goes on where the one before it ended', async () => {
    for (let count = 0; count < 5; count++) await stored();
    await streamedUpTo(now - minute);
    const steps = (most: number) => {
      let left = most;
      return () => left-- > 0;
    };

    const first = await run({ charts: 1, proceed: steps(2) });
    const afterFirst = published.length;
    const rest = await run({ charts: 1, now: now + hour });

    expect([first.ended, first.charts, afterFirst]).toEqual([false, 2, 2]);
    expect([rest.ended, rest.charts, published.length]).toEqual([true, 3, 5]);
  });

  it('take two Queries each, and one for each partition that tells of any', async () => {
    const records = [];
    for (let count = 0; count < 6; count++) records.push(await stored());
    await filed(...records);
    await streamedUpTo(now - minute);
    const queried: string[] = [];
    const counting = intercepted(store, ({ name, input, send }) => {
      const { ':pk': pk = '' } = (input['ExpressionAttributeValues'] ?? {}) as Record<string, string>;
      if (name === 'Query') queried.push(pk.slice(0, 2));
      return send();
    });

    const done = await reconcile(counting, publish, { now, proceed: () => true });

    expect(done).toMatchObject({ charts: 6, republished: 0 });
    expect(queried.filter((pk) => pk === 'C#')).toHaveLength(12);
    expect(queried.filter((pk) => pk === 'F#').length).toBeLessThanOrEqual(4);
  });

  it('wait until it is known what has come out of the stream', async () => {
    await stored();

    expect(await run()).toMatchObject({ charts: 0, ended: true });
    await streamedUpTo(now - minute);
    expect(await run()).toMatchObject({ charts: 1, republished: 1 });
  });
});

describe('a gap in the feed', () => {
  it('is filled from all charts that were touched since, and removed; the feed is complete beyond it then', async () => {
    const lost = await stored({ updated: now - 5 * day + 2 * hour });
    await stored({ type: 'Condition' });
    await streamedUpTo(now - minute);
    await noteLateness(store, now - 5 * day + hour, now - 5 * hour);
    const before = await completeUpTo(store);

    const done = await run();

    expect(before).toBeLessThan(lost.updated);
    expect(published).toEqual(['Observation 1 created', 'Condition 1 created']);
    expect(done).toMatchObject({ closed: 1, ended: true });
    expect(await gaps()).toEqual([]);
    expect(await completeUpTo(store)).toBe(now - minute);
  });

  it('does not wait for the next day', async () => {
    await streamedUpTo(now - minute);
    await run();
    await noteLateness(store, now - 10 * hour, now - 2 * hour);

    const done = await run({ now: now + minute });

    expect(done).toMatchObject({ closed: 1 });
    expect(await gaps()).toEqual([]);
  });

  it('stays while the walk that fills it is not at its end', async () => {
    for (let count = 0; count < 3; count++) await stored();
    await streamedUpTo(now - minute);
    await noteLateness(store, now - 10 * hour, now - 2 * hour);
    let left = 1;

    await run({ charts: 1, proceed: () => left-- > 0 });
    const midway = await gaps();
    await run({ charts: 1 });

    expect([midway.length, (await gaps()).length]).toEqual([1, 0]);
  });

  it.each([
    ['what came at the time when it was noticed has not all come out of the stream', now - 4 * hour, now - 2 * hour],
    ['it was noticed so lately that the charts of then may not be noted', now, now - 10 * minute],
  ])('stays while %s', async (_, streamed, noted) => {
    await streamedUpTo(streamed);
    await noteLateness(store, now - 10 * hour, noted);

    expect(await run()).toMatchObject({ closed: 0 });
    expect(await gaps()).toHaveLength(1);
  });

  it('that is noticed again while it is filled stays', async () => {
    await stored();
    await streamedUpTo(now - minute);
    await noteLateness(store, now - 10 * hour, now - 2 * hour);

    await reconcile(
      store,
      async (rows) => {
        await publish(rows);
        await noteLateness(store, now - 10 * hour, now);
      },
      { now, proceed: () => true },
    );

    expect(await gaps()).toHaveLength(1);
  });

  it('of a release that did not note when it was noticed is filled up to a day behind its beginning', async () => {
    await streamedUpTo(now - minute);
    await writeRows(store, [{ ...feedGapKey('0'), from: 0 }]);

    expect(await run()).toMatchObject({ closed: 1, ended: true });
  });
});
