import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BookingRules } from '../../shared/scheduling/limits.ts';
import { actorScheduleRow } from '../../shared/store/actor-schedule-rows.ts';
import { busyTime, type DayRow, type WantedTime } from '../../shared/store/calendar.ts';
import { commit } from '../../shared/store/commit.ts';
import { CommitRefused } from '../../shared/store/commit-refusal.ts';
import { dayKey } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { commitOf, intercepted, newRecord, rowAt, testStore } from '../support/test-store.ts';

let store: RecordStore;
let actor: string;

beforeAll(async () => {
  store = await testStore();
});
beforeEach(() => {
  actor = `Practitioner/${store.ids.newChart()}`;
});

const minuteMs = 60_000;
const midnight = Date.UTC(2026, 10, 24);
const nine = midnight + 9 * 60 * minuteMs;
const now = nine - 60 * minuteMs;

const time = (from: number, to: number, over: Partial<WantedTime> = {}): WantedTime => ({
  actor,
  from: nine + from * minuteMs,
  to: nine + to * minuteMs,
  label: 'x',
  ...over,
});
const booked = (
  owner: string,
  takes: readonly WantedTime[],
  gives: readonly WantedTime[] = [],
  at = now,
  records = 0,
) => {
  const chart = store.ids.newChart();
  return commit(
    store,
    commitOf({
      writes: Array.from({ length: records }, () => ({ next: newRecord(store, chart) })),
      calendar: { now: at, changes: [{ owner, gives, takes }] },
    }),
  );
};
/** Minutes after nine in which others have what is wanted; undefined for a booking that was made. */
const refused = (...given: Parameters<typeof booked>): Promise<unknown> =>
  booked(...given).then(
    () => undefined,
    (error: unknown) => {
      if (!(error instanceof CommitRefused)) throw error;
      return error.refusals.map((refusal) =>
        refusal.kind === 'taken'
          ? [(refusal.time.from - nine) / minuteMs, (refusal.time.to - nine) / minuteMs]
          : refusal.kind,
      );
    },
  );
const scheduled = (rules: Partial<BookingRules>, id = 'one') =>
  writeRows(store, [{ ...actorScheduleRow(actor, id, { services: [], rules: [], ...rules }) }]);
const buffers = (before: number, after: number, services: string[] = []) => ({ services, before, after });

describe('how many have an actor', () => {
  it('is what the Schedule says', async () => {
    await scheduled({ allowance: { capacity: 2, overbook: 0 } });
    await booked('Appointment/1', [time(0, 30)]);
    await booked('Appointment/2', [time(20, 50)]);

    expect(await refused('Appointment/3', [time(10, 40)])).toEqual([[20, 30]]);
    await booked('Appointment/3', [time(0, 20), time(30, 60)]);
  });

  it('is by its number more where it may be overbooked', async () => {
    await scheduled({ allowance: { capacity: 1, overbook: 1 } });
    await booked('Appointment/1', [time(0, 30)]);
    await booked('Appointment/2', [time(0, 30)]);

    expect(await refused('Appointment/3', [time(0, 30)])).toEqual([[0, 30]]);
    await booked('Appointment/3', [time(0, 30, { beyondLimits: true })]);
    expect(await refused('Appointment/4', [time(0, 30)])).toEqual([[0, 30]]);
  });

  it('is what a Schedule says of that time, and one where none does', async () => {
    await scheduled({ allowance: { capacity: 3, overbook: 0 }, from: nine, to: nine + 60 * minuteMs });
    for (const each of ['1', '2', '3']) await booked(`Appointment/${each}`, [time(0, 60)]);
    await booked('Appointment/4', [time(60, 90)]);

    expect(await refused('Appointment/5', [time(60, 90)])).toEqual([[60, 90]]);
  });

  it('is told by the Schedules as they are when it is booked', async () => {
    await booked('Appointment/1', [time(0, 30)]);
    expect(await refused('Appointment/2', [time(0, 30)])).toEqual([[0, 30]]);

    await scheduled({ allowance: { capacity: 2, overbook: 0 } });
    await scheduled({ allowance: { capacity: 5, overbook: 0 } }, 'another');

    await booked('Appointment/2', [time(0, 30)]);
    expect(await refused('Appointment/3', [time(0, 30)])).toEqual([[0, 30]]);
  });
});

describe('buffers', () => {
  it('are held with the booking that needs them', async () => {
    await scheduled({ rules: [buffers(10, 5, ['s|long']), buffers(0, 0)] });
    await booked('Appointment/1', [time(0, 30, { services: ['s|long'] })]);

    expect(await refused('Appointment/2', [time(-20, -9)])).toEqual([[-10, -9]]);
    expect(await refused('Appointment/2', [time(34, 40)])).toEqual([[34, 35]]);
    await booked('Appointment/2', [time(-20, -10)]);
    await booked('Appointment/3', [time(35, 40)]);
    // Its own have to be free, too.
    expect(await refused('Appointment/4', [time(45, 60, { services: ['s|long'] })])).toEqual([[35, 40]]);
    await booked('Appointment/4', [time(50, 60, { services: ['s|long'] })]);
  });

  it.each([0, 120])(
    'are given back with it over midnight, whatever they are by then, beside %s records',
    async (records) => {
      await scheduled({ rules: [buffers(120, 120)] });
      const day = 24 * 60;
      const late = time(15 * 60 - 60, 15 * 60 - 10);
      const early = {
        ...late,
        from: late.from - day * minuteMs + 70 * minuteMs,
        to: late.to - day * minuteMs + 70 * minuteMs,
      };
      await booked('Appointment/1', [late], [], now, records);
      await booked('Appointment/2', [early], [], now, records);
      expect(await refused('Appointment/3', [time(15 * 60 + 60, 15 * 60 + 70)])).toBeDefined();
      await scheduled({});

      await booked('Appointment/1', [], [late], now, records);
      await booked('Appointment/2', [], [early], now, records);

      await booked('Appointment/3', [time(-60 * 11, 60 * 20)]);
    },
  );
});

describe('a booking whose buffers reach over midnight', () => {
  it('is one read and one transaction, and refused by the read', async () => {
    await scheduled({ rules: [buffers(0, 60)] });
    const toMidnight = 15 * 60;
    await booked('Appointment/1', [time(toMidnight + 20, toMidnight + 40)]);
    const calls: string[] = [];
    const on = intercepted(store, ({ name, send }) => {
      calls.push(name);
      return send();
    });
    const book = (from: number, to: number) =>
      commit(
        on,
        commitOf({
          calendar: {
            now,
            changes: [{ owner: 'Appointment/2', gives: [], takes: [time(toMidnight + from, toMidnight + to)] }],
          },
        }),
      );

    await expect(book(-30, -10)).rejects.toMatchObject({ refusals: [{ kind: 'taken' }] });
    await expect(book(-90, -45)).resolves.toBeUndefined();

    expect(calls).toEqual(['BatchGet', 'Query', 'BatchGet', 'Query', 'TransactWrite']);
  });
});

describe('a Slot', () => {
  const slot = (from: number, to: number) => time(from, to, { as: 'slot' });
  const naming = (slots: string[], from = 0, to = 30) => time(from, to, { slots });

  it('holds time like a booking, without buffers', async () => {
    await scheduled({ rules: [buffers(10, 10)] });
    await booked('Slot/1', [slot(0, 30)]);
    await booked('Slot/2', [slot(30, 60)]);

    expect(await refused('Appointment/1', [time(0, 30)])).toEqual([[0, 30]]);
    expect(await refused('Slot/3', [slot(20, 40)])).toEqual([[20, 30]]);
  });

  it('is one with the booking that names it, whichever comes first, and with that one alone', async () => {
    await booked('Slot/1', [slot(0, 30)]);
    await booked('Appointment/1', [naming(['Slot/1'])]);
    await booked('Appointment/2', [naming(['Slot/2'], 30, 60)]);
    await booked('Slot/2', [slot(30, 60)]);

    expect(await refused('Appointment/3', [naming(['Slot/1'])])).toEqual([[0, 30]]);
    expect(await refused('Appointment/3', [time(30, 60)])).toEqual([[30, 60]]);
    expect(await refused('Slot/3', [slot(0, 30)])).toEqual([[0, 30]]);
    // What the booking gives back, its Slot still has.
    await booked('Appointment/1', [], [naming(['Slot/1'])]);
    expect(await refused('Appointment/3', [time(0, 30)])).toEqual([[0, 30]]);
    await booked('Appointment/3', [naming(['Slot/1'])]);
  });

  it('and the booking that names it count once', async () => {
    await scheduled({ allowance: { capacity: 2, overbook: 0 } });
    await booked('Slot/1', [slot(0, 30)]);
    await booked('Appointment/1', [naming(['Slot/1'])]);
    await booked('Appointment/2', [time(0, 30)]);

    expect(await refused('Appointment/3', [time(0, 30)])).toEqual([[0, 30]]);
  });

  it.each([0, 120])(
    'that is one with a booking may be written together with it, beside %s records',
    async (records) => {
      const chart = store.ids.newChart();
      const changes = [
        { owner: 'Slot/1', gives: [], takes: [slot(0, 30)] },
        { owner: 'Appointment/1', gives: [], takes: [naming(['Slot/1'])] },
      ];

      await commit(
        store,
        commitOf({
          writes: Array.from({ length: records }, () => ({ next: newRecord(store, chart) })),
          calendar: { now, changes },
        }),
      );

      expect(await refused('Appointment/2', [time(0, 30)])).toEqual([[0, 30]]);
      expect(await refused('Appointment/2', [naming(['Slot/1'])])).toEqual([[0, 30]]);
      await booked('Appointment/1', [], [naming(['Slot/1'])]);
      await booked('Appointment/2', [naming(['Slot/1'])]);
    },
  );

  it('that is closed is nobody’s, whatever the limits, but of who may go beyond them', async () => {
    await scheduled({ allowance: { capacity: 5, overbook: 0 } });
    await booked('Slot/1', [time(0, 30, { as: 'closed' })]);
    await booked('Appointment/0', [time(60, 90)]);

    expect(await refused('Appointment/1', [time(0, 30)])).toEqual([[0, 30]]);
    expect(await refused('Appointment/1', [naming(['Slot/1'])])).toEqual([[0, 30]]);
    expect(await refused('Slot/2', [time(80, 100, { as: 'closed' })])).toEqual([[80, 90]]);
    await booked('Appointment/1', [time(0, 30, { beyondLimits: true })]);
  });

  it('may be held for a while', async () => {
    const until = now + minuteMs;
    await booked('Slot/1', [time(0, 30, { as: 'slot', until })]);

    expect(await refused('Appointment/1', [time(0, 30)], [], until - 1)).toEqual([[0, 30]]);
    await booked('Appointment/1', [time(0, 30)], [], until);
  });
});

describe('busy time', () => {
  it('is that of each booking with its buffers, of Slots where no booking has them, and what is closed', async () => {
    await scheduled({ rules: [buffers(0, 5)] });
    await booked('Slot/1', [time(0, 30, { as: 'slot' })]);
    await booked('Appointment/1', [time(0, 15, { slots: ['Slot/1'] })]);
    await booked('Slot/2', [time(60, 90, { as: 'closed' })]);
    await booked('Appointment/2', [time(120, 150, { until: now + minuteMs })]);
    const row = (await rowAt(store, dayKey(actor, '2026-11-24'))) as DayRow | undefined;
    const minutes = (spans: readonly { from: number; to: number }[]) =>
      spans
        .map(({ from, to }) => [(from - nine) / minuteMs, (to - nine) / minuteMs])
        .sort((a, b) => Number(a[0]) - Number(b[0]));

    const { taken, closed } = busyTime([{ midnight, row }], now);
    expect(minutes(taken)).toEqual([
      [0, 20],
      [20, 30],
      [120, 155],
    ]);
    expect(minutes(closed)).toEqual([[60, 90]]);
    expect(minutes(busyTime([{ midnight, row }], now + minuteMs).taken)).toEqual([
      [0, 20],
      [20, 30],
    ]);
    expect(busyTime([{ midnight, row: undefined }], now)).toEqual({ taken: [], closed: [] });
  });
});
