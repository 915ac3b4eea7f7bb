import { beforeAll, describe, expect, it } from 'vitest';
import { commit } from '../../shared/store/commit.ts';
import type { RecordChange } from '../../shared/store/feed/change.ts';
import { changesOf, endOf, feedRows, feedShards, positionOf, timeText } from '../../shared/store/feed/feed-rows.ts';
import { type FeedRange, FeedReading } from '../../shared/store/feed/read-feed.ts';
import { versionsOf } from '../../shared/store/feed/versions.ts';
import { writeFeed } from '../../shared/store/feed/write-feed.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { itemSize } from '../bench/item-size.ts';
import { commitOf, intercepted, newRecord, nextOf, testStore } from '../support/test-store.ts';

const start = Date.UTC(2026, 4, 1);
let store: RecordStore;
beforeAll(async () => {
  store = await testStore();
});

let organizations = 0;
/** An organisation of a test's own, whose feed is empty. */
const someone = () => `organization-${++organizations}`;

const changeOf = (custodian: string, over: Partial<RecordChange> = {}): RecordChange => ({
  type: 'Observation',
  chart: store.ids.newChart(),
  place: store.ids.newPlace(start),
  version: 1,
  updated: start,
  custodian,
  change: 'created',
  ...over,
});

/** All changes, in pages of some size, with the calls of each page. */
const readAll = async (custodian: string, range: Partial<FeedRange> = {}, limit = 50) => {
  let calls = 0;
  const counted = intercepted(store, ({ send }) => {
    calls++;
    return send();
  });
  const pages: { changes: RecordChange[]; calls: number }[] = [];
  let before: string | undefined;
  do {
    const from = before;
    const reading = new FeedReading(counted, { owners: [custodian], wanted: () => true, limit, ...range, before });
    let changes: RecordChange[] = [];
    before = undefined;
    while (changes.length < limit && !reading.ended) {
      before = reading.rest;
      if (reading.spent) break;
      changes = [...changes, ...(await reading.more())];
    }
    if (changes.length >= limit) {
      changes = changes.slice(0, limit);
      before = positionOf(changes.at(-1) as RecordChange);
    } else if (reading.ended) before = undefined;
    if (from !== undefined && before !== undefined) expect(before < from).toBe(true);
    pages.push({ changes, calls });
    calls = 0;
  } while (before !== undefined);
  return pages;
};
const all = async (...asked: Parameters<typeof readAll>) => (await readAll(...asked)).flatMap(({ changes }) => changes);
const newestFirst = (changes: readonly RecordChange[]) =>
  changes.toSorted((a, b) => (positionOf(a) < positionOf(b) ? 1 : -1));

describe('rows of the feed', () => {
  it('tell all that was filed, an id that a client chose included', () => {
    const changes = [
      changeOf('northside'),
      changeOf('northside', { id: 'chosen', change: 'updated', version: 12 }),
      changeOf('northside', { type: 'Patient', place: '', change: 'deleted', version: 2 }),
      changeOf('lakeside', { type: 'Organization', chart: 'lakeside', place: '', id: 'lakeside' }),
    ];

    const read = feedRows(changes).flatMap(changesOf);

    expect(newestFirst(read)).toEqual(newestFirst(changes));
  });

  it('lie with the organisation that keeps the record, those of the directory with the network', () => {
    const rows = feedRows([
      changeOf('lakeside'),
      changeOf('lakeside', { type: 'Organization', chart: 'lakeside', place: '', id: 'lakeside' }),
    ]);

    expect(rows.map(({ pk }) => pk.replace(/\d$/, ''))).toEqual(['F#lakeside#', 'F#*#']);
  });

  it('are the same for the same changes in another order', () => {
    const changes = Array.from({ length: 30 }, (_, n) => changeOf('northside', { updated: start + n }));
    const sorted = (given: readonly RecordChange[]) => feedRows(given).toSorted((a, b) => (a.sk < b.sk ? -1 : 1));

    expect(sorted(changes.toReversed())).toEqual(sorted(changes));
  });

  it('take 16 bytes for each record of a chart that is loaded, and a write unit for 60 of them', () => {
    const chart = store.ids.newChart();
    const changes = Array.from({ length: 100 }, (_, n) =>
      changeOf('northside', {
        chart,
        place: store.ids.newPlace(start - n * 3600_000 * 31),
        type: n % 3 ? 'Observation' : 'Encounter',
      }),
    );

    const rows = feedRows(changes);

    expect(rows).toHaveLength(1);
    expect(itemSize(rows[0] as never) / 100).toBeLessThanOrEqual(17);
  });

  it('hold nothing of what the record says', () => {
    const [row] = feedRows([changeOf('northside')]);

    expect(Object.keys(row ?? {}).sort()).toEqual(['changes', 'layout', 'pk', 'sk']);
    expect(row?.changes).toMatch(/^\[\[\d+,"\w{26}","Observation",1,"c","\w{20}"\]\]$/);
  });

  it('spread an organisation’s charts over all its partitions', () => {
    const rows = feedRows(Array.from({ length: 100 }, () => changeOf('northside')));

    expect(new Set(rows.map(({ pk }) => pk)).size).toBe(feedShards);
  });

  it('sort as their times do', () => {
    const times = [0, 1, 31, 32, start - 1, start, start + 1, 2 ** 47];

    expect(times.map(timeText).toSorted()).toEqual(times.map(timeText));
    expect(timeText(start) < endOf(timeText(start))).toBe(true);
    expect(endOf(timeText(start)) < timeText(start + 1)).toBe(true);
  });
});

describe('reading the feed', () => {
  it('gives changes newest first, in whatever portions they were filed', async () => {
    const custodian = someone();
    const charts = Array.from({ length: 9 }, () => store.ids.newChart());
    const changes = Array.from({ length: 400 }, (_, n) =>
      changeOf(custodian, { chart: charts[n % 9] as string, updated: start + (n % 7) * 20_000 + n, version: n + 1 }),
    );
    // Some twice, in portions that overlap, the late ones first.
    for (const [from, to] of [
      [300, 400],
      [0, 130],
      [100, 301],
      [250, 260],
    ] as const) {
      await writeFeed(store, changes.slice(from, to));
    }

    expect(await all(custodian)).toEqual(newestFirst(changes));
    expect(await all(custodian, {}, 7)).toEqual(newestFirst(changes));
    expect(await all(custodian, { since: start + 60_000 }, 7)).toEqual(
      newestFirst(changes.filter(({ updated }) => updated >= start + 60_000)),
    );
  });

  it('gets over thousands of changes of one moment', async () => {
    const custodian = someone();
    const chart = store.ids.newChart();
    const changes = Array.from({ length: 3_000 }, () =>
      changeOf(custodian, { chart, place: store.ids.newPlace(start) }),
    );
    await writeFeed(store, changes);

    expect(await all(custodian, {}, 200)).toEqual(newestFirst(changes));
  });

  it('finds what is rare behind 10,000 changes of other types within a page’s calls', async () => {
    const custodian = someone();
    const rare = changeOf(custodian, { type: 'Goal', updated: start });
    await writeFeed(store, [rare]);
    // Each in a row of its own, as a quiet organisation's come: the most that there is to read.
    const single = Array.from({ length: 10_000 }, (_, n) =>
      changeOf(custodian, { updated: start + n * 60_000 + 60_000 }),
    );
    await writeFeed(store, single);

    const pages = await readAll(custodian, { wanted: ({ type }) => type === 'Goal' });

    expect(pages.flatMap(({ changes }) => changes)).toEqual([rare]);
    expect(Math.max(...pages.map(({ calls }) => calls))).toBeLessThanOrEqual(24);
    expect(pages).toHaveLength(1);
  });

  it('ends a page after six rounds, and goes on from there', async () => {
    const custodian = someone();
    const rare = changeOf(custodian, { type: 'Goal', updated: start });
    const chart = store.ids.newChart(); // one partition alone, so that its rows are read one after the other
    await writeFeed(store, [
      { ...rare, chart },
      ...Array.from({ length: 6_000 }, (_, n) => changeOf(custodian, { chart, updated: start + n * 60_000 + 60_000 })),
    ]);

    const pages = await readAll(custodian, { wanted: ({ type }) => type === 'Goal' });

    expect(pages.map(({ changes }) => changes.length)).toEqual([0, 1]);
    expect(pages[0]?.calls).toBeLessThanOrEqual(24);
  });
});

describe('reading on from a position', () => {
  /** Changes of one chart, so that they are in one partition, each in a row of its own. */
  const inRows = async (custodian: string, times: readonly number[]) => {
    const chart = store.ids.newChart();
    const changes = times.map((updated) => changeOf(custodian, { chart, updated }));
    await writeRows(
      store,
      changes.flatMap((change) => feedRows([change])),
    );
    return changes;
  };

  it('gets over a minute in which a partition was given more rows than a page reads', async () => {
    const custodian = someone();
    const [rare] = await inRows(custodian, [start - 60 * 60_000]);
    await inRows(
      custodian,
      Array.from({ length: 5_500 }, (_, n) => start + n * 10),
    );

    const pages = await readAll(custodian, { wanted: (change) => change.updated < start });

    expect(pages.flatMap(({ changes }) => changes)).toEqual([rare]);
    expect(pages).toHaveLength(2);
  });

  it.each([
    ['a minute', 10],
    ['a millisecond', 0],
  ])('is always further on, within %s of many rows as well', async (_, apart) => {
    const custodian = someone();
    const changes = await inRows(
      custodian,
      Array.from({ length: 1_500 }, (_, n) => start + n * apart),
    );
    // Wherever a page may begin, and whether it ends by what it gave out or by what it read.
    const positions = [0, 1, 700, 1_499].flatMap((n) => {
      const position = positionOf(changes[n] as RecordChange);
      return [position, endOf(timeText(start + n * apart))];
    });
    for (const before of positions) {
      const reading = new FeedReading(store, { owners: [custodian], wanted: () => true, limit: 1, before });
      const given = await reading.more();

      expect(reading.ended || reading.rest < before).toBe(true);
      expect(given.every((change) => positionOf(change) < before)).toBe(true);
    }

    expect(await all(custodian, {}, 400)).toEqual(newestFirst(changes));
  });
});

describe('reading on where a call brings little', () => {
  it('never asks for more rows than a call may be asked for', async () => {
    const custodian = someone();
    const chart = store.ids.newChart();
    const changes = Array.from({ length: 20 }, (_, n) => changeOf(custodian, { chart, updated: start + n }));
    await writeRows(
      store,
      changes.flatMap((change) => feedRows([change])),
    );
    const limits: number[] = [];
    // As where each row has a megabyte.
    const heavy = intercepted(store, ({ input, send }) => {
      limits.push(Number(input.Limit));
      return send({ ...input, Limit: 1 });
    });
    const before = positionOf(changes[1] as RecordChange);

    const reading = new FeedReading(heavy, { owners: [custodian], wanted: () => true, limit: 50, before });
    const given = await reading.more();

    expect(given).toEqual([]);
    expect(reading.rest < before).toBe(true);
    expect(limits.length).toBeGreaterThanOrEqual(20);
    expect(Math.max(...limits)).toBeLessThanOrEqual(2 ** 31 - 1);
  });
});

describe('the versions that changes made', () => {
  const written = async (versions: number) => {
    let record = newRecord(store, store.ids.newChart());
    await commit(store, commitOf({ writes: [{ next: record }] }));
    const changes: RecordChange[] = [{ ...record, change: 'created' }];
    while (record.version < versions) {
      const next = nextOf(record);
      await commit(store, commitOf({ writes: [{ next, previous: record }] }));
      changes.push({ ...next, change: 'updated' });
      record = next;
    }
    return changes;
  };

  it('are read in the order of the changes, and say when the next one came', async () => {
    const changes = (await written(4)).reverse();

    const { versions, taken } = await versionsOf(store, changes, { superseded: true, current: () => false });

    expect(taken).toBe(4);
    expect(versions.map(({ record }) => record.version)).toEqual([4, 3, 2, 1]);
    expect(versions.map(({ until }) => until)).toEqual([
      undefined,
      ...changes.slice(0, 3).map(({ updated }) => updated),
    ]);
  });

  it('come with the current one where that is wanted', async () => {
    const changes = await written(3);

    const { versions } = await versionsOf(store, changes, {
      superseded: false,
      current: (change) => change.version !== 2,
    });

    expect(versions.map(({ current }) => current.version)).toEqual([3, 2, 3]);
  });

  it('are found while one moves to the history between two reads', async () => {
    const changes = await written(2);
    const [, second] = changes;
    const { versions } = await versionsOf(store, [second as RecordChange], { superseded: false, current: () => false });
    const current = versions[0]?.record as ReturnType<typeof newRecord>;
    let moved = false;
    const meanwhile = intercepted(store, async ({ name, send }) => {
      const answer = (await send()) as { Responses?: Record<string, { sk: string }[]> };
      if (name !== 'BatchGet' || moved) return answer;
      moved = true;
      await commit(store, commitOf({ writes: [{ next: nextOf(current), previous: current }] }));
      // The history row was looked for before the write, the record's own behind it.
      const rows = Object.values(answer.Responses ?? {}).flat();
      const later = (await store.getMany(rows as never)).filter(({ sk }) => !sk.startsWith('~H#'));
      return { ...answer, Responses: { [store.tableName]: later } };
    });

    const again = await versionsOf(meanwhile, [second as RecordChange], { superseded: false, current: () => false });

    expect(moved).toBe(true);
    expect(again.versions.map(({ record }) => record.version)).toEqual([2]);
  });

  it('are not passed over where one is gone', async () => {
    const [first] = await written(1);

    await expect(
      versionsOf(store, [{ ...(first as RecordChange), version: 9 }], { superseded: false, current: () => false }),
    ).rejects.toThrow('a version that is not there');
  });
});
