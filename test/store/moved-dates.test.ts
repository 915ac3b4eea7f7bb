import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { observation } from '../../shared/record-types/observation.ts';
import { commit, type RecordWrite } from '../../shared/store/commit.ts';
import { indexChanges } from '../../shared/store/index-rows.ts';
import { pointerKey, recordKey } from '../../shared/store/keys.ts';
import type { QueryOptions, RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { sweepTransactions } from '../../shared/store/settle-transaction.ts';
import { bulk } from '../support/staged-commit.ts';
import { commitOf, type Interceptor, intercepted, newRecord, nextOf, rowAt, testStore } from '../support/test-store.ts';

let store: RecordStore;
let chart: string;
/** The chart of a second patient. */
let other: string;
let oldest: StoredRecord;
let middle: StoredRecord;
let newest: StoredRecord;

beforeAll(async () => {
  store = await testStore();
});
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  [chart, other] = [store.ids.newChart(), store.ids.newChart()];
  const at = (day: number) => newRecord(store, chart, { place: store.ids.newPlace(dateOf(day)) });
  [oldest, middle, newest] = [at(1), at(2), at(3)];
  await save(oldest, middle, newest);
});
afterEach(() => {
  vi.useRealTimers();
});

const dateOf = (day: number): number => Date.UTC(2026, 0, 1) + (day - 1) * 86_400_000;

const writeOf = (next: StoredRecord, previous?: StoredRecord): RecordWrite => ({
  next,
  previous,
  ...indexChanges(store, observation, { next, previous }, { next: [other], previous: previous ? [other] : [] }),
});
const save = (...records: StoredRecord[]) =>
  commit(store, commitOf({ writes: records.map((record) => writeOf(record)) }));

/** The next version, with another date. */
const movedTo = (record: StoredRecord, day: number): StoredRecord =>
  nextOf(record, { shown: store.ids.movedPlace(record.place, dateOf(day)) });
const move = (record: StoredRecord, day: number, by = store) =>
  commit(by, commitOf({ writes: [writeOf(movedTo(record, day), record)] }));

/** Versions of a chart's records in the order in which pages of one row show them. */
const inOrder = async (of = chart, by = store, options: QueryOptions = {}): Promise<string[]> => {
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await by.chart(of, 'Observation', { limit: 1, ...options, after });
    seen.push(...page.items.map(nameOf));
    after = page.next;
  } while (after !== undefined);
  return seen;
};
const nameOf = ({ id, version }: StoredRecord): string =>
  `${['oldest', 'middle', 'newest'][[oldest.id, middle.id, newest.id].indexOf(id)]} ${version}`;
const onOnePage = async (by: RecordStore, options: QueryOptions = {}, of = chart) =>
  (await by.chart(of, 'Observation', options)).items.map(nameOf);

const unmoved = ['newest 1', 'middle 1', 'oldest 1'];
const moved = ['oldest 2', 'newest 1', 'middle 1'];

describe('a pointer at the place of a new date', () => {
  it('names the record’s own place and home, in each of its charts', async () => {
    await move(oldest, 9);

    for (const each of [chart, other]) {
      expect(await rowAt(store, pointerKey(movedTo(oldest, 9), each))).toMatchObject({
        home: chart,
        place: oldest.place,
      });
      expect(await inOrder(each)).toEqual(moved);
    }
    expect(await rowAt(store, pointerKey(oldest, other))).toBeUndefined();
  });

  it('moves with the date, and goes when the date comes back or the record goes', async () => {
    const [away, onwards] = [movedTo(oldest, 9), movedTo(movedTo(oldest, 9), 0)];
    await move(oldest, 9);
    await commit(store, commitOf({ writes: [writeOf(onwards, away)] }));
    for (const each of [chart, other]) {
      expect(await rowAt(store, pointerKey(away, each))).toBeUndefined();
      expect(await inOrder(each)).toEqual(['newest 1', 'middle 1', 'oldest 3']);
    }

    const back = nextOf(onwards, { shown: undefined });
    await commit(store, commitOf({ writes: [writeOf(back, onwards)] }));
    expect(await rowAt(store, pointerKey(onwards, chart))).toBeUndefined();
    expect(await inOrder(other)).toEqual(['newest 1', 'middle 1', 'oldest 4']);

    await move(middle, 9);
    const gone = nextOf(movedTo(middle, 9), { resource: undefined, shown: undefined });
    await commit(store, commitOf({ writes: [writeOf(gone, movedTo(middle, 9))] }));
    expect(await rowAt(store, pointerKey(movedTo(middle, 9), chart))).toBeUndefined();
    for (const each of [chart, other]) expect(await inOrder(each)).toEqual(['newest 1', 'oldest 4']);
  });

  it('is passed over by who reads a chart whatever its order: each record is met once, where its row is', async () => {
    await move(oldest, 9);

    const asTheyLie = ['newest 1', 'middle 1', 'oldest 2'];
    for (const options of [{}, { limit: 1 }, { from: recordKey(oldest).sk }]) {
      const inChart = await inOrder(chart, store, { pointers: 'others', ...options });
      expect(inChart).toEqual('from' in options ? ['oldest 2'] : asTheyLie);
      expect(await inOrder(chart, store, { pointers: 'none', ...options })).toEqual(inChart);
    }
    expect(await inOrder(other, store, { pointers: 'others' })).toEqual(moved);
    expect(await inOrder(other, store, { pointers: 'none' })).toEqual([]);
  });
});

describe('a staged change of dates', () => {
  /** Something else with more rows that lead to it than one transaction takes, so the commit is staged; they are written together. */
  const large = (): RecordWrite => {
    const elsewhere = store.ids.newChart();
    return { next: newRecord(store, elsewhere), puts: bulk(elsewhere), removes: [] };
  };

  /** A move of a record that more rows lead to than one transaction takes. */
  const withMany = ({ puts, ...write }: RecordWrite): RecordWrite => ({ ...write, puts: [...puts, ...bulk(chart)] });

  it.each([
    ['few', (write: RecordWrite) => write],
    ['many', withMany],
  ])(
    'shows each record once at every moment, and where it belongs after recovery, wherever its writer crashed, with %s rows that lead to it',
    async (_, led) => {
      const stage = (by: RecordStore) =>
        commit(
          by,
          commitOf({
            writes: [led(writeOf(movedTo(oldest, 9), oldest)), writeOf(movedTo(newest, 0), newest), large()],
          }),
        );
      let calls = 0;
      await stage(
        intercepted(store, ({ send }) => {
          calls++;
          return send();
        }),
      );
      const outcomes = new Set<string>();
      expect(calls).toBeGreaterThan(8);

      for (let n = 1; n <= calls; n++) {
        [chart, other] = [store.ids.newChart(), store.ids.newChart()];
        [oldest, middle, newest] = [oldest, middle, newest].map((record) => ({
          ...record,
          chart,
          id: store.ids.idAt(chart, record.place),
        })) as [StoredRecord, StoredRecord, StoredRecord];
        await save(oldest, middle, newest);
        let sent = 0;
        await stage(intercepted(store, ({ send }) => (++sent < n ? send() : Promise.reject(new Error('crash'))))).catch(
          () => undefined,
        );
        const between = await inOrder();
        expect({ n, between: between.toSorted().map((name) => name.split(' ')[0]) }).toEqual({
          n,
          between: ['middle', 'newest', 'oldest'],
        });
        vi.setSystemTime(Date.now() + 31_000);
        await sweepTransactions(store);

        const after = [await inOrder(), await inOrder(other)];
        const swapped = ['oldest 2', 'middle 1', 'newest 2'];
        const whole = after[0]?.[0] === 'oldest 2';
        expect({ n, after }).toEqual({ n, after: whole ? [swapped, swapped] : [unmoved, unmoved] });
        outcomes.add(whole ? 'all' : 'nothing');
      }

      expect([...outcomes].sort()).toEqual(['all', 'nothing']);
    },
  );
});

describe('a search beside a change of a date', () => {
  /** Lets something happen between the Query of a page and what follows it. */
  const afterQuery = (happens: () => Promise<unknown>): Interceptor => {
    let done = false;
    return async ({ name, send }) => {
      const answer = await send();
      if (name === 'Query' && !done) {
        done = true;
        await happens();
      }
      return answer;
    };
  };

  it('shows a record that moves on while its pointer is followed', async () => {
    await move(oldest, 9);
    const away = movedTo(oldest, 9);
    const again = () => commit(store, commitOf({ writes: [writeOf(movedTo(away, 12), away)] }));

    const seen = await onOnePage(intercepted(store, afterQuery(again)), { limit: 2 });

    expect(seen).toEqual(['oldest 3', 'newest 1']);
  });

  it('shows a record once that moves on within its page', async () => {
    await move(oldest, 9);
    const away = movedTo(oldest, 9);
    const again = () => commit(store, commitOf({ writes: [writeOf(movedTo(away, 2.5), away)] }));
    const before = pointerKey(away, other);
    let row: Record<string, unknown> | undefined;

    // The Query had passed the old place before the write, and came to the new one after it.
    const torn: Interceptor = async ({ name, send }) => {
      if (name !== 'Query') return send();
      row = await rowAt(store, before);
      await again();
      const answer = (await send()) as { Items: Record<string, unknown>[] };
      return { ...answer, Items: [row, ...answer.Items] };
    };

    expect(await onOnePage(intercepted(store, torn), {}, other)).toEqual(['newest 1', 'oldest 3', 'middle 1']);
  });

  it('shows a record that leaves its place for one that the page has passed by', async () => {
    // The Query reads the new place before the write and the old one after it: it meets no pointer.
    const torn: Interceptor = async ({ name, send }) => {
      if (name !== 'Query') return send();
      await move(oldest, 9);
      const answer = (await send()) as { Items: { sk: string }[] };
      return { ...answer, Items: answer.Items.filter(({ sk }) => sk !== pointerKey(movedTo(oldest, 9), chart).sk) };
    };

    expect(await onOnePage(intercepted(store, torn))).toEqual(['newest 1', 'middle 1', 'oldest 2']);
  });

  it('shows no record that is deleted while its pointer is followed', async () => {
    await move(oldest, 9);
    const away = movedTo(oldest, 9);
    const gone = nextOf(away, { resource: undefined, shown: undefined });
    const deletion = () => commit(store, commitOf({ writes: [writeOf(gone, away)] }));

    expect(await onOnePage(intercepted(store, afterQuery(deletion)), { limit: 2 })).toEqual(['newest 1']);
  });
});
