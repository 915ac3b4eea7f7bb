import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Resource } from '../../shared/fhir/resource.ts';
import { documentReference } from '../../shared/record-types/document-reference.ts';
import { patient } from '../../shared/record-types/patient.ts';
import { bodyReference, packBody, referenceTo } from '../../shared/store/body.ts';
import { candidates } from '../../shared/store/candidates/candidates.ts';
import type { Plan } from '../../shared/store/candidates/plan.ts';
import { type Commit, commit } from '../../shared/store/commit.ts';
import { CommitRefused } from '../../shared/store/commit-refusal.ts';
import { indexChanges } from '../../shared/store/index-rows.ts';
import { type Address, chartKey, historyKey, type Row, recordKey, uploadKey } from '../../shared/store/keys.ts';
import { objectKey } from '../../shared/store/large-bodies.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { pointerRow, type RecordRow, recordRow, type StoredRecord, withBody } from '../../shared/store/rows.ts';
import { sweepTransactions } from '../../shared/store/settle-transaction.ts';
import { sweepUploads } from '../../shared/store/sweep-uploads.ts';
import {
  allRows,
  type Call,
  commitOf,
  intercepted,
  newRecord,
  nextOf,
  rowAt,
  testStoreAndBucket,
} from '../support/test-store.ts';

let store: RecordStore;
let objectKeys: () => Promise<string[]>;
let chart: string;

beforeAll(async () => {
  ({ store, objectKeys } = await testStoreAndBucket());
});
beforeEach(() => {
  chart = store.ids.newChart();
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const minute = 60_000;
const passMinutes = (minutes: number) => vi.setSystemTime(Date.now() + minutes * minute);

/** A document that does not compress below this many bytes, and has this many more that do. */
const document = (bytes: number, more = 0): Resource =>
  ({
    resourceType: 'DocumentReference',
    status: 'current',
    subject: { reference: `Patient/${chart}` },
    content: [{ attachment: { data: randomBytes(bytes).toString('base64'), title: 'x'.repeat(more) } }],
  }) as Resource;

const large = (over: Partial<StoredRecord> = {}): StoredRecord =>
  newRecord(store, chart, { type: 'DocumentReference', resource: document(100_000), ...over });

const write = (by: RecordStore, ...writes: Parameters<typeof commitOf>[0]['writes'] & object) =>
  commit(by, commitOf({ writes }));
const created = async (over: Partial<StoredRecord> = {}): Promise<StoredRecord> => {
  const record = large(over);
  await write(store, { next: record });
  return record;
};

/** The store as another process has it, which remembers no body, and what it asks of both services. */
const counted = () => {
  const names: string[] = [];
  const by = intercepted(store, ({ name, send }) => {
    names.push(name);
    return send();
  });
  return { by, names };
};
/** The same without a look at its calls. */
const fresh = () => counted().by;

const objectOf = async (address: Address, version = 1, key = recordKey(address)): Promise<string> => {
  const reference = bodyReference((await rowAt(store, key))?.body as Uint8Array);
  if (!reference) throw new Error('The body lies in its row');
  return objectKey(store.ids, address, version, reference.name);
};

/** Address and version in the keys of a record's current and earlier rows. */
const versionIn = ({ pk, sk }: RecordRow): Address | undefined => {
  const [, type, place] = /^(?:~H#)?([A-Z][A-Za-z]+)#([0-9a-v]*)/.exec(sk) ?? [];
  return pk.startsWith('C#') && type !== undefined && place !== undefined
    ? { type, chart: pk.slice(2), place }
    : undefined;
};

/** Rows of this test's chart, the earlier versions included. */
const chartRows = async (): Promise<RecordRow[]> => {
  const { Items = [] } = await store.client.send(
    new QueryCommand({
      TableName: store.tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': chartKey(chart) },
    }),
  );
  return Items as RecordRow[];
};

/** Keys of all objects that rows of the chart name, marks of unfinished transactions included. */
const named = async (): Promise<string[]> =>
  (await chartRows()).flatMap((row) => {
    const address = versionIn(row);
    const intent = row.intent && 'body' in row.intent ? row.intent : undefined;
    return [row, intent].flatMap((each) => {
      const reference = bodyReference(each?.body);
      return address && each && reference ? [objectKey(store.ids, address, each.version, reference.name)] : [];
    });
  });

/** Every object of the chart is named by a row, and every object that a row names is there. */
const requireSound = async () => {
  const stored = (await objectKeys()).filter((key) => key.startsWith(`${chart}.`));
  expect(stored.sort()).toEqual((await named()).sort());
};

const uploads = async () => (await allRows(store)).filter(({ pk }) => pk.startsWith('O~'));

describe('a body of more than 64 KB', () => {
  it('lies in the object store, and is read from there whichever way it is asked for', async () => {
    const record = await created();

    expect((await rowAt(store, recordKey(record)))?.body).toHaveLength(57);
    expect(await fresh().read(record)).toEqual(record);
    expect(await fresh().readMany([record])).toEqual([record]);
    expect(await fresh().readPage([record])).toEqual({ records: [record], taken: 1, fetches: 1 });
    expect(await fresh().readVersion(record, 1)).toEqual(record);
    expect((await fresh().history(record, { limit: 5 })).items).toEqual([record]);
    expect((await fresh().chart(chart, undefined)).items).toEqual([record]);
  });

  it('is there as its row would have had it, under a key that shows neither date nor name', async () => {
    const record = await created();
    const key = await objectOf(record);

    const bytes = await store.objects.get(key);

    expect(Buffer.from(bytes).equals(packBody(record.resource as Resource, chart))).toBe(true);
    expect(key).toMatch(new RegExp(`^${record.id.replace('.', '\\.')}_DocumentReference/1/[0-9a-v]{26}$`));
    expect(key).not.toContain(record.place);
  });

  it('is one of 65,537 bytes and not one of 65,536', async () => {
    // Layout 1 without compression: as many bytes more as letters more.
    const ofLength = (length: number): StoredRecord => {
      const bodyWith = (letters: number) => {
        const resource = { resourceType: 'Basic', language: 'x'.repeat(letters) } as Resource;
        return {
          resource,
          body: Buffer.concat([Buffer.of(1), deflateRawSync(JSON.stringify(resource), { level: 0 })]),
        };
      };
      const { resource, body } = bodyWith(60_000 + length - bodyWith(60_000).body.length);
      return withBody(large({ type: 'Basic', resource }), body);
    };
    const [inRow, outside] = [65_536, 65_537].map(ofLength) as [StoredRecord, StoredRecord];

    await write(store, { next: inRow }, { next: outside });

    expect((await rowAt(store, recordKey(inRow)))?.body).toHaveLength(65_536);
    expect((await rowAt(store, recordKey(outside)))?.body).toHaveLength(57);
    expect((await fresh().readMany([inRow, outside])).map(({ resource }) => resource)).toEqual(
      expect.arrayContaining([inRow.resource, outside.resource]),
    );
  });

  it.each<[string, Partial<StoredRecord>, Partial<StoredRecord>]>([
    ['a larger one', {}, {}],
    ['a small one', {}, { resource: { resourceType: 'DocumentReference', status: 'current' } }],
    ['a deletion', {}, { resource: undefined }],
    ['nothing so far but a small one', { resource: { resourceType: 'DocumentReference', status: 'current' } }, {}],
  ])('is replaced by, or replaces, %s, and every version stays readable', async (_what, first, second) => {
    const one = await created(first);
    const two = nextOf(one, { resource: document(150_000), ...second });

    await write(store, { next: two, previous: (await fresh().read(one)) as StoredRecord });

    expect(await fresh().read(one)).toEqual(two);
    expect(await fresh().readVersion(one, 1)).toEqual(one);
    expect((await fresh().history(one, { limit: 5 })).items).toEqual([two, one]);
    await requireSound();
  });

  it('costs a row and an upload before the transaction, and one call behind a read', async () => {
    const record = large();
    const small = newRecord(store, chart);
    const writer = counted();
    await write(writer.by, { next: record });
    expect(writer.names).toEqual(['Put', 'PutObject', 'TransactWrite']);

    const reader = counted();
    const read = await reader.by.read(record);
    expect(reader.names).toEqual(['Get', 'GetObject']);
    await reader.by.read(record); // an object never changes, so it need not be asked for twice
    expect(reader.names).toEqual(['Get', 'GetObject', 'Get']);

    const updater = counted();
    await write(updater.by, { next: nextOf(record, { resource: small.resource }), previous: read });
    expect(updater.names).toEqual(['TransactWrite']);
    await write(updater.by, { next: small });
    expect(updater.names).toEqual(['TransactWrite', 'TransactWrite']);
  });

  it('leaves its object alone when its row becomes history', async () => {
    const one = await created();
    const key = await objectOf(one);
    const two = nextOf(one, { resource: document(100_000) });

    await write(store, { next: two, previous: (await fresh().read(one)) as StoredRecord });

    expect(await objectOf(one, 1, historyKey(one, 1))).toBe(key);
    expect(await objectKeys()).toContain(key);
    expect(await objectOf(one, 2)).not.toBe(key);
  });

  it('is fetched no more often for readers at the same time', async () => {
    const record = await created();
    const { by, names } = counted();

    await Promise.all([by.read(record), by.chart(chart, undefined), by.history(record, { limit: 5 })]);

    expect(names.filter((name) => name === 'GetObject')).toHaveLength(1);
  });

  it('is asked for again after it could not be had', async () => {
    const record = await created();
    let down = true;
    const by = intercepted(store, ({ name, send }) =>
      name === 'GetObject' && down ? Promise.reject(new Error('down')) : send(),
    );
    await expect(by.read(record)).rejects.toThrow('down');
    down = false;

    expect(await by.read(record)).toEqual(record);
  });

  it('is refused, and nothing written, where the object store cannot take it', async () => {
    const record = large();
    const by = intercepted(store, ({ name, send }) =>
      name === 'PutObject' ? Promise.reject(new Error('down')) : send(),
    );

    await expect(write(by, { next: record })).rejects.toThrow('down');

    expect(await store.read(record)).toBeUndefined();
  });

  it('has another object for each commit that writes it, so that none depends on what becomes of another', async () => {
    const record = large();
    const refused = commitOf({
      writes: [{ next: record }],
      checks: [{ address: newRecord(store, chart), label: 'missing' }],
    });
    await expect(commit(store, refused)).rejects.toThrow(CommitRefused);

    await write(store, { next: record });
    passMinutes(61);
    await sweepUploads(store);

    expect(await fresh().read(record)).toEqual(record);
    await requireSound();
  });

  it('is put into the history as it is, even where only a copy of the record is known', async () => {
    const one = await created();
    const copy = { ...((await fresh().read(one)) as StoredRecord) };

    await write(store, { next: nextOf(one, { resource: undefined }), previous: copy });

    expect(await fresh().readVersion(one, 1)).toEqual(one);
  });

  it('becomes history in the bytes in which it was read, whatever the layout of today', async () => {
    const first = newRecord(store, chart);
    const inLayout1 = Buffer.concat([Buffer.of(1), deflateRawSync(JSON.stringify(first.resource))]);
    await store.client.send(
      new PutCommand({ TableName: store.tableName, Item: recordRow(withBody(first, inLayout1), store.ids) }),
    );

    await write(store, { next: nextOf(first), previous: (await store.read(first)) as StoredRecord });

    expect(Buffer.from((await rowAt(store, historyKey(first, 1)))?.body as Uint8Array).equals(inLayout1)).toBe(true);
    expect((await rowAt(store, recordKey(first)))?.body?.[0]).toBe(2);
  });

  it('is repeated in no row of the registry', () => {
    const record = newRecord(store, chart, {
      type: 'Patient',
      resource: { resourceType: 'Patient', name: [{ family: 'A' }] } as Resource,
    });
    const packed = packBody(record.resource as Resource, chart);
    const rowsOf = (next: StoredRecord) => indexChanges(store, patient, { next }, { next: [], previous: [] }).puts;

    const small = rowsOf(record);
    const referring = rowsOf(withBody(record, referenceTo(packed, chart)));

    expect(small.filter(({ body }) => body !== undefined).length).toBeGreaterThan(0);
    expect(referring.map(({ pk, sk }) => `${pk} ${sk}`)).toEqual(small.map(({ pk, sk }) => `${pk} ${sk}`));
    expect(referring.filter(({ body, version }) => body !== undefined || version !== undefined)).toEqual([]);
  });

  it('that an earlier release put into its row is read, and replaced', async () => {
    const inRow = large({ resource: document(300_000) });
    const row = recordRow(withBody(inRow, packBody(inRow.resource as Resource, chart)), store.ids);
    await store.client.send(new PutCommand({ TableName: store.tableName, Item: row }));
    const read = await fresh().read(inRow);
    expect(read).toEqual(inRow);
    const two = nextOf(inRow, { resource: document(300_000) });

    await write(store, { next: two, previous: read });

    expect((await fresh().history(inRow, { limit: 5 })).items).toEqual([two, inRow]);
    await requireSound();
  });
});

describe('a page of records with large bodies', () => {
  // 2 MB of JSON each, of which some 70 KB do not compress.
  const documents = async (count: number): Promise<StoredRecord[]> => {
    const records = Array.from({ length: count }, (_, n) =>
      large({ place: store.ids.newPlace(Date.UTC(2026, 0, 1 + n)), resource: document(70_000, 1_900_000) }),
    );
    await write(store, ...records.map((next) => ({ next })));
    return records;
  };

  it.each(['key-order', 'newest-first'] as const)('of a chart ends at 5 MB of them, in %s', async (order) => {
    const records = await documents(5);
    const small = newRecord(store, chart, { type: 'Encounter' });
    await write(store, { next: small });
    const expected = order === 'key-order' ? [...records, small] : [small, ...records.toReversed()];

    const seen: StoredRecord[] = [];
    const sizes: number[] = [];
    const fetches: number[] = [];
    for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
      const page = await fresh().chart(chart, undefined, { order, after });
      seen.push(...page.items);
      sizes.push(page.items.length);
      fetches.push(page.fetches);
      after = page.next;
    }

    expect(seen.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    expect(sizes).toEqual(order === 'key-order' ? [2, 2, 2] : [3, 2, 1]);
    expect(fetches).toEqual([1, 1, 1]);
  });

  it('of a history ends there too', async () => {
    let current = await created({ resource: document(70_000, 1_900_000) });
    for (let version = 2; version <= 4; version++) {
      const next = nextOf(current, { resource: document(70_000, 1_900_000) });
      await write(store, { next, previous: (await fresh().read(current)) as StoredRecord });
      current = next;
    }

    const first = await fresh().history(current, { limit: 10 });
    const second = await fresh().history(current, { limit: 10, before: Number(first.next) });

    expect(first.items.map(({ version }) => version)).toEqual([4, 3]);
    expect(second.items.map(({ version }) => version)).toEqual([2, 1]);
    expect([first.next, second.next]).toEqual(['3', undefined]);
  });

  it('of named records ends there too, and says how many it has answered', async () => {
    const records = await documents(4);
    const missing = newRecord(store, chart);

    const page = await fresh().readPage([missing, ...records]);

    expect(page.records.map(({ id }) => id)).toEqual(records.slice(0, 2).map(({ id }) => id));
    expect([page.taken, page.fetches]).toEqual([3, 1]);
  });

  it('is refused where more than 50 MB would be needed at once', async () => {
    const records = await documents(26);
    const { by, names } = counted();

    await expect(by.readMany(records)).rejects.toMatchObject({ kind: 'too-costly' });

    expect(names).toEqual(['BatchGet']);
  });

  it('counts its calls to the object store among those that a search may take', async () => {
    const records = Array.from({ length: 20 }, () => large({ resource: document(66_000) }));
    await write(store, ...records.map((next) => ({ next })));
    const plans: Plan[] = [
      { kind: 'charts', charts: [chart], mentions: false, chartsOf: async () => [chart] },
      { kind: 'records', addresses: records },
    ];

    for (const plan of plans) {
      let [calls, found] = [0, 0];
      const options = { rowLimit: undefined, spend: () => calls++ };
      for await (const { record } of candidates(fresh(), [documentReference], plan, undefined, options)) {
        if (record) found++;
      }
      expect({ plan: plan.kind, found, calls }).toEqual({ plan: plan.kind, found: 20, calls: 1 + 3 });
    }
  });

  it('is fetched eight at a time', async () => {
    const records = Array.from({ length: 20 }, () => large({ resource: document(66_000) }));
    await write(store, ...records.map((next) => ({ next })));
    let [now, most] = [0, 0];
    const by = intercepted(store, async ({ name, send }) => {
      if (name !== 'GetObject') return send();
      most = Math.max(most, ++now);
      return send().finally(() => now--);
    });

    const page = await by.chart(chart, undefined);

    expect([page.items.length, page.fetches, most]).toEqual([20, 3, 8]);
  });
});

describe('a page of bodies that repeat themselves', () => {
  // 3.6 MB of JSON each, of which some 4 KB lie in the row.
  const repetitive = async (count: number): Promise<StoredRecord[]> => {
    const records = Array.from({ length: count }, (_, n) =>
      large({ place: store.ids.newPlace(Date.UTC(2026, 0, 1 + n)), resource: document(10, 3_600_000) }),
    );
    await write(store, ...records.map((next) => ({ next })));
    return records;
  };
  const idsOf = (records: readonly StoredRecord[]) => records.map(({ id }) => id);

  it.each(['key-order', 'newest-first'] as const)('of a chart ends at 10 MB of them, in %s', async (order) => {
    const records = await repetitive(5);
    const small = newRecord(store, chart, { type: 'Encounter' });
    await write(store, { next: small });
    const expected = order === 'key-order' ? [...records, small] : [small, ...records.toReversed()];

    const pages: StoredRecord[][] = [];
    for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
      const page = await fresh().chart(chart, undefined, { order, after });
      pages.push(page.items);
      after = page.next;
    }

    expect(idsOf(pages.flat())).toEqual(idsOf(expected));
    expect(pages.map(({ length }) => length)).toEqual(order === 'key-order' ? [2, 2, 2] : [3, 2, 1]);
  });

  it('ends there where their rows are of an earlier layout, too', async () => {
    const records = await repetitive(3);
    for (const record of records) {
      const body = Buffer.concat([Uint8Array.of(1), deflateRawSync(JSON.stringify(record.resource))]);
      const Item = { ...recordRow(record, store.ids), body };
      await store.client.send(new PutCommand({ TableName: store.tableName, Item }));
    }

    const page = await fresh().chart(chart, undefined, { order: 'key-order' });

    expect(idsOf(page.items)).toEqual(idsOf(records.slice(0, 2)));
    expect(page.next).toBe(recordKey(records[1] as StoredRecord).sk);
  });

  it('of what pointers lead to ends there, and goes on behind the last pointer', async () => {
    const records = await repetitive(3);
    const home = chart;
    chart = store.ids.newChart();
    const pointers = records.map((record) => pointerRow(record, chart));
    for (const Item of pointers) await store.client.send(new PutCommand({ TableName: store.tableName, Item }));

    const page = await fresh().chart(chart, undefined, { order: 'key-order' });
    const rest = await fresh().chart(chart, undefined, { order: 'key-order', after: page.next });

    expect(idsOf([...page.items, ...rest.items])).toEqual(idsOf(records));
    expect([page.items.length, page.next, rest.next]).toEqual([2, pointers[1]?.sk, undefined]);
    expect(page.items[0]?.chart).toBe(home);
  });

  it('of a history ends there too', async () => {
    let current = (await repetitive(1))[0] as StoredRecord;
    for (let version = 2; version <= 4; version++) {
      const next = nextOf(current, { resource: document(10, 3_600_000) });
      await write(store, { next, previous: (await fresh().read(current)) as StoredRecord });
      current = next;
    }

    const first = await fresh().history(current, { limit: 10 });
    const second = await fresh().history(current, { limit: 10, before: Number(first.next) });

    expect(first.items.map(({ version }) => version)).toEqual([4, 3]);
    expect(second.items.map(({ version }) => version)).toEqual([2, 1]);
    expect([first.next, second.next]).toEqual(['3', undefined]);
  });

  it('of named records ends there too, and says how many it has answered', async () => {
    const records = await repetitive(4);
    const missing = newRecord(store, chart);

    const page = await fresh().readPage([missing, ...records]);

    expect(idsOf(page.records)).toEqual(idsOf(records.slice(0, 2)));
    expect([page.taken, page.fetches]).toEqual([3, 0]);
  });

  it('is refused where more than 50 MB would be needed at once', async () => {
    const records = await repetitive(14);

    expect(await fresh().readMany(records.slice(1))).toHaveLength(13);
    await expect(fresh().readMany(records)).rejects.toMatchObject({ kind: 'too-costly' });
  });

  it('of a registry is unpacked record by record, as far as it is asked for', async () => {
    const owner = `owner-${chart}`;
    const patients = ['a', 'b'].map((family) =>
      newRecord(store, store.ids.newChart(), {
        type: 'Patient',
        place: '',
        custodian: owner,
        resource: {
          resourceType: 'Patient',
          name: [{ family: `Abel${family}`, text: 'x'.repeat(200_000) }],
        } as Resource,
      }),
    );
    const rows = patients.flatMap(
      (next) =>
        indexChanges(store, patient, { next }, { next: [], previous: [] }).puts as readonly (Row &
          Partial<RecordRow>)[],
    );
    const named = rows.filter(({ pk }) => pk.includes('#name#abe'));
    expect(named.map(({ body }) => (body?.length ?? 0) < 1_024)).toEqual([true, true]);
    const [first, second] = named;
    if (!first || !second) throw new Error('No rows lead to the patients by their names');
    const damaged = { ...second, body: second.body?.map((byte, at) => (at < 9 ? byte : 0)) };
    for (const Item of [first, damaged]) await store.client.send(new PutCommand({ TableName: store.tableName, Item }));
    const plan: Plan = { kind: 'registry', ranges: [{ partition: first.pk, prefix: '' }] };
    const found = candidates(fresh(), [patient], plan, undefined, { rowLimit: undefined, spend: () => {} });

    expect((await found.next()).value.record?.id).toBe(patients[0]?.id);
    await expect(found.next()).rejects.toThrow();
  });
});

describe('an object that is not what was stored', () => {
  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['cut', (bytes) => bytes.slice(0, -1)],
    ['longer', (bytes) => Buffer.concat([bytes, Buffer.of(0)])],
    ['changed in one bit', (bytes) => Buffer.from(bytes.map((byte, at) => (at === 50_000 ? byte ^ 1 : byte)))],
    ['another one', () => packBody(document(100_000), chart)],
    ['empty', () => Buffer.of()],
  ])('is refused: %s', async (_what, change) => {
    const record = await created();
    const key = await objectOf(record);
    await store.objects.put(key, change(await store.objects.get(key)), Date.now() + minute);

    await expect(fresh().read(record)).rejects.toThrow('not the one that was stored');
  });

  it('is refused where it is missing, rather than shown without its content', async () => {
    const record = await created();
    await store.objects.delete(await objectOf(record));

    for (const read of [
      () => fresh().read(record),
      () => fresh().readVersion(record, 1),
      () => fresh().history(record, { limit: 5 }),
      () => fresh().chart(chart, undefined),
    ]) {
      await expect(read()).rejects.toMatchObject({ name: 'ObjectStoreNoSuchKey' });
    }
  });

  it('is not read through a row of another chart, nor of another version', async () => {
    const record = await created();
    const body = (await rowAt(store, recordKey(record)))?.body as Uint8Array;
    const other = newRecord(store, store.ids.newChart(), { type: record.type });
    const second = { ...record, version: 2 };

    for (const stranger of [other, second]) {
      const row = recordRow(withBody({ ...stranger, resource: record.resource }, body), store.ids);
      await store.client.send(new PutCommand({ TableName: store.tableName, Item: row }));
      await expect(fresh().read(stranger)).rejects.toMatchObject({ name: 'ObjectStoreNoSuchKey' });
    }
  });

  it('is not read in another chart even if somebody has copied it there', async () => {
    const record = await created();
    const body = (await rowAt(store, recordKey(record)))?.body as Uint8Array;
    const other = newRecord(store, store.ids.newChart(), { type: record.type, resource: record.resource });
    await store.client.send(
      new PutCommand({ TableName: store.tableName, Item: recordRow(withBody(other, body), store.ids) }),
    );
    const bytes = await store.objects.get(await objectOf(record));
    await store.objects.put(await objectOf(other), bytes, Date.now() + minute);

    await expect(fresh().read(other)).rejects.toThrow('damaged or of another chart');
  });
});

class Crash extends Error {}

/** Ways in which a writer ends at its n-th call: before it is sent, before its answer comes, or only the answer is lost. */
const failures: Readonly<Record<string, (n: number) => (call: Call) => Promise<unknown>>> = {
  'a crash before': (n) => {
    let calls = 0;
    return async ({ send }) => {
      if (++calls >= n) throw new Crash();
      return send();
    };
  },
  'a crash behind': (n) => {
    let calls = 0;
    return async ({ send }) => {
      const own = ++calls;
      if (own > n) throw new Crash();
      const answer = await send();
      if (own === n) throw new Crash();
      return answer;
    };
  },
};

/** An update of a large record and two large creates, with as many rows beside as the commit is to have. */
const prepare = async (rows: number) => {
  chart = store.ids.newChart();
  const current = await created();
  const updated = nextOf(current, { resource: document(90_000) });
  const others = [large(), large()];
  const puts = Array.from({ length: rows }, (_, n) => ({ pk: `X#${chart}`, sk: `${n}` }));
  const previous = (await fresh().read(current)) as StoredRecord;
  const work = commitOf({ writes: [{ next: updated, previous, puts }, ...others.map((next) => ({ next }))] });
  return { current, updated, others, work };
};
type Prepared = Awaited<ReturnType<typeof prepare>>;

/** Whether the commit happened, for whoever reads it now. Fails if it happened in part, or a body is not there. */
const outcomeOf = async ({ current, updated, others }: Prepared): Promise<'all' | 'nothing'> => {
  const reader = fresh();
  const seen = await reader.read(current);
  const all = seen?.version === 2;
  expect(seen).toEqual(all ? updated : current);
  expect(await reader.readVersion(current, 1)).toEqual(current);
  expect(await reader.readMany(others)).toHaveLength(all ? 2 : 0);
  expect((await reader.history(current, { limit: 5 })).items).toHaveLength(all ? 2 : 1);
  return all ? 'all' : 'nothing';
};

const callsOf = async (work: Commit): Promise<string[]> => {
  const { by, names } = counted();
  await commit(by, work);
  return names;
};

/** Numbers of the calls of a commit at which something else may happen to its bodies: all of its upload, and those around the decision. */
const moments = async (work: Commit): Promise<number[]> => {
  const decisions: number[] = [];
  let calls = 0;
  await commit(
    intercepted(store, ({ name, input, send }) => {
      calls++;
      if (name === 'TransactWrite' && JSON.stringify(input).includes('O~')) decisions.push(calls);
      return send();
    }),
    work,
  );
  expect(decisions).toHaveLength(1);
  const [decision = 0] = decisions;
  return [...new Set([1, 2, 3, 4, 5, decision - 1, decision, decision + 1, calls])].filter((n) => n <= calls);
};

/** What the scheduled function does, an hour later. */
const sweepAll = async () => {
  passMinutes(61);
  await sweepTransactions(store);
  await sweepUploads(store);
};

describe.each([
  ['one transaction', 0],
  ['a staged one', 100],
])('a commit with large bodies, as %s', (_kind, rows) => {
  it('is told of before it is uploaded, and leaves nothing behind', async () => {
    const { work } = await prepare(rows);

    const calls = await callsOf(work);

    expect(calls.slice(0, 4)).toEqual(['Put', 'PutObject', 'PutObject', 'PutObject']);
    expect(calls.slice(4)).not.toContain('PutObject');
    expect(await uploads()).toEqual([]);
    await requireSound();
  });

  it.each(Object.keys(failures))('loses nothing and leaves nothing after %s any call', async (name) => {
    const failure = failures[name];
    if (!failure) throw new Error('There is no such failure');
    const outcomes = { all: 0, nothing: 0 };

    for (const n of await moments((await prepare(rows)).work)) {
      const prepared = await prepare(rows);
      const acknowledged = await commit(intercepted(store, failure(n)), prepared.work).then(
        () => true,
        () => false,
      );
      const before = await outcomeOf(prepared);

      await sweepAll();

      const after = await outcomeOf(prepared);
      expect({ n, after }).toEqual({ n, after: before });
      if (acknowledged) expect({ n, after }).toEqual({ n, after: 'all' });
      expect({ n, uploads: await uploads() }).toEqual({ n, uploads: [] });
      await requireSound();
      outcomes[after]++;
    }

    // Only behind the call that decides is it there.
    expect(outcomes.nothing).toBeGreaterThanOrEqual(4);
    expect(outcomes.all).toBeGreaterThanOrEqual(name === 'a crash behind' ? 1 : 0);
  });

  it('is whole or refused however long it takes, and the sweeper removes no body that is read', async () => {
    const outcomes = { all: 0, nothing: 0 };

    for (const n of await moments((await prepare(rows)).work)) {
      const prepared = await prepare(rows);
      let at = 0;
      const others = new Set<Promise<unknown>>();
      const slow = intercepted(store, async ({ send }) => {
        if (++at === n) {
          // What was sent at the same time has arrived long before an hour is over: nothing may arrive behind the sweeper.
          for (let known = -1; known < others.size; ) {
            known = others.size;
            await Promise.allSettled(others);
          }
          await sweepAll();
        }
        const sent = send();
        others.add(sent);
        return sent;
      });

      const acknowledged = await commit(slow, prepared.work).then(
        () => true,
        () => false,
      );

      const before = await outcomeOf(prepared);
      expect({ n, before }).toEqual({ n, before: acknowledged ? 'all' : 'nothing' });
      await sweepAll();
      expect({ n, after: await outcomeOf(prepared) }).toEqual({ n, after: before });
      expect({ n, uploads: await uploads() }).toEqual({ n, uploads: [] });
      await requireSound();
      outcomes[before]++;
    }

    // Slow behind the decision, which is the last call of one transaction, does no harm.
    expect(outcomes.all).toBe(rows === 0 ? 0 : 2);
    expect(outcomes.nothing).toBeGreaterThanOrEqual(4);
  });
});

describe('sweepUploads', () => {
  /** A commit that ends behind its last upload. */
  const leftBehind = async () => {
    const record = large();
    const by = intercepted(store, ({ name, send }) =>
      name === 'TransactWrite' ? Promise.reject(new Crash()) : send(),
    );
    await expect(write(by, { next: record })).rejects.toThrow(Crash);
    const [upload] = (await uploads()).filter(({ keys }) => String(keys).includes(record.id));
    if (!upload) throw new Error('No row tells of the upload');
    return { record, upload, key: String((upload.keys as string[])[0]) };
  };

  it('leaves an upload to its writer for an hour', async () => {
    const { key } = await leftBehind();

    passMinutes(59);
    expect(await sweepUploads(store)).toBe(0);
    expect(await objectKeys()).toContain(key);

    passMinutes(2);
    expect(await sweepUploads(store)).toBe(1);
    expect(await objectKeys()).not.toContain(key);
    expect(await uploads()).toEqual([]);
  });

  it('waits for nobody where no writer can be left', async () => {
    const { key } = await leftBehind();

    expect(await sweepUploads(store, Number.POSITIVE_INFINITY)).toBe(1);
    expect(await objectKeys()).not.toContain(key);
  });

  it('goes on where an earlier run ended, at any of its calls', async () => {
    const countOf = async () => {
      await leftBehind();
      passMinutes(61);
      const { by, names } = counted();
      await sweepUploads(by);
      return names.filter((name) => name !== 'Query');
    };
    const calls = await countOf();
    expect(calls).toEqual(['Update', 'DeleteObject', 'Delete']);

    for (const failing of calls) {
      const { key } = await leftBehind();
      passMinutes(61);
      for (const moment of ['before', 'behind']) {
        const by = intercepted(store, async ({ name, send }) => {
          if (name === failing && moment === 'before') throw new Crash();
          const answer = await send();
          if (name === failing) throw new Crash();
          return answer;
        });
        await sweepUploads(by).catch(() => undefined);
      }

      await sweepUploads(store);

      expect(await objectKeys()).not.toContain(key);
      expect(await uploads()).toEqual([]);
    }
  });

  it.each(['DeleteObject', 'Delete'])(
    'refuses a commit whose upload it has marked, also before its %s',
    async (step) => {
      const record = large();
      const sweeping = intercepted(store, ({ name, send }) => (name === step ? Promise.reject(new Crash()) : send()));
      const by = intercepted(store, async ({ name, send }) => {
        if (name === 'TransactWrite') {
          passMinutes(61);
          await expect(sweepUploads(sweeping)).rejects.toThrow(Crash);
        }
        return send();
      });

      await expect(write(by, { next: record })).rejects.toMatchObject({ kind: 'conflict' });

      expect(await store.read(record)).toBeUndefined();
      expect(await sweepUploads(store)).toBe(1);
      await requireSound();
    },
  );

  it('reads each of the 32 partitions once, and nothing else where there is nothing', async () => {
    const { by, names } = counted();

    expect(await sweepUploads(by)).toBe(0);

    expect(names).toEqual(Array.from({ length: 32 }, () => 'Query'));
  });

  it('finds uploads by their time, in the partition of their last letter', () => {
    const earlier = store.ids.newPlace(Date.UTC(2026, 0, 1));
    const later = store.ids.newPlace(Date.UTC(2026, 0, 1, 0, 1));

    expect([uploadKey(later).sk, uploadKey(earlier).sk].sort()).toEqual([earlier, later]);
    expect(uploadKey(later).pk).toBe(`O~${later.at(-1)}`);
  });
});
