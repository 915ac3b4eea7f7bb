import { randomBytes } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecordError } from '../../shared/errors.ts';
import { log } from '../../shared/log.ts';
import { type Commit, commit } from '../../shared/store/commit.ts';
import { CommitRefused } from '../../shared/store/commit-refusal.ts';
import { locatorKey, pointerKey, type Row, recordKey, transactionKey, unfinishedKey } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { sweepTransactions } from '../../shared/store/settle-transaction.ts';
import {
  all,
  allIndexRows,
  bulk,
  Crash,
  endingAt,
  everyKind,
  indexRows,
  leadingTo,
  leftovers,
  noIndexRows,
  nothing,
  type Prepared,
  seen,
} from '../support/staged-commit.ts';
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

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  store = await testStore();
  vi.spyOn(log, 'fault').mockReturnValue(undefined); // of transactions that these tests cut short
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Moves the clock beyond the deadline of every transaction begun so far. */
const passDeadline = () => vi.setSystemTime(Date.now() + 31_000);
/** Moves it to where none of their writers can be alive. */
const passWriterLife = () => vi.setSystemTime(Date.now() + 31_000 + 15 * 60_000);

/** Sweeps until there is nothing left that anybody might do. */
const settleAll = async () => {
  passDeadline();
  await sweepTransactions(store);
  passWriterLife();
  await sweepTransactions(store);
};

const countCalls = async (work: Commit): Promise<number> => {
  let calls = 0;
  await commit(
    intercepted(store, ({ send }) => {
      calls++;
      return send();
    }),
    work,
  );
  return calls;
};

/** Lets something else become of every second call that writes: of all kinds, or of one. */
const everySecondCall = (only: string | undefined, instead: (call: Call) => Promise<unknown>) => {
  let calls = 0;
  return async (call: Call): Promise<unknown> => {
    const concerned = only === undefined ? !['Get', 'BatchGet', 'Query'].includes(call.name) : call.name === only;
    return concerned && calls++ % 2 === 0 ? instead(call) : call.send();
  };
};

/** Ways in which the n-th call fails. A crash is the end of the process: none of its calls happens after it. */
const failures: Readonly<Record<string, (n: number) => (call: Call) => Promise<unknown>>> = {
  'a crash before call': (n) => {
    let calls = 0;
    return async ({ send }) => {
      if (++calls >= n) throw new Crash();
      return send();
    };
  },
  'a crash before the answer of call': (n) => {
    let calls = 0;
    return async ({ send }) => {
      const own = ++calls;
      if (own > n) throw new Crash();
      const answer = await send();
      if (own === n) throw new Crash();
      return answer;
    };
  },
  'a lost answer of call': (n) => {
    let calls = 0;
    return async ({ send }) => {
      const answer = await send();
      if (++calls === n) throw new Crash();
      return answer;
    };
  },
};

describe('a commit of more actions than DynamoDB takes at once', () => {
  it('is seen whole afterwards, and leaves nothing behind', async () => {
    const prepared = await everyKind(store);

    await commit(store, prepared.work);

    expect(await seen(prepared)).toEqual(all);
    expect(await indexRows(prepared)).toEqual(allIndexRows);
    expect(await leftovers(store)).toEqual([]);
  });

  it.each(Object.keys(failures))('is wholly there or not at all after %s n, for every n', async (name) => {
    const failure = failures[name];
    if (!failure) throw new Error('There is no such failure');
    const calls = await countCalls((await everyKind(store)).work);
    const outcomes = { acknowledged: 0, committed: 0, nothing: 0 };
    expect(calls).toBeGreaterThan(15);

    for (let n = 1; n <= calls; n++) {
      const prepared = await everyKind(store);
      const acknowledged = await commit(intercepted(store, failure(n)), prepared.work).then(
        () => true,
        () => false,
      );
      const before = await seen(prepared);
      passDeadline();

      await sweepTransactions(store);

      const after = await seen(prepared);
      const committed = after.current === 2;
      expect({ n, before, after }).toEqual(
        committed ? { n, before: all, after: all } : { n, before: nothing, after: nothing },
      );
      expect({ n, rows: await indexRows(prepared) }).toEqual({ n, rows: committed ? allIndexRows : noIndexRows });
      if (acknowledged) expect({ n, committed }).toEqual({ n, committed: true });
      outcomes[acknowledged ? 'acknowledged' : committed ? 'committed' : 'nothing']++;
    }

    expect(outcomes.committed + outcomes.acknowledged).toBeGreaterThan(3);
    expect(outcomes.nothing).toBeGreaterThan(3);
    await settleAll();
    expect(await leftovers(store)).toEqual([]);
  });

  it.each([
    ['first', (rows: unknown[]) => rows.slice(0, rows.length / 2)],
    ['second', (rows: unknown[]) => rows.slice(rows.length / 2)],
  ])('leaves nothing behind after a crash that wrote only the %s half of a batch, whichever', async (_half, half) => {
    let crashed = true;
    for (let n = 1; crashed; n++) {
      let batches = 0;
      const dying = intercepted(store, async ({ name, input, send }) => {
        if (name === 'BatchWrite') batches++;
        if (batches > n) throw new Crash();
        if (name !== 'BatchWrite' || batches < n) return send();
        batches++;
        const written = half((input.RequestItems as Record<string, unknown[]>)[store.tableName] ?? []);
        if (written.length > 0) await send({ RequestItems: { [store.tableName]: written } });
        throw new Crash();
      });
      const prepared = await everyKind(store);
      crashed = await commit(dying, prepared.work).then(
        () => false,
        () => true,
      );

      await settleAll();

      const after = await seen(prepared);
      expect({ n, after }).toEqual({ n, after: after.current === 2 ? all : nothing });
      expect({ n, left: await leftovers(store) }).toEqual({ n, left: [] });
    }
  });

  it('is taken back at once where a condition does not hold, whichever it is', async () => {
    const broken: ((prepared: Prepared) => Partial<Commit>)[] = [
      ({ work, current, index }) => ({
        writes: [...work.writes.slice(0, 3), { next: nextOf(nextOf(current)), previous: nextOf(current), ...index }],
      }),
      ({ work, chart }) => ({ checks: [...work.checks, { address: newRecord(store, chart), label: 'x' }] }),
      ({ unique }) => ({ unique: [{ key: unique, add: ['new'], remove: [], expected: [] }] }),
      ({ work, current, index }) => ({
        writes: [...work.writes.slice(0, 3), { next: { ...current, id: 'taken' }, ...index }],
      }),
    ];
    const kinds: string[] = [];

    for (const change of broken) {
      const prepared = await everyKind(store);
      const error = await commit(store, { ...prepared.work, ...change(prepared) }).catch((thrown: unknown) => thrown);
      if (!(error instanceof CommitRefused)) throw new Error(`Not refused: ${String(error)}`);
      kinds.push(...error.refusals.map(({ kind }) => kind));
      expect(await seen(prepared)).toEqual(nothing);
      expect(await indexRows(prepared)).toEqual(noIndexRows);
    }

    expect(kinds).toEqual(['version', 'missing', 'unique', 'version']);
    expect(await leftovers(store)).toEqual([]);
  });

  it('is refused where another one has claimed its id, whose row stays', async () => {
    const prepared = await everyKind(store);
    await commit(store, commitOf({ claims: [{ ...prepared.locator, chart: 'another' }] }));

    const error = await commit(store, prepared.work).catch((thrown: unknown) => thrown);

    expect((error as CommitRefused).refusals.map(({ kind }) => kind)).toEqual(['claimed']);
    expect(await rowAt(store, prepared.locator)).toMatchObject({ chart: 'another' });
    expect((await seen(prepared)).byChart).toEqual(nothing.byChart);
  });

  it('checks more references than one transaction takes', async () => {
    const chart = store.ids.newChart();
    const targets = Array.from({ length: 96 }, () => newRecord(store, chart));
    for (const half of [targets.slice(0, 48), targets.slice(48)])
      await commit(store, commitOf({ writes: half.map((next) => ({ next })) }));
    const record = newRecord(store, chart, { type: 'List' });
    const checks = targets.map((address) => ({ address, label: 'x' }));
    const missing = { address: newRecord(store, chart), label: 'missing' };

    await expect(
      commit(store, commitOf({ writes: [{ next: record, puts: bulk(chart, 5) }], checks: [...checks, missing] })),
    ).rejects.toMatchObject({ refusals: [{ kind: 'missing', check: { label: 'missing' } }] });
    expect(await store.read(record)).toBeUndefined();

    await commit(store, commitOf({ writes: [{ next: record, puts: bulk(chart, 5) }], checks }));
    expect(await store.read(record)).toEqual(record);
  });

  const turnedAway = (name: string, more = {}) => Object.assign(new Error('busy'), { name, ...more });
  const cancelled = (Code: string) =>
    turnedAway('TransactionCanceledException', { CancellationReasons: [{ Code: 'None' }, { Code }] });

  it.each([
    ['a conflict', 'TransactWrite', cancelled('TransactionConflict')],
    ['throttling of a transaction', 'TransactWrite', cancelled('ThrottlingError')],
    ['a lack of throughput in a transaction', 'TransactWrite', cancelled('ProvisionedThroughputExceeded')],
    ['a transaction elsewhere', undefined, turnedAway('TransactionConflictException')],
    ['throttling', undefined, turnedAway('ThrottlingException')],
    ['a lack of throughput', undefined, turnedAway('ProvisionedThroughputExceededException')],
    ['the limit of requests', undefined, turnedAway('RequestLimitExceeded')],
  ])('is sent again where the table was busy: %s', async (_name, only, error) => {
    const prepared = await everyKind(store);
    let failed = 0;
    const busy = intercepted(
      store,
      everySecondCall(only, async () => {
        failed++;
        throw error;
      }),
    );

    await commit(busy, prepared.work);

    expect(await seen(prepared)).toEqual(all);
    expect(await indexRows(prepared)).toEqual(allIndexRows);
    expect(failed).toBeGreaterThan(4);
    expect(await leftovers(store)).toEqual([]);
  });

  it.each([
    ['the connection', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })],
    ['time', Object.assign(new Error('no answer'), { name: 'TimeoutError' })],
    ['the service', Object.assign(new Error('fault'), { name: 'InternalServerError', $fault: 'server' })],
    ['a transaction at work', Object.assign(new Error('wait'), { name: 'TransactionInProgressException' })],
  ])('is sent again where the answer was lost with %s, and never taken for another’s', async (_name, error) => {
    const prepared = await everyKind(store);
    let lost = 0;
    const unanswered = intercepted(
      store,
      everySecondCall(undefined, async ({ send }) => {
        lost++;
        await send();
        throw error;
      }),
    );

    await commit(unanswered, prepared.work);

    expect(await seen(prepared)).toEqual(all);
    expect(await indexRows(prepared)).toEqual(allIndexRows);
    expect(lost).toBeGreaterThan(8);
    expect(await leftovers(store)).toEqual([]);
  });

  it('sends again what a batch left over', async () => {
    const prepared = await everyKind(store);
    let leftOver = 0;
    const busy = intercepted(store, async ({ name, input, send }) => {
      if (name !== 'BatchWrite') return send();
      const requests = (input.RequestItems as Record<string, unknown[]>)[store.tableName] ?? [];
      if (requests.length < 2) return send();
      leftOver++;
      await send({ RequestItems: { [store.tableName]: requests.slice(1) } });
      return { UnprocessedItems: { [store.tableName]: requests.slice(0, 1) } };
    });

    await commit(busy, prepared.work);

    expect(await seen(prepared)).toEqual(all);
    expect(leftOver).toBeGreaterThan(0);
  });

  it('is given up by its writer once others have given it up', async () => {
    const prepared = await everyKind(store);
    let staged = false;
    const slow = intercepted(store, async ({ name, input, send }) => {
      const items = name === 'TransactWrite' ? (input.TransactItems as Record<string, { Key?: { sk: string } }>[]) : [];
      if (!staged && items.some(({ Update }) => Update?.Key?.sk === 'T')) {
        staged = true;
        passDeadline();
        await sweepTransactions(store);
      }
      return send();
    });

    const error = await commit(slow, prepared.work).catch((thrown: unknown) => thrown);

    expect(staged).toBe(true);
    expect(error).toBeInstanceOf(RecordError);
    expect(error).toMatchObject({ kind: 'conflict' });
    expect(await seen(prepared)).toEqual(nothing);
    expect(await leftovers(store)).toEqual([]);
  });
});

describe('the transaction that decides', () => {
  const callsOf = async (work: Commit): Promise<Call[]> => {
    const calls: Call[] = [];
    const watched = intercepted(store, (call) => {
      calls.push(call);
      return call.send();
    });
    await commit(watched, work);
    return calls;
  };
  const itemsOf = ({ input }: Call) => (input.TransactItems ?? []) as Record<string, { Item?: Row; Key?: Row }>[];
  const longRow = { pk: 'A#x', sk: 'long', what: 'x'.repeat(600) };
  const shortRow = { pk: 'A#x', sk: 'short', what: 'x' };

  it('writes as much as it has room for: the rest alone is staged', async () => {
    const chart = store.ids.newChart();
    const current = newRecord(store, chart, { type: 'Encounter' });
    await commit(store, commitOf({ writes: [{ next: current }] }));
    const plain = Array.from({ length: 100 }, () => newRecord(store, chart));
    const named = newRecord(store, chart, { type: 'Flag' });
    const [hint, late] = leadingTo(chart, 0);
    const updated = nextOf(current);

    const calls = await callsOf(
      commitOf({
        writes: [
          ...plain.map((next) => ({ next })),
          { next: named, puts: [hint, late].filter((row) => row !== undefined) },
          { next: updated, previous: current },
        ],
        log: [longRow, shortRow],
      }),
    );

    const deciding = calls.filter(({ name }) => name === 'TransactWrite').map(itemsOf)[1] ?? [];
    const types = deciding.map(({ Put }) => (Put?.Item?.sk ?? '').replace(/#.*/, ''));
    expect(deciding).toHaveLength(96);
    // The marker; the long row; the record with its row that repeats it; the update with its history; the rest are others.
    expect(types.filter((type) => type !== 'Observation').sort()).toEqual(
      ['', 'Encounter', 'Flag', 'long', 'repeated 0', '~H'].sort(),
    );
    expect(calls.filter(({ name }) => name === 'Update')).toHaveLength(100 - 90 + 1); // each is shown; the marker expires
    expect((await store.chart(chart, 'Observation')).items).toHaveLength(100);
    expect(await store.read(current)).toEqual(updated);
    expect(await store.getMany([hint, late, longRow, shortRow] as Row[])).toHaveLength(4);
    expect(await leftovers(store)).toEqual([]);
  });

  it('refuses all of it where the condition of a record in it does not hold', async () => {
    const chart = store.ids.newChart();
    const current = newRecord(store, chart, { type: 'Encounter' });
    await commit(store, commitOf({ writes: [{ next: current }] }));
    const others = Array.from({ length: 100 }, (_, n) => ({
      next: newRecord(store, chart),
      puts: leadingTo(chart, n),
    }));
    const stale = { next: nextOf(nextOf(current)), previous: nextOf(current) };

    const outcome = commit(store, commitOf({ writes: [stale, ...others], log: [longRow, shortRow] }));

    await expect(outcome).rejects.toMatchObject({ refusals: [{ kind: 'version' }] });
    expect((await store.chart(chart, undefined)).items).toEqual([current]);
    const rows = [...others.flatMap(({ puts }) => puts), longRow, shortRow];
    expect(await store.getMany(rows)).toEqual([]);
    expect(await leftovers(store)).toEqual([]);
  });

  it('ends before the 4 MB that DynamoDB takes', async () => {
    const chart = store.ids.newChart();
    const large = Array.from({ length: 45 }, () => {
      const text = randomBytes(100_000).toString('base64');
      return newRecord(store, chart, { resource: { resourceType: 'Observation', text } as never });
    });
    const many = Array.from({ length: 90 }, () => newRecord(store, chart));

    await commit(store, commitOf({ writes: [...large, ...many].map((next) => ({ next })) }));

    expect((await store.readMany([...large, ...many])).length).toBe(135);
  });
});

describe('a record that a staged commit refers to', () => {
  const referring = (targets: readonly StoredRecord[], over: Parameters<typeof commitOf>[0] = {}) => {
    const chart = targets[0]?.chart ?? '';
    const writes = [...Array.from({ length: 97 }, () => ({ next: newRecord(store, chart) })), ...(over.writes ?? [])];
    return commitOf({ ...over, writes, checks: targets.map((address) => ({ address, label: 'x' })) });
  };
  const created = async (count: number, over: Partial<StoredRecord> = {}) => {
    const chart = store.ids.newChart();
    const records = Array.from({ length: count }, () => newRecord(store, chart, over));
    for (let at = 0; at < count; at += 90)
      await commit(store, commitOf({ writes: records.slice(at, at + 90).map((next) => ({ next })) }));
    return records;
  };
  const deletionOf = (record: StoredRecord) =>
    commitOf({ writes: [{ next: nextOf(record, { resource: undefined }), previous: record }] });

  it('counts it, whether that has room in the deciding transaction or not', async () => {
    const targets = await created(100);

    await commit(store, referring(targets));

    expect((await store.readMany(targets)).map(({ refs }) => refs)).toEqual(Array(100).fill(1));
  });

  it('cannot be deleted as it was read before', async () => {
    const targets = await created(100);
    await commit(store, referring(targets));

    for (const target of [targets[0], targets[99]]) {
      const outcome = commit(store, deletionOf(target as StoredRecord));
      await expect(outcome).rejects.toMatchObject({ refusals: [{ kind: 'referred' }] });
    }
  });

  it.each([
    ['has no room in the deciding transaction', () => referring],
    [
      'lies where a pointer comes only afterwards',
      ([target]: readonly StoredRecord[]) =>
        (targets: readonly StoredRecord[]) => {
          const next = newRecord(store, store.ids.newChart(), { type: 'Appointment', id: 'chosen-by-a-client' });
          const pointer = { ...pointerKey(next, target?.chart ?? ''), layout: 1, home: next.chart };
          return referring(targets, { writes: [{ next, puts: [pointer, ...bulk('x')] }] });
        },
    ],
  ])('is held until the commit is finished, where it %s', async (_where, build) => {
    const targets = await created(100);
    const held = targets.at(-1) as StoredRecord;
    await expect(commit(endingAt(store, 'before'), build(targets)(targets))).rejects.toThrow(Crash);
    vi.spyOn(Math, 'random').mockReturnValue(0);

    // It changes nothing of what is read, but nobody writes it.
    expect(await store.read(held)).toEqual(held);
    await expect(commit(store, deletionOf(held))).rejects.toMatchObject({ kind: 'conflict' });
    passDeadline();
    await commit(store, deletionOf(held));

    expect((await store.read(held))?.resource).toBeUndefined();
  });

  it('is seen to be referred to by whoever deletes it after the decision', async () => {
    const targets = await created(100);
    const held = targets.at(-1) as StoredRecord;
    await expect(commit(endingAt(store, 'after'), referring(targets))).rejects.toThrow(Crash);

    expect(await store.read(held)).toEqual(held);
    await expect(commit(store, deletionOf(held))).rejects.toMatchObject({ refusals: [{ kind: 'referred' }] });

    expect((await store.chart(held.chart, undefined)).items).toHaveLength(197);
    expect(await store.read(held)).toEqual({ ...held, refs: 1 });
    expect((await store.history(held, { limit: 9 })).items).toHaveLength(1);
  });

  it('is of the directory: it is checked and not written to, also where there is no room for it', async () => {
    const targets = await created(110, { type: 'Organization' });
    const missing = newRecord(store, store.ids.newChart(), { type: 'Organization' });

    await commit(store, referring(targets));

    expect((await store.readMany(targets)).filter(({ refs }) => refs !== undefined)).toEqual([]);
    await expect(commit(store, referring([...targets, missing]))).rejects.toMatchObject({
      refusals: [{ kind: 'missing' }],
    });
  });

  it('may be deleted by a staged commit, on the condition that nobody has referred to it', async () => {
    const [target, other] = (await created(2)) as [StoredRecord, StoredRecord];
    const others = Array.from({ length: 97 }, () => ({ next: newRecord(store, target.chart), puts: [] }));
    const bundle = (previous: StoredRecord) =>
      commitOf({
        writes: [{ next: nextOf(previous, { resource: undefined }), previous, puts: bulk('x', 95) }, ...others],
      });
    await commit(store, commitOf({ checks: [{ address: target, label: 'x' }] }));

    await expect(commit(store, bundle(target))).rejects.toMatchObject({ refusals: [{ kind: 'referred' }] });
    await commit(store, bundle({ ...target, refs: 1 }));

    expect((await store.read(target))?.resource).toBeUndefined();
    expect(await store.readVersion(target, 1)).toEqual(target);
    expect(await store.read(other)).toEqual(other);
  });
});

describe('beside a staged commit', () => {
  it('a reader sees the whole of one that is decided and not finished', async () => {
    const prepared = await everyKind(store);

    await expect(commit(endingAt(store, 'after'), prepared.work)).rejects.toThrow(Crash);

    expect(await seen(prepared)).toEqual(all);
    expect((await indexRows(prepared)).puts).toBe(0);
  });

  it('a reader sees nothing of one that is not decided', async () => {
    const prepared = await everyKind(store);

    await expect(commit(endingAt(store, 'before'), prepared.work)).rejects.toThrow(Crash);

    expect(await rowAt(store, recordKey(prepared.created[0] as StoredRecord))).toHaveProperty('tx');
    expect(await seen(prepared)).toEqual(nothing);
  });

  it('a writer finishes one that is decided, and then writes its own version', async () => {
    const prepared = await everyKind(store);
    await expect(commit(endingAt(store, 'after'), prepared.work)).rejects.toThrow(Crash);
    const third = nextOf(prepared.updated);

    await commit(store, commitOf({ writes: [{ next: third, previous: prepared.updated }] }));

    expect((await store.history(third, { limit: 10 })).items.map(({ version }) => version)).toEqual([3, 2, 1]);
    expect(await indexRows(prepared)).toEqual(allIndexRows);
  });

  it('a writer of the old version is refused by one that is decided', async () => {
    const prepared = await everyKind(store);
    await expect(commit(endingAt(store, 'after'), prepared.work)).rejects.toThrow(Crash);
    const rival = nextOf(prepared.current, { labels: ['rival|1'] });

    await expect(commit(store, commitOf({ writes: [{ next: rival, previous: prepared.current }] }))).rejects.toThrow(
      CommitRefused,
    );

    expect(await store.read(rival)).toEqual(prepared.updated);
  });

  it.each([
    ['version', ({ current }: Prepared) => commitOf({ writes: [{ next: nextOf(current), previous: current }] })],
    [
      'identifier',
      ({ unique }: Prepared) => commitOf({ unique: [{ key: unique, add: ['x'], remove: [], expected: ['old'] }] }),
    ],
    ['id', ({ locator }: Prepared) => commitOf({ claims: [{ ...locator, place: 'elsewhere' }] })],
    ['place', ({ chosen }: Prepared) => commitOf({ writes: [{ next: { ...chosen, id: 'another' } }] })],
  ])('a writer gets through to a %s that a dead one holds', async (_name, work) => {
    const prepared = await everyKind(store);
    await expect(commit(endingAt(store, 'before'), prepared.work)).rejects.toThrow(Crash);
    passDeadline();

    await commit(store, work(prepared));

    expect((await store.readMany(prepared.created)).length).toBe(0);
    await settleAll();
    expect(await leftovers(store)).toEqual([]);
  });

  it('a writer leaves one alone that may still be decided', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const prepared = await everyKind(store);
    await expect(commit(endingAt(store, 'before'), prepared.work)).rejects.toThrow(Crash);

    const error = await commit(
      store,
      commitOf({ writes: [{ next: prepared.updated, previous: prepared.current }] }),
    ).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ kind: 'conflict' });
    expect(await sweepTransactions(store)).toBe(0);
    expect(await rowAt(store, recordKey(prepared.current))).toHaveProperty('intent');
    passDeadline();
    expect(await sweepTransactions(store)).toBe(1);
  });

  it('another one on the same records: one wins, the other leaves no trace', async () => {
    const prepared = await everyKind(store);
    const rivals = ['a', 'b'].map((name) => {
      const next = nextOf(prepared.current, { labels: [`rival|${name}`] });
      const own = newRecord(store, prepared.chart, { type: 'Flag', labels: [`rival|${name}`] });
      return commitOf({
        writes: [{ next, previous: prepared.current, puts: bulk(`${prepared.chart}${name}`, 94) }, { next: own }],
      });
    });

    const outcomes = await Promise.allSettled(rivals.map((work) => commit(store, work)));

    const won = outcomes.findIndex(({ status }) => status === 'fulfilled');
    const label = [`rival|${['a', 'b'][won]}`];
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await store.read(prepared.current))?.labels).toEqual(label);
    expect((await store.chart(prepared.chart, 'Flag')).items.map(({ labels }) => labels)).toEqual([label]);
    expect(await leftovers(store)).toEqual([]);
  });

  it('finishers do not disturb one another', async () => {
    const prepared = await everyKind(store);
    await expect(commit(endingAt(store, 'after'), prepared.work)).rejects.toThrow(Crash);

    await Promise.all([sweepTransactions(store), sweepTransactions(store), sweepTransactions(store)]);

    expect(await seen(prepared)).toEqual(all);
    expect(await indexRows(prepared)).toEqual(allIndexRows);
    expect(await leftovers(store)).toEqual([]);
  });

  it('index rows that a later version writes stay, however late the finishing of the earlier one is', async () => {
    const prepared = await everyKind(store);
    const third = nextOf(prepared.updated);
    let overtaken = false;
    // Just when the record is free again, another writer puts back the row that this commit removes.
    const slow = intercepted(store, async ({ name, send }) => {
      const answer = await send();
      const row = await rowAt(store, recordKey(prepared.current));
      if (!overtaken && name === 'TransactWrite' && row?.version === 2) {
        overtaken = true;
        await commit(
          store,
          commitOf({ writes: [{ next: third, previous: prepared.updated, puts: [prepared.obsolete] }] }),
        );
      }
      return answer;
    });

    await commit(slow, prepared.work);

    expect(overtaken).toBe(true);
    expect(await store.read(third)).toEqual(third);
    expect(await rowAt(store, prepared.obsolete)).toBeDefined();
  });
});

describe('a row of a transaction that is forgotten', () => {
  it.each(['aborted', 'gone'])('is never revealed by a writer: its marker is %s', async (marker) => {
    const record = newRecord(store, store.ids.newChart(), { id: 'chosen-by-a-late-writer' });
    const late = `late-${marker}`;
    await commit(store, commitOf({ writes: [{ next: record }] }));
    const { client, tableName: TableName } = store;
    await client.send(new PutCommand({ TableName, Item: { ...(await rowAt(store, recordKey(record))), tx: late } }));
    if (marker === 'aborted')
      await client.send(new PutCommand({ TableName, Item: { ...transactionKey(late), status: marker } }));
    const rival = { ...record, id: 'rival' };

    await commit(store, commitOf({ writes: [{ next: rival }] }));

    expect(await store.read(record)).toEqual(rival);
  });

  it.each(['aborted', 'gone'])('is free for the next version: its marker is %s', async (marker) => {
    const record = newRecord(store, store.ids.newChart());
    const late = `late-intent-${marker}`;
    await commit(store, commitOf({ writes: [{ next: record }] }));
    const { client, tableName: TableName } = store;
    const intent = { tx: late, version: 2, updated: 0, custodian: 'x' };
    await client.send(new PutCommand({ TableName, Item: { ...(await rowAt(store, recordKey(record))), intent } }));
    if (marker === 'aborted')
      await client.send(new PutCommand({ TableName, Item: { ...transactionKey(late), status: marker } }));
    const second = nextOf(record);

    await commit(store, commitOf({ writes: [{ next: second, previous: record }] }));

    expect(await store.read(record)).toEqual(second);
  });
});

describe('a row that a call held too late, when its transaction was committed and finished', () => {
  it('is free for the next version', async () => {
    const prepared = await everyKind(store);
    await commit(store, prepared.work);
    const finished = (await allRows(store)).find(({ pk, sk }) => pk.startsWith('T#') && sk === 'T');
    const { client, tableName: TableName } = store;
    const key = recordKey(prepared.referred);
    const intent = { tx: finished?.pk.slice('T#'.length) };
    await client.send(new PutCommand({ TableName, Item: { ...(await rowAt(store, key)), intent } }));
    const second = nextOf(prepared.referred);

    await commit(store, commitOf({ writes: [{ next: second, previous: prepared.referred }] }));

    expect(await store.read(second)).toEqual(second);
  });
});

describe('an id that a client chose', () => {
  it('is looked up again while the transaction that chose it may be taken back', async () => {
    const prepared = await everyKind(store);
    const reader = intercepted(store, ({ send }) => send());
    await expect(commit(endingAt(store, 'before'), prepared.work)).rejects.toThrow(Crash);
    const { type, id } = prepared.chosen;
    expect((await reader.locate(type, id, false))?.chart).toBe(prepared.chart);
    passDeadline();
    const elsewhere = newRecord(store, store.ids.newChart(), { type, id });
    const { chart, place } = elsewhere;

    await commit(
      store,
      commitOf({ writes: [{ next: elsewhere }], claims: [{ ...locatorKey(type, id), chart, place }] }),
    );

    expect(await reader.locate(type, id, false)).toEqual({ type, chart, place });
  });
});

describe('sweepTransactions', () => {
  it('has nothing to do where nothing was left behind', async () => {
    await sweepTransactions(store);

    expect(await sweepTransactions(store)).toBe(0);
  });

  it('forgets a transaction whose marker is gone', async () => {
    await store.client.send(new PutCommand({ TableName: store.tableName, Item: unfinishedKey('gone') }));

    expect(await sweepTransactions(store)).toBe(1);
    expect(await rowAt(store, unfinishedKey('gone'))).toBeUndefined();
  });
});
