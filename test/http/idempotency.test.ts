import { GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { hashed } from '../../shared/store/index-rows.ts';
import { requestKey, transactionKey } from '../../shared/store/keys.ts';
import { type RequestKeyRow, requestKeyLayouts } from '../../shared/store/request-keys.ts';
import { batchOf, deleteEntry, getEntry, postEntry, putEntry, transactionOf, urn } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestRequest, type TestResponse } from '../support/fhir-server.ts';
import {
  atOnce,
  create,
  elsewhere,
  entriesOf,
  identifierSystem,
  issuesOf,
  numberedPatient,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
} from '../support/records.ts';

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

let keys = 0;
const newKey = () => `key-${++keys}`;
const under = (key: string, headers: TestRequest['headers'] = {}) => ({
  headers: { 'idempotency-key': key, ...headers },
});
const told = ({ status, headers, body }: TestResponse) => ({
  status,
  location: headers.location,
  etag: headers.etag,
  modified: headers['last-modified'],
  body,
});
const found = async (identifier: string) =>
  resourcesIn((await server.get(`Patient?identifier=${identifierSystem}|${identifier}`)).body);

describe('Idempotency-Key', () => {
  it('repeats the first answer of a create exactly, and creates once', async () => {
    const key = newKey();
    const first = await server.post('Patient', numberedPatient(key), under(key));
    const again = await server.post('Patient', numberedPatient(key), under(key));

    expect(first.status).toBe(201);
    expect(told(again)).toEqual(told(first));
    expect(await found(key)).toHaveLength(1);
  });

  it('repeats it though the record has changed, or is deleted', async () => {
    const key = newKey();
    const first = await server.post('Patient', patientBody(), under(key));
    await server.put(pathOf(first.body), { ...(first.body as object), birthDate: '1999-09-09' });
    const changed = await server.post('Patient', patientBody(), under(key));
    await server.delete(pathOf(first.body));
    const deleted = await server.post('Patient', patientBody(), under(key));

    expect([told(changed), told(deleted)]).toEqual([told(first), told(first)]);
  });

  it('creates once of 32 at once, and answers all alike', async () => {
    const key = newKey();

    const answers = await atOnce(32, () => server.post('Patient', numberedPatient(key), under(key)));

    const [first] = answers.filter(({ status }) => status === 201);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expect([answer.status, answer.headers['retry-after']]).toEqual([409, '1']);
    }
    expect(new Set(answers.filter(({ status }) => status === 201).map(({ headers }) => headers.location)).size).toBe(1);
    expect(await found(key)).toHaveLength(1);
    expect(told(await server.post('Patient', numberedPatient(key), under(key)))).toEqual(told(first as TestResponse));
  });

  it('refuses with 422 another request under the same key', async () => {
    const key = newKey();
    const patient = (await server.post('Patient', patientBody(), under(key))).body;

    const others = [
      await server.post('Patient', patientBody({ birthDate: '1999-09-09' }), under(key)),
      await server.post('Patient', patientBody(), under(key, { 'if-none-exist': 'birthdate=1980-02-03' })),
      await server.put(pathOf(patient), patient, under(key)),
    ];

    for (const { status, body } of others) {
      expect(status).toBe(422);
      expect(issuesOf(body)).toMatchObject([{ reason: 'idempotency-key-reused', expression: 'Idempotency-Key' }]);
    }
  });

  it('takes the same body for the same, however it is set out', async () => {
    const key = newKey();
    const first = await server.post('Patient', JSON.stringify(patientBody()), under(key));

    const again = await server.post('Patient', JSON.stringify(patientBody(), undefined, 2), under(key));
    const members = Object.entries(patientBody()).toReversed();
    const turned = await server.post('Patient', JSON.stringify(Object.fromEntries(members)), under(key));

    expect(told(again)).toEqual(told(first));
    expect(told(turned)).toEqual(told(first));
  });

  it('takes a request for the same, however its answer is to be set out', async () => {
    const key = newKey();
    const first = await server.post('Patient', numberedPatient(key), under(key));

    const pretty = await server.post('Patient?_pretty=true', numberedPatient(key), under(key));
    const json = await server.post('Patient?_format=json', numberedPatient(key), under(key));
    const other = await server.post('Patient?_elements=name', numberedPatient(key), under(key));

    expect([pretty.status, json.status]).toEqual([201, 201]);
    expect([pretty.body, json.body]).toEqual([first.body, first.body]);
    expect(other.status).toBe(422);
  });

  it('takes another spelling of a decimal for another request, and other items of a list', async () => {
    const patient = referenceTo(await create(server, patientBody()));
    const [number, list] = [newKey(), newKey()];
    const body = (value: string) =>
      JSON.stringify(observationBody(patient, { valueQuantity: { value: 1.5 } })).replace('1.5', value);
    const names = (...given: string[]) => patientBody({ name: [{ family: 'Sample', given }] });
    await server.post('Observation', body('1.50'), under(number));
    await server.post('Patient', names('Ana', 'Bea'), under(list));

    const respelled = await server.post('Observation', body('1.5'), under(number));
    const reordered = await server.post('Patient', names('Bea', 'Ana'), under(list));

    expect([respelled.status, reordered.status]).toEqual([422, 422]);
  });

  it('belongs to who sends it', async () => {
    const key = newKey();
    const mine = await server.post('Patient', patientBody(), under(key));

    const theirs = await server.post('Patient', patientBody(), { ...under(key), as: elsewhere });

    expect(theirs.status).toBe(201);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  it('belongs to the organisation that its sender acts for: in another one it is another key', async () => {
    const key = newKey();
    const moved = { role: 'physician', organization: 'lakeside', claims: { sub: 'sub-physician-northside' } };
    const send = (as?: TestCaller) =>
      server.post('Patient', patientBody(), { ...under(key, { prefer: 'return=minimal' }), ...(as ? { as } : {}) });

    const answers = [await send(), await send(moved), await send()];

    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    const [mine, theirs, again] = answers.map(({ headers }) => headers.location);
    expect(theirs).not.toBe(mine);
    expect(again).toBe(mine);
  });

  it('belongs to the patient in context', async () => {
    const [own, other] = [await create(server, patientBody()), await create(server, patientBody())];
    const reference = referenceTo(own);
    const message = {
      resourceType: 'Communication',
      status: 'completed',
      subject: { reference },
      sender: { reference },
    };
    const minimal = under(newKey(), { prefer: 'return=minimal' });
    const send = ({ id }: { id: string }) =>
      server.post('Communication', message, { ...minimal, as: { role: 'patient', patient: id } });

    const answers = [await send(own), await send(other), await send(own)];

    const [mine, theirs, again] = answers.map(({ headers }) => headers.location);
    expect(answers.map(({ status }) => status)).toEqual([201, 403, 201]);
    expect([theirs, again]).toEqual([undefined, mine]);
  });

  it.each<[string, TestCaller]>([
    ['role', { role: 'lab', claims: { sub: 'sub-physician-northside' } }],
    ['scope', { role: 'physician', scope: 'user/*.rs' }],
  ])('repeats nothing to a sender whose %s does not allow such a write any more', async (_, as) => {
    const key = newKey();
    const minimal = under(key, { prefer: 'return=minimal' });
    const entries = transactionOf(postEntry(patientBody()));
    const bundleKey = newKey();
    await server.post('Patient', patientBody(), minimal);
    await server.post('', entries, under(bundleKey));

    const again = await server.post('Patient', patientBody(), { ...minimal, as });
    const bundle = await server.post('', entries, { ...under(bundleKey), as });

    expect([again.status, bundle.status]).toEqual([403, 403]);
    expect([again.headers.location, bundle.body.entry]).toEqual([undefined, undefined]);
  });

  it('may have 255 letters, also for a batch, whose entries have a key each', async () => {
    const key = `${newKey()}-`.padEnd(255, 'x');
    const send = () => server.post('', batchOf(postEntry(patientBody())), under(key));

    const [first, again] = [await send(), await send()];

    expect(entriesOf(first.body)[0]).toMatchObject({ response: { status: '201 Created' } });
    expect(entriesOf(again.body)).toEqual(entriesOf(first.body));
  });

  it('shows what was created only to who may still read it', async () => {
    const key = newKey();
    const first = await server.post('Patient', patientBody(), under(key));

    const without = await server.post('Patient', patientBody(), {
      ...under(key),
      as: { role: 'physician', scope: 'user/*.c' },
    });

    expect(first.status).toBe(201);
    expect(without.status).toBe(403);
  });

  it('leaves a trace when it shows the record again', async () => {
    const key = newKey();
    await server.post('Patient', patientBody(), under(key));
    server.calls.reset();

    await server.post('Patient', patientBody(), under(key));

    expect([...server.calls.names].sort()).toEqual(['BatchGetItem', 'GetItem', 'PutItem']);
  });

  it('costs one read more, and nothing where there is none', async () => {
    server.calls.reset();
    await server.post('Patient', patientBody(), under(newKey()));
    const withKey = server.calls.names;
    server.calls.reset();
    await server.post('Patient', patientBody());

    expect(withKey).toEqual(['GetItem', 'TransactWriteItems']);
    expect(server.calls.names).toEqual(['TransactWriteItems']);
  });

  it('keeps nothing of what is refused', async () => {
    const key = newKey();

    const refused = await server.post('Patient', { ...patientBody(), gender: 'nonsense' }, under(key));
    const accepted = await server.post('Patient', patientBody(), under(key));

    expect([refused.status, accepted.status]).toEqual([400, 201]);
  });

  it('is good for a day', async () => {
    const key = newKey();
    const first = await server.post('Patient', numberedPatient(key), under(key));
    server.setTime(Date.now() + 25 * 3600_000);
    const later = await server.post('Patient', numberedPatient(key), under(key));
    const again = await server.post('Patient', numberedPatient(key), under(key));
    server.setTime(undefined);

    expect(later.status).toBe(201);
    expect(later.body.id).not.toBe(first.body.id);
    expect(told(again)).toEqual(told(later));
  });

  it('repeats that a conditional create found its record, also when that is gone', async () => {
    const [key, value] = [newKey(), newKey()];
    const patient = await create(server, numberedPatient(value));
    const post = () =>
      server.post(
        'Patient',
        numberedPatient(value),
        under(key, { 'if-none-exist': `identifier=${identifierSystem}|${value}` }),
      );
    const first = await post();
    await server.delete(pathOf(patient));

    const again = await post();

    expect(first.status).toBe(200);
    expect(told(again)).toEqual(told(first));
    expect(await found(value)).toEqual([]);
  });

  it('obeys Prefer as the first time', async () => {
    const [minimal, outcome] = [newKey(), newKey()];
    const post = (key: string, prefer: string) => server.post('Patient', patientBody(), under(key, { prefer }));

    const answers = [
      await post(minimal, 'return=minimal'),
      await post(minimal, 'return=minimal'),
      await post(outcome, 'return=OperationOutcome'),
      await post(outcome, 'return=OperationOutcome'),
    ];

    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(answers[1]?.text).toBe('');
    expect(told(answers[3] as TestResponse)).toEqual(told(answers[2] as TestResponse));
    expect(answers[3]?.body.resourceType).toBe('OperationOutcome');
  });

  it('holds for updates, patches and deletions, which would each do something else the second time', async () => {
    const patient = await create(server, patientBody());
    const given = { op: 'add', path: '/name/0/given/-', value: 'Eve' };
    const requests: (() => Promise<TestResponse>)[] = [newKey(), newKey(), newKey()].map(
      (key, index) => () =>
        index === 0
          ? server.put(pathOf(patient), patient, under(key, { 'if-match': 'W/"1"' }))
          : index === 1
            ? server.request('PATCH', pathOf(patient), {
                body: [given],
                headers: { 'idempotency-key': key, 'content-type': 'application/json-patch+json' },
              })
            : server.delete(pathOf(patient), under(key)),
    );

    for (const send of requests) expect(told(await send())).toEqual(told(await send()));

    const { body } = await server.get(`${pathOf(patient)}/_history`);
    expect(body.total).toBe(4);
    expect(entriesOf(body)[1]?.resource?.name?.[0]?.given).toEqual(['Ann', 'Eve']);
  });

  it('does nothing to a search', async () => {
    const key = newKey();
    const search = () =>
      server.post(
        'Patient/_search',
        'birthdate=1980-02-03',
        under(key, { 'content-type': 'application/x-www-form-urlencoded' }),
      );

    expect((await search()).status).toBe(200);
    expect((await search()).status).toBe(200);
  });

  it.each(['', ' ', 'x'.repeat(256), 'é'])('refuses with 400 the key "%s"', async (key) => {
    const response = await server.post('Patient', patientBody(), under(key));

    expect(response.status).toBe(400);
    expect(issuesOf(response.body)).toMatchObject([{ expression: 'Idempotency-Key' }]);
  });

  it('puts nothing of the record, the key or its sender into its row', async () => {
    const key = 'a-key-to-look-for';
    await server.post('Patient', patientBody({ name: [{ family: 'Lookforme' }] }), under(key));

    const row = (await rowOf(key)) as unknown as RequestKeyRow;

    expect(Object.keys(row).sort()).toEqual(['answers', 'expires', 'layout', 'pk', 'request', 'sk']);
    const all = JSON.stringify([row.pk, row.request, requestKeyLayouts.reader(1)(row)]);
    expect(all).not.toMatch(/Lookforme|a-key-to-look-for|physician/);
    expect(row.expires).toBeGreaterThan(Date.now() / 1_000 + 23 * 3600);
  });
});

const keyOf = (key: string) => requestKey(hashed(server.store, `request|sub-physician-northside|northside|${key}`));
const rowOf = async (key: string) => {
  const { client, tableName } = server.store;
  return (await client.send(new GetCommand({ TableName: tableName, Key: keyOf(key) }))).Item;
};

describe('Idempotency-Key of a bundle', () => {
  const bundleFor = async (value: string, bundleOf: typeof batchOf) => {
    const [patient, old] = [await create(server, patientBody()), await create(server, patientBody())];
    const name = urn();
    return bundleOf(
      postEntry(numberedPatient(value), name),
      postEntry(observationBody(bundleOf === transactionOf ? name : referenceTo(patient))),
      putEntry(patient, { ifMatch: 'W/"1"' }),
      deleteEntry(pathOf(old)),
      getEntry(`Patient?identifier=${identifierSystem}|${value}`),
    );
  };

  it.each([
    ['transaction', transactionOf],
    ['batch', batchOf],
  ])('repeats the answer of a %s exactly, and writes once', async (_, bundleOf) => {
    const key = newKey();
    const bundle = await bundleFor(key, bundleOf);
    const send = () => server.post('', structuredClone(bundle), under(key, { prefer: 'return=representation' }));

    const [first, again] = [await send(), await send()];

    expect(first.status).toBe(200);
    expect(entriesOf(first.body).map(({ response }) => response?.status)).toEqual([
      '201 Created',
      '201 Created',
      '200 OK',
      '204 No Content',
      '200 OK',
    ]);
    expect(entriesOf(again.body)).toEqual(entriesOf(first.body));
    expect(await found(key)).toHaveLength(1);
  });

  it('gives no entry of a batch a key that another request may bear', async () => {
    const key = newKey();
    const batch = await server.post('', batchOf(postEntry(patientBody())), under(key));

    const alone = await server.post('Patient', patientBody(), under(`${key} 0`));

    const [entry] = entriesOf(batch.body) as unknown as fhir4.BundleEntry[];
    expect(entry?.response?.status).toBe('201 Created');
    expect(alone.status).toBe(201);
    expect(entry?.response?.location).not.toContain(pathOf(alone.body));
  });

  it('shows labels that a transaction has changed as they were then, to who may still change them', async () => {
    const record = await create(server, patientBody());
    const tag = { system: 'http://x.test/tags', code: 'seen' };
    const labels: fhir4.Parameters = {
      resourceType: 'Parameters',
      parameter: [{ name: 'meta', valueMeta: { tag: [tag] } }],
    };
    const request = { method: 'POST', url: `${pathOf(record)}/$meta-add` } as const;
    const change = { request, resource: labels as fhir4.FhirResource };
    const key = newKey();
    const send = (as?: TestCaller) => server.post('', transactionOf(change), { ...under(key), ...(as ? { as } : {}) });

    const first = await send();
    await server.put(pathOf(record), { ...record, birthDate: '1999-09-09' });
    const again = await send();
    const refused = await send({ role: 'admin', claims: { sub: 'sub-physician-northside' } });

    expect(entriesOf(first.body)[0]?.resource).toMatchObject({
      parameter: [{ valueMeta: { versionId: '2', tag: [tag] } }],
    });
    expect(again.body).toEqual(first.body);
    expect(refused.status).toBe(403);
    expect((await server.get(pathOf(record))).headers.etag).toBe('W/"3"');
  });

  it('refuses another transaction, and in a batch the entry that is another', async () => {
    const [one, two] = [newKey(), newKey()];
    const entry = (value: string, n = 1) =>
      postEntry(numberedPatient(value), `urn:uuid:00000000-0000-0000-0000-00000000000${n}`);
    await server.post('', transactionOf(entry(one)), under(one));
    await server.post('', batchOf(entry(two), entry(two, 2)), under(two));

    const transaction = await server.post('', transactionOf(entry('other')), under(one));
    const batch = await server.post('', batchOf(entry(two), entry('other', 2)), under(two));

    expect(transaction.status).toBe(422);
    expect(entriesOf(batch.body).map(({ response }) => response?.status)).toEqual(['201 Created', '422']);
    expect(await found('other')).toEqual([]);
  });

  it('holds for a staged transaction, whose key is claimed as it is decided', async () => {
    const key = newKey();
    const patient = await create(server, patientBody());
    const bundle = transactionOf(
      ...Array.from({ length: 120 }, () => postEntry(observationBody(referenceTo(patient)))),
    );
    const send = () => server.post('', structuredClone(bundle), under(key));

    const answers = await Promise.all([send(), send(), send()]);
    const again = await send();

    const accepted = answers.filter(({ status }) => status === 200);
    expect(accepted.length).toBeGreaterThan(0);
    for (const answer of accepted) expect(answer.body).toEqual(again.body);
    for (const { status, headers } of answers.filter((answer) => !accepted.includes(answer))) {
      expect([status, headers['retry-after']]).toEqual([409, '1']);
    }
    expect((await server.get(`Observation?patient=${patient.id}&_count=0`)).body.total).toBe(120);
    expect(await rowOf(key)).not.toHaveProperty('tx');
  });

  it('answers 409 with Retry-After while a staged transaction with the key is under way, and takes what came of it', async () => {
    const key = newKey();
    const { client, tableName: TableName } = server.store;
    await server.post('', transactionOf(postEntry(numberedPatient(key))), under(key));
    const row = await rowOf(key);
    const decided = async (status: string, deadline: number) => {
      await client.send(
        new TransactWriteCommand({
          TransactItems: [
            { Put: { TableName, Item: { ...row, tx: 'staged' } } },
            { Put: { TableName, Item: { ...transactionKey('staged'), status, deadline, parts: 0 } } },
          ],
        }),
      );
      return server.post('', transactionOf(postEntry(numberedPatient(key))), under(key));
    };
    const later = Date.now() + 30_000;

    const open = await decided('open', later);
    const committed = await decided('committed', later);

    expect([open.status, open.headers['retry-after']]).toEqual([409, '1']);
    expect(issuesOf(open.body)).toMatchObject([{ reason: 'request-under-way' }]);
    // The fullUrl of the entry differs, so it is another request; what was kept is looked at.
    expect(committed.status).toBe(422);
    expect(await found(key)).toHaveLength(1);
  });

  it('carries out a request whose first sending was aborted', async () => {
    const key = newKey();
    const { client, tableName: TableName } = server.store;
    const bundle = transactionOf(postEntry(numberedPatient(key)));
    await client.send(
      new TransactWriteCommand({
        TransactItems: [
          { Put: { TableName, Item: { ...keyOf(key), layout: 1, tx: 'aborted', expires: 9_999_999_999 } } },
          { Put: { TableName, Item: { ...transactionKey('aborted'), status: 'aborted', deadline: 0, parts: 0 } } },
        ],
      }),
    );

    const { status } = await server.post('', bundle, under(key));

    expect(status).toBe(200);
    expect(await found(key)).toHaveLength(1);
  });
});
