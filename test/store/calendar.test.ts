import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CalendarChange, WantedTime } from '../../shared/store/calendar.ts';
import { type Commit, commit } from '../../shared/store/commit.ts';
import { CommitRefused } from '../../shared/store/commit-refusal.ts';
import { dayKey } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { sweepTransactions } from '../../shared/store/settle-transaction.ts';
import {
  allRows,
  type Call,
  commitOf,
  intercepted,
  newRecord,
  nextOf,
  rowAt,
  testStore,
} from '../support/test-store.ts';

let store: RecordStore;
let actor: string;

beforeAll(async () => {
  store = await testStore();
});
beforeEach(() => {
  actor = `Practitioner/${store.ids.newChart()}`;
});

const minuteMs = 60_000;
const nine = Date.UTC(2026, 10, 24, 9);
const now = Date.UTC(2026, 10, 24, 7);

/** Time of this test's actor, in minutes after nine. */
const time = (from: number, to: number, over: Partial<WantedTime> = {}): WantedTime => ({
  actor,
  from: nine + from * minuteMs,
  to: nine + to * minuteMs,
  label: 'Appointment.participant[0].actor',
  ...over,
});
const ofCalendar = (changes: readonly CalendarChange[], at = now): Partial<Commit> => ({
  calendar: { now: at, changes },
});

/** Takes time for an owner, and gives up other time of the same owner. */
const move = (owner: string, gives: readonly WantedTime[], takes: readonly WantedTime[], at = now, on = store) =>
  commit(on, commitOf(ofCalendar([{ owner, gives, takes }], at)));
const take = (owner: string, takes: readonly WantedTime[], at = now, on = store) => move(owner, [], takes, at, on);
const give = (owner: string, gives: readonly WantedTime[]) => move(owner, gives, []);

/** What a commit says of time that others have: minutes after nine. */
const refusedTime = async (
  work: Promise<void>,
): Promise<{ owner: string; label: string; from: number; to: number }[]> => {
  const error = await work.then(
    () => new Error('not refused'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CommitRefused)) throw error;
  return error.refusals.map((refusal) => {
    if (refusal.kind !== 'taken') throw error;
    const { owner, label, from, to } = refusal.time;
    return { owner, label, from: (from - nine) / minuteMs, to: (to - nine) / minuteMs };
  });
};

/** Why a commit was refused. @throws whatever else it failed with. */
const kindsOf = (error: unknown): string[] => {
  if (!(error instanceof CommitRefused)) throw error;
  return error.refusals.map(({ kind }) => kind);
};

/** Names and inputs of the calls that work on a store makes. */
const watched = (under = store) => {
  const calls: Call[] = [];
  const on = intercepted(under, (call) => {
    calls.push(call);
    return call.send();
  });
  return { on, names: () => calls.map(({ name }) => name) };
};

const transactionConflict = () =>
  Object.assign(new Error('busy'), {
    name: 'TransactionCanceledException',
    CancellationReasons: [{ Code: 'TransactionConflict' }],
  });

describe('the time of an actor', () => {
  it('is had by one owner, to the millisecond, in one transaction after one read', async () => {
    const { on, names } = watched();

    await take('Appointment/1', [time(0, 30)], now, on);

    expect(names()).toEqual(['BatchGet', 'Query', 'TransactWrite']); // the first two beside one another
    expect(await refusedTime(take('Appointment/2', [time(29.5, 60)]))).toEqual([
      { owner: 'Appointment/2', label: 'Appointment.participant[0].actor', from: 29.5, to: 30 },
    ]);
    await take('Appointment/3', [time(30, 31)]);
    await take('Appointment/4', [{ ...time(0, 0), from: nine - 1 }]);
  });

  it('is refused without a write', async () => {
    await take('Appointment/1', [time(0, 30)]);
    const { on, names } = watched();

    await refusedTime(take('Appointment/2', [time(0, 30)], now, on));

    expect(names()).toEqual(['BatchGet', 'Query']);
  });

  it('is told for every actor who has none, and nothing is had of the others', async () => {
    const room = `Location/${actor}`;
    const device = `Device/${actor}`;
    await take('Appointment/1', [time(0, 30), time(0, 30, { actor: room })]);

    const refused = await refusedTime(
      take('Appointment/2', [
        time(15, 45, { label: 'a' }),
        time(15, 45, { label: 'b', actor: device }),
        time(20, 25, { label: 'c', actor: room }),
      ]),
    );

    expect(refused.map(({ label, from, to }) => [label, from, to])).toEqual([
      ['a', 15, 30],
      ['c', 20, 25],
    ]);
    await take('Appointment/3', [time(0, 60, { actor: device })]);
  });

  it('goes over midnight, on both days', async () => {
    await take('Appointment/1', [
      { ...time(0, 0), from: Date.UTC(2026, 10, 24, 23, 30), to: Date.UTC(2026, 10, 25, 0, 30) },
    ]);

    const evening = { ...time(0, 0), from: Date.UTC(2026, 10, 24, 23, 59, 59, 999), to: Date.UTC(2026, 10, 25) };
    const morning = { ...time(0, 0), from: Date.UTC(2026, 10, 25), to: Date.UTC(2026, 10, 25, 0, 0, 0, 1) };
    expect(await refusedTime(take('Appointment/2', [evening]))).toHaveLength(1);
    expect(await refusedTime(take('Appointment/2', [morning]))).toHaveLength(1);
    await take('Appointment/2', [
      { ...time(0, 0), from: Date.UTC(2026, 10, 25, 0, 30), to: Date.UTC(2026, 10, 25, 1) },
    ]);
  });

  it('may be longer than a day', async () => {
    const weeks = { ...time(0, 0), from: nine, to: nine + 20 * 24 * 60 * minuteMs };
    await take('Appointment/1', [weeks]);

    const tenthDay = nine + 10 * 24 * 60 * minuteMs;
    expect(await refusedTime(take('Appointment/2', [{ ...weeks, from: tenthDay, to: tenthDay + 1 }]))).toHaveLength(1);
    await give('Appointment/1', [weeks]);
    await take('Appointment/2', [weeks]);
  });

  it('may be had twice by one owner', async () => {
    await take('Appointment/1', [time(0, 30), time(0, 30), time(15, 45), time(60, 90)]);

    expect(await refusedTime(take('Appointment/2', [time(80, 100)]))).toHaveLength(1);
    await take('Appointment/2', [time(45, 60)]);
  });

  it('is not had by two records of one commit', async () => {
    const changes = [1, 2].map((n) => ({ owner: `Appointment/${n}`, gives: [], takes: [time(n, n + 10)] }));

    const refused = await refusedTime(commit(store, commitOf(ofCalendar(changes))));

    expect(refused.map(({ owner }) => owner)).toEqual(['Appointment/2']);
    await take('Appointment/3', [time(0, 60)]);
  });

  it('is full with two thousand pieces a day', async () => {
    const changes = Array.from({ length: 2_001 }, (_, n) => ({
      owner: `Appointment/${n}`,
      gives: [],
      takes: [{ ...time(0, 0), from: nine + n, to: nine + n + 1 }],
    }));

    expect(await refusedTime(commit(store, commitOf(ofCalendar(changes))))).toHaveLength(1);
    await commit(store, commitOf(ofCalendar(changes.slice(0, 2_000))));
    await give('Appointment/7', [time(0, 1)]);
    await take('Appointment/2000', [time(30, 60)]);
  });

  it('leaves rows that end by themselves, a week after the day', async () => {
    await take('Appointment/1', [time(0, 30)]);

    expect(await rowAt(store, dayKey(actor, '2026-11-24'))).toMatchObject({
      layout: 1,
      expires: Date.UTC(2026, 11, 2) / 1_000,
    });
  });

  it('names no record in its row', async () => {
    await take('Appointment/1', [time(0, 30)]);

    expect(JSON.stringify(await rowAt(store, dayKey(actor, '2026-11-24')))).not.toContain('Appointment');
  });
});

describe('giving time back', () => {
  it('frees it, in one transaction without a read', async () => {
    await take('Appointment/1', [time(0, 30)]);
    const { on, names } = watched();

    await move('Appointment/1', [time(0, 30)], [], now, on);

    expect(names()).toEqual(['TransactWrite']);
    await take('Appointment/2', [time(0, 30)]);
  });

  it('leaves alone what others have', async () => {
    await take('Appointment/1', [time(0, 30)]);

    await give('Appointment/2', [time(0, 30)]);
    await give('Appointment/2', [time(0, 30, { actor: `Location/${actor}` })]);

    expect(await refusedTime(take('Appointment/3', [time(0, 30)]))).toHaveLength(1);
  });

  it('and taking other time is one step: both or neither', async () => {
    await take('Appointment/1', [time(0, 30)]);
    await take('Appointment/2', [time(60, 90)]);

    expect(await refusedTime(move('Appointment/1', [time(0, 30)], [time(80, 110)]))).toHaveLength(1);
    expect(await refusedTime(take('Appointment/3', [time(0, 30)]))).toHaveLength(1);
    await move('Appointment/1', [time(0, 30)], [time(10, 40)]);
    expect(await refusedTime(take('Appointment/3', [time(30, 35)]))).toHaveLength(1);
    await take('Appointment/3', [time(0, 10)]);
  });

  it('lets owners of one commit change places', async () => {
    await take('Appointment/1', [time(0, 30)]);
    await take('Appointment/2', [time(30, 60)]);

    const changes = [
      { owner: 'Appointment/1', gives: [time(0, 30)], takes: [time(30, 60)] },
      { owner: 'Appointment/2', gives: [time(30, 60)], takes: [time(0, 30)] },
    ];
    await commit(store, commitOf(ofCalendar(changes)));
    await give('Appointment/2', [time(0, 30)]);

    await take('Appointment/3', [time(0, 30)]);
    expect(await refusedTime(take('Appointment/4', [time(30, 60)]))).toHaveLength(1);
  });

  it('of hundreds of records at once is one commit', async () => {
    const changes = Array.from({ length: 300 }, (_, n) => ({
      owner: `Appointment/${n}`,
      gives: [],
      takes: [{ ...time(0, 0), from: nine + n, to: nine + n + 1 }],
    }));
    await commit(store, commitOf(ofCalendar(changes)));

    await commit(store, commitOf(ofCalendar(changes.map(({ owner, takes }) => ({ owner, gives: takes, takes: [] })))));

    await take('Appointment/x', [time(0, 30)]);
  });

  it('is seen by who has read the row before', async () => {
    await take('Appointment/1', [time(0, 30)]);
    await take('Appointment/2', [time(60, 90)]);
    let given = false;
    const late = intercepted(store, async ({ name, send }) => {
      if (name === 'TransactWrite' && !given) {
        given = true;
        await give('Appointment/1', [time(0, 30)]);
      }
      return send();
    });

    await take('Appointment/3', [time(100, 110)], now, late);

    await take('Appointment/4', [time(0, 30)]); // the row that was written over the release does not bring the time back
  });
});

describe('a hold', () => {
  const until = now + 5 * minuteMs;

  it('is time like any other until it lapses, and nobody’s from that millisecond', async () => {
    await take('Appointment/1', [time(0, 30, { until })]);

    expect(await refusedTime(take('Appointment/2', [time(0, 30)], until - 1))).toHaveLength(1);
    await take('Appointment/2', [time(0, 30)], until);
  });

  it('becomes a booking of its owner, before and after it has lapsed', async () => {
    await take('Appointment/1', [time(0, 30, { until })]);
    await take('Appointment/2', [time(30, 60, { until })]);

    await take('Appointment/1', [time(0, 30)], until - 1);
    await take('Appointment/2', [time(30, 60)], until + 1);

    expect(await refusedTime(take('Appointment/3', [time(0, 1), time(59, 60)], until + 2))).toHaveLength(2);
  });

  it('that has lapsed gives its owner no right to what another has taken since', async () => {
    await take('Appointment/1', [time(0, 30, { until })]);
    await take('Appointment/2', [time(0, 30)], until);

    expect(await refusedTime(take('Appointment/1', [time(0, 30)], until))).toHaveLength(1);
    await give('Appointment/1', [time(0, 30)]);

    expect(await refusedTime(take('Appointment/3', [time(0, 30)], until))).toHaveLength(1);
  });

  it('leaves the row with its next write', async () => {
    await take('Appointment/1', [time(0, 30, { until })]);
    await take('Appointment/2', [time(60, 90)], until);

    const row = (await rowAt(store, dayKey(actor, '2026-11-24'))) ?? {};
    expect(Object.keys(row).filter((name) => name.startsWith('@'))).toHaveLength(1);
  });
});

describe('a row in which holds have lapsed', () => {
  const until = now + 5 * minuteMs;

  it('is not cleared of an owner who comes back meanwhile', async () => {
    await take('Appointment/1', [time(0, 15, { until })]);
    let back = false;
    const late = intercepted(store, async ({ name, send }) => {
      if (name === 'TransactWrite' && !back) {
        back = true;
        await take('Appointment/1', [time(30, 45)], until);
      }
      return send();
    });

    await take('Appointment/2', [time(60, 75)], until, late);

    expect(await refusedTime(take('Appointment/3', [time(30, 45)], until))).toHaveLength(1);
  });

  it('is written within what an expression takes, for a whole day of ninety owners', async () => {
    const day = { from: Date.UTC(2026, 10, 24), to: Date.UTC(2026, 10, 25), actor, label: '' };
    for (let n = 0; n < 12; n++) await take(`Appointment/${n}`, [time(n, n + 1, { until })]);
    const updates: { ConditionExpression: string; UpdateExpression: string }[] = [];
    const on = intercepted(store, ({ name, input, send }) => {
      if (name === 'TransactWrite')
        updates.push(...(input.TransactItems as { Update: never }[]).map(({ Update }) => Update));
      return send();
    });
    const others = Array.from({ length: 89 }, (_, n) => ({ owner: `Other/${n}`, gives: [time(0, 1)], takes: [] }));
    const changes = [{ owner: 'Appointment/x', gives: [], takes: [day] }, ...others];

    await commit(on, commitOf(ofCalendar(changes, until)));

    const [{ ConditionExpression, UpdateExpression } = { ConditionExpression: '', UpdateExpression: '' }] = updates;
    expect(updates).toHaveLength(1);
    expect(Math.max(ConditionExpression.length, UpdateExpression.length)).toBeLessThan(4_096);
    expect(ConditionExpression.match(/AND|=|attribute_not_exists/g)?.length).toBeLessThan(300);
    expect(ConditionExpression.match(/AND/g)?.length).toBe(96 + 10);
  });
});

describe('a refusal', () => {
  it('is for the missing record, if what is named does not exist: its time is not told', async () => {
    const chart = store.ids.newChart();
    await take('Appointment/1', [time(0, 30)]);
    const hidden = newRecord(store, chart, { type: 'Device' });
    const work = commitOf({
      checks: [{ address: hidden, custodian: 'northside', label: 'x' }],
      ...ofCalendar([{ owner: 'Appointment/2', gives: [], takes: [time(0, 30)] }]),
    });

    await expect(commit(store, work)).rejects.toMatchObject({ refusals: [{ kind: 'missing' }] });
    await commit(store, commitOf({ writes: [{ next: { ...hidden, custodian: 'lakeside' } }] }));
    await expect(commit(store, work)).rejects.toMatchObject({ refusals: [{ kind: 'missing' }] });
  });

  it('is for the guard, if a conditional create has been overtaken by what it looks for', async () => {
    await take('Appointment/1', [time(0, 30)]);
    const key = { pk: `U#${actor}`, sk: 'G' };
    await commit(store, commitOf({ unique: [{ key, add: ['1'], remove: [] }] }));
    const again = (expected: string[]) =>
      commit(
        store,
        commitOf({
          unique: [{ key, add: ['2'], remove: [], expected }],
          ...ofCalendar([{ owner: 'Appointment/2', gives: [], takes: [time(0, 30)] }]),
        }),
      );

    await expect(again([])).rejects.toMatchObject({ refusals: [{ kind: 'unique' }] });
    await expect(again(['1'])).rejects.toMatchObject({ refusals: [{ kind: 'taken' }] });
  });

  it('comes without a queue, where the rows are busy with who was first', async () => {
    let transactions = 0;
    const busy = intercepted(store, async ({ name, send }) => {
      if (name !== 'TransactWrite') return send();
      transactions++;
      await take('Appointment/1', [time(0, 30)]);
      throw transactionConflict();
    });

    expect(await refusedTime(take('Appointment/2', [time(0, 30)], now, busy))).toHaveLength(1);
    expect(transactions).toBe(1);
  });
});

describe('a booking that another one overtakes between its read and its transaction', () => {
  const overtaken = (by: () => Promise<void>) => {
    let transactions = 0;
    const on = intercepted(store, async ({ name, send }) => {
      if (name === 'TransactWrite' && transactions++ === 0) await by();
      return send();
    });
    return { on, transactions: () => transactions };
  };

  it('is not disturbed where that takes other quarters of an hour', async () => {
    const { on, transactions } = overtaken(() => take('Appointment/1', [time(30, 60)]));

    await take('Appointment/2', [time(0, 30)], now, on);

    expect(transactions()).toBe(1);
    expect(await refusedTime(take('Appointment/3', [time(0, 30)]))).toHaveLength(1);
    expect(await refusedTime(take('Appointment/3', [time(30, 60)]))).toHaveLength(1);
  });

  it('is tried once more, without another read, where that takes other minutes of a quarter', async () => {
    const { on, transactions } = overtaken(() => take('Appointment/1', [time(20, 25)]));
    const { on: counted, names } = watched(on);

    await take('Appointment/2', [time(0, 20)], now, counted);

    expect(names()).toEqual(['BatchGet', 'Query', 'TransactWrite', 'TransactWrite']);
    expect(transactions()).toBe(2);
    expect(await refusedTime(take('Appointment/3', [time(0, 20)]))).toHaveLength(1);
    expect(await refusedTime(take('Appointment/3', [time(20, 25)]))).toHaveLength(1);
  });

  it('is refused where it wants the same time', async () => {
    const { on, transactions } = overtaken(() => take('Appointment/1', [time(20, 60)]));

    expect(await refusedTime(take('Appointment/2', [time(0, 30)], now, on))).toMatchObject([{ from: 20, to: 30 }]);
    expect(transactions()).toBe(1);
  });
});

/** Appointments as records, each with what it takes. */
interface Booking {
  readonly record: StoredRecord;
  readonly takes: readonly WantedTime[];
}

const booking = (takes: readonly WantedTime[]): Booking => {
  const record = newRecord(store, store.ids.newChart(), { type: 'Appointment' });
  return { record, takes };
};
const ownerOf = ({ record }: Booking) => `Appointment/${record.id}`;
const workOf = (one: Booking, over: Partial<Commit> = {}): Commit =>
  commitOf({
    writes: [{ next: one.record }],
    ...ofCalendar([{ owner: ownerOf(one), gives: [], takes: one.takes }]),
    ...over,
  });

/** Pairs of bookings that have the same actor at the same time: found from the bookings alone. */
const overlaps = (bookings: readonly Booking[]): string[] => {
  const times = bookings.flatMap((one) => one.takes.map((each) => ({ owner: ownerOf(one), ...each })));
  return times.flatMap((a, index) =>
    times
      .slice(index + 1)
      .filter((b) => a.owner !== b.owner && a.actor === b.actor && a.from < b.to && b.from < a.to)
      .map((b) => `${a.owner} ${b.owner}`),
  );
};

/** A number from 0 to below 1, the same for each seed. */
const seeded = (seed: number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};

describe('bookers at once', () => {
  /** Wishes for random times of some actors, in a morning: many overlap. */
  const wishes = (count: number, random: () => number): Booking[] => {
    const actors = [actor, `Location/${actor}`, `Device/${actor}`];
    return Array.from({ length: count }, () => {
      const start = Math.floor(random() * 48) * 5;
      const end = start + 10 + Math.floor(random() * 6) * 5;
      const chosen = actors.filter(() => random() < 0.6);
      return booking((chosen.length > 0 ? chosen : [actor]).map((each) => time(start, end, { actor: each })));
    });
  };

  /** A client whose first transactions are turned away, as DynamoDB does where several want one row at once. */
  const contended = (conflicts: number) => {
    let left = conflicts;
    return intercepted(store, async ({ name, send }) => {
      if (name === 'TransactWrite' && left-- > 0) throw transactionConflict();
      return send();
    });
  };

  it.each([1, 2, 3])('never overlap; each is booked or refused for a reason that stands (seed %i)', async (seed) => {
    const clients = wishes(64, seeded(seed));
    const outcomes = await Promise.all(
      clients.map(async (one) => {
        const error = await commit(contended(3), workOf(one)).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        return { one, error };
      }),
    );

    const booked = outcomes.filter(({ error }) => error === undefined).map(({ one }) => one);
    const refused = outcomes.filter(({ error }) => error !== undefined);
    expect(new Set(refused.flatMap(({ error }) => kindsOf(error)))).toEqual(new Set(['taken']));
    const there = await store.readMany(clients.map(({ record }) => record));
    expect(there.map(({ id }) => id).sort()).toEqual(booked.map(({ record }) => record.id).sort());
    expect(overlaps(booked)).toEqual([]);
    for (const { one } of refused) expect(overlaps([...booked, one])).not.toEqual([]);
    expect(booked.length).toBeGreaterThan(6);
    expect(refused.length).toBeGreaterThan(6);
  });

  it('all get through where each wants another time of the same actor', async () => {
    const clients = Array.from({ length: 64 }, (_, n) => booking([time(n, n + 1)]));
    let transactions = 0;
    const counted = () =>
      intercepted(contended(2), ({ name, send }) => {
        if (name === 'TransactWrite') transactions++;
        return send();
      });

    await Promise.all(clients.map((one) => commit(counted(), workOf(one))));

    expect(transactions).toBeLessThan(64 * 15);
    expect(await store.readMany(clients.map(({ record }) => record))).toHaveLength(64);
  });
});

describe('in a staged commit', () => {
  const filler = (): Commit['log'] => Array.from({ length: 100 }, (_, n) => ({ pk: `A#${actor}`, sk: `${n}` }));

  it('time is taken, moved and given back as in a small one', async () => {
    const one = booking([time(0, 30), time(24 * 60, 24 * 60 + 30)]);
    await commit(store, workOf(one, { log: filler() }));
    expect(await refusedTime(take('Appointment/x', [time(10, 20)]))).toHaveLength(1);
    expect(await refusedTime(take('Appointment/x', [time(24 * 60, 24 * 60 + 1)]))).toHaveLength(1);

    const moved = [time(60, 90)];
    await commit(
      store,
      commitOf({
        writes: [{ next: nextOf(one.record), previous: one.record }],
        log: filler(),
        ...ofCalendar([{ owner: ownerOf(one), gives: one.takes, takes: moved }]),
      }),
    );

    await take('Appointment/y', [time(0, 30), time(24 * 60, 24 * 60 + 30)]);
    expect(await refusedTime(take('Appointment/x', [time(89, 90)]))).toHaveLength(1);
  });

  it('time that others have refuses all of it, before anything is staged', async () => {
    await take('Appointment/1', [time(0, 30)]);
    const one = booking([time(0, 30)]);
    const { on, names } = watched();

    expect(await refusedTime(commit(on, workOf(one, { log: filler() })))).toHaveLength(1);

    expect(names()).toEqual(['BatchGet', 'Query']);
    expect(await store.read(one.record)).toBeUndefined();
  });

  it('time that others take while it is staged refuses it, and leaves nothing', async () => {
    const one = booking([time(0, 30)]);
    let taken = false;
    const overtaken = intercepted(store, async ({ name, input, send }) => {
      const { pk } = (input.Key ?? {}) as { pk?: string };
      if (!taken && name === 'Update' && pk?.startsWith('S#')) {
        taken = true;
        await take('Appointment/1', [time(29, 60)]);
      }
      return send();
    });

    expect(await refusedTime(commit(overtaken, workOf(one, { log: filler() })))).toHaveLength(1);

    expect(await store.read(one.record)).toBeUndefined();
    await take('Appointment/2', [time(0, 29)]);
    const left = (await allRows(store)).filter(({ intent, pk }) => intent !== undefined || pk.startsWith('T~'));
    expect(left).toEqual([]);
  });

  it('time is taken from who has read the day before it', async () => {
    const one = booking([time(0, 30)]);
    let staged = false;
    const late = intercepted(store, async ({ name, send }) => {
      if (name === 'TransactWrite' && !staged) {
        staged = true;
        await commit(store, workOf(one, { log: filler() }));
      }
      return send();
    });

    expect(await refusedTime(take('Appointment/2', [time(20, 40)], now, late))).toHaveLength(1);

    expect(await store.read(one.record)).toEqual(one.record);
  });

  it('a day waits for who stages it, and nobody books it meanwhile', async () => {
    const one = booking([time(0, 30)]);
    let meanwhile: unknown;
    const slow = intercepted(store, async ({ name, input, send }) => {
      const items = name === 'TransactWrite' ? (input.TransactItems as { Update?: { Key?: { sk?: string } } }[]) : [];
      if (meanwhile === undefined && items.some(({ Update }) => Update?.Key?.sk === 'T')) {
        meanwhile = await take('Appointment/2', [time(60, 90)]).catch((error: unknown) => error);
      }
      return send();
    });

    await commit(slow, workOf(one, { log: filler() }));

    expect(meanwhile).toMatchObject({ kind: 'conflict', reason: 'concurrent-change' });
    await take('Appointment/2', [time(60, 90)]);
  });

  it('other time that others take meanwhile does not stop it', async () => {
    const one = booking([time(0, 30)]);
    let taken = false;
    const overtaken = intercepted(store, async ({ name, input, send }) => {
      const { pk } = (input.Key ?? {}) as { pk?: string };
      if (!taken && name === 'Update' && pk?.startsWith('S#')) {
        taken = true;
        await take('Appointment/1', [time(30, 60)]);
      }
      return send();
    });

    await commit(overtaken, workOf(one, { log: filler() }));

    expect(taken).toBe(true);
    expect(await refusedTime(take('Appointment/2', [time(0, 60)]))).toHaveLength(1);
    await give('Appointment/1', [time(30, 60)]);
    await take('Appointment/2', [time(30, 60)]);
  });

  it.each([
    ['finished', true],
    ['taken back', false],
  ])('a writer that died is %s by the next who wants the time', async (_name, decided) => {
    const one = booking([time(0, 30)]);
    let dead = false;
    const dying = intercepted(store, async ({ name, input, send }) => {
      const items = name === 'TransactWrite' ? (input.TransactItems as { Update?: { Key?: { sk?: string } } }[]) : [];
      const deciding = items.some(({ Update }) => Update?.Key?.sk === 'T');
      if (dead || (deciding && !decided)) {
        dead = true;
        throw new Error('crash');
      }
      const answer = await send();
      if (deciding) dead = true;
      return answer;
    });
    await commit(dying, workOf(one, { log: filler() })).catch(() => undefined);
    expect(dead).toBe(true);
    expect((await rowAt(store, dayKey(actor, '2026-11-24')))?.intent).toBeDefined();
    await sweepTransactions(store, decided ? 0 : Number.POSITIVE_INFINITY);

    const next = take('Appointment/2', [time(0, 30)]).then(() => []);

    expect(await (decided ? refusedTime(next.then(() => undefined)) : next)).toHaveLength(decided ? 1 : 0);
    expect((await store.read(one.record)) !== undefined).toBe(decided);
  });

  it('time that a dead writer has given up by a decided move is free', async () => {
    const one = booking([time(0, 30)]);
    await commit(store, workOf(one));
    let decided = false;
    const dying = intercepted(store, async ({ name, input, send }) => {
      if (decided) throw new Error('crash');
      const answer = await send();
      const items = name === 'TransactWrite' ? (input.TransactItems as { Update?: { Key?: { sk?: string } } }[]) : [];
      decided = items.some(({ Update }) => Update?.Key?.sk === 'T');
      return answer;
    });
    const moved = commitOf({
      writes: [{ next: nextOf(one.record), previous: one.record }],
      log: filler(),
      ...ofCalendar([{ owner: ownerOf(one), gives: one.takes, takes: [time(60, 90)] }]),
    });
    await expect(commit(dying, moved)).rejects.toThrow();
    expect(decided).toBe(true);

    await take('Appointment/2', [time(0, 30)]);

    expect(await refusedTime(take('Appointment/3', [time(60, 90)]))).toHaveLength(1);
  });

  it('and small ones at once never overlap', async () => {
    const random = seeded(7);
    const clients = Array.from({ length: 24 }, (_, n) => {
      const start = Math.floor(random() * 12) * 5;
      const one = booking([time(start, start + 15), time(start, start + 15, { actor: `Location/${actor}` })]);
      return {
        one,
        work: workOf(one, n % 3 === 0 ? { log: filler().map(({ pk, sk }) => ({ pk, sk: `${n} ${sk}` })) } : {}),
      };
    });

    const outcomes = await Promise.all(
      clients.map(async ({ one, work }) => ({
        one,
        error: await commit(store, work).catch((error: unknown) => error),
      })),
    );

    const booked = outcomes.filter(({ error }) => error === undefined).map(({ one }) => one);
    const there = await store.readMany(clients.map(({ one }) => one.record));
    expect(there.map(({ id }) => id).sort()).toEqual(booked.map(({ record }) => record.id).sort());
    expect(overlaps(booked)).toEqual([]);
    expect(booked.length).toBeGreaterThan(0);
  });
});

describe('calendars and a model of them', () => {
  /** What one owner does with one actor's time in a model. */
  const step = fc.record({
    owner: fc.integer({ min: 0, max: 4 }),
    from: fc.integer({ min: 0, max: 9 }),
    minutes: fc.integer({ min: 1, max: 4 }),
    kind: fc.constantFrom('take', 'take', 'hold', 'give', 'wait'),
  });

  it('agree on who has which time after any number of steps', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        actor = `Practitioner/${store.ids.newChart()}`;
        let clock = now;
        const model = new Map<number, { from: number; to: number; until: number }>();
        for (const { owner, from, minutes, kind } of steps) {
          const to = from + minutes;
          const had = model.get(owner);
          const gives = had ? [time(had.from, had.to)] : [];
          if (kind === 'wait') clock += minutes * minuteMs;
          else if (kind === 'give') {
            if (had) await move(`Appointment/${owner}`, gives, [], clock);
            model.delete(owner);
          } else {
            const until = kind === 'hold' ? clock + 5 * minuteMs : Number.POSITIVE_INFINITY;
            const free = [...model].every(
              ([other, t]) => other === owner || t.until <= clock || t.to <= from || to <= t.from,
            );
            const wanted = time(from, to, kind === 'hold' ? { until } : {});
            const done = await move(`Appointment/${owner}`, gives, [wanted], clock).then(
              () => true,
              () => false,
            );
            expect(done).toBe(free);
            if (free) model.set(owner, { from, to, until });
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});
