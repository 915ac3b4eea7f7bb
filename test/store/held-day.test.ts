import { beforeAll, expect, it } from 'vitest';
import type { CalendarChange } from '../../shared/store/calendar.ts';
import { commit } from '../../shared/store/commit.ts';
import { dayKey } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { commitOf, intercepted, newRecord, rowAt, testStore } from '../support/test-store.ts';

let store: RecordStore;

beforeAll(async () => {
  store = await testStore();
});

const hour = 3_600_000;
const nine = Date.UTC(2026, 10, 24, 9);

/** A booking of an hour, so many after nine; with many records beside it, it is staged. */
const booking = (actor: string, owner: string, hours: number, records = 0) => {
  const from = nine + hours * hour;
  const change: CalendarChange = { owner, gives: [], takes: [{ actor, from, to: from + hour, label: 'x' }] };
  const chart = store.ids.newChart();
  return commitOf({
    writes: Array.from({ length: records }, () => ({ next: newRecord(store, chart) })),
    calendar: { now: nine - hour, changes: [change] },
  });
};

it.each([
  ['small', 0],
  ['staged', 120],
] as const)(
  'a %s booking that sees a day while a staged one holds it does not take what another has had all along',
  async (_name, records) => {
    const actor = `Practitioner/${store.ids.newChart()}`;
    await commit(store, booking(actor, 'Appointment/a', 0));
    const [hasLooked, isSettled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const standingStill = intercepted(store, async ({ name, send }) => {
      const answer = await send();
      if (name === 'BatchGet') {
        hasLooked.resolve();
        await isSettled.promise;
      }
      return answer;
    });
    let late: Promise<unknown> | undefined;
    let transactions = 0;
    // Its second transaction decides: then its intent lies on the day, and the late one looks.
    const holding = intercepted(store, async ({ name, send }) => {
      if (name === 'TransactWrite' && ++transactions === 2) {
        late = commit(standingStill, booking(actor, 'Appointment/late', 0, records)).catch((error: unknown) => error);
        await hasLooked.promise;
      }
      return send();
    });

    await commit(holding, booking(actor, 'Appointment/held', 4, 120));
    isSettled.resolve();

    expect(await late).toMatchObject({ refusals: [{ kind: 'taken' }] });
    const day = (await rowAt(store, dayKey(actor, '2026-11-24'))) ?? {};
    expect(Object.keys(day).filter((name) => name.startsWith('@'))).toHaveLength(2);
  },
);
