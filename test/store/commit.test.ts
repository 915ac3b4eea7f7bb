import type { BatchGetCommandOutput } from '@aws-sdk/lib-dynamodb';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecordError } from '../../shared/errors.ts';
import { appointment } from '../../shared/record-types/appointment.ts';
import { patient } from '../../shared/record-types/patient.ts';
import { bearersOf, guardedIds } from '../../shared/store/bearers.ts';
import { type Commit, commit } from '../../shared/store/commit.ts';
import { CommitRefused } from '../../shared/store/commit-refusal.ts';
import { identifierPartition, indexChanges } from '../../shared/store/index-rows.ts';
import { historyKey, locatorKey, pointerKey, recordKey } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { commitOf, intercepted, newRecord, nextOf, rowAt, testStore, type WriteParts } from '../support/test-store.ts';

let store: RecordStore;
let chart: string;

beforeAll(async () => {
  store = await testStore();
});
beforeEach(() => {
  chart = store.ids.newChart();
});

const write = (...writes: WriteParts[]) => commit(store, commitOf({ writes }));
const created = async (over: Partial<StoredRecord> = {}): Promise<StoredRecord> => {
  const record = newRecord(store, chart, over);
  await write({ next: record });
  return record;
};
const refusalsOf = async (work: Commit, by = store): Promise<string[]> => {
  const error = await commit(by, work).catch((thrown: unknown) => thrown);
  if (!(error instanceof CommitRefused)) throw new Error(`Not refused: ${String(error)}`);
  return error.refusals.map(({ kind }) => kind);
};

describe('commit', () => {
  it('writes records that the next read sees, by id and by chart', async () => {
    const first = newRecord(store, chart);
    const second = newRecord(store, chart, { type: 'Encounter', labels: ['system|R'] });

    await write({ next: first }, { next: second });

    expect(await store.read(first)).toEqual(first);
    expect((await store.chart(chart, undefined)).items).toEqual([first, second]);
    expect((await store.chart(chart, 'Encounter')).items).toEqual([second]);
  });

  it('keeps the version that an update replaces', async () => {
    const first = await created();
    const second = nextOf(first, { resource: { resourceType: 'Observation', status: 'amended' } });

    await write({ next: second, previous: first });

    expect(await store.read(first)).toEqual(second);
    expect(await store.readVersion(first, 1)).toEqual(first);
    expect((await store.history(first, { limit: 10 })).items).toEqual([second, first]);
  });

  it('finds a version that moves to history between the two reads of one call', async () => {
    const first = await created();
    const second = nextOf(first, { resource: { resourceType: 'Observation', status: 'amended' } });
    const calls: string[] = [];
    const between = intercepted(store, async ({ name, send }) => {
      calls.push(name);
      if (calls.length > 1) return send();
      const { Responses: earlier = {} } = (await send()) as BatchGetCommandOutput;
      await write({ next: second, previous: first });
      const { Responses: later = {} } = (await send()) as BatchGetCommandOutput;
      const historyRow = ({ sk }: Record<string, unknown>) => sk === historyKey(first, 1).sk;
      const rows = (each: typeof later) => each[store.tableName] ?? [];
      return {
        Responses: {
          [store.tableName]: [...rows(earlier).filter(historyRow), ...rows(later).filter((row) => !historyRow(row))],
        },
      };
    });

    expect(await between.readVersion(first, 1)).toEqual(first);
    expect(calls).toEqual(['BatchGet', 'BatchGet']);
    expect(await store.readVersion(first, 3)).toBeUndefined();
  });

  it('leaves a deleted record out of its chart and keeps its history', async () => {
    const first = await created();
    const second = nextOf(first, { resource: undefined });

    await write({ next: second, previous: first });

    expect(await store.read(first)).toEqual(second);
    expect((await store.chart(chart, undefined)).items).toEqual([]);
    expect(await store.readVersion(first, 1)).toEqual(first);
  });

  it('is one call, whatever it writes', async () => {
    const calls: string[] = [];
    const counting = intercepted(store, ({ name, send }) => {
      calls.push(name);
      return send();
    });
    const target = await created();

    await commit(
      counting,
      commitOf({
        writes: [{ next: newRecord(store, chart) }, { next: nextOf(target), previous: target }],
        checks: [{ address: target, label: 'x' }].slice(1),
        unique: [{ key: { pk: `U#${chart}`, sk: 'U' }, add: ['x'], remove: [], expected: [] }],
        log: [{ pk: `A#${chart}`, sk: 'a' }],
      }),
    );

    expect(calls).toEqual(['TransactWrite']);
  });

  it('writes more labels than one transaction takes, and refuses more than a row takes', async () => {
    const labels = (bytes: number) => Array.from({ length: bytes / 100 }, (_, n) => `s|${n}`.padEnd(100, 'x'));
    const records = Array.from({ length: 13 }, () => newRecord(store, chart, { labels: labels(340_000) }));

    await write(...records.map((next) => ({ next })));
    expect(await store.readMany(records)).toHaveLength(13);

    const before = Array.from({ length: 8 }, () => newRecord(store, chart, { labels: labels(200_000) }));
    await write(...before.map((next) => ({ next })));
    const refused = [
      [{ next: newRecord(store, chart, { labels: labels(400_000) }) }],
      // More than one transaction takes, so both versions would stand in one row while it is staged.
      before.map((previous) => ({ next: nextOf(previous, { labels: labels(300_000) }), previous })),
    ];
    for (const writes of refused) {
      await expect(write(...writes)).rejects.toMatchObject({
        kind: 'too-large',
        details: [{ expression: 'Observation.meta.security' }],
      });
    }
  });

  it('refuses to create what exists', async () => {
    const first = await created();

    const refusals = await refusalsOf(commitOf({ writes: [{ next: { ...first, custodian: 'lakeside' } }] }));

    expect(refusals).toEqual(['version']);
    expect(await store.read(first)).toEqual(first);
  });

  it('refuses to replace another version than the current one', async () => {
    const first = await created();
    const second = nextOf(first);
    await write({ next: second, previous: first });

    const refusals = await refusalsOf(
      commitOf({ writes: [{ next: nextOf(first, { custodian: 'x' }), previous: first }] }),
    );

    expect(refusals).toEqual(['version']);
    expect(await store.read(first)).toEqual(second);
  });

  it('refuses to replace what does not exist', async () => {
    const never = newRecord(store, chart);

    expect(await refusalsOf(commitOf({ writes: [{ next: nextOf(never), previous: never }] }))).toEqual(['version']);
    expect(await rowAt(store, historyKey(never, 1))).toBeUndefined();
  });

  it('lets one of many writers of a version win', async () => {
    const first = await created();
    const attempts = Array.from({ length: 12 }, (_, n) =>
      write({ next: nextOf(first, { labels: [`writer|${n}`] }), previous: first }).then(
        () => n,
        (error: unknown) => error,
      ),
    );

    const outcomes = await Promise.all(attempts);

    const winners = outcomes.filter((outcome) => typeof outcome === 'number');
    expect(winners).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome instanceof CommitRefused)).toHaveLength(11);
    expect((await store.read(first))?.labels).toEqual([`writer|${winners[0]}`]);
  });

  describe('what a record refers to', () => {
    it('must exist', async () => {
      const missing = newRecord(store, chart);
      const work = commitOf({
        writes: [{ next: newRecord(store, chart) }],
        checks: [{ address: missing, label: 'Observation.subject' }],
      });

      expect(await refusalsOf(work)).toEqual(['missing']);
      expect((await store.chart(chart, undefined)).items).toEqual([]);
    });

    it('must not be deleted', async () => {
      const target = await created();
      await write({ next: nextOf(target, { resource: undefined }), previous: target });

      expect(await refusalsOf(commitOf({ checks: [{ address: target, label: 'x' }] }))).toEqual(['missing']);
    });

    it('must be the named organisation’s, where one is named', async () => {
      const target = await created();
      const check = { address: target, label: 'x' };

      await commit(
        store,
        commitOf({ checks: [{ ...check, custodian: 'northside' }], writes: [{ next: newRecord(store, chart) }] }),
      );

      expect(await refusalsOf(commitOf({ checks: [{ ...check, custodian: 'lakeside' }] }))).toEqual(['missing']);
    });
  });

  describe('a reference', () => {
    const refer = (to: StoredRecord) => commit(store, commitOf({ checks: [{ address: to, label: 'x' }] }));
    const deletionOf = (record: StoredRecord) => ({
      next: nextOf(record, { resource: undefined }),
      previous: record,
    });

    it('is counted on the row that it leads to, until its next version', async () => {
      const target = await created();
      await refer(target);
      await refer(target);
      const second = nextOf(target);

      expect(await store.read(target)).toEqual({ ...target, refs: 2 });
      await write({ next: second, previous: { ...target, refs: 2 } });

      expect(await store.read(target)).toEqual(second);
      expect(await rowAt(store, historyKey(target, 1))).not.toHaveProperty('refs');
      await refer(target);
      expect((await store.read(target))?.refs).toBe(1);
    });

    it('does not stand in the way of an update', async () => {
      const target = await created();
      await refer(target);
      const second = nextOf(target);

      await write({ next: second, previous: target });

      expect(await store.read(target)).toEqual(second);
    });

    it('stands in the way of a deletion by who has not seen it, and of no other', async () => {
      const target = await created();
      await refer(target);
      const seen = { ...target, refs: 1 };
      await refer(target);

      for (const read of [target, seen]) {
        expect(await refusalsOf(commitOf({ writes: [deletionOf(read)] }))).toEqual(['referred']);
      }
      await write(deletionOf({ ...target, refs: 2 }));

      expect((await store.read(target))?.resource).toBeUndefined();
      expect((await store.read(target))?.refs).toBeUndefined();
    });

    it('to another version is told as another version', async () => {
      const target = await created();
      await write({ next: nextOf(target), previous: target });
      await refer(target);

      expect(await refusalsOf(commitOf({ writes: [deletionOf(target)] }))).toEqual(['version']);
    });

    it.each(['Organization', 'Questionnaire'])('to a %s is checked and not counted', async (type) => {
      const target = await created({ type, place: '' });

      await refer(target);

      expect(await store.read(target)).toEqual(target);
    });

    it('costs what a check costs', async () => {
      const [counted, plain] = [await created(), await created({ type: 'Organization', place: '' })];
      const unitsOf = async (address: StoredRecord) => {
        let units: unknown;
        const asking = intercepted(store, async ({ input, send }) => {
          const answer = (await send({ ...input, ReturnConsumedCapacity: 'TOTAL' })) as {
            ConsumedCapacity?: { CapacityUnits?: number }[];
          };
          units = answer.ConsumedCapacity?.[0]?.CapacityUnits;
          return answer;
        });
        await commit(asking, commitOf({ checks: [{ address, label: 'x' }] }));
        return units;
      };

      expect([await unitsOf(counted), await unitsOf(plain)]).toEqual([2, 2]);
    });
  });

  it('refuses a claim on a row that exists', async () => {
    const claim = { ...locatorKey('Observation', `chosen-${chart}`), chart, place: '' };
    await commit(store, commitOf({ claims: [claim] }));

    expect(await refusalsOf(commitOf({ claims: [{ ...claim, chart: 'other' }] }))).toEqual(['claimed']);
    expect(await rowAt(store, claim)).toEqual(claim);
  });

  describe('a unique row', () => {
    const bear = (id: string, expected?: string[]) =>
      commitOf({ unique: [{ key: { pk: `U#${chart}`, sk: 'U' }, add: [id], remove: [], expected }] });
    const lose = (id: string, expected?: string[]) =>
      commitOf({ unique: [{ key: { pk: `U#${chart}`, sk: 'U' }, add: [], remove: [id], expected }] });
    const bearers = async () => (await guardedIds(store, { pk: `U#${chart}`, sk: 'U' })).sort();

    it('is given to the first who expects nobody, and refused to the second', async () => {
      await commit(store, bear('a', []));

      expect(await refusalsOf(bear('b', []))).toEqual(['unique']);
      expect(await bearers()).toEqual(['a']);
    });

    it('is free again once its last bearer has lost it', async () => {
      await commit(store, bear('a', []));
      await commit(store, lose('a'));
      await commit(store, bear('b', []));

      expect(await bearers()).toEqual(['b']);
    });

    it('may name several where nothing is expected', async () => {
      await commit(store, bear('a'));
      await commit(store, bear('b'));

      expect(await bearers()).toEqual(['a', 'b']);
      expect(await refusalsOf(bear('c', ['a']))).toEqual(['unique']);
      await commit(store, bear('c', ['b', 'a']));
      expect(await bearers()).toEqual(['a', 'b', 'c']);
    });
  });

  it('tells every condition that did not hold, and writes nothing of it', async () => {
    const existing = await created();
    const claim = { ...locatorKey('Observation', `chosen-${chart}`), chart, place: '' };
    const key = { pk: `U#${chart}`, sk: 'U' };
    const kept = { pk: `X#${chart}`, sk: 'kept' };
    await commit(store, commitOf({ claims: [claim], unique: [{ key, add: ['a'], remove: [] }], log: [kept] }));
    const fresh = newRecord(store, chart);

    const refusals = await refusalsOf({
      writes: [
        { next: fresh, puts: [{ pk: `X#${chart}`, sk: 'new' }], removes: [kept] },
        { next: existing, puts: [], removes: [] },
      ],
      checks: [{ address: newRecord(store, chart), label: 'x' }],
      unique: [{ key, add: ['b'], remove: [], expected: [] }],
      claims: [claim],
      log: [{ pk: `A#${chart}`, sk: 'new' }],
    });

    expect(refusals.sort()).toEqual(['claimed', 'missing', 'unique', 'version']);
    expect(await store.read(fresh)).toBeUndefined();
    expect(await rowAt(store, { pk: `X#${chart}`, sk: 'new' })).toBeUndefined();
    expect(await rowAt(store, { pk: `A#${chart}`, sk: 'new' })).toBeUndefined();
    expect(await rowAt(store, kept)).toEqual(kept);
    expect(await guardedIds(store, key)).toEqual(['a']);
  });
});

describe('a busy table', () => {
  const conflict = () =>
    Object.assign(new Error('busy'), {
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }],
    });

  it.each([
    ['a conflict between transactions', conflict()],
    ['throttling', Object.assign(new Error('slow'), { name: 'ThrottlingException' })],
    ['a transaction still in progress', Object.assign(new Error('wait'), { name: 'TransactionInProgressException' })],
  ])('is asked again after %s', async (_name, busy) => {
    let refused = 0;
    const flaky = intercepted(store, async ({ send }) => {
      if (refused++ < 2) throw busy;
      return send();
    });
    const record = newRecord(store, chart);

    await commit(flaky, commitOf({ writes: [{ next: record }] }));

    expect(refused).toBe(3);
    expect(await store.read(record)).toEqual(record);
  });

  const tokensOf = async (answer: (n: number, send: () => Promise<unknown>) => Promise<unknown>) => {
    const tokens: unknown[] = [];
    const watched = intercepted(store, ({ input, send }) => answer(tokens.push(input.ClientRequestToken), send));
    const record = newRecord(store, chart);
    await commit(watched, commitOf({ writes: [{ next: record }] }));
    expect(await store.read(record)).toEqual(record);
    return tokens;
  };

  it.each([
    ['the connection broke', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })],
    ['the service failed', Object.assign(new Error('fault'), { name: 'InternalServerError', $fault: 'server' })],
    ['it is at work still', Object.assign(new Error('wait'), { name: 'TransactionInProgressException' })],
  ])('is asked again with the same token after no answer, so what was written is not refused: %s', async (_, error) => {
    const tokens = await tokensOf(async (n, send) => {
      const answer = await send();
      if (n < 3) throw error;
      return answer;
    });

    expect(tokens).toHaveLength(3);
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is asked again with the same token where it turned away what it may have carried out', async () => {
    const throttling = Object.assign(new Error('slow'), { name: 'ThrottlingException' });
    const tokens = await tokensOf(async (n, send) => {
      const answer = await send();
      if (n === 1) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
      if (n === 2) throw throttling;
      return answer;
    });

    expect(new Set(tokens).size).toBe(1);
  });

  it('is asked again with another token once it has cancelled a transaction', async () => {
    const tokens = await tokensOf(async (n, send) => {
      if (n === 1) throw conflict();
      return send();
    });

    expect(new Set(tokens).size).toBe(2);
  });

  it('that gives no answer at all is told as such: nothing says that nothing was written', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0);
    const silent = intercepted(store, async () => {
      throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    });

    const error = await commit(silent, commitOf({ writes: [{ next: newRecord(store, chart) }] })).catch(
      (thrown: unknown) => thrown,
    );
    random.mockRestore();

    expect(error).not.toBeInstanceOf(RecordError);
    expect(error).toMatchObject({ message: 'socket hang up' });
  });

  it('is given up after a while, with nothing written and a time to come back', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0);
    const busy = intercepted(store, async () => {
      throw conflict();
    });
    const record = newRecord(store, chart);

    const error = await commit(busy, commitOf({ writes: [{ next: record }] })).catch((thrown: unknown) => thrown);
    random.mockRestore();

    expect(error).toBeInstanceOf(RecordError);
    expect(error).toMatchObject({ kind: 'throttled', headers: { 'Retry-After': '1' } });
    expect(await store.read(record)).toBeUndefined();
  });

  it('passes on what is no busyness', async () => {
    const broken = intercepted(store, async () => {
      throw Object.assign(new Error('no'), {
        name: 'TransactionCanceledException',
        CancellationReasons: [{ Code: 'ValidationError' }],
      });
    });

    await expect(commit(broken, commitOf({ writes: [{ next: newRecord(store, chart) }] }))).rejects.toThrow('no');
  });

  it('does not take for busyness what it does not allow', async () => {
    let calls = 0;
    const denied = intercepted(store, async () => {
      calls++;
      throw Object.assign(new Error('no'), {
        name: 'TransactionCanceledException',
        CancellationReasons: [{ Code: 'None' }, { Code: 'AccessDenied' }],
      });
    });

    await expect(commit(denied, commitOf({ writes: [{ next: newRecord(store, chart) }] }))).rejects.toThrow('no');
    expect(calls).toBe(1);
  });

  it('is asked again for keys that it left over', async () => {
    const records = [await created(), await created(), await created()];
    const leaving = intercepted(store, async ({ input, send }) => {
      const requests = input.RequestItems as Record<string, { Keys: unknown[] }>;
      const { Keys, ...how } = requests[store.tableName] ?? { Keys: [] };
      const answer = (await send({
        RequestItems: { [store.tableName]: { ...how, Keys: Keys.slice(0, 1) } },
      })) as object;
      const rest = Keys.slice(1);
      return rest.length === 0 ? answer : { ...answer, UnprocessedKeys: { [store.tableName]: { Keys: rest } } };
    });

    const found = await leaving.readMany(records);

    expect(found.map(({ id }) => id).sort()).toEqual(records.map(({ id }) => id).sort());
  });
});

describe('a record of two patients', () => {
  const meeting = () =>
    newRecord(store, chart, { type: 'Appointment', resource: { resourceType: 'Appointment', status: 'booked' } });
  const save = (change: WriteParts, charts: { next: string[]; previous: string[] }) =>
    commit(store, commitOf({ writes: [{ ...change, ...indexChanges(store, appointment, change, charts) }] }));

  it('is found in both charts', async () => {
    const other = store.ids.newChart();
    const record = meeting();

    await save({ next: record }, { next: [other], previous: [] });

    expect(await rowAt(store, pointerKey(record, other))).toMatchObject({ home: chart });
    expect((await store.chart(other, 'Appointment')).items).toEqual([record]);
    expect((await store.chart(chart, 'Appointment')).items).toEqual([record]);
    expect((await store.chart(other, 'Appointment', { pointers: 'none' })).items).toEqual([]);
  });

  it('leaves the chart of a patient that an update no longer names, and enters another', async () => {
    const [second, third] = [store.ids.newChart(), store.ids.newChart()];
    const record = meeting();
    await save({ next: record }, { next: [second], previous: [] });
    const next = nextOf(record);

    await save({ next, previous: record }, { next: [third], previous: [second] });

    expect((await store.chart(second, 'Appointment')).items).toEqual([]);
    expect((await store.chart(third, 'Appointment')).items).toEqual([next]);
  });

  it('leaves every chart with its deletion', async () => {
    const other = store.ids.newChart();
    const record = meeting();
    await save({ next: record }, { next: [other], previous: [] });

    await save({ next: nextOf(record, { resource: undefined }), previous: record }, { next: [], previous: [other] });

    expect(await rowAt(store, pointerKey(record, other))).toBeUndefined();
    expect((await store.chart(other, undefined)).items).toEqual([]);
  });
});

describe('index rows', () => {
  const person = (family: string, identifiers: readonly string[]): StoredRecord =>
    newRecord(store, chart, {
      type: 'Patient',
      place: '',
      resource: {
        resourceType: 'Patient',
        name: [{ family }],
        identifier: identifiers.map((value) => ({ system: 'urn:mrn', value: `${value}-${chart}` })),
      },
    });
  const save = async (change: WriteParts) => {
    const changes = indexChanges(store, patient, change, { next: [], previous: [] });
    await commit(store, commitOf({ writes: [{ ...change, ...changes }] }));
    return changes;
  };
  const bearers = (value: string) =>
    bearersOf(store, identifierPartition(store, patient, 'northside', 'urn:mrn', `${value}-${chart}`));
  const rowsThatExist = async (keys: readonly { pk: string; sk: string }[]) => (await store.getMany(keys)).length;

  it('lead to a new record by name, by identifier and by the list of all', async () => {
    const record = person('Okafor', ['1']);

    const { puts } = await save({ next: record });

    expect(
      puts
        .map(({ pk }) =>
          pk
            .split('#')
            .slice(0, 4)
            .join('#')
            .replace(/^(U#.*#).*/, '$1'),
        )
        .sort(),
    ).toEqual([
      'U#northside#Patient#',
      'X#northside#Patient#_all',
      'X#northside#Patient#identifier',
      'X#northside#Patient#name',
    ]);
    expect(await rowsThatExist(puts)).toBe(4);
    expect(await bearers('1')).toEqual([record.id]);
  });

  it('show no identifier in their keys', async () => {
    const { puts } = await save({ next: person('Okafor', ['secret-number']) });

    expect(JSON.stringify(puts.map(({ pk, sk }) => [pk, sk]))).not.toContain('secret-number');
  });

  it('are replaced by an update: old names and identifiers lead nowhere any more', async () => {
    const first = person('Okafor', ['1', '2']);
    const before = await save({ next: first });
    const second = nextOf(first, { resource: person('Meier', ['2', '3']).resource });

    const after = await save({ next: second, previous: first });

    const kept = new Set(after.puts.map(({ pk, sk }) => `${pk} ${sk}`));
    const gone = before.puts.filter(({ pk, sk }) => !kept.has(`${pk} ${sk}`));
    expect(gone.filter(({ pk }) => pk.startsWith('X#'))).toHaveLength(2);
    expect(await rowsThatExist(gone)).toBe(1); // the row of the identifier that is still borne
    expect(await rowsThatExist(after.puts)).toBe(after.puts.length);
    expect([await bearers('1'), await bearers('2'), await bearers('3')]).toEqual([[], [first.id], [first.id]]);
  });

  it('go with a deletion', async () => {
    const first = person('Okafor', ['1']);
    const { puts } = await save({ next: first });

    await save({ next: nextOf(first, { resource: undefined }), previous: first });

    expect(await rowsThatExist(puts)).toBe(0);
    expect(await bearers('1')).toEqual([]);
    expect(await rowAt(store, recordKey(first))).toBeDefined();
  });
});
