import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Resource } from '../../shared/fhir/resource.ts';
import { commit } from '../../shared/store/commit.ts';
import { recordKey } from '../../shared/store/keys.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { batchOf, postEntry, statusesOf, transactionOf, writtenIn } from '../support/bundles.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  allPages,
  create,
  elsewhere,
  entriesOf,
  issuesOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  stored,
} from '../support/records.ts';
import { commitOf, newRecord, nextOf } from '../support/test-store.ts';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let subject: string;

beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  patient = await create(server, patientBody());
  subject = referenceTo(patient);
  forget();
});

/** Begins to count anew. */
const forget = () => {
  server.calls.reset();
  server.objectCalls.length = 0;
};
/** Calls to both services since then, the object store's without their keys. */
const calls = () => [...server.calls.names, ...server.objectCalls.map((call) => call.split(' ')[0])];

/** A document with an attachment that does not compress. */
const document = (bytes = 300_000, elements: Partial<fhir4.DocumentReference> = {}): fhir4.DocumentReference => ({
  resourceType: 'DocumentReference',
  status: 'current',
  subject: { reference: subject },
  content: [{ attachment: { contentType: 'application/pdf', data: randomBytes(bytes).toString('base64') } }],
  ...elements,
});

/** An observation with so many letters, which compress well. */
const spacious = (letters: number, letter = 'x') =>
  observationBody(subject, {
    note: Array.from({ length: Math.ceil(letters / 500_000) }, () => ({ text: letter.repeat(500_000) })),
  });

describe('a record of some 300 KB', () => {
  it('is created, and costs a row, an upload and the transaction', async () => {
    const { status, body } = await server.post('DocumentReference', document());

    expect(status).toBe(201);
    expect(calls()).toEqual(['PutItem', 'TransactWriteItems', 'PutObject']);
    expect(server.calls.sequential()).toBe(2);
    expect((await server.get(pathOf(body))).body).toEqual(body);
  });

  it('is read, by id and by version, with one call more', async () => {
    const record = await create(server, document());
    forget();

    const read = await server.get(pathOf(record));
    expect(calls()).toEqual(['GetItem', 'PutItem', 'GetObject']);
    const version = await server.get(`${pathOf(record)}/_history/1`);

    expect([read.body, version.body]).toEqual([record, record]);
  });

  it('is found by search in its chart and by its id', async () => {
    const record = await create(server, document(300_000, { description: 'discharge' }));
    await create(server, document(300_000, { status: 'superseded' }));
    forget();

    const found = await server.get(`DocumentReference?patient=${patient.id}&status=current`);
    const byId = await server.get(`DocumentReference?_id=${record.id}`);

    expect(resourcesIn(found.body)).toEqual([record]);
    expect(resourcesIn(byId.body)).toEqual([record]);
    expect(server.objectCalls).toHaveLength(2); // of each document once, though one was asked for twice
  });

  it('is updated, and both versions stay', async () => {
    const first = await create(server, document());
    forget();

    const { body: second } = await server.put(pathOf(first), { ...document(), id: first.id });

    expect(calls()).toEqual(['GetItem', 'PutItem', 'TransactWriteItems', 'GetObject', 'PutObject']);
    const history = resourcesIn((await server.get(`${pathOf(first)}/_history`)).body);
    expect(history).toEqual([second, first]);
    expect((await server.get(`${pathOf(first)}/_history/1`)).body).toEqual(first);
  });

  it('is deleted, and its history stays', async () => {
    const record = await create(server, document());

    expect((await server.delete(pathOf(record))).status).toBe(204);

    expect((await server.get(pathOf(record))).status).toBe(410);
    expect((await server.get(`${pathOf(record)}/_history/1`)).body).toEqual(record);
    expect(resourcesIn((await server.get(`DocumentReference?patient=${patient.id}`)).body)).toEqual([]);
  });

  it('keeps what it refers to from being deleted', async () => {
    const observation = await create(server, observationBody(subject));
    await create(server, document(300_000, { context: { related: [{ reference: referenceTo(observation) }] } }));

    expect((await server.delete(pathOf(observation))).status).toBe(409);
  });

  it('is part of $everything, fetched once', async () => {
    const photo = [{ contentType: 'image/jpeg', data: randomBytes(200_000).toString('base64') }];
    const pictured = stored<fhir4.Patient>(
      (await server.put(pathOf(patient), { ...patientBody(), id: patient.id, photo })).body,
    );
    const record = await create(server, document());
    forget();

    const { body } = await server.get(`Patient/${patient.id}/$everything`);

    expect(resourcesIn(body)).toEqual([record, pictured]);
    expect(server.objectCalls.map((call) => call.split('/')[0])).toHaveLength(2);
  });

  it('is written by a batch and by a transaction, wholly or not at all', async () => {
    const entries = [document(), observationBody(subject), document()].map((resource) => postEntry(resource));

    const batch = await server.post('', batchOf(...entries));
    const transaction = await server.post('', transactionOf(...entries));
    const refused = await server.post(
      '',
      transactionOf(...entries, postEntry(observationBody('Patient/0123456789abcdefghijklmnop'))),
    );

    expect(statusesOf(batch.body)).toEqual(['201', '201', '201']);
    expect(statusesOf(transaction.body)).toEqual(['201', '201', '201']);
    expect(refused.status).toBe(400);
    const all = (await allPages(server, `DocumentReference?patient=${patient.id}`)).flatMap(resourcesIn);
    expect(all.map(referenceTo).sort()).toEqual(
      [...writtenIn(batch.body), ...writtenIn(transaction.body)]
        .filter((path) => path.startsWith('DocumentReference'))
        .sort(),
    );
  });

  it('is written by a staged transaction of more than 96 entries, several of it', async () => {
    const many = Array.from({ length: 100 }, () => observationBody(subject));
    const documents = Array.from({ length: 5 }, () => document(150_000));

    const { status, body } = await server.post(
      '',
      transactionOf(...[...many, ...documents].map((resource) => postEntry(resource))),
    );

    expect(status).toBe(200);
    expect(server.objectCalls.filter((call) => call.startsWith('PutObject'))).toHaveLength(5);
    const paths = writtenIn(body).filter((path) => path.startsWith('DocumentReference'));
    const read = await Promise.all(paths.map(async (path) => (await server.get(path)).body));
    expect(read.map((record) => (record as unknown as fhir4.DocumentReference).content)).toEqual(
      documents.map(({ content }) => content),
    );
    expect(resourcesIn((await server.get(`Patient/${patient.id}/$everything`)).body)).toHaveLength(106);
  });

  it('is not shown to whom it does not belong, and not fetched either', async () => {
    const record = await create(server, document());
    forget();

    const answer = await server.get(pathOf(record), { as: elsewhere });

    expect(answer.status).toBe(404);
    expect(answer.text).not.toContain('attachment');
  });
});

describe('large records in number', () => {
  it('come in pages of a chart and of $everything, each once', async () => {
    const records: string[] = [];
    for (let n = 0; n < 5; n++) records.push(referenceTo(await create(server, document(1_000_000))));

    const search = await allPages(server, `DocumentReference?patient=${patient.id}`);
    const everything = await allPages(server, `Patient/${patient.id}/$everything`);

    expect(search.flatMap(resourcesIn).map(referenceTo).sort()).toEqual([...records].sort());
    expect(everything.flatMap(resourcesIn).map(referenceTo).sort()).toEqual([...records, subject].sort());
    expect(search.length).toBe(2);
    for (const page of [...search, ...everything]) expect(JSON.stringify(page).length).toBeLessThan(6_000_000);
  });

  it('come in pages of a history', async () => {
    let record = await create(server, document(1_000_000));
    for (let version = 2; version <= 4; version++) {
      record = stored((await server.put(pathOf(record), { ...document(1_000_000), id: record.id })).body);
    }

    const pages = await allPages(server, `${pathOf(record)}/_history`);

    expect(pages.flatMap(resourcesIn).map(({ meta }) => meta?.versionId)).toEqual(['4', '3', '2', '1']);
    for (const page of pages) expect(JSON.stringify(page).length).toBeLessThan(6_000_000);
  });

  it('come in pages of a history where they compress well, too', async () => {
    const inYear = (year: number) => ({ ...spacious(1_500_000), issued: `${year}-01-01T00:00:00Z` });
    let record = await create(server, inYear(2010));
    for (let year = 2011; year <= 2013; year++) {
      record = stored((await server.put(pathOf(record), { ...inYear(year), id: record.id })).body);
    }

    const pages = await allPages(server, `${pathOf(record)}/_history`);

    expect(pages.flatMap(resourcesIn).map(({ meta }) => meta?.versionId)).toEqual(['4', '3', '2', '1']);
    for (const page of pages) expect(JSON.stringify(page).length).toBeLessThan(6_000_000);
  });

  it('are found by name, page by page', async () => {
    const family = `Photographed${Date.now()}`;
    const photo = () => [{ contentType: 'image/jpeg', data: randomBytes(1_000_000).toString('base64') }];
    const patients: string[] = [];
    for (let n = 0; n < 5; n++) {
      patients.push(referenceTo(await create(server, patientBody({ name: [{ family }], photo: photo() }))));
    }

    const pages = await allPages(server, `Patient?family=${family}`);

    expect(pages.flatMap(resourcesIn).map(referenceTo).sort()).toEqual(patients.sort());
  });
});

describe('large records in order', () => {
  it('are refused as too costly where sorting them would hold more than 50 MB at once', async () => {
    const { store } = server;
    const { chart = '' } = store.ids.decode(patient.id) ?? {};
    const title = 'x'.repeat(3_600_000);
    const writes = Array.from({ length: 15 }, () => ({
      next: newRecord(store, chart, {
        type: 'DocumentReference',
        resource: document(70_000, { description: title }) as unknown as Resource,
      }),
    }));
    await commit(store, commitOf({ writes: writes.slice(0, 13) }));

    const few = await server.get(`DocumentReference?patient=${patient.id}&_sort=_lastUpdated&_count=1`);
    await commit(store, commitOf({ writes: writes.slice(13) }));
    const many = await server.get(`DocumentReference?patient=${patient.id}&_sort=_lastUpdated&_count=1`);

    expect([few.status, many.status]).toEqual([200, 400]);
    expect(issuesOf(many.body)).toMatchObject([{ code: 'too-costly', expression: '_sort' }]);
  });
});

describe('records that repeat themselves', () => {
  // 3.5 MB of JSON each, of which some 4 KB lie in the row.
  const repetitive = async (count: number, resource: object, type = 'Observation') => {
    const { store } = server;
    const { chart = '' } = store.ids.decode(patient.id) ?? {};
    const records = Array.from({ length: count }, () =>
      newRecord(store, chart, { type, resource: resource as Resource }),
    );
    await commit(store, commitOf({ writes: records.map((next) => ({ next })) }));
    forget();
    return records;
  };
  const coded = (code: string) => ({ ...spacious(3_500_000), code: { coding: [{ code }] } });
  const queries = () => server.calls.names.filter((name) => name === 'Query').length;

  it('are looked through a few at a time', async () => {
    await repetitive(7, coded('a'));

    const found = await server.get(`Observation?patient=${patient.id}&code=b`);

    expect(found.body).toMatchObject({ total: 0 });
    expect(queries()).toBe(4); // two at a time
  });

  it('come in pages, each once', async () => {
    const records = await repetitive(3, coded('a'));

    const pages = await allPages(server, `Observation?patient=${patient.id}&code=a`);

    expect(pages.map((page) => resourcesIn(page).length)).toEqual([1, 1, 1]);
    expect(
      pages
        .flatMap(resourcesIn)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(records.map(({ id }) => id).sort());
  });

  it.each([
    ['_sort', () => server.get(`Observation?patient=${patient.id}&_sort=_lastUpdated`)],
    ['code', () => server.get(`Observation/$lastn?patient=${patient.id}&code=a`)],
    ['patient', () => server.delete(`Observation?patient=${patient.id}&code=a`)],
  ])('are refused as too costly where more than 50 MB would be held at once, naming %s', async (expression, ask) => {
    await repetitive(15, coded('a'));

    const { status, body } = await ask();

    expect(status).toBe(400);
    expect(issuesOf(body)).toMatchObject([{ code: 'too-costly', expression }]);
  });

  it('are refused likewise where they are documents that $docref would show', async () => {
    const type = { coding: [{ code: 'a' }] };
    const resource = { ...document(10), type, description: 'x'.repeat(3_500_000) };
    await repetitive(15, resource, 'DocumentReference');

    const { status, body } = await server.get(`DocumentReference/$docref?patient=${patient.id}&type=a`);

    expect(status).toBe(400);
    expect(issuesOf(body)).toMatchObject([{ code: 'too-costly', expression: 'type' }]);
  });

  it('come along with what refers to them as far as an answer has room, and are not all read for it', async () => {
    const places = Array.from({ length: 15 }, (_, n) =>
      newRecord(server.store, `large-place-${n}`, {
        type: 'Location',
        place: '',
        resource: { resourceType: 'Location', description: 'x'.repeat(3_500_000) } as Resource,
      }),
    );
    await commit(server.store, commitOf({ writes: places.map((next) => ({ next })) }));
    const related = places.map(({ id }) => ({ reference: `Location/${id}` }));
    await create(server, document(10, { context: { related } }));
    forget();

    const { body } = await server.get(`Patient/${patient.id}/$everything`);

    const [remark] = resourcesIn(body).filter(({ resourceType }) => resourceType === 'OperationOutcome');
    expect(resourcesIn(body).filter(({ resourceType }) => resourceType === 'Location')).toHaveLength(1);
    expect(JSON.stringify(remark)).toContain('14 of the records that these refer to are too large to come along');
    expect(server.calls.names.filter((name) => name === 'BatchGetItem')).toHaveLength(5); // two at a time
  });

  it('are not all read where references name versions of them', async () => {
    const [first] = await repetitive(1, coded('a'));
    let previous = first as StoredRecord;
    for (let version = 2; version <= 17; version++) {
      const next = nextOf(previous);
      await commit(server.store, commitOf({ writes: [{ next, previous }] }));
      previous = next;
    }
    const versions = Array.from({ length: 16 }, (_, n) => ({
      reference: `Observation/${previous.id}/_history/${n + 1}`,
    }));
    const panel = await create(server, observationBody(subject, { hasMember: versions }));
    forget();

    const { status, body } = await server.get(`Observation?_id=${panel.id}&_include=Observation:has-member`);

    expect(status).toBe(400);
    expect(issuesOf(body)).toMatchObject([{ code: 'too-costly', expression: '_include' }]);
    // The current one, four of 14 MB together, and seven that were on their way with the fourth.
    expect(server.calls.names.filter((name) => name === 'BatchGetItem').length).toBeLessThanOrEqual(1 + 4 + 7);
  });

  it.each(['_revinclude=Observation:patient', '_revinclude=*'])(
    'are not all read where they would be included: %s',
    async (include) => {
      await repetitive(15, coded('a'));

      const { status, body } = await server.get(`Patient?_id=${patient.id}&${include}`);

      expect(status).toBe(400);
      expect(issuesOf(body)).toMatchObject([{ code: 'too-costly', expression: '_revinclude' }]);
      expect(queries()).toBeLessThanOrEqual(3);
    },
  );
});

describe('a record that no answer could hold', () => {
  const gzipped = (resource: object) => ({
    body: gzipSync(JSON.stringify(resource)),
    headers: { 'content-encoding': 'gzip', 'content-type': 'application/fhir+json' },
  });
  it.each([
    ['more than 4 MB', () => spacious(4_000_000)],
    ['less, of which each letter is told by four', () => spacious(1_500_000, '"')],
  ])('is refused with 413, naming the element: %s', async (_what, resource) => {
    const light = await create(server, observationBody(subject));

    const alone = await server.request('POST', 'Observation', gzipped(resource()));
    const updated = await server.request('PUT', pathOf(light), gzipped({ ...resource(), id: light.id }));
    const bundled = await server.request(
      'POST',
      '',
      gzipped(transactionOf(postEntry(observationBody(subject)), postEntry(resource()))),
    );

    for (const { status, body } of [alone, updated, bundled]) {
      expect(status).toBe(413);
      expect(issuesOf(body)).toMatchObject([{ reason: 'record-too-large', expression: 'Observation' }]);
    }
    expect(resourcesIn((await server.get(`Observation?patient=${patient.id}`)).body)).toEqual([light]);
    expect(server.objectCalls).toEqual([]);
  });

  it('is not one of nearly 4 MB, which is also shown with spaces or without', async () => {
    const record = document(2_900_000);

    const { status, body } = await server.request('POST', 'DocumentReference', gzipped(record));
    const pretty = await server.get(`${pathOf(body)}?_pretty=true`);

    expect(status).toBe(201);
    expect((await server.get(pathOf(body))).body).toEqual(body);
    expect(JSON.stringify(pretty.text).length).toBeLessThan(6_000_000);
    expect(pretty.body).toEqual(body);
  });

  it('is one with more labels than a row has room for', async () => {
    const security = Array.from({ length: 4_500 }, (_, n) => ({
      system: 'http://labels',
      code: `${n}`.padEnd(80, 'x'),
    }));

    const { status, body } = await server.request(
      'POST',
      'Observation',
      gzipped(observationBody(subject, { meta: { security } })),
    );

    expect(status).toBe(413);
    expect(issuesOf(body)).toMatchObject([{ reason: 'record-too-large', expression: 'Observation.meta.security' }]);
  });
});

describe('a record that cannot be read', () => {
  const logged = () => {
    const lines: string[] = [];
    const keep = (line: unknown) => lines.push(String(line)) > 0;
    for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation(keep);
    return lines;
  };

  it('because its body is gone is answered with 500, and the log says why and not whose', async () => {
    const record = await create(server, document());
    const key = server.objectCalls.map((call) => /^PutObject (.*)$/.exec(call)?.[1]).find((found) => found);
    await server.store.objects.delete(key ?? '');
    const lines = logged();

    const read = await server.get(pathOf(record));
    const searched = await server.get(`DocumentReference?patient=${patient.id}`);
    vi.restoreAllMocks();

    for (const { status, text } of [read, searched]) {
      expect(status).toBe(500);
      expect(text).not.toContain('content');
      expect(JSON.parse(text)).toMatchObject({ resourceType: 'OperationOutcome' });
    }
    expect(lines.join('\n')).toContain('"fault":"ObjectStoreNoSuchKey"');
    expect(lines.join('\n')).not.toContain(patient.id);
  });

  it('because a newer release wrote it is answered with 500, and the log says so', async () => {
    const record = await create(server, observationBody(subject));
    const address = server.store.ids.decode(record.id);
    const Key = recordKey({ type: 'Observation', chart: '', place: '', ...address });
    const { client, tableName: TableName } = server.store;
    const row = (await server.store.getMany([Key]))[0];
    await client.send(new PutCommand({ TableName, Item: { ...row, layout: 99 } }));
    const lines = logged();

    const read = await server.get(pathOf(record));
    vi.restoreAllMocks();
    await client.send(new DeleteCommand({ TableName, Key }));

    expect(read.status).toBe(500);
    expect(lines.join('\n')).toContain('"fault":"WrittenByNewerRelease"');
  });
});

describe('a request without large records', () => {
  it('asks the object store for nothing', async () => {
    const observation = await create(server, observationBody(subject));
    await server.put(pathOf(observation), { ...observationBody(subject), id: observation.id });
    await server.get(`Patient/${patient.id}/$everything`);
    await server.get(`${pathOf(observation)}/_history`);
    expect(entriesOf((await server.get(`Observation?patient=${patient.id}`)).body)).toHaveLength(1);
    await server.delete(pathOf(observation));

    expect(server.objectCalls).toEqual([]);
  });
});
