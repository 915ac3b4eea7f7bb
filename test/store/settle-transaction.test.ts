import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecordError } from '../../shared/errors.ts';
import { log } from '../../shared/log.ts';
import { commit } from '../../shared/store/commit.ts';
import { CommitRefused } from '../../shared/store/commit-refusal.ts';
import { recordKey, redoKey, transactionKey, unfinishedKey } from '../../shared/store/keys.ts';
import { WrittenByNewerRelease } from '../../shared/store/layouts.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
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
  vi.spyOn(Math, 'random').mockReturnValue(0); // no pause before a retry
  vi.spyOn(log, 'fault').mockReturnValue(undefined); // of transactions that these tests cut short
  store = await testStore();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const passDeadline = () => vi.setSystemTime(Date.now() + 31_000);
const passWriterLife = () => vi.setSystemTime(Date.now() + 15 * 60_000);

/** Calls that look for unfinished transactions: one a partition, whatever there is. */
const looksForWork = ({ name, input }: Call): boolean =>
  name === 'Query' && JSON.stringify(input.ExpressionAttributeValues).includes('"T~');

/** A process that stands still before its n-th call until it is let go. */
const standingStill = (n: number) => {
  const reached = Promise.withResolvers<undefined>();
  const go = Promise.withResolvers<undefined>();
  let calls = 0;
  const frozen = intercepted(store, async (call) => {
    if (!looksForWork(call) && ++calls === n) {
      reached.resolve(undefined);
      await go.promise;
    }
    return call.send();
  });
  return { frozen, reached: reached.promise, letGo: () => go.resolve(undefined), calls: () => calls };
};

const statusOf = (outcome: Promise<unknown>) =>
  outcome.then(
    () => 'acknowledged',
    (error: unknown) => error,
  );

describe('a finisher that stands still', () => {
  it('undoes nothing of a later version when it goes on, before whichever call it stood', async () => {
    let n = 0;
    for (let more = true; more; ) {
      n++;
      const prepared = await everyKind(store);
      const { chart, updated, obsolete } = prepared;
      const [created = updated] = prepared.created;
      await expect(commit(endingAt(store, 'after'), prepared.work)).rejects.toThrow(Crash);
      const late = standingStill(n);
      const finishing = sweepTransactions(late.frozen);
      await Promise.race([late.reached, finishing]);
      more = late.calls() >= n;

      await sweepTransactions(store);
      const third = nextOf(updated);
      const removes = bulk(chart).slice(2);
      await commit(store, commitOf({ writes: [{ next: third, previous: updated, puts: [obsolete], removes }] }));
      await commit(
        store,
        commitOf({ writes: [{ next: nextOf(created), previous: created, removes: leadingTo(chart, 0) }] }),
      );
      late.letGo();
      await finishing;

      const rows = await indexRows(prepared);
      expect({ n, rows }).toEqual({ n, rows: { ...allIndexRows, puts: 2, obsolete: true, created: 4 } });
      expect(await store.read(third)).toEqual(third);
      expect(await leftovers(store)).toEqual([]);
    }
    expect(n).toBeGreaterThan(12);
  });
});

describe('a writer that stands still', () => {
  it('is given up by others, and gives itself up when it goes on, before whichever call it stood', async () => {
    const outcomes = { given: 0, acknowledged: 0 };
    for (let n = 1, more = true; more; n++) {
      const prepared = await everyKind(store);
      const writer = standingStill(n);
      const outcome = statusOf(commit(writer.frozen, prepared.work));
      await Promise.race([writer.reached, outcome]);
      more = writer.calls() >= n;

      passDeadline();
      await sweepTransactions(store);
      const meanwhile = await seen(prepared);
      writer.letGo();

      const end = await outcome;
      if (end === 'acknowledged') {
        outcomes.acknowledged++;
        expect({ n, seen: await seen(prepared) }).toEqual({ n, seen: all });
        expect({ n, rows: await indexRows(prepared) }).toEqual({ n, rows: allIndexRows });
      } else {
        outcomes.given++;
        expect(end).toBeInstanceOf(RecordError);
        expect(end).toMatchObject({ kind: 'conflict' });
        expect({ n, meanwhile, seen: await seen(prepared) }).toEqual({ n, meanwhile: nothing, seen: nothing });
        expect({ n, rows: await indexRows(prepared) }).toEqual({ n, rows: noIndexRows });
      }
      expect({ n, left: await leftovers(store) }).toEqual({ n, left: [] });
    }
    expect(outcomes.given).toBeGreaterThan(5);
    expect(outcomes.acknowledged).toBeGreaterThan(5);
  });

  it('shows nothing of what arrives when it is dead and taken back, and the sweeper takes that back too', async () => {
    for (let n = 1, more = true; more; n++) {
      const prepared = await everyKind(store);
      let [calls, arrive] = [0, async (): Promise<unknown> => undefined];
      const dying = intercepted(store, async ({ send }) => {
        if (++calls === n) arrive = send;
        if (calls >= n) throw new Crash();
        return send();
      });
      const committed = await commit(dying, prepared.work).then(
        () => true,
        () => false,
      );
      more = calls >= n;
      passDeadline();
      await sweepTransactions(store);
      const before = await seen(prepared);

      await statusOf(arrive()); // its condition may fail

      expect(await seen(prepared)).toEqual(before);
      passWriterLife();
      passDeadline();
      await sweepTransactions(store);
      // A call that arrives before anything was staged begins a transaction that is given up like any other.
      passWriterLife();
      passDeadline();
      await sweepTransactions(store);
      const rows = before.current === 2 ? allIndexRows : noIndexRows;
      expect({ n, seen: await seen(prepared) }).toEqual({ n, seen: before });
      expect({ n, rows: await indexRows(prepared), left: await leftovers(store) }).toEqual({ n, rows, left: [] });
      if (committed) expect(before).toEqual(all);
    }
  });
});

describe('a writer', () => {
  it('stages nothing once its deadline is over, and takes back what it staged', async () => {
    for (let n = 2; n < 8; n++) {
      const prepared = await everyKind(store);
      const late: Call[] = [];
      let calls = 0;
      const slow = intercepted(store, async (call) => {
        // Whose time is wanted is looked up before there is a deadline: counted as one call with the days that are read.
        if (calls < 2 && call.name === 'Query') return call.send();
        if (calls >= n) late.push(call);
        if (++calls === n) passDeadline();
        return call.send();
      });

      await expect(commit(slow, prepared.work)).rejects.toMatchObject({ kind: 'conflict' });

      const staging = late.filter(({ input }) => /"PutRequest"|"Put"|"Item"|:intent/.test(JSON.stringify(input)));
      // From the fifth call on, rows are taken hold of four at a time: those calls are on their way already.
      expect({ n, staging: staging.length <= (n < 5 ? 0 : 3) }).toEqual({ n, staging: true });
      expect({ n, seen: await seen(prepared) }).toEqual({ n, seen: nothing });
      expect(await leftovers(store)).toEqual([]);
    }
  });
});

describe('a guard', () => {
  it('is changed only when the records are there that changed it, with all that leads to them', async () => {
    const prepared = await everyKind(store);
    const before: unknown[] = [];
    const watched = intercepted(store, async (call) => {
      const { UpdateExpression = '', Key } = call.input as { UpdateExpression?: string; Key?: { pk: string } };
      if (Key?.pk === prepared.unique.pk && UpdateExpression.includes('ids')) before.push(await indexRows(prepared));
      return call.send();
    });

    await commit(watched, prepared.work);

    expect(before).toMatchObject([
      { puts: 92, created: 6, obsolete: false, locator: true, history: true, guard: ['old'] },
    ]);
  });
});

describe('a marker', () => {
  it('comes in one transaction with the row that leads to it, and over none that is there', async () => {
    const prepared = await everyKind(store);
    const calls: Call[] = [];
    const watched = intercepted(store, (call) => {
      calls.push(call);
      return call.send();
    });
    await commit(watched, prepared.work);
    const first = calls.find(({ name }) => name !== 'BatchGet' && name !== 'Query');
    const items = (first?.input.TransactItems ?? []) as {
      Put: { Item: { pk: string; sk: string; status?: string } };
    }[];
    const [marker, unfinished] = items.map(({ Put }) => Put.Item);

    expect(first?.name).toBe('TransactWrite');
    expect(marker).toMatchObject({ status: 'open', sk: 'T' });
    expect(unfinished).toEqual(unfinishedKey(marker?.pk.slice(2) ?? ''));

    const second = await everyKind(store);
    let status: unknown;
    const taken = intercepted(store, async ({ input, send }) => {
      const [mark] = (input.TransactItems ?? []) as { Put?: { Item?: { pk: string; sk: string; status?: string } } }[];
      const Item = mark?.Put?.Item;
      if (Item?.status === 'open') {
        await store.client.send(
          new PutCommand({ TableName: store.tableName, Item: { ...Item, status: 'aborted', deadline: 0 } }),
        );
        status = async () => (await rowAt(store, Item))?.status as unknown;
      }
      return send();
    });
    await expect(commit(taken, second.work)).rejects.toThrow();
    expect(await (status as () => Promise<unknown>)()).toBe('aborted');
    expect(await seen(second)).toEqual(nothing);
  });

  const transactionRows = async () =>
    (await allRows(store))
      .filter(({ pk }) => pk.startsWith('T'))
      .map(({ sk, status, expires }) => ({ sk, status, expires }));

  it('has no expiry while it is committed and not finished, nor has its log', async () => {
    const prepared = await everyKind(store);
    await expect(commit(endingAt(store, 'after'), prepared.work)).rejects.toThrow(Crash);

    const rows = await transactionRows();
    await sweepTransactions(store);

    expect(rows.map(({ expires }) => expires)).toEqual([undefined, undefined, undefined]);
    expect(await transactionRows()).toEqual([
      { sk: 'T', status: 'committed', expires: Math.floor(Date.now() / 1000) + 30 * 24 * 3600 },
    ]);
  });

  it('that others aborted keeps its log until the writer can no longer live', async () => {
    const prepared = await everyKind(store);
    await expect(commit(endingAt(store, 'before'), prepared.work)).rejects.toThrow(Crash);
    passDeadline();

    expect(await sweepTransactions(store)).toBe(1);
    expect(await sweepTransactions(store)).toBe(0);
    const kept = await transactionRows();
    passWriterLife();

    expect(await sweepTransactions(store)).toBe(1);
    expect(
      kept
        .map(({ sk, status, expires }) => [sk.slice(0, 1), status, expires])
        .slice(0, 2)
        .sort(),
    ).toEqual([
      ['R', undefined, undefined],
      ['T', 'aborted', undefined],
    ]);
    expect(kept).toHaveLength(3);
    expect((await transactionRows()).map(({ sk, expires }) => [sk, typeof expires])).toEqual([['T', 'number']]);
  });
});

const throttled = () => Object.assign(new Error('slow'), { name: 'ThrottlingException' });
const cutOff = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
const decides = ({ name, input }: Call): boolean =>
  name === 'TransactWrite' && JSON.stringify(input).includes('"committed"');

describe('what is decided', () => {
  it.each([
    ['the table stays busy', throttled],
    ['no answer comes', cutOff],
  ])('is told as written and not as refused where %s, and is finished by the sweeper', async (_why, error) => {
    const prepared = await everyKind(store);
    let decided = false;
    const cut = intercepted(store, async (call) => {
      if (decided) throw error();
      const answer = await call.send();
      decided = decides(call);
      return answer;
    });

    const outcome = await statusOf(commit(cut, prepared.work));

    expect(outcome).toMatchObject({ name: 'RecordError', kind: 'incomplete' });
    expect(await seen(prepared)).toEqual(all);
    await sweepTransactions(store);
    expect(await indexRows(prepared)).toEqual(allIndexRows);
    expect(await leftovers(store)).toEqual([]);
  });

  it('is not told as refused where the answer is lost, and every one after it', async () => {
    const prepared = await everyKind(store);
    let lost = false;
    const cut = intercepted(store, async (call) => {
      if (lost) throw cutOff();
      lost = decides(call);
      if (!lost) return call.send();
      await call.send();
      throw cutOff();
    });

    const outcome = await statusOf(commit(cut, prepared.work));

    expect(outcome).toMatchObject({ message: 'socket hang up' });
    expect(outcome).not.toBeInstanceOf(RecordError);
    await sweepTransactions(store);
    expect(await seen(prepared)).toEqual(all);
  });

  it('is acknowledged where only its answer is lost', async () => {
    const prepared = await everyKind(store);
    let lost = 0;
    const cut = intercepted(store, async (call) => {
      const answer = await call.send();
      if (decides(call) && lost++ < 2) throw cutOff();
      return answer;
    });

    await commit(cut, prepared.work);

    expect(lost).toBe(3);
    expect(await seen(prepared)).toEqual(all);
    expect(await indexRows(prepared)).toEqual(allIndexRows);
  });
});

describe('what is refused', () => {
  it('is told so, even if it cannot be taken back now', async () => {
    const prepared = await everyKind(store);
    const { work, chart } = prepared;
    let refused = false;
    const cut = intercepted(store, async (call) => {
      if (refused) throw throttled();
      refused = decides(call);
      return call.send();
    });

    const missing = { address: newRecord(store, chart, { type: 'Organization' }), label: 'x' };
    const outcome = await statusOf(commit(cut, { ...work, checks: [...work.checks.slice(0, 90), missing] }));

    expect(outcome).toBeInstanceOf(CommitRefused);
    expect(await seen(prepared)).toEqual(nothing);
    passDeadline();
    await sweepTransactions(store);
    expect(await indexRows(prepared)).toEqual(noIndexRows);
  });
});

describe('the sweeper', () => {
  it('settles the others where one cannot be read', async () => {
    const prepared = await everyKind(store);
    await expect(commit(endingAt(store, 'after'), prepared.work)).rejects.toThrow(Crash);
    const { client, tableName: TableName } = store;
    for (const letter of '0v') {
      const newer = `${letter}newer`;
      for (const Item of [
        { ...transactionKey(newer), status: 'committed', deadline: 0, parts: 1 },
        { ...redoKey(newer, 0), packed: Buffer.of(99) },
        unfinishedKey(newer),
      ])
        await client.send(new PutCommand({ TableName, Item }));
    }

    await expect(sweepTransactions(store)).rejects.toThrow(WrittenByNewerRelease);

    expect(await indexRows(prepared)).toEqual(allIndexRows);
    expect(await leftovers(store)).toHaveLength(4);
  });

  it('brings no marker into being for a transaction that is forgotten', async () => {
    await store.client.send(new PutCommand({ TableName: store.tableName, Item: unfinishedKey('gone') }));

    expect(await sweepTransactions(store)).toBe(1);

    expect((await allRows(store)).filter(({ pk }) => pk.startsWith('T'))).toEqual([]);
  });
});

describe('index rows', () => {
  it('may be more than one transaction takes, and go with the next version', async () => {
    const chart = store.ids.newChart();
    const record = newRecord(store, chart, { id: 'chosen-by-a-client' });
    const puts = bulk(chart, 250);
    await commit(store, commitOf({ writes: [{ next: record, puts }] }));
    const before = (await store.getMany(puts)).length;
    const next = nextOf(record);

    await commit(store, commitOf({ writes: [{ next, previous: record, puts: [], removes: puts.slice(10) }] }));

    expect([before, (await store.getMany(puts)).length]).toEqual([250, 10]);
    expect(await rowAt(store, recordKey(record))).not.toHaveProperty('intent');
    expect(await leftovers(store)).toEqual([]);
  });
});
