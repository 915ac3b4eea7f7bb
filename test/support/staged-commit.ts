import { guardedIds } from '../../shared/store/bearers.ts';
import { commit } from '../../shared/store/commit.ts';
import { dayKey, historyKey, locatorKey, type Row, recordKey } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { allRows, commitOf, intercepted, newRecord, nextOf, rowAt } from './test-store.ts';

// A staged commit of everything that a commit may hold, and what is to be seen of it before and after.

/** Rows that lead to a record, and repeat nothing of it. */
export const bulk = (chart: string, count = 92): Row[] =>
  Array.from({ length: count }, (_, n) => ({ pk: `X#${chart}`, sk: `${n}` }));

/** Rows that lead to a new record: one that only names it, one that repeats it. */
export const leadingTo = (chart: string, n: number): Row[] => [
  { pk: `X#${chart}`, sk: `created ${n}` },
  { pk: `X#${chart}`, sk: `repeated ${n}`, version: 1 },
];

const targets = new WeakMap<RecordStore, Promise<StoredRecord[]>>();

/** Records that the commits of one store refer to, as many as the transaction that decides one has room for. */
const targetsIn = (store: RecordStore): Promise<StoredRecord[]> => {
  const made = targets.get(store) ?? makeTargets(store);
  targets.set(store, made);
  return made;
};

const makeTargets = async (store: RecordStore): Promise<StoredRecord[]> => {
  const chart = store.ids.newChart();
  const records = Array.from({ length: 95 }, () => newRecord(store, chart));
  await commit(store, commitOf({ writes: records.map((next) => ({ next })) }));
  return records;
};

/** Days of a calendar: time of the first is given back, and taken on the second. */
const days = ['2026-11-24', '2026-11-25'];

/**
 * A commit with one of each kind, on a chart of its own. It refers to more than the transaction that decides has room for, so all
 * of it is staged.
 */
export const everyKind = async (store: RecordStore) => {
  const chart = store.ids.newChart();
  const current = newRecord(store, chart, { type: 'Encounter' });
  const referred = newRecord(store, chart, { type: 'CareTeam' });
  const unique = { pk: `U#${chart}`, sk: 'U' };
  const obsolete = { pk: `X#${chart}`, sk: 'obsolete' };
  const owner = `Encounter/${current.id}`;
  const [before, after] = days.map((day) => [
    { actor: `Practitioner/${chart}`, from: Date.parse(`${day}T08:00Z`), to: Date.parse(`${day}T09:00Z`), label: 'x' },
  ]);
  await commit(
    store,
    commitOf({
      writes: [{ next: current }, { next: referred }],
      unique: [{ key: unique, add: ['old'], remove: [] }],
      log: [obsolete],
      calendar: { now: 0, changes: [{ owner, gives: [], takes: before ?? [] }] },
    }),
  );
  const created = [newRecord(store, chart), newRecord(store, chart)];
  const chosen = newRecord(store, chart, { id: `chosen-${chart}` });
  const locator = { ...locatorKey(chosen.type, chosen.id), chart, place: chosen.place };
  const updated = nextOf(current, { resource: { resourceType: 'Encounter', status: 'finished' } });
  const index = { puts: bulk(chart), removes: [obsolete] };
  const work = commitOf({
    writes: [
      ...[...created, chosen].map((next, n) => ({ next, puts: leadingTo(chart, n) })),
      { next: updated, previous: current, ...index },
    ],
    checks: [...(await targetsIn(store)), referred].map((address) => ({ address, label: 'x' })),
    unique: [{ key: unique, add: ['new'], remove: [], expected: ['old'] }],
    claims: [locator],
    log: [{ pk: `A#${chart}`, sk: 'written' }],
    calendar: { now: 0, changes: [{ owner, gives: before ?? [], takes: after ?? [] }] },
  });
  return { store, chart, current, referred, updated, created, chosen, locator, unique, obsolete, index, work };
};
export type Prepared = Awaited<ReturnType<typeof everyKind>>;

/** What readers of records see: by chart, by id, by an id that the client chose. */
export const seen = async ({ store, chart, current, created, chosen }: Prepared) => {
  const reader = intercepted(store, ({ send }) => send()); // a process of its own, which has read no locator yet
  const located = await reader.locate(chosen.type, chosen.id, false);
  return {
    byChart: (await reader.chart(chart, undefined)).items.map(({ type, version }) => `${type} ${version}`).sort(),
    byId: (await reader.readMany(created)).length,
    byChosenId: located !== undefined && (await reader.read(located)) !== undefined,
    current: (await reader.read(current))?.version,
    earlier: (await reader.readVersion(current, 1))?.version,
    history: (await reader.history(current, { limit: 10 })).items.map(({ version }) => version),
  };
};
export const nothing = {
  byChart: ['CareTeam 1', 'Encounter 1'],
  byId: 0,
  byChosenId: false,
  current: 1,
  earlier: 1,
  history: [1],
};
export const all = {
  byChart: ['CareTeam 1', 'Encounter 2', 'Observation 1', 'Observation 1', 'Observation 1'],
  byId: 2,
  byChosenId: true,
  current: 2,
  earlier: 1,
  history: [2, 1],
};

/** Rows that only a finished transaction has changed. */
export const indexRows = async ({ store, chart, obsolete, locator, current, referred, unique }: Prepared) => ({
  references: (await rowAt(store, recordKey(referred)))?.refs,
  puts: (await store.getMany(bulk(chart))).length,
  created: (await store.getMany([0, 1, 2].flatMap((n) => leadingTo(chart, n)))).length,
  log: (await rowAt(store, { pk: `A#${chart}`, sk: 'written' })) !== undefined,
  obsolete: (await rowAt(store, obsolete)) !== undefined,
  locator: (await rowAt(store, locator)) !== undefined,
  history: (await rowAt(store, historyKey(current, 1))) !== undefined,
  // Whoever looks at a condition before the transaction is finished must meet another guard afterwards.
  guard: (await guardedIds(store, unique)).sort(),
  days: await Promise.all(
    days.map(async (day) => {
      const row = (await rowAt(store, dayKey(`Practitioner/${chart}`, day))) ?? {};
      return Object.keys(row).filter((name) => name.startsWith('@')).length;
    }),
  ),
});
export const noIndexRows = {
  puts: 0,
  created: 0,
  references: undefined,
  log: false,
  obsolete: true,
  locator: false,
  history: false,
  guard: ['old'],
  days: [1, 0],
};
export const allIndexRows = {
  puts: 92,
  created: 6,
  references: 1,
  log: true,
  obsolete: false,
  locator: true,
  history: true,
  guard: ['new', 'old'],
  days: [0, 1],
};

/** What must not be left of a transaction that was settled. Its marker stays for as long as a row might name it. */
export const leftovers = async (store: RecordStore): Promise<string[]> =>
  (await allRows(store))
    .filter(
      ({ pk, sk, tx, intent }) =>
        tx !== undefined || intent !== undefined || pk.startsWith('T~') || sk.startsWith('R#'),
    )
    .map(({ pk, sk }) => `${pk} ${sk}`);

/** The end of a process. */
export class Crash extends Error {}

/** Lets a writer of a staged commit end at the call that decides it: just before, or just after. */
export const endingAt = (store: RecordStore, moment: 'before' | 'after'): RecordStore => {
  let ended = false;
  return intercepted(store, async ({ name, input, send }) => {
    if (ended) throw new Crash();
    const items = name === 'TransactWrite' ? (input.TransactItems as Record<string, { Key?: { sk: string } }>[]) : [];
    if (!items.some(({ Update }) => Update?.Key?.sk === 'T')) return send();
    ended = true;
    if (moment === 'after') await send();
    throw new Crash();
  });
};
