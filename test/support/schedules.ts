import fc from 'fast-check';
import { RecordError } from '../../shared/errors.ts';
import { guardedIds } from '../../shared/store/bearers.ts';
import { commit } from '../../shared/store/commit.ts';
import { CommitRefused } from '../../shared/store/commit-refusal.ts';
import { locatorKey, type Row, type RowKey } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { sweepTransactions } from '../../shared/store/settle-transaction.ts';
import { type Fault, Process, runToTheEnd, type Step } from './scheduled-process.ts';
import { leftovers } from './staged-commit.ts';
import { type Call, commitOf, intercepted, newRecord, nextOf, rowAt, testStore } from './test-store.ts';

// The schedules of test/model on the real store: three writers, a reader and a sweeper, whose calls go out one at a time, in an order that
// is drawn, with faults that the embedded DynamoDB never shows by itself.

/** Kinds of writers, by what those of one kind may contend for. A staged one has more index rows than a transaction takes. */
const rivals = [
  ['update', 'staged update'],
  ['reference', 'staged reference', 'deletion', 'staged deletion'],
  ['chosen id', 'staged chosen id'],
  ['guarded', 'staged guarded'],
] as const;
type Kind = (typeof rivals)[number][number];

/** What a run begins with: a record that some change, one that others refer to or delete, a condition, an id that clients choose. */
interface World {
  readonly store: RecordStore;
  readonly chart: string;
  readonly changed: StoredRecord;
  readonly referred: StoredRecord;
  readonly guard: RowKey;
  readonly chosenId: string;
}

const newWorld = async (): Promise<World> => {
  const store = await testStore();
  const chart = store.ids.newChart();
  const changed = newRecord(store, chart, { type: 'Encounter' });
  const referred = newRecord(store, chart, { type: 'CareTeam' });
  await commit(store, commitOf({ writes: [{ next: changed }, { next: referred }] }));
  return { store, chart, changed, referred, guard: { pk: `U#${chart}`, sk: 'U' }, chosenId: `chosen-${chart}` };
};

/** The row that leads to the changed record as one writer leaves it. */
const changeRow = (chart: string, writer: string): Row => ({
  pk: `X#${chart}`,
  sk: `changed by ${writer}`,
  version: 1,
});

/** The row that a deletion leaves, to tell it from another one. */
const deletionRow = (chart: string, writer: string): Row => ({ pk: `X#${chart}`, sk: `deleted by ${writer}` });

/** So many rows that a commit has to be staged. */
const manyRows = (chart: string, writer: string): Row[] =>
  Array.from({ length: 97 }, (_, n) => ({ pk: `X#${chart}`, sk: `${writer} ${n}`, version: 1 }));

/** One writer's work: what it creates is there after it if it was done, and what it changes bears its name. */
interface Work {
  readonly writer: string;
  readonly kind: Kind;
  /** The record that it creates; none for an update or deletion. */
  readonly creates: StoredRecord | undefined;
  readonly run: (store: RecordStore) => Promise<void>;
}

const workOf = (world: World, kind: Kind, number: number): Work => {
  const { chart, changed, referred, guard, chosenId } = world;
  const writer = `w${number}`;
  const labels = [`writer|${writer}`];
  const puts = kind.startsWith('staged') ? manyRows(chart, writer) : [];
  const fresh = newRecord(world.store, chart, { labels });
  const checks = [{ address: referred, label: 'x' }];
  const work = (creates: StoredRecord | undefined, run: Work['run']): Work => ({ writer, kind, creates, run });
  switch (kind) {
    case 'update':
    case 'staged update':
      return work(fresh, async (store) => {
        const previous = await store.read(changed);
        if (!previous) throw new Error('The record that is changed is never deleted');
        const before = previous.labels[0]?.replace('writer|', '');
        await commit(
          store,
          commitOf({
            writes: [
              {
                next: nextOf(previous, { labels }),
                previous,
                puts: [changeRow(chart, writer)],
                removes: before === undefined ? [] : [changeRow(chart, before)],
              },
              { next: fresh, puts },
            ],
          }),
        );
      });
    case 'reference':
    case 'staged reference':
      return work(fresh, (store) => commit(store, commitOf({ writes: [{ next: fresh, puts }], checks })));
    case 'deletion':
    case 'staged deletion':
      return work(undefined, async (store) => {
        // As a deletion reads: the record first, then what refers to it.
        const previous = await store.read(referred);
        const others = await store.chart(chart, 'Observation');
        if (!previous?.resource || others.items.length > 0) throw refused();
        await commit(
          store,
          commitOf({
            writes: [
              {
                next: nextOf(previous, { resource: undefined }),
                previous,
                puts: [deletionRow(chart, writer), ...puts],
              },
            ],
          }),
        );
      });
    case 'chosen id':
    case 'staged chosen id': {
      const chosen = newRecord(world.store, chart, { type: 'Goal', id: chosenId, labels });
      const claims = [{ ...locatorKey('Goal', chosenId), chart, place: chosen.place }];
      return work(chosen, (store) => commit(store, commitOf({ writes: [{ next: chosen, puts }], claims })));
    }
    default:
      return work(fresh, async (store) => {
        const expected = await guardedIds(store, guard);
        if (expected.length > 0) throw refused();
        const unique = [{ key: guard, add: [fresh.id], remove: [], expected }];
        await commit(store, commitOf({ writes: [{ next: fresh, puts }], unique }));
      });
  }
};

const refused = () => new CommitRefused([]);

/** What became of a writer, as its client knows it. Without an answer it may have been done or not. */
type Outcome = 'answered' | 'refused' | 'unknown';

const outcomeOf = async (process: Process, run: () => Promise<void>): Promise<Outcome> => {
  try {
    await process.run(run);
    return 'answered';
  } catch (error) {
    const notDone = error instanceof CommitRefused || (error instanceof RecordError && error.kind !== 'incomplete');
    return notDone ? 'refused' : 'unknown';
  }
};

/** What anybody sees of the works of a run. */
const seenBy = async (store: RecordStore, { chart, changed, referred }: World) => {
  const { items } = await store.chart(chart, undefined);
  return {
    ids: new Set(items.map(({ id }) => id)),
    lastWriter: (await store.read(changed))?.labels[0],
    deleted: (await store.read(referred))?.resource === undefined,
  };
};

/** One schedule: who works, and step by step whose call goes next and what becomes of it. */
export interface Schedule {
  readonly kinds: readonly Kind[];
  readonly steps: readonly Step[];
}

const faults: readonly Fault[] = ['busy', 'lost', 'partial', 'end', 'time passes'];

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  kinds: fc.oneof(
    ...rivals.map((kinds) => fc.array(fc.constantFrom<Kind[]>(...kinds), { minLength: 3, maxLength: 3 })),
  ),
  steps: fc.array(
    fc.record({
      next: fc.nat(1_000),
      times: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 12 })),
      fault: fc.oneof({ weight: 20, arbitrary: fc.constant('none' as const) }, fc.constantFrom(...faults)),
    }),
    { minLength: 10, maxLength: 60 },
  ),
});

/** What a run came to, so that a test can require that its schedules reach what they are to reach. */
export interface Ran {
  readonly outcomes: readonly Outcome[];
  readonly faults: ReadonlySet<Fault>;
  readonly readings: number;
}

/**
 * Runs one schedule and checks all that the protocol promises.
 *
 * @throws Error naming what was broken.
 */
export const runSchedule = async (schedule: Schedule): Promise<Ran> => {
  const world = await newWorld();
  const works = schedule.kinds.map((kind, number) => workOf(world, kind, number + 1));
  const answered = new Set<Work>();
  const broken: string[] = [];
  const require = (holds: boolean, what: string) => {
    if (!holds) broken.push(what);
  };

  const clock = stoppableClock();
  const writers = works.map(({ writer }) => new Process(writer));
  const reader = new Process('reader');
  const sweeper = new Process('sweeper');
  let readings = 0;
  const shown = new Set<string>();
  const outcomes: Promise<Outcome>[] = works.map((work, index) => {
    const process = writers[index] as Process;
    const own = intercepted(world.store, process.call);
    return outcomeOf(process, async () => {
      await work.run(own);
      answered.add(work);
    });
  });
  const reading = outcomeOf(reader, async () => {
    for (; readings < 4; readings++) {
      const before = [...answered];
      const seen = await seenBy(intercepted(world.store, reader.call), world);
      for (const id of seen.ids) shown.add(id);
      for (const { creates, kind, writer } of before) {
        if (creates) require(seen.ids.has(creates.id), `${writer} (${kind}) was answered and is not seen`);
        else require(seen.deleted, `${writer} (${kind}) was answered and the record is there`);
      }
    }
  });
  const sweeping = outcomeOf(sweeper, async () => {
    // Looking for what is unfinished takes 32 calls each time: they go out at once, so that the schedule is about what follows.
    const looks = ({ name, input }: Call) => name === 'Query' && /"T~/.test(JSON.stringify(input));
    const own = intercepted(world.store, (call) => (looks(call) ? call.send() : sweeper.call(call)));
    for (let swept = 0; writers.some(({ hasEnded }) => !hasEnded); ) {
      await own.read(world.changed); // waits for its turn
      if (clock.passed() === swept) continue;
      swept = clock.passed();
      await sweepTransactions(own);
    }
  });
  let met: Set<Fault>;
  try {
    met = await runToTheEnd([...writers, reader, sweeper], schedule.steps, clock.pass);
    await Promise.all([reading, sweeping]);
    // Whatever was left behind is settled, also what a slow writer staged behind an abort.
    clock.pass(31_000);
    await sweepTransactions(world.store);
    clock.pass(16 * 60_000);
    await sweepTransactions(world.store);
  } finally {
    clock.restore();
  }

  const ended = await Promise.all(outcomes);
  const done = await whatIsDone(world, works, require);
  for (const [index, work] of works.entries()) {
    const name = `${work.writer} (${work.kind})`;
    if (ended[index] === 'answered') require(done.has(work), `${name} was answered and is not there`);
    if (ended[index] === 'refused') require(!done.has(work), `${name} was refused and is there`);
    const { id } = work.creates ?? {};
    const others = works.filter((other) => other !== work && other.creates?.id === id && done.has(other));
    if (id !== undefined && shown.has(id) && others.length === 0)
      require(done.has(work), `${name} was shown before it was decided`);
  }
  for (const row of await leftovers(world.store)) broken.push(`left over: ${row}`);
  if (broken.length > 0) throw new Error(broken.join('; '));
  return { outcomes: ended, faults: met, readings };
};

/** Which works are done in the end: wholly or not at all, and none against another. */
const whatIsDone = async (
  world: World,
  works: readonly Work[],
  require: (holds: boolean, what: string) => void,
): Promise<ReadonlySet<Work>> => {
  const { store, chart, changed, referred, guard, chosenId } = world;
  const seen = await seenBy(store, world);
  const versions = (await store.history(changed, { limit: 100 })).items;
  const changedBy = versions.flatMap(({ labels }) => labels.map((label) => label.replace('writer|', '')));
  const located = await store.locate('Goal', chosenId, false);
  const isThere = (record: StoredRecord) =>
    record.id === chosenId ? seen.ids.has(chosenId) && located?.place === record.place : seen.ids.has(record.id);
  const done: Work[] = [];
  for (const work of works) {
    const { creates, writer } = work;
    const isDone = creates ? isThere(creates) : await rowAt(store, deletionRow(chart, writer));
    if (isDone) done.push(work);
  }

  require(versions.map(({ version }) => version).join() ===
    versions.map((_, n) => versions.length - n).join(), 'a version is missing');
  require(new Set(changedBy).size === versions.length - 1, 'a version was written twice, or overwritten');
  for (const work of works) {
    const { writer, kind } = work;
    const rows = await store.getMany(manyRows(chart, writer));
    const all = kind.startsWith('staged') && done.includes(work);
    require(rows.length === (all ? 97 : 0), `${writer} (${kind}) is there in part`);
    if (kind.endsWith('update'))
      require(changedBy.includes(writer) === done.includes(work), `${writer} (${kind}) is there in part`);
    if (kind.endsWith('reference'))
      require(!(done.includes(work) && seen.deleted), `${writer} refers to a deleted record`);
    const leads = (await rowAt(store, changeRow(chart, writer))) !== undefined;
    require(leads === (seen.lastWriter === `writer|${writer}`), `the row of ${writer} does not fit the record`);
  }
  const guarded = done.filter(({ kind }) => kind.endsWith('guarded'));
  require(guarded.length <= 1, 'one condition made two records');
  require((await guardedIds(store, guard)).join() ===
    guarded.map(({ creates }) => creates?.id).join(), 'the guard does not fit the record');
  require(done.filter(({ kind }) => kind.endsWith('chosen id')).length <= 1, 'one id made two records');
  require((located !== undefined) === seen.ids.has(chosenId), 'the locator does not fit the record');
  const deletions = (await store.history(referred, { limit: 10 })).items.filter(({ resource }) => !resource);
  const deletedBy = done.filter(({ kind }) => kind.endsWith('deletion'));
  require(deletedBy.length <= 1, 'the record was deleted twice');
  require(deletions.length === deletedBy.length &&
    seen.deleted === deletions.length > 0, 'a deletion is there in part');
  return new Set(done);
};

/** The clock of this process, which can be put forward; and no pause before a repetition is drawn longer than nothing. */
const stoppableClock = () => {
  const { now } = Date;
  const { random } = Math;
  let ahead = 0;
  Date.now = () => now() + ahead;
  Math.random = () => 0;
  return {
    pass: (milliseconds: number) => {
      ahead += milliseconds;
    },
    passed: () => ahead,
    restore: () => {
      Date.now = now;
      Math.random = random;
    },
  };
};
