import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { locatorKey } from '../../shared/store/keys.ts';
import { deleteEntry, postEntry, transactionOf } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  admin,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  identifierSystem,
  nextLinkOf,
  numberedPatient,
  observationBody,
  organizationBody,
  patientBody,
  referenceTo,
  resourcesIn,
} from '../support/records.ts';

// Each of these once went wrong, or was found by somebody who tried to make it go wrong.

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

const privacy: TestCaller = { role: 'privacy' };
const codeOf = (body: unknown): string | undefined =>
  (body as fhir4.OperationOutcome).issue?.[0]?.details?.coding?.[0]?.code;

describe('transactions that race for one patient', () => {
  it('put every record into the chart of the patient who won, and none into a chart that never came to be', async () => {
    const fullUrl = 'urn:uuid:0d3f3a52-8a43-4f0c-8a3e-2f6b0b6b7d11';
    const bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        {
          fullUrl,
          resource: numberedPatient('raced'),
          request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=${identifierSystem}|raced` },
        },
        { resource: observationBody(fullUrl), request: { method: 'POST', url: 'Observation' } },
      ],
    };

    const answers = await Promise.all(Array.from({ length: 6 }, () => server.post('', structuredClone(bundle))));

    const stored = answers.filter(({ status }) => status === 200).length;
    const [patient] = resourcesIn((await server.get(`Patient?identifier=${identifierSystem}|raced`)).body);
    const found = resourcesIn((await server.get(`Observation?patient=${patient?.id}`)).body);
    expect(found.length).toBe(stored);
    expect(stored).toBeGreaterThan(0);
    for (const { id } of found) expect(String(id).startsWith(`${patient?.id}.`)).toBe(true);
  });

  it('place what belongs to a patient whom the same transaction puts under an id of the client’s', async () => {
    const answer = await server.post('', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        { resource: observationBody('Patient/chosen-one'), request: { method: 'POST', url: 'Observation' } },
        { resource: { ...patientBody(), id: 'chosen-one' }, request: { method: 'PUT', url: 'Patient/chosen-one' } },
      ],
    });

    expect(answer.status).toBe(200);
    expect(resourcesIn((await server.get('Observation?patient=chosen-one')).body)).toHaveLength(1);
    expect(resourcesIn((await server.get('Patient/chosen-one/$everything')).body)).toHaveLength(2);
  });
});

describe('a locator that a dead transaction left behind', () => {
  it('does not lead a later record into another patient’s chart', async () => {
    const victim = await create(server, patientBody());
    const patient = await create(server, patientBody(), elsewhere);
    const stale = { chart: victim.id, place: server.store.ids.newPlace(Date.now()), tx: 'gone' };
    await server.store.client.send(
      new PutCommand({ TableName: server.store.tableName, Item: { ...locatorKey('Observation', 'left-1'), ...stale } }),
    );

    const body = { ...observationBody(referenceTo(patient)), id: 'left-1' };
    const { status } = await server.put('Observation/left-1', body, { as: elsewhere });

    expect(status).toBe(201);
    expect((await server.get('Observation/left-1', { as: elsewhere })).status).toBe(200);
    expect((await server.get('Observation/left-1')).status).toBe(404);
    expect(resourcesIn((await server.get(`Observation?patient=${victim.id}`)).body)).toEqual([]);
  });
});

describe('what is no id', () => {
  it.each(['northside%232026-11-24', 'a%20b', 'x'.repeat(65), 'y'.repeat(3_000), '%C3%A9'])(
    'leads nowhere and leaves nothing behind: %s',
    async (id) => {
      for (const path of [`Group/${id}`, `Organization/${id}`, `Patient/${id}/$everything`, `Group/${id}/_history/1`]) {
        expect((await server.get(path)).status).toBe(404);
      }
      expect((await server.get(`Group?_id=${id}`)).body.total).toBe(0);
    },
  );

  it('is refused where a client makes one up in the form of ours, like the id of a hidden record', async () => {
    const hidden = await create(server, patientBody());
    const forged = `${hidden.id.slice(0, -1)}${hidden.id.endsWith('0') ? 'g' : '0'}`;
    const put = (id: string) => server.put(`Patient/${id}`, { ...patientBody(), id }, { as: elsewhere });

    const [answer, other] = [await put(hidden.id), await put(forged)];

    expect([answer.status, other.status]).toEqual([404, 404]);
    expect(codeOf(answer.body)).toBe(codeOf(other.body));
  });
});

describe('a chart of another organisation', () => {
  it('does not show its existence or size by pages, and knows that it was searched', async () => {
    const patient = await create(server, patientBody());
    for (let n = 0; n < 5; n++) await create(server, observationBody(referenceTo(patient)));

    const hidden = (await server.get(`Observation?patient=${patient.id}&_count=1`, { as: elsewhere })).body;
    const missing = (await server.get('Observation?patient=nobody&_count=1', { as: elsewhere })).body;

    expect([hidden.total, nextLinkOf(hidden), entriesOf(hidden)]).toEqual([missing.total, undefined, []]);
    const log = resourcesIn((await server.get(`AuditEvent?patient=${patient.id}&action=E`, { as: privacy })).body);
    expect(log.map(({ outcome }) => String(outcome))).toContain('4');
  });
});

describe('the access log of one patient', () => {
  it('does not hold what was asked about others', async () => {
    const one = await create(server, numberedPatient('MRN-one'));
    const other = await create(server, numberedPatient('MRN-other'));
    await server.get(`Patient?identifier=${identifierSystem}|MRN-one,${identifierSystem}|MRN-other`);
    await server.get(`Observation?patient=${one.id},${other.id}`);

    const { body } = await server.get(`AuditEvent?patient=${one.id}`, { as: privacy });

    const queries = (resourcesIn(body) as unknown as fhir4.AuditEvent[]).flatMap(({ entity = [] }) =>
      entity.flatMap(({ query }) => (query ? [Buffer.from(query, 'base64').toString()] : [])),
    );
    expect(queries).toContain('Patient?identifier');
    expect(queries.join()).not.toContain('MRN-other');
    expect(queries.join()).not.toContain(other.id);
  });
});

describe('a patient', () => {
  it('writes in the own name alone, and does not change what staff wrote', async () => {
    const own = await create(server, patientBody());
    const me = referenceTo(own);
    const as: TestCaller = { role: 'patient', patient: own.id };
    const message = (sender: string): fhir4.Communication => ({
      resourceType: 'Communication',
      status: 'completed',
      subject: { reference: me },
      sender: { reference: sender },
      payload: [{ contentString: 'Hello' }],
    });
    const fromStaff = await create(server, message(me));

    expect((await server.post('Communication', message(me), { as })).status).toBe(201);
    expect(
      (await server.put(referenceTo(fromStaff), { ...fromStaff, status: 'entered-in-error' }, { as })).status,
    ).toBe(200);
    const practitioner = await create(server, { resourceType: 'Practitioner', name: [{ family: 'Doc' }] }, admin);
    const forged = await server.post('Communication', message(referenceTo(practitioner)), { as });
    const clinical = await create(server, message(referenceTo(practitioner)));
    const overwritten = await server.put(referenceTo(clinical), { ...message(me), id: clinical.id }, { as });
    expect([forged.status, codeOf(forged.body)]).toEqual([403, 'not-own-words']);
    expect(overwritten.status).toBe(403);
  });
});

describe('names that begin alike', () => {
  it('are stored, however long they are', async () => {
    const name = 'Department of Veterans Affairs Medical Center Community Based Outpatient Clinic';

    await create(server, organizationBody({ name: `${name} A`, alias: [`${name} B`] }), admin);

    expect((await server.get(`Organization?name=${encodeURIComponent(`${name} B`)}`)).body.total).toBe(1);
  });
});

describe('requests that nobody means', () => {
  it.each<[string, number, () => Promise<{ status: number }>]>([
    ['_search with a JSON body', 415, () => server.post('Patient/_search', { name: 'nobody' })],
    [
      'If-Match: * where nothing is',
      412,
      () => server.put('Patient/none-yet', { ...patientBody(), id: 'none-yet' }, { headers: { 'if-match': '*' } }),
    ],
    [
      'half of a surrogate pair',
      400,
      () => server.post('Patient', '{"resourceType":"Patient","name":[{"family":"\\ud800abc"}]}'),
    ],
    [
      '$everything since a time that is no instant',
      400,
      async () => server.get(`Patient/${(await create(server, patientBody())).id}/$everything?_since=2020`),
    ],
    [
      'a history since no time',
      400,
      async () => server.get(`Patient/${(await create(server, patientBody())).id}/_history?_since=soon`),
    ],
    [
      '2,000 patients at once',
      400,
      () => server.get(`Observation?patient=${Array.from({ length: 60 }, (_, n) => `p${n}`).join(',')}`),
    ],
    [
      'an entry whose ifMatch is a number',
      400,
      () =>
        server.post('', {
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [{ request: { method: 'PUT', url: 'Patient/a', ifMatch: 3 }, resource: patientBody() }],
        }),
    ],
  ])('are refused: %s', async (_, status, request) => {
    expect((await request()).status).toBe(status);
  });

  it('get no empty arrays in their answers', async () => {
    for (const path of ['Patient?name=nobodyatall', 'Observation?patient=nobody']) {
      expect((await server.get(path)).text).not.toContain('[]');
    }
  });

  it('are told of a whole pair of surrogates and of text about escapes without harm', async () => {
    const { status, body } = await server.post(
      'Patient',
      '{"resourceType":"Patient","name":[{"family":"\\ud83d\\ude00 C:\\\\ud800"}]}',
    );

    expect(status).toBe(201);
    expect((body as unknown as fhir4.Patient).name?.[0]?.family).toBe('😀 C:\\ud800');
  });

  it('cost no more than their length: a text of two million backslashes', async () => {
    const started = process.cpuUsage();
    const { status } = await server.post(
      'Patient',
      `{"resourceType":"Patient","name":[{"family":"${'\\\\'.repeat(1_000_000)}"}]}`,
    );

    expect([201, 400, 413]).toContain(status);
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000); // microseconds; a search that backtracks takes hours
  });

  it('do not let an answer outgrow what can be sent: a batch of large reads', async () => {
    const patient = await create(server, patientBody());
    const large = await create(
      server,
      observationBody(referenceTo(patient), { note: [{ text: 'x'.repeat(900_000) }] }),
    );
    const entry = Array.from({ length: 8 }, () => ({ request: { method: 'GET', url: referenceTo(large) } }));

    const { text, body } = await server.post('', { resourceType: 'Bundle', type: 'batch', entry });

    expect(text.length).toBeLessThan(6_000_000);
    // Entries are read at once, and room goes to those that are read first.
    expect(
      entriesOf(body)
        .map(({ response }) => String(response?.status).slice(0, 3))
        .sort(),
    ).toEqual(['200', '200', '200', '200', '413', '413', '413', '413']);
  });
});

describe('an identifier that thousands share', () => {
  it('does not make later records more expensive, or impossible', async () => {
    const patient = await create(server, patientBody());
    const shared = (n: number) =>
      observationBody(referenceTo(patient), {
        identifier: [{ system: 'http://lab', value: 'none' }],
        note: [{ text: `${n}` }],
      });
    for (let n = 0; n < 3; n++) await create(server, shared(n));
    server.calls.reset();

    await create(server, shared(4));

    expect(server.calls.writeUnits).toBeLessThanOrEqual(10);
    expect((await server.get('Observation?identifier=http://lab|none')).body.total).toBe(4);
  });
});

describe('a condition of creates', () => {
  it.each([0, 120])('that meets what the bundle deletes makes one record, beside %i others', async (others) => {
    const patient = referenceTo(await create(server, patientBody()));
    const value = `deleted-beside-${others}`;
    const body = () => observationBody(patient, { identifier: [{ system: identifierSystem, value }] });
    const deleted = await create(server, body());
    const conditional = () => postEntry(body(), undefined, { ifNoneExist: `identifier=${identifierSystem}|${value}` });
    const rest = Array.from({ length: others }, () => postEntry(observationBody(patient)));

    const twice = await server.post(
      '',
      transactionOf(deleteEntry(referenceTo(deleted)), conditional(), conditional(), ...rest),
    );
    const once = await server.post('', transactionOf(deleteEntry(referenceTo(deleted)), conditional(), ...rest));

    expect([twice.status, once.status]).toEqual([400, 200]);
    expect((await server.get(`Observation?identifier=${identifierSystem}|${value}`)).body.total).toBe(1);
  });

  it('costs the same however often it has made one', async () => {
    const patient = referenceTo(await create(server, patientBody()));
    const condition = `patient=${patient}&status=preliminary`;
    const units: number[] = [];
    for (let n = 0; n < 30; n++) {
      server.calls.reset();
      const { status, body } = await server.post('Observation', observationBody(patient, { status: 'preliminary' }), {
        headers: { 'if-none-exist': condition },
      });
      units.push(server.calls.writeUnits);
      expect(status).toBe(201);
      await server.put(`Observation/${body.id}`, { ...(body as object), status: 'final' });
    }

    expect(units.at(-1)).toBe(units[1]);
  });
});

describe('a request of few bytes', () => {
  it('does not change the calendars of years for each of its entries', async () => {
    const entries = Array.from({ length: 6 }, (_, n) =>
      postEntry({
        resourceType: 'Appointment',
        status: 'booked',
        start: `${2040 + 2 * n}-01-01T00:00:00Z`,
        end: `${2041 + 2 * n}-01-25T00:00:00Z`,
        participant: [{ actor: { reference: 'Practitioner/nobody' }, status: 'accepted' }],
      } as fhir4.Appointment),
    );
    server.calls.reset();

    const { status, body } = await server.post('', transactionOf(...entries));

    expect([status, codeOf(body)]).toEqual([400, 'too-costly']);
    expect(server.calls.names.length).toBeLessThan(50);
  });

  it('is not answered with thousands of references that lead nowhere, nor looked up one by one', async () => {
    const references = (count: number) => Array.from({ length: count }, (_, n) => `Observation/nowhere-${n % 60}`);
    const list = { resourceType: 'List', status: 'current', mode: 'working' } as const;
    server.calls.reset();

    const { status, body } = await server.post('List', {
      ...list,
      entry: references(3_000).map((reference) => ({ item: { reference } })),
    } as fhir4.List);

    expect(status).toBe(400);
    expect((body as unknown as fhir4.OperationOutcome).issue).toHaveLength(50);
    expect(server.calls.names.length).toBeLessThan(60);
  });
});

describe('the log of a chart', () => {
  it('holds no values of a search that names the chart by a record of it', async () => {
    const patient = referenceTo(await create(server, patientBody()));
    const encounter = referenceTo(await create(server, encounterBody(patient)));
    await server.get(`Observation?encounter=${encounter}&identifier=http://numbers|123-45-6789`);

    const { text } = await server.get(`AuditEvent?patient=${patient}`, { as: privacy });

    const queries = [...text.matchAll(/"query":"([^"]+)"/g)].map(([, query]) =>
      String(Buffer.from(query ?? '', 'base64')),
    );
    expect(queries).toContain('Observation?encounter&identifier');
    expect(queries.join()).not.toContain('123-45');
  });
});
