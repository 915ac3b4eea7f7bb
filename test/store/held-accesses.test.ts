import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Asking } from '../../shared/access/question.ts';
import { chartLog } from '../../shared/audit/audit-log.ts';
import { type AuditRow, auditRow } from '../../shared/audit/audit-row.ts';
import { type Access, AuditTrail } from '../../shared/audit/audit-trail.ts';
import { chainAccesses } from '../../shared/audit/chain/chain-accesses.ts';
import { verifyLog } from '../../shared/audit/chain/verify.ts';
import { fileHeld } from '../../shared/audit/held/file-held.ts';
import { isHeld } from '../../shared/audit/held/is-held.ts';
import { putAccess } from '../../shared/audit/put-access.ts';
import { auditKey, auditPartition } from '../../shared/store/keys.ts';
import { type LockedObjects, lockedObjects } from '../../shared/store/locked-objects.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { type LocalBucket, localBucket } from '../support/dynamodb.ts';
import { streamRecord } from '../support/stream-events.ts';
import { intercepted, rowsOf, testStore } from '../support/test-store.ts';

let store: RecordStore;
let bucket: LocalBucket;
let locked: LockedObjects;
let chart: string;

beforeEach(async () => {
  store = await testStore();
  bucket = await localBucket({ locked: true });
  locked = lockedObjects(store.client, bucket);
  chart = store.ids.newChart();
  vi.stubEnv('DIGEST_BUCKET_NAME', bucket.bucket);
  vi.stubEnv('AWS_ENDPOINT_URL_S3', bucket.endpoint);
  return () => vi.unstubAllEnvs();
});

const asking: Asking = {
  caller: {
    subject: 'sub-1',
    name: 'nurse@northside.example',
    client: 'app',
    organization: 'northside',
    roles: ['nurse'],
    scopes: [],
    fhirUser: 'Practitioner/northside-nurse',
    patient: undefined,
  },
  chart: undefined,
};
const reading = (what = 'Observation/o-1'): Access => ({ interaction: 'read', chart, what: [what] });
const shown = () => undefined;

/** As the service refuses a write for which it has no capacity, or which its key does not let it encrypt. */
const named = (name: string) => Object.assign(new Error('as the service words it'), { name });

/** The store, whose table takes no rows. */
const full = (error = named('KMSAccessDeniedException')): RecordStore =>
  intercepted(store, async ({ name, send }) => {
    if (name === 'Put') throw error;
    return send();
  });

const tracedOn = (on: RecordStore, read = async () => 'data', access = reading()) =>
  new AuditTrail(on, asking, 'r-1', Date.now()).traced(access, read, shown);

const held = async () => (await bucket.keys()).filter((name) => name.startsWith('held/'));

describe('a row of the access log that the table cannot take', () => {
  it.each(['KMSAccessDeniedException', 'ProvisionedThroughputExceededException', 'InternalServerError'])(
    'is held in the bucket under lock when the table answers %s, so that what was read is shown',
    async (name) => {
      expect(await tracedOn(full(named(name)))).toBe('data');

      expect(await held()).toHaveLength(1);
      expect((await chartLog(store, chart, undefined)).accesses).toEqual([]);
    },
  );

  it('is in the bucket before what was read is shown', async () => {
    const order: string[] = [];
    const slow = full();

    await tracedOn(slow, async () => 'data').then(async () => order.push(`shown with ${(await held()).length}`));

    expect(order).toEqual(['shown with 1']);
  });

  it('tells in its name nothing of whose it is', async () => {
    await tracedOn(full());

    expect((await held())[0]).toMatch(/^held\/\d{4}-\d\d-\d\dT[\d:.]+Z\/[\da-f-]{36}$/);
  });

  it('keeps what was read from being shown where the bucket cannot take it either', async () => {
    vi.stubEnv('DIGEST_BUCKET_NAME', 'there-is-none');

    await expect(tracedOn(full())).rejects.toThrow('NoSuchBucket');
  });

  it('is not held where nothing names the bucket, or where the row itself is wrong', async () => {
    await expect(tracedOn(full(named('ValidationException')))).rejects.toThrow('as the service words it');
    vi.stubEnv('DIGEST_BUCKET_NAME', '');
    await expect(tracedOn(full())).rejects.toThrow('as the service words it');

    expect(await held()).toEqual([]);
  });

  it('is none if it was written by an earlier sending', async () => {
    const row = auditRow(store.ids, auditKey(chart, store.ids.newPlace(Date.now())), entryAt(Date.now()));

    await putAccess(store, row);
    await putAccess(store, row);

    expect(await held()).toEqual([]);
  });
});

const entryAt = (at: number) => ({
  at,
  interaction: 'read' as const,
  what: ['Observation/o-1'],
  subject: 'sub-1',
  name: 'nurse@northside.example',
  client: 'app',
  fhirUser: 'Practitioner/northside-nurse',
  roles: ['nurse'],
  organization: 'northside',
  request: 'r-1',
});

describe('held rows', () => {
  it('are filed once the table takes them, long ones too, each once', async () => {
    const long = Array.from(
      { length: 40 },
      (_, index) => `Observation/${store.ids.idAt(chart, store.ids.newPlace(index))}`,
    );
    await tracedOn(full());
    await new AuditTrail(full(), asking, 'r-2', Date.now()).record([{ interaction: 'search-type', chart, what: long }]);

    expect(await fileHeld(store, locked)).toBe(2);
    expect(await fileHeld(store, locked)).toBe(0);

    const { accesses } = await chartLog(store, chart, undefined);
    expect(accesses.map(({ entry }) => entry.what)).toEqual(expect.arrayContaining([['Observation/o-1'], long]));
    expect(accesses).toHaveLength(2);
  });

  it('are tried again where the table is still full, and nothing is told of them as filed', async () => {
    await tracedOn(full());

    await expect(fileHeld(full(), locked)).rejects.toThrow('1 held rows of the access log were not filed');
    expect(await fileHeld(store, locked)).toBe(1);
  });

  it('stay as they are where they are in the log already', async () => {
    await tracedOn(
      intercepted(store, async ({ name, send }) => {
        const answer = await send();
        if (name === 'Put') throw named('KMSAccessDeniedException'); // it was written, and the answer lost
        return answer;
      }),
    );

    expect(await fileHeld(store, locked)).toBe(1);
    expect(await rowsOf(store, auditPartition(chart))).toEqual([
      expect.not.objectContaining({ held: expect.anything() as string }),
    ]);
  });
});

describe('the chain of a log', () => {
  const hourMs = 3_600_000;
  const told = (row: Readonly<Record<string, unknown>>, number: number, at: number) => {
    const record = streamRecord(String(number), undefined, row as AuditRow & Record<string, unknown>);
    return { ...record, dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: at / 1_000 } };
  };
  const faults = async () => {
    const wasHeld = (row: Parameters<typeof isHeld>[1]) => isHeld(locked, row);
    const { faults: found } = await verifyLog(store, chart, { heads: [], complete: { from: 0, to: 0 }, wasHeld });
    return found.map(({ kind }) => kind);
  };
  const late = (at = Date.now() - hourMs): AuditRow =>
    auditRow(store.ids, auditKey(chart, store.ids.newPlace(at)), entryAt(at));

  it('takes a late row for what it is where it was held', async () => {
    await putAccess(full(), late());
    await putAccess(store, late(Date.now()));
    await chainAccesses(store, {
      Records: [told((await rowsOf(store, auditPartition(chart)))[0] ?? {}, 1, Date.now())],
    });
    await fileHeld(store, locked);
    expect(await faults()).toEqual([]); // not chained yet

    const filed = (await rowsOf(store, auditPartition(chart))).find((row) => 'held' in row);
    await chainAccesses(store, { Records: [told(filed ?? {}, 2, Date.now())] });

    expect(await faults()).toEqual([]);
  });

  it('names a late row that says it was held, where another one lies or none', async () => {
    await putAccess(full(), late());
    const [name = ''] = await held();
    for (const [number, row] of [
      { ...late(), held: name },
      { ...late(), held: 'held/2026-11-27T00:00:00.000Z/nothing' },
      late(),
    ].entries()) {
      await store.client.send(new PutCommand({ TableName: store.tableName, Item: row }));
      await chainAccesses(store, { Records: [told(row, number + 1, Date.now())] });
    }

    expect(await faults()).toEqual(['inserted', 'inserted', 'inserted']);
  });
});
