import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { publishOrPark, ServiceAway } from '../../shared/changes/parking.ts';
import { type PublishRows, retryParked as retry } from '../../shared/changes/retry-parked.ts';
import { RecordError } from '../../shared/errors.ts';
import { commit } from '../../shared/store/commit.ts';
import { changeIn, type RowChange } from '../../shared/store/feed/change.ts';
import { commitWithinMs } from '../../shared/store/feed/completeness.ts';
import { parkedKey, parkedPrefix } from '../../shared/store/feed/feed-keys.ts';
import { parkChart, parkedCharts, passOver } from '../../shared/store/feed/parked-charts.ts';
import { historyKey, recordKey } from '../../shared/store/keys.ts';
import { WrittenByNewerRelease } from '../../shared/store/layouts.ts';
import { ObjectStoreError } from '../../shared/store/object-store.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { addressOf, type RecordRow, recordFrom, type StoredRecord } from '../../shared/store/rows.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { asFunction } from '../support/as-function.ts';
import { commitOf, intercepted, newRecord, nextOf, rowAt, testStore } from '../support/test-store.ts';

/** As the function of that name runs it. */
const retryParked: typeof retry = (of, ...args) =>
  asFunction('functions/retry-parked.ts', of, () => retry(of, ...args));

let store: RecordStore;
let published: string[];
const now = Date.UTC(2026, 10, 27);
const always = () => true;

beforeAll(async () => {
  store = await testStore();
});
beforeEach(async () => {
  published = [];
  await writeRows(
    store,
    [],
    [...(await parkedCharts(store)).keys()].map((chart) => parkedKey(chart)),
  );
});

/** Publishes rows as far as they can be read: the body, too. */
const publish: PublishRows = async (rows) => {
  const told = rows.map(({ after }) => {
    const address = after && addressOf(after);
    if (!address) throw new Error('No record');
    const { type, version, chart } = recordFrom(after, address, store.ids);
    return `${chart.slice(0, 6)} ${type} ${version}`;
  });
  published.push(...told);
};

/** Stores a record and so many versions of it, and tells of each what the stream tells. */
const stored = async (chart: string, versions: number, over: Partial<StoredRecord> = {}) => {
  let record = newRecord(store, chart, over);
  const rows: RowChange[] = [];
  for (let version = 1; version <= versions; version++) {
    const before = rows.at(-1)?.after;
    const next = version === 1 ? record : nextOf(record);
    await commit(store, commitOf({ writes: [version === 1 ? { next } : { next, previous: record }] }));
    record = next;
    rows.push({ before, after: (await rowAt(store, recordKey(record))) as RecordRow });
  }
  return { record, rows };
};

const inStream = (rows: readonly RowChange[]) =>
  rows.map((row) => {
    const change = changeIn(row);
    if (!change) throw new Error('No change');
    return { row, chart: change.chart, written: change.updated };
  });

const publishStream = (rows: readonly RowChange[], through: RecordStore = store) =>
  publishOrPark(through, inStream(rows), (some) => publish(some.map(({ row }) => row)), now);

/** The same row with a body that nobody can inflate. */
const damaged = ({ after }: RowChange): RecordRow => ({
  ...(after as RecordRow),
  body: Uint8Array.of(2, 0, 0, 0, 0, 9, 9),
});

const name = (chart: string, ...versions: number[]) =>
  versions.map((version) => `${chart.slice(0, 6)} Observation ${version}`);

describe('a change that cannot be published', () => {
  it('parks its chart, and holds up nobody else’s', async () => {
    const [bad, good, other] = [store.ids.newChart(), store.ids.newChart(), store.ids.newChart()];
    const poison = await stored(bad, 2);
    const first = await stored(good, 2);
    const second = await stored(other, 1);
    const broken = { before: undefined, after: damaged(poison.rows[0] as RowChange) };

    await publishStream([...first.rows.slice(0, 1), broken, ...second.rows, ...first.rows.slice(1)]);

    expect(published.toSorted()).toEqual([...name(good, 1, 2), ...name(other, 1)].toSorted());
    expect(published.filter((each) => each.startsWith(good.slice(0, 6)))).toEqual(name(good, 1, 2));
    expect([...(await parkedCharts(store)).values()]).toEqual([
      {
        chart: bad,
        reason: 'unreadable',
        since: now,
        from: poison.record.updated - 1_000 - commitWithinMs,
        skipped: 0,
        tried: 0,
      },
    ]);
  });

  it('is passed over with all that follows of its chart, so that nothing overtakes it', async () => {
    const [bad, good] = [store.ids.newChart(), store.ids.newChart()];
    const poison = await stored(bad, 2);
    const first = await stored(good, 1);
    await publishStream([{ before: undefined, after: damaged(poison.rows[0] as RowChange) }]);

    await publishStream([...poison.rows.slice(1), ...first.rows]);

    expect(published).toEqual(name(good, 1));
    expect((await parkedCharts(store)).get(bad)?.skipped).toBe(1);
  });

  it('says whether a newer release is to be waited for', async () => {
    const chart = store.ids.newChart();
    const { rows } = await stored(chart, 1);

    await publishOrPark(store, inStream(rows), () => Promise.reject(new WrittenByNewerRelease('record', 9, [1])), now);

    expect((await parkedCharts(store)).get(chart)?.reason).toBe('newer-release');
  });

  it.each([
    ['a service that says so', new ServiceAway()],
    ['a busy table', new RecordError('throttled', 'busy')],
    [
      'a missing permission',
      Object.assign(new Error('no'), { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } }),
    ],
    ['a broken connection', Object.assign(new Error('no'), { code: 'ECONNRESET' })],
    ['an object store that is away', new ObjectStoreError('SlowDown')],
  ])('is none while a service is away: %s', async (_, error) => {
    const { rows } = await stored(store.ids.newChart(), 1);

    const doing = publishOrPark(store, inStream(rows), () => Promise.reject(error), now);

    await expect(doing).rejects.toBe(error);
    expect((await parkedCharts(store)).size).toBe(0);
  });

  it.each([
    ['an object that is gone', new ObjectStoreError('NoSuchKey')],
    [
      'what a service finds wrong in it',
      Object.assign(new Error('no'), { name: 'ValidationException', $metadata: {} }),
    ],
    ['what would be too much', new RecordError('too-costly', 'much')],
    ['what nobody has thought of', new TypeError('x')],
  ])('is what fails for its own sake: %s', async (_, error) => {
    const chart = store.ids.newChart();
    const { rows } = await stored(chart, 1);

    await publishOrPark(store, inStream(rows), () => Promise.reject(error), now);

    expect([...(await parkedCharts(store)).keys()]).toEqual([chart]);
  });

  it('costs everybody else one Query, and is found among 20 charts in eleven tries', async () => {
    let queries = 0;
    const counting = intercepted(store, ({ name: call, send }) => {
      if (call === 'Query') queries++;
      return send();
    });
    const rows = await Promise.all(Array.from({ length: 20 }, () => stored(store.ids.newChart(), 1)));
    const changes = inStream(rows.flatMap((each) => each.rows));
    let tries = 0;
    const poison = changes[13]?.chart;

    await publishOrPark(
      counting,
      changes,
      async (some) => {
        tries++;
        if (some.some(({ chart }) => chart === poison)) throw new Error('poison');
        await publish(some.map(({ row }) => row));
      },
      now,
    );

    expect(published).toHaveLength(19);
    expect([queries, tries <= 11]).toEqual([1, true]);
  });
});

describe('a parked chart', () => {
  it('is published from itself once that can be done: each version once, in order; and then as before', async () => {
    const chart = store.ids.newChart();
    const { record, rows } = await stored(chart, 3);
    const mended = rows[1] as RowChange;
    await publishStream(rows.slice(0, 1));
    const version2 = historyKey(record, 2);
    const whole = (await rowAt(store, version2)) as RecordRow;
    await writeRows(store, [{ ...whole, body: damaged(mended).body } as never]);
    await publishStream([{ ...mended, after: damaged(mended) }, ...rows.slice(2)]);
    published = [];

    const before = await retryParked(store, publish, { now, proceed: always });
    await writeRows(store, [whole as never]);
    const after = await retryParked(store, publish, { now, proceed: always });
    const told = published;
    published = [];
    const { rows: later } = await stored(chart, 1);
    await publishStream(later);

    expect([before, after]).toEqual([
      { unparked: 0, left: 1 },
      { unparked: 1, left: 0 },
    ]);
    // The first version is within the minute before, so it comes once more.
    expect(told).toEqual(name(chart, 1, 2, 3));
    expect(published).toEqual(name(chart, 1));
  });

  it('is published without what was written a minute before it was parked, and earlier', async () => {
    const chart = store.ids.newChart();
    const early = await stored(chart, 1, { updated: Date.UTC(2026, 10, 20) });
    const late = await stored(chart, 1, { updated: Date.UTC(2026, 10, 24) });
    await publishStream(early.rows);
    await parkChart(store, { chart, reason: 'unreadable', written: late.record.updated, now });
    published = [];

    await retryParked(store, publish, { now, proceed: always });

    expect(published).toEqual(name(chart, 1));
    expect((await parkedCharts(store)).size).toBe(0);
  });

  it('stays parked until what is passed over meanwhile is published, too', async () => {
    const chart = store.ids.newChart();
    await stored(chart, 1);
    await parkChart(store, { chart, reason: 'unreadable', written: 0, now });
    let second: Awaited<ReturnType<typeof stored>> | undefined;
    const meanwhile: PublishRows = async (some) => {
      await publish(some);
      if (second) return;
      second = await stored(chart, 1, { type: 'Condition' });
      await publishStream(second.rows);
    };

    await retry(store, meanwhile, { now, proceed: always }); // in nobody's name: what comes meanwhile is not its doing

    expect(published).toEqual([...name(chart, 1), `${chart.slice(0, 6)} Condition 1`]);
    expect((await parkedCharts(store)).size).toBe(0);
  });

  it('that is unparked while a batch is looked at has that batch published', async () => {
    const chart = store.ids.newChart();
    const { rows } = await stored(chart, 1);
    await parkChart(store, { chart, reason: 'unreadable', written: 0, now });
    const unparking = intercepted(store, async ({ name: call, input, send }) => {
      const answer = await send();
      const isLook = call === 'Query' && JSON.stringify(input).includes(parkedPrefix);
      if (isLook) await writeRows(store, [], [parkedKey(chart)]);
      return answer;
    });

    await publishStream(rows, unparking);

    expect(published).toEqual(name(chart, 1));
  });

  it('remembers the earliest that was passed over', async () => {
    const chart = store.ids.newChart();
    await parkChart(store, { chart, reason: 'unreadable', written: now, now });

    await passOver(store, chart, now - 10 * commitWithinMs);
    await passOver(store, chart, now);
    await parkChart(store, { chart, reason: 'unreadable', written: now, now: now + 1 });

    expect((await parkedCharts(store)).get(chart)).toMatchObject({
      since: now,
      from: now - 11 * commitWithinMs,
      skipped: 3,
    });
    expect(await passOver(store, store.ids.newChart(), now)).toBe(false);
  });

  it('that cannot be published yet comes behind the others the next time, and a run has an end', async () => {
    const [bad, good] = [store.ids.newChart(), store.ids.newChart()];
    await stored(good, 1);
    const { record } = await stored(bad, 1);
    const whole = (await rowAt(store, recordKey(record))) as RecordRow;
    await writeRows(store, [{ ...whole, body: damaged({ before: undefined, after: whole }).body } as never]);
    await parkChart(store, { chart: bad, reason: 'unreadable', written: 0, now: now - 1 });
    await parkChart(store, { chart: good, reason: 'unreadable', written: 0, now });
    const once = () => {
      let left = 1;
      return () => left-- > 0;
    };

    const first = await retryParked(store, publish, { now, proceed: once() });
    const second = await retryParked(store, publish, { now: now + 1, proceed: once() });

    expect([first, second]).toEqual([
      { unparked: 0, left: 2 },
      { unparked: 1, left: 1 },
    ]);
    expect(published).toEqual(name(good, 1));
  });

  it('waits while a service is away', async () => {
    const chart = store.ids.newChart();
    await stored(chart, 1);
    await parkChart(store, { chart, reason: 'unreadable', written: 0, now });

    const trying = retryParked(store, () => Promise.reject(new ServiceAway()), { now, proceed: always });

    await expect(trying).rejects.toThrow(ServiceAway);
    expect((await parkedCharts(store)).get(chart)?.tried).toBe(0);
  });
});
