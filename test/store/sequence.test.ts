import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { log } from '../../shared/log.ts';
import type { RecordChange } from '../../shared/store/feed/change.ts';
import { sequencePartition } from '../../shared/store/feed/feed-keys.ts';
import { feedRows } from '../../shared/store/feed/feed-rows.ts';
import {
  appendToSequence,
  beginning,
  type Cursor,
  changesAfter,
  cursorFrom,
  cursorText,
  endOfSequence,
} from '../../shared/store/feed/sequence.ts';
import { tell } from '../../shared/store/feed/tell.ts';
import { network } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { itemSize } from '../bench/item-size.ts';
import { intercepted, rowsOf, testStore } from '../support/test-store.ts';

const start = Date.UTC(2026, 4, 1);
let store: RecordStore;
beforeAll(async () => {
  store = await testStore();
});

let organizations = 0;
let us: string;
let others: string;
beforeEach(() => {
  us = `organization-${++organizations}`;
  others = `others-${organizations}`;
});

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
const directoryChange = (over: Partial<RecordChange> = {}) => changeOf('others', { type: 'Organization', ...over });

/** Versions of one record, from 1. */
const versionsOf = (custodian: string, count: number): RecordChange[] => {
  const first = changeOf(custodian);
  return Array.from({ length: count }, (_, n) => ({
    ...first,
    version: n + 1,
    updated: start + n,
    change: n === 0 ? 'created' : 'updated',
  }));
};

/** Reads on until nothing follows. */
const readOn = async (from: Cursor, limit = 50, reader: RecordStore = store) => {
  const changes: RecordChange[] = [];
  let cursor = from;
  for (let calls = 1; ; calls++) {
    const page = await changesAfter(reader, us, cursor, limit);
    expect(page.changes.length).toBeLessThanOrEqual(limit);
    expect(page.end || page.changes.length > 0).toBe(true);
    changes.push(...page.changes.map(({ change }) => change));
    cursor = cursorFrom(cursorText(page.changes.at(-1)?.after ?? cursor));
    if (page.end) return { changes, cursor, calls };
  }
};
const toUs = (changes: readonly RecordChange[]) => changes.map((change) => ({ change, recipients: [us] }));

describe('a sequence', () => {
  it('tells what was told, in that order, whatever times the versions bear', async () => {
    const late = changeOf(us, { updated: start - 60_000, id: 'chosen', change: 'deleted', version: 9 });
    await tell(store, toUs([changeOf(us)]));
    const { cursor } = await readOn(await endOfSequence(store, us));
    await tell(store, toUs([late]));

    expect((await readOn(cursor)).changes).toEqual([late]);
    expect((await readOn(await endOfSequence(store, us))).changes).toEqual([]);
  });

  it('tells of what others keep, too, and whose it is', async () => {
    const theirs = [changeOf(others), changeOf('third', { id: 'chosen', updated: start + 1 })];
    const ours = changeOf(us, { updated: start + 2 });
    await tell(store, [...toUs([ours]), ...theirs.map((change) => ({ change, recipients: [change.custodian, us] }))]);

    const { changes } = await changesAfter(store, us, beginning, 9);

    expect(changes.filter(({ recipient }) => recipient === us).map(({ change }) => change)).toEqual([...theirs, ours]);
    expect(await rowsOf(store, sequencePartition(us))).toHaveLength(1);
  });

  it('tells nobody who is not named, not even who keeps the record', async () => {
    const [ours, theirs] = [changeOf(us), changeOf(others)];
    await tell(store, [
      { change: ours, recipients: [others] },
      { change: theirs, recipients: [] },
    ]);

    expect((await readOn(beginning)).changes.filter(({ custodian }) => custodian !== 'others')).toEqual([]);
    expect(await rowsOf(store, sequencePartition(others))).toHaveLength(1);
  });

  it('keeps versions of a record in order, also those of one moment and of several minutes', async () => {
    const [first, second] = [versionsOf(us, 4), versionsOf(others, 4)];
    const inOneMoment = versionsOf(us, 4).map((change) => ({ ...change, updated: start }));
    const beside = { ...changeOf(us), version: 3 };
    const apart = versionsOf(us, 4).map((change, n) => ({ ...change, updated: start + n * 61_000 }));
    await tell(store, toUs([beside, ...first, ...second, ...inOneMoment, ...apart].toReversed()));

    const { changes } = await readOn(beginning, 5);

    for (const record of [first, second, inOneMoment, apart]) {
      expect(changes.filter(({ place }) => place === record[0]?.place)).toEqual(record);
    }
  });

  it('gives the network’s beside the own, older ones first, each once', async () => {
    const end = await endOfSequence(store, us);
    const told = Array.from({ length: 12 }, (_, n) =>
      n % 3 === 0 ? directoryChange({ updated: start + n }) : changeOf(us, { updated: start + n }),
    );
    for (const change of told) {
      await tell(store, [{ change, recipients: [change.type === 'Organization' ? network : us] }]);
    }

    const page = await changesAfter(store, us, end, 100);

    expect(page.changes.map(({ change }) => change)).toEqual(told);
    expect(page.changes.map(({ recipient }) => recipient)).toEqual(told.map((_, n) => (n % 3 === 0 ? network : us)));
    expect((await readOn(end, 5)).changes).toEqual(told);
    for (const [index, { after }] of page.changes.entries()) {
      expect((await readOn(after)).changes).toEqual(told.slice(index + 1));
    }
  });

  it('is read on within a row, in pages of any size', async () => {
    const end = await endOfSequence(store, us);
    const told = Array.from({ length: 110 }, (_, n) => changeOf(n % 2 ? us : others, { updated: start + n }));
    await tell(store, toUs(told.slice(0, 70)));
    await tell(store, toUs(told.slice(70, 73)));
    await tell(store, toUs(told.slice(73)));

    for (const limit of [1_000, 70, 7]) expect((await readOn(end, limit)).changes).toEqual(told);
  });

  it('has a row for thousands of changes in portions, and loses none', async () => {
    const end = await endOfSequence(store, us);
    const told = versionsOf(others, 2_500);

    await tell(store, toUs(told));

    expect((await rowsOf(store, sequencePartition(us))).map(({ n }) => n)).toEqual([1_000, 1_000, 500]);
    expect((await readOn(end, 1_000)).changes).toEqual(told);
  });

  it('takes some 70 bytes for a chart of what an organisation keeps itself', async () => {
    const chart = store.ids.newChart();
    await tell(
      store,
      toUs(Array.from({ length: 90 }, () => changeOf(us, { chart, place: store.ids.newPlace(start) }))),
    );
    const [row] = await rowsOf(store, sequencePartition(us));

    expect(itemSize(row ?? {}) - us.length).toBeLessThanOrEqual(65);
    expect(Object.keys(row ?? {}).sort()).toEqual(['layout', 'n', 'pk', 'rows', 'sk']);
  });

  it('is appended to by a Query and a put, and read by two Queries and a BatchGet', async () => {
    const calls: string[] = [];
    const counted = intercepted(store, ({ name, send }) => {
      calls.push(name);
      return send();
    });
    const end = await endOfSequence(store, us);

    await tell(counted, toUs([changeOf(us)]));
    await tell(counted, toUs([changeOf(others)]));
    const telling = calls.splice(0);
    await readOn(end, 50, counted);

    expect(telling).toEqual(['BatchWrite', 'Query', 'Put', 'BatchWrite', 'Query', 'Put']);
    expect(calls).toEqual(['Query', 'Query', 'BatchGet']);
  });
});

describe('telling twice', () => {
  it('changes nothing for a batch that comes again soon', async () => {
    const told = [...toUs([changeOf(us)]), ...toUs([changeOf(others)])];
    for (let time = 0; time < 3; time++) await tell(store, told);
    await tell(store, toUs([changeOf(us)]));
    await tell(store, told);

    expect(await rowsOf(store, sequencePartition(us))).toHaveLength(2);
  });

  it('appends once where the answer to a put is lost', async () => {
    const told = changeOf(others);
    let puts = 0;
    const lossy = intercepted(store, async ({ name, send }) => {
      const isFirst = name === 'Put' && ++puts === 1;
      const answer = await send();
      if (isFirst) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
      return answer;
    });

    await appendToSequence(lossy, us, { changes: [told] });

    expect(puts).toBe(2);
    expect(await rowsOf(store, sequencePartition(us))).toHaveLength(1);
  });

  it('goes on behind who was quicker, as often as it takes', async () => {
    let quicker = 0;
    const overtaken = intercepted(store, async ({ name, send }) => {
      if (name === 'Put' && quicker < 5) {
        quicker++;
        await appendToSequence(store, us, { changes: [changeOf(others, { version: quicker })] });
      }
      return send();
    });

    await appendToSequence(overtaken, us, { changes: [changeOf(others, { version: 99 })] });

    const { changes } = await readOn(await atStart());
    expect(changes.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 99]);
  });
});

/** Before all that a test told its organisation, and behind the network’s. */
const atStart = async (): Promise<Cursor> => ({ ...(await endOfSequence(store, us)), own: beginning.own });

describe('many who append at once', () => {
  it('lose nothing, leave no gap and bring nothing behind a reader’s place', async () => {
    const writers = Array.from({ length: 6 }, (_, writer) =>
      Array.from({ length: 8 }, (__, n) =>
        changeOf(writer % 2 ? us : others, { version: n + 1, updated: start + ((writer * 7 + n * 3) % 11) * 1_000 }),
      ),
    );
    let cursor = await atStart();
    let writing = true;
    const seen: RecordChange[] = [];
    const reader = (async () => {
      for (;;) {
        const last = !writing;
        const page = await readOn(cursor, 7);
        seen.push(...page.changes);
        cursor = page.cursor;
        if (last) return;
      }
    })();

    await Promise.all(
      writers.map(async (changes) => {
        for (const change of changes) await tell(store, toUs([change]));
      }),
    );
    writing = false;
    await reader;

    const rows = await rowsOf(store, sequencePartition(us));
    expect(rows.map(({ sk }) => Number(sk))).toEqual(rows.map((_, index) => index + 1));
    expect(rows).toHaveLength(48);
    expect(seen).toHaveLength(48);
    expect((await readOn(await atStart(), 30)).changes).toEqual(seen);
    for (const changes of writers) {
      const places = new Set(changes.map(({ place }) => place));
      expect(seen.filter(({ place }) => places.has(place))).toEqual(changes);
    }
  });
});

describe('reading while rows are put', () => {
  /** A Query that passed by a row before it was put, and met the one behind it. */
  const passing = (missing: number, times: number) => {
    let left = times;
    return intercepted(store, async ({ name, input, send }) => {
      const answer = (await send()) as { Items?: { sk: string }[] };
      const isOurs = JSON.stringify(input).includes(`"${sequencePartition(us)}"`);
      if (name !== 'Query' || !isOurs || left === 0) return answer;
      left--;
      return { ...answer, Items: answer.Items?.filter(({ sk }) => Number(sk) !== missing) };
    });
  };
  let told: RecordChange[];
  beforeEach(async () => {
    told = [];
    for (let n = 0; n < 4; n++) {
      const change = changeOf(us, { updated: start + n });
      told.push(change);
      await tell(store, toUs([change]));
    }
  });

  it.each([1, 3, 4])('misses no row that a Query has passed by: row %i', async (missing) => {
    const page = await changesAfter(passing(missing, 1), us, await atStart(), 50);

    // The last one may as well have come behind the Query.
    expect(page.changes.map(({ change }) => change)).toEqual(missing === 4 ? told.slice(0, 3) : told);
  });

  it('is a fault where a row is gone for good: nothing behind it is shown as if it were next', async () => {
    await expect(changesAfter(passing(2, 9), us, await atStart(), 50)).rejects.toThrow('A sequence lacks a row');
  });
});

describe('a row of the feed that is gone', () => {
  it('stands in the way of nothing behind it, and is counted', async () => {
    const lost = Array.from({ length: 3 }, (_, n) => changeOf(us, { updated: start + n }));
    for (const change of lost) await tell(store, toUs([change]));
    const kept = changeOf(us, { updated: start + 9 });
    await tell(store, toUs([kept]));
    await writeRows(
      store,
      [],
      lost.flatMap((change) => feedRows([change])),
    );
    const count = vi.spyOn(log, 'count').mockReturnValue();
    const from = { ...beginning, network: (await endOfSequence(store, us)).network };

    const pages = [await readOn(from, 1), await readOn(from)];

    expect(pages.map(({ changes }) => changes)).toEqual([[kept], [kept]]);
    expect(new Set(count.mock.calls.flat())).toEqual(new Set(['ChangesUnpublished']));
    count.mockRestore();
  });
});

describe('a cursor', () => {
  it('is text that reads as it was written', async () => {
    await tell(store, [...toUs([changeOf(us), changeOf(us)]), { change: directoryChange(), recipients: [network] }]);
    const { changes } = await changesAfter(store, us, beginning, 1_000);
    const cursors = [beginning, ...changes.map(({ after }) => after)];

    expect(cursors.map((cursor) => cursorFrom(cursorText(cursor)))).toEqual(cursors);
    expect(cursorText(beginning)).toBe('1.0-1.0');
    expect(cursors.slice(1).map(cursorText)).toEqual(
      cursors.slice(1).map(() => expect.stringMatching(/^[\d.a-v]+-[\d.a-v]+$/)),
    );
  });

  it.each([
    '',
    '1',
    '1.0',
    '1.0-1.0-1.0',
    '1.0-1.0 ',
    '0.0-1.0',
    '01.0-1.0',
    '-1.0-1.0',
    '2.0-1.0',
    '1.1-1.0',
    '1.0-5.0',
    '1.0-1.0.zzzzz',
    '1.0-1.0.abcd',
    '99999999999.0.abcde-1.0',
    '2.9999999.abcde-1.0',
    '2.0.abcde-1e3.0.abcde',
    "1.0-1.0' OR 1",
  ])('that nobody was given is refused: %j', (text) => {
    expect(() => cursorFrom(text)).toThrow(
      expect.objectContaining({ kind: 'invalid', details: [expect.objectContaining({ expression: 'after' })] }),
    );
  });

  it.each(['own', 'network'] as const)('ahead of the end, or of another past, is told so: %s', async (side) => {
    await tell(store, [...toUs([changeOf(us), changeOf(us)]), { change: directoryChange(), recipients: [network] }]);
    const end = await endOfSequence(store, us);
    const [row, , mark] = end[side];
    const lost = expect.objectContaining({ kind: 'deleted', reason: 'cursor-lost' });

    for (const place of [
      [row + 1, 0, mark],
      [row, 1, mark],
      [row + 1_000, 3, mark],
      [row, 0, 'aaaaa'],
      [row - 1, 1, 'aaaaa'],
    ] as const) {
      await expect(changesAfter(store, us, { ...end, [side]: place }, 5)).rejects.toEqual(lost);
    }
    expect((await changesAfter(store, us, end, 5)).changes).toEqual([]);
    // More than there is of a row: nobody was given that, and nothing goes wrong.
    expect((await changesAfter(store, us, { ...end, [side]: [row - 1, 999, mark] }, 5)).changes).toEqual([]);
  });

  it('of a table that was restored is told so, though others were told as much again', async () => {
    for (let n = 0; n < 3; n++) await tell(store, toUs([changeOf(us)]));
    const before = await endOfSequence(store, us);
    const restored = await testStore();
    for (let n = 0; n < 5; n++) await tell(restored, toUs([changeOf(us)]));

    await expect(changesAfter(restored, us, { ...before, network: beginning.network }, 5)).rejects.toThrow(
      'begin anew',
    );
  });
});
