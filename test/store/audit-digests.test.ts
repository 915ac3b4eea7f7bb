import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { logsOf } from '../../infra/cli/logs-of-table.ts';
import { startAwsServices } from '../../infra/local/aws-services.ts';
import { openKeyService } from '../../infra/local/key-service.ts';
import { type AuditRow, auditRow } from '../../shared/audit/audit-row.ts';
import { chainAccesses } from '../../shared/audit/chain/chain-accesses.ts';
import {
  authenticated,
  type Digest,
  digestIn,
  digestKey,
  digestObject,
  digestText,
  headsKey,
  logHash,
} from '../../shared/audit/digest/digest.ts';
import { kmsMacKey } from '../../shared/audit/digest/mac-key.ts';
import { readDigests } from '../../shared/audit/digest/read-digests.ts';
import { verifyLastDays } from '../../shared/audit/digest/verify-last-days.ts';
import { verifyLogs } from '../../shared/audit/digest/verify-logs.ts';
import { type DigestContext, writeDigests } from '../../shared/audit/digest/write-digests.ts';
import { auditChainPartition, auditKey, auditPartition, type RowKey } from '../../shared/store/keys.ts';
import { lockedObjects } from '../../shared/store/locked-objects.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { countCalls } from '../support/count-calls.ts';
import { localBucket } from '../support/dynamodb.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';
import { streamRecord } from '../support/stream-events.ts';
import { allRows, testStore } from '../support/test-store.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const first = Date.UTC(2026, 10, 24);
/** An instant of the nth day, from 0. */
const at = (day: number, hour = 9) => first + day * dayMs + hour * hourMs;
const nameOf = (day: number) => new Date(at(day)).toISOString().slice(0, 10);

let store: RecordStore;
let context: DigestContext;
/** What somebody has put in the place of objects who got around the lock. */
let instead: Map<string, Uint8Array | undefined>;
let objectKeys: () => Promise<string[]>;
let sequence: number;

beforeEach(async () => {
  store = await testStore();
  const { keys, ...bucket } = await localBucket({ locked: true });
  objectKeys = keys;
  const folder = removedAfterTest();
  const { service, digestKeyId: keyId } = openKeyService({
    digests: `${folder}/digest-key.json`,
    secrets: `${folder}/secrets-key.json`,
  });
  const { endpoint, stop } = await startAwsServices([service]);
  onTestFinished(stop);
  const locked = lockedObjects(store.client, bucket);
  instead = new Map();
  sequence = 0;
  context = {
    table: store,
    digests: {
      putOnce: (key, bytes) => locked.putOnce(key, bytes),
      get: (key) => (instead.has(key) ? Promise.resolve(instead.get(key)) : locked.get(key)),
      names: (prefix, after) => locked.names(prefix, after),
    },
    key: kmsMacKey(store.client, { keyId, endpoint }),
  };
});

const access = (log: string, when: number, what = 'Observation/o-1'): AuditRow =>
  auditRow(store.ids, auditKey(log, store.ids.newPlace(when)), {
    at: when,
    interaction: 'read',
    what: [what],
    subject: 'sub-1',
    name: 'nurse@northside.example',
    client: 'app',
    fhirUser: 'Practitioner/northside-nurse',
    roles: ['nurse'],
    organization: 'northside',
    request: 'r-1',
  });

const told = (row: AuditRow, when: number): DynamoDBRecord => {
  const record = streamRecord(String(++sequence), undefined, row as AuditRow & Record<string, unknown>);
  return { ...record, dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: when / 1_000 } };
};
/** Writes a row of each log, and hands all to the consumer at once. */
const read = async (logs: readonly string[], when: number): Promise<AuditRow[]> => {
  const rows = logs.map((log) => access(log, when));
  await writeRows(store, rows);
  await chainAccesses(store, { Records: rows.map((row) => told(row, when)) }, when);
  return rows;
};

/** What a look at everything finds, in no order. */
const found = async (now: number): Promise<string[]> => {
  const anchors = await readDigests(context, now);
  const faults: string[] = anchors.faults.map(({ kind, day }) => `${kind} ${day}`);
  const missing = await verifyLogs(store, logsOf(store), anchors, (verdict) =>
    faults.push(...verdict.faults.map(({ kind, place }) => `${kind} ${place}`.trimEnd())),
  );
  return [...faults, ...missing.map(({ kind, log }) => `${kind} ${log}`)].toSorted();
};

const rowsOf = async (pk: string) => (await allRows(store)).filter((row) => row.pk === pk);
const put = (Item: object) => store.client.send(new PutCommand({ TableName: store.tableName, Item: { ...Item } }));
const remove = async (rows: readonly RowKey[]) => {
  for (const { pk, sk } of rows)
    await store.client.send(new DeleteCommand({ TableName: store.tableName, Key: { pk, sk } }));
};
const stored = async (day: number) => {
  const bytes = (await context.digests.get(digestKey(nameOf(day)))) ?? Buffer.of();
  const parts = digestIn(bytes);
  if (!parts) throw new Error('There is no such digest');
  return { bytes, ...parts };
};
/** A digest that the key vouches for. */
const made = async (digest: Digest) => {
  const text = digestText(digest);
  return digestObject(text, await context.key.generate(authenticated(text)));
};

describe('digests of the access log', () => {
  it('are written once for each day up to yesterday, from half an hour behind its end', async () => {
    await read([store.ids.newChart()], at(0));

    expect(await writeDigests(context, at(1, 0.4))).toBe(1); // of the day before the first
    expect(await writeDigests(context, at(1, 0.6))).toBe(1);
    expect(await writeDigests(context, at(1, 5))).toBe(0);
    expect(await writeDigests(context, at(4))).toBe(3);

    const names = (await objectKeys()).filter((key) => key.startsWith('digests/')).toSorted();
    expect(names).toEqual([-1, 0, 1, 2, 3].map((day) => digestKey(nameOf(day))));
    expect(await found(at(4))).toEqual([]);
  });

  it('tell of the ends of chains, of the day before, and of nothing else', async () => {
    const log = store.ids.newChart();
    await read([log], at(0));
    await writeDigests(context, at(1));
    await read([log], at(1));
    await read([log], at(1, 10));
    await writeDigests(context, at(2));

    const { text, digest } = await stored(1);
    const list = await context.digests.get(headsKey(nameOf(1), digest.lists[0] ?? ''));

    expect(digest).toEqual({
      day: nameOf(1),
      first: nameOf(0),
      taken: at(2) / 1_000,
      previous: expect.stringMatching(/^[\w-]{43}$/) as string,
      lists: [expect.any(String)],
    });
    expect(JSON.parse(Buffer.from(list ?? []).toString())).toEqual([
      [logHash(log), 3, expect.stringMatching(/^[\w-]{43}$/), at(1, 10) / 1_000],
    ]);
    expect(`${text}${Buffer.from(list ?? []).toString()}`).not.toContain(log);
  });

  it('take eight Queries a day and one for each log of the day, however many others there are', async () => {
    const logs = Array.from({ length: 60 }, () => store.ids.newChart());
    await read(logs, at(0));
    await read(logs, at(0, 10));
    await writeDigests(context, at(1));
    await read(logs.slice(0, 5), at(1));
    const calls = countCalls(store.client);

    await writeDigests(context, at(2));

    expect(calls.names).toEqual(Array.from({ length: 8 + 5 }, () => 'Query'));
    expect(calls.readUnits).toBeLessThanOrEqual(8 + 5);
    expect(calls.writeUnits).toBe(0);
  });

  it('are written by one of two that do so at once, and taken up where a run was cut off', async () => {
    await read([store.ids.newChart()], at(0));
    const cut = { ...context, key: { ...context.key, generate: () => Promise.reject(new Error('away')) } };

    await expect(writeDigests(cut, at(1))).rejects.toThrow('away');
    const written = await Promise.all([writeDigests(context, at(1)), writeDigests(context, at(1))]);

    expect(written.toSorted()).toEqual([0, 1]);
    expect(await found(at(1))).toEqual([]);
  });

  it('leave out what is newer than the last of them: it is told as that', async () => {
    const log = store.ids.newChart();
    await read([log], at(0));
    await writeDigests(context, at(1));
    await read([log], at(1));
    const verdicts: number[] = [];

    await verifyLogs(store, [log], await readDigests(context, at(1, 10)), ({ unanchored, faults }) =>
      verdicts.push(unanchored, faults.length),
    );

    expect(verdicts).toEqual([1, 0]);
  });
});

describe('a look at logs and digests', () => {
  let log: string;
  let other: string;
  let rows: AuditRow[];

  beforeEach(async () => {
    [log, other] = [store.ids.newChart(), store.ids.newChart()];
    rows = await read([log, other], at(0));
    await writeDigests(context, at(1));
    rows.push(...(await read([log], at(1))));
    await writeDigests(context, at(2));
    rows.push(...(await read([log], at(2))));
    await writeDigests(context, at(3));
  });
  const links = () => rowsOf(auditChainPartition(log));
  /** Writes the chain of the log anew, over these rows. */
  const rebuild = async (over: readonly AuditRow[]) => {
    await remove(await links());
    for (const [n, row] of over.entries()) await chainAccesses(store, { Records: [told(row, at(n))] }, at(n));
  };
  const ofLog = () => rows.filter(({ pk }) => pk === auditPartition(log));
  const list = async (day: number) => headsKey(nameOf(day), (await stored(day)).digest.lists[0] ?? '');

  const inserted = () => access(log, at(-3));

  const tampered: Readonly<Record<string, readonly [() => Promise<unknown>, () => Promise<string[]> | string[]]>> = {
    nothing: [async () => undefined, () => []],
    'an altered row': [() => put({ ...rows[2], entry: '{}' }), () => [`altered ${rows[2]?.sk}`]],
    'a missing row': [() => remove(rows.slice(2, 3)), () => [`missing ${rows[2]?.sk}`]],
    'an altered row with a chain that was built anew': [
      async () => {
        const forged = { ...(rows[2] as AuditRow), entry: access(log, at(1), 'Observation/o-2').entry };
        await put(forged);
        await rebuild(ofLog().map((row) => (row.sk === forged.sk ? forged : row)));
      },
      () => [1, 2, 3].map((number) => `chain-rebuilt 000000000${number}`),
    ],
    'rows that were removed with the end of the chain': [
      async () => {
        await remove((await links()).slice(1));
        await remove(ofLog().slice(1));
      },
      () => ['link-missing 0000000002', 'link-missing 0000000003'],
    ],
    'a log that was removed with its chain': [
      async () => {
        await remove(await links());
        await remove(ofLog());
      },
      () => [`log-missing ${logHash(log)}`],
    ],
    'an altered digest': [
      async () => {
        const { text, mac, digest } = await stored(1);
        instead.set(digestKey(nameOf(1)), digestObject(text.replace(digest.lists[0] ?? '', digest.previous), mac));
      },
      () => [`digest-altered ${nameOf(1)}`, `digest-replaced ${nameOf(1)}`],
    ],
    'a missing digest': [
      async () => instead.set(digestKey(nameOf(1)), undefined),
      () => [`digest-missing ${nameOf(1)}`],
    ],
    'the missing newest digest': [
      async () => instead.set(digestKey(nameOf(2)), undefined),
      () => [`digest-missing ${nameOf(2)}`],
    ],
    'a digest in the place of another day’s': [
      async () => instead.set(digestKey(nameOf(2)), (await stored(1)).bytes),
      () => [`digest-altered ${nameOf(2)}`],
    ],
    'a digest that was replaced by who has the key': [
      async () => {
        const { digest } = await stored(1);
        instead.set(digestKey(nameOf(1)), await made({ ...digest, lists: [] }));
      },
      () => [`digest-replaced ${nameOf(1)}`],
    ],
    'a later first day': [
      async () => instead.set('first-day', Buffer.from(nameOf(1))),
      () => [`digest-altered ${nameOf(1)}`, `digest-altered ${nameOf(2)}`],
    ],
    'what is no digest': [
      async () => instead.set(digestKey(nameOf(2)), Buffer.from('{}\n')),
      () => [`digest-altered ${nameOf(2)}`],
    ],
    'an altered list of heads': [
      async () => instead.set(await list(2), Buffer.from('[]')),
      () => [`heads-altered ${nameOf(2)}`],
    ],
    'a missing list of heads': [
      async () => instead.set(await list(2), undefined),
      () => [`heads-missing ${nameOf(2)}`],
    ],
  };

  it.each(Object.keys(tampered))('names %s', async (what) => {
    const [tamper, expected] = tampered[what] ?? [];
    await tamper?.();

    expect(await found(at(3))).toEqual((await expected?.())?.toSorted());
  });

  it('names an inserted row', async () => {
    const row = inserted();
    await put(row);

    expect(await found(at(3))).toEqual([`inserted ${row.sk}`]);
  });

  it('names a link that no digest tells of though it should, such as where the day’s notes were removed', async () => {
    const silent = store.ids.newChart();
    await read([silent], at(3));
    await remove((await allRows(store)).filter(({ pk }) => pk.startsWith('A~')));
    await writeDigests(context, at(4));
    expect(await found(at(4))).toEqual([]); // it could still have come late

    await writeDigests(context, at(6));

    expect(await found(at(6))).toEqual(['not-in-digest 0000000001']);
  });

  it('does not miss yesterday’s digest while it may still be written', async () => {
    expect(await found(at(4, 2.4))).toEqual([]);
    expect(await found(at(4, 2.6))).toEqual([`digest-missing ${nameOf(3)}`]);
  });

  it('is taken every day at what the last two days brought', async () => {
    const kinds = async () => Object.fromEntries(await verifyLastDays(context, at(3)));
    expect(await kinds()).toEqual({});

    await put({ ...rows[1], entry: '{}' }); // of a log that was quiet
    expect(await kinds()).toEqual({});
    await put({ ...rows[0], entry: '{}' }); // an old row of one that was not
    expect(await kinds()).toEqual({ altered: 1 });
    instead.set(digestKey(nameOf(2)), undefined);
    expect(await kinds()).toEqual({ altered: 1, 'digest-missing': 1 });
    instead.clear();
    await remove((await allRows(store)).filter(({ pk }) => pk.startsWith('A~')));
    expect(await kinds()).toEqual({ 'log-missing': 1 });
  });
});
