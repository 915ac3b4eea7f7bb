import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecordError } from '../../shared/errors.ts';
import { log } from '../../shared/log.ts';
import { guardedIds } from '../../shared/store/candidates.ts';
import { type Commit, CommitRefused, commit } from '../../shared/store/commit.ts';
import { historyKey, locatorKey, type Row, recordKey, transactionKey, unfinishedKey } from '../../shared/store/keys.ts';
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

beforeAll(async () => {
  store = await testStore();
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.spyOn(log, 'fault').mockReturnValue(undefined); // of transactions that these tests cut short
});
afterEach(async () => {
  await settleAll();
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

const bulk = (chart: string, count = 92): Row[] =>
  Array.from({ length: count }, (_, n) => ({ pk: `X#${chart}`, sk: `${n}` }));

/** A commit of some hundred actions with one of each kind, on a chart of its own. */
const everyKind = async () => {
  const chart = store.ids.newChart();
  const current = newRecord(store, chart, { type: 'Encounter' });
  const referred = newRecord(store, chart, { type: 'CareTeam' });
  const unique = { pk: `U#${chart}`, sk: 'U' };
  const obsolete = { pk: `X#${chart}`, sk: 'obsolete' };
  await commit(
    store,
    commitOf({
      writes: [{ next: current }, { next: referred }],
      unique: [{ key: unique, add: ['old'], remove: [] }],
      log: [obsolete],
    }),
  );
  const created = [newRecord(store, chart), newRecord(store, chart)];
  const chosen = newRecord(store, chart, { id: `chosen-${chart}` });
  const locator = { ...locatorKey(chosen.type, chosen.id), chart, place: chosen.place };
  const updated = nextOf(current, { resource: { resourceType: 'Encounter', status: 'finished' } });
  const index = { puts: bulk(chart), removes: [obsolete] };
  const work = commitOf({
    writes: [
      ...[...created, chosen].map((next, n) => ({ next, puts: [{ pk: `X#${chart}`, sk: `created ${n}` }] })),
      { next: updated, previous: current, ...index },
    ],
    checks: [{ address: referred, label: 'x' }],
    unique: [{ key: unique, add: ['new'], remove: [], expected: ['old'] }],
    claims: [locator],
    log: [{ pk: `A#${chart}`, sk: 'written' }],
  });
  return { chart, current, updated, created, chosen, locator, unique, obsolete, index, work };
};
type Prepared = Awaited<ReturnType<typeof everyKind>>;

/** What readers of records see: by chart, by id, by an id that the client chose. */
const seen = async ({ chart, current, created, chosen }: Prepared) => {
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
const nothing = {
  byChart: ['CareTeam 1', 'Encounter 1'],
  byId: 0,
  byChosenId: false,
  current: 1,
  earlier: 1,
  history: [1],
};
const all = {
  byChart: ['CareTeam 1', 'Encounter 2', 'Observation 1', 'Observation 1', 'Observation 1'],
  byId: 2,
  byChosenId: true,
  current: 2,
  earlier: 1,
  history: [2, 1],
};

/** Rows that only a finished transaction has changed. */
const indexRows = async ({ chart, obsolete, locator, current, unique }: Prepared) => ({
  puts: (await store.getMany(bulk(chart))).length,
  created: (await store.getMany([0, 1, 2].map((n) => ({ pk: `X#${chart}`, sk: `created ${n}` })))).length,
  log: (await rowAt(store, { pk: `A#${chart}`, sk: 'written' })) !== undefined,
  obsolete: (await rowAt(store, obsolete)) !== undefined,
  locator: (await rowAt(store, locator)) !== undefined,
  history: (await rowAt(store, historyKey(current, 1))) !== undefined,
  // Whoever looks at a condition before the transaction is finished must meet another guard afterwards.
  guard: (await guardedIds(store, unique)).sort(),
});
const noIndexRows = { puts: 0, created: 0, log: false, obsolete: true, locator: false, history: false, guard: ['old'] };
const allIndexRows = {
  puts: 92,
  created: 3,
  log: true,
  obsolete: false,
  locator: true,
  history: true,
  guard: ['new', 'old'],
};

/** What must not be left of a transaction that was settled. Its marker stays for as long as a row might name it. */
const leftovers = async () =>
  (await allRows(store))
    .filter(
      ({ pk, sk, tx, intent }) =>
        tx !== undefined || intent !== undefined || pk.startsWith('T~') || sk.startsWith('R#'),
    )
    .map(({ pk, sk }) => `${pk} ${sk}`);

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
    const concerned = only === undefined ? !['Get', 'Query'].includes(call.name) : call.name === only;
    return concerned && calls++ % 2 === 0 ? instead(call) : call.send();
  };
};

class Crash extends Error {}

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
    const prepared = await everyKind();

    await commit(store, prepared.work);

    expect(await seen(prepared)).toEqual(all);
    expect(await indexRows(prepared)).toEqual(allIndexRows);
    expect(await leftovers()).toEqual([]);
  });

  it.each(Object.keys(failures))('is wholly there or not at all after %s n, for every n', async (name) => {
    const failure = failures[name];
    if (!failure) throw new Error('There is no such failure');
    const calls = await countCalls((await everyKind()).work);
    const outcomes = { acknowledged: 0, committed: 0, nothing: 0 };
    expect(calls).toBeGreaterThan(15);

    for (let n = 1; n <= calls; n++) {
      const prepared = await everyKind();
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
    expect(await leftovers()).toEqual([]);
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
      const prepared = await everyKind();
      crashed = await commit(dying, prepared.work).then(
        () => false,
        () => true,
      );

      await settleAll();

      const after = await seen(prepared);
      expect({ n, after }).toEqual({ n, after: after.current === 2 ? all : nothing });
      expect({ n, left: await leftovers() }).toEqual({ n, left: [] });
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
      const prepared = await everyKind();
      const error = await commit(store, { ...prepared.work, ...change(prepared) }).catch((thrown: unknown) => thrown);
      if (!(error instanceof CommitRefused)) throw new Error(`Not refused: ${String(error)}`);
      kinds.push(...error.refusals.map(({ kind }) => kind));
      expect(await seen(prepared)).toEqual(nothing);
      expect(await indexRows(prepared)).toEqual(noIndexRows);
    }

    expect(kinds).toEqual(['version', 'missing', 'unique', 'version']);
    expect(await leftovers()).toEqual([]);
  });

  it('is refused where another one has claimed its id, whose row stays', async () => {
    const prepared = await everyKind();
    await commit(store, commitOf({ claims: [{ ...prepared.locator, chart: 'another' }] }));

    const error = await commit(store, prepared.work).catch((thrown: unknown) => thrown);

    expect((error as CommitRefused).refusals.map(({ kind }) => kind)).toEqual(['claimed']);
    expect(await rowAt(store, prepared.locator)).toMatchObject({ chart: 'another' });
    expect((await seen(prepared)).byChart).toEqual(nothing.byChart);
  });

  it('checks more references than one transaction takes', async () => {
    const chart = store.ids.newChart();
    const targets = Array.from({ length: 95 }, () => newRecord(store, chart));
    await commit(store, commitOf({ writes: targets.map((next) => ({ next })) }));
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
    const prepared = await everyKind();
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
    expect(await leftovers()).toEqual([]);
  });

  it.each([
    ['the connection', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })],
    ['time', Object.assign(new Error('no answer'), { name: 'TimeoutError' })],
    ['the service', Object.assign(new Error('fault'), { name: 'InternalServerError', $fault: 'server' })],
    ['a transaction at work', Object.assign(new Error('wait'), { name: 'TransactionInProgressException' })],
  ])('is sent again where the answer was lost with %s, and never taken for another’s', async (_name, error) => {
    const prepared = await everyKind();
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
    expect(await leftovers()).toEqual([]);
  });

  it('sends again what a batch left over', async () => {
    const prepared = await everyKind();
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
    const prepared = await everyKind();
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
    expect(await leftovers()).toEqual([]);
  });
});

/** Lets a writer of a staged commit end at the call that decides it: just before, or just after. */
const endingAt = (moment: 'before' | 'after') => {
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

describe('beside a staged commit', () => {
  it('a reader sees the whole of one that is decided and not finished', async () => {
    const prepared = await everyKind();

    await expect(commit(endingAt('after'), prepared.work)).rejects.toThrow(Crash);

    expect(await seen(prepared)).toEqual(all);
    expect((await indexRows(prepared)).puts).toBe(0);
  });

  it('a reader sees nothing of one that is not decided', async () => {
    const prepared = await everyKind();

    await expect(commit(endingAt('before'), prepared.work)).rejects.toThrow(Crash);

    expect(await rowAt(store, recordKey(prepared.created[0] as StoredRecord))).toHaveProperty('tx');
    expect(await seen(prepared)).toEqual(nothing);
  });

  it('a writer finishes one that is decided, and then writes its own version', async () => {
    const prepared = await everyKind();
    await expect(commit(endingAt('after'), prepared.work)).rejects.toThrow(Crash);
    const third = nextOf(prepared.updated);

    await commit(store, commitOf({ writes: [{ next: third, previous: prepared.updated }] }));

    expect((await store.history(third, { limit: 10 })).items.map(({ version }) => version)).toEqual([3, 2, 1]);
    expect(await indexRows(prepared)).toEqual(allIndexRows);
  });

  it('a writer of the old version is refused by one that is decided', async () => {
    const prepared = await everyKind();
    await expect(commit(endingAt('after'), prepared.work)).rejects.toThrow(Crash);
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
    const prepared = await everyKind();
    await expect(commit(endingAt('before'), prepared.work)).rejects.toThrow(Crash);
    passDeadline();

    await commit(store, work(prepared));

    expect((await store.readMany(prepared.created)).length).toBe(0);
    await settleAll();
    expect(await leftovers()).toEqual([]);
  });

  it('a writer leaves one alone that may still be decided', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const prepared = await everyKind();
    await expect(commit(endingAt('before'), prepared.work)).rejects.toThrow(Crash);

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
    const prepared = await everyKind();
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
    expect(await leftovers()).toEqual([]);
  });

  it('finishers do not disturb one another', async () => {
    const prepared = await everyKind();
    await expect(commit(endingAt('after'), prepared.work)).rejects.toThrow(Crash);

    await Promise.all([sweepTransactions(store), sweepTransactions(store), sweepTransactions(store)]);

    expect(await seen(prepared)).toEqual(all);
    expect(await indexRows(prepared)).toEqual(allIndexRows);
    expect(await leftovers()).toEqual([]);
  });

  it('index rows that a later version writes stay, however late the finishing of the earlier one is', async () => {
    const prepared = await everyKind();
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

describe('an id that a client chose', () => {
  it('is looked up again while the transaction that chose it may be taken back', async () => {
    const prepared = await everyKind();
    const reader = intercepted(store, ({ send }) => send());
    await expect(commit(endingAt('before'), prepared.work)).rejects.toThrow(Crash);
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
