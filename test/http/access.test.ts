import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, physician } from '../support/fhir-server.ts';
import {
  admin,
  create,
  elsewhere,
  observationBody,
  organizationBody,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let observation: Stored<fhir4.Observation>;
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
  observation = await create(server, observationBody(referenceTo(patient)));
});

const privacy: TestCaller = { role: 'privacy' };

describe('a user of another organisation', () => {
  it('meets, by every route, what somebody meets who asks for nothing that exists', async () => {
    const ghost = `${observation.id.slice(0, -1)}${observation.id.endsWith('0') ? '1' : '0'}`;
    const routes = (id: string, patientId: string): [string, string, unknown?][] => [
      ['GET', `Observation/${id}`],
      ['GET', `Observation/${id}/_history`],
      ['GET', `Observation/${id}/_history/1`],
      ['PUT', `Observation/${id}`, { ...observationBody('Patient/x'), id, subject: undefined }],
      ['DELETE', `Observation/${id}`],
      ['GET', `Patient/${patientId}/$everything`],
    ];
    const ghostPatient = `${patient.id.slice(0, -1)}${patient.id.endsWith('0') ? 'g' : '0'}`;

    const real = routes(observation.id, patient.id);
    const unreal = routes(ghost, ghostPatient);

    for (const [index, [method, path, body]] of real.entries()) {
      const [, missing] = unreal[index] ?? ['', ''];
      const hidden = await server.request(method, path, { as: elsewhere, ...(body ? { body } : {}) });
      const absent = method === 'PUT' ? undefined : await server.request(method, missing, { as: elsewhere });
      expect(hidden.status, `${method} ${path}`).toBe(404);
      expect(hidden.body.issue?.[0]?.details).toEqual(
        absent?.body.issue?.[0]?.details ?? hidden.body.issue?.[0]?.details,
      );
    }
    expect((await server.get(`Observation/${observation.id}`)).body.meta?.versionId).toBe('1');
  });

  it('may read the directory, and may not change another organisation’s part of it', async () => {
    const organization = await create(server, organizationBody(), admin);
    const otherAdmin: TestCaller = { role: 'admin', organization: 'lakeside' };

    const read = await server.get(referenceTo(organization), { as: elsewhere });
    const written = await server.put(referenceTo(organization), { ...organization, name: 'Taken' }, { as: otherAdmin });

    expect(read.status).toBe(200);
    expect(written.status).toBe(403);
  });
});

describe('a role', () => {
  it.each<[string, string, string, number]>([
    ['frontdesk', 'GET', 'Observation', 403],
    ['frontdesk', 'GET', 'Patient?name=sample', 200],
    ['support', 'GET', 'Patient?name=sample', 403],
    ['support', 'GET', 'Practitioner', 200],
    ['admin', 'GET', 'Patient', 403],
    ['lab', 'GET', 'Condition?patient=1', 403],
    ['lab', 'GET', 'Observation?patient=1', 200],
    ['nurse', 'POST', 'MedicationRequest', 403],
    ['physician', 'POST', 'Organization', 403],
    ['physician', 'GET', 'AuditEvent', 403],
    ['system', 'GET', 'AuditEvent', 403],
    ['privacy', 'GET', 'AuditEvent', 200],
    ['pharmacist', 'POST', 'Condition', 403],
  ])('%s: %s %s answers %i', async (role, method, path, status) => {
    const options = { as: { role }, ...(method === 'POST' ? { body: {} } : {}) };

    expect((await server.request(method, path, options)).status).toBe(status);
  });

  it('says whether scope or role is in the way', async () => {
    const byRole = await server.get('Observation', { as: { role: 'frontdesk' } });
    const byScope = await server.get('Observation', { as: { role: 'physician', scope: 'user/Patient.rs openid' } });

    expect(byRole.body.issue?.[0]?.details?.coding?.[0]?.code).toBe('forbidden-role');
    expect(byScope.body.issue?.[0]?.details?.coding?.[0]?.code).toBe('forbidden-scope');
  });
});

describe('a patient', () => {
  it('sees the own chart without naming it, and nothing else', async () => {
    const stranger = await create(server, patientBody());
    await create(server, observationBody(referenceTo(stranger)));
    const as: TestCaller = { role: 'patient', patient: patient.id, scope: 'patient/*.rs' };
    const found = async (query: string) => resourcesIn((await server.get(query, { as })).body).map(referenceTo);

    expect(await found('Observation')).toEqual([referenceTo(observation)]);
    expect(await found('Patient')).toEqual([referenceTo(patient)]);
    expect(await found(`Observation?patient=${stranger.id}`)).toEqual([]);
    expect((await server.get(referenceTo(stranger), { as })).status).toBe(404);
    expect((await server.post('Observation', observationBody(referenceTo(patient)), { as })).status).toBe(403);
  });
});

describe('the access log', () => {
  const events = async (query: string, as: TestCaller = privacy) =>
    resourcesIn((await server.get(`AuditEvent?${query}`, { as })).body) as unknown as fhir4.AuditEvent[];

  it('tells of create, read, search, update, delete and refusal, newest first, with who and for whom', async () => {
    const own = await create(server, patientBody());
    const record = await create(server, observationBody(referenceTo(own)));
    await server.get(referenceTo(record), { as: { role: 'nurse' } });
    await server.get(`Observation?patient=${own.id}`);
    await server.put(referenceTo(record), { ...record, status: 'amended' });
    await server.get(referenceTo(record), { as: elsewhere });
    await server.delete(referenceTo(record));

    const log = (await events(`patient=${own.id}`)).filter(
      ({ entity = [] }) =>
        !entity.some(({ query }) => query && Buffer.from(query, 'base64').toString() === 'AuditEvent'),
    );

    expect(
      log.map(({ subtype, action, outcome, agent }) => [subtype?.[0]?.code, action, outcome, agent[0]?.name]),
    ).toEqual([
      ['delete', 'D', '0', 'physician@northside.example'],
      ['read', 'R', '4', 'physician@lakeside.example'],
      ['update', 'U', '0', 'physician@northside.example'],
      ['search-type', 'E', '0', 'physician@northside.example'],
      ['read', 'R', '0', 'nurse@northside.example'],
      ['create', 'C', '0', 'physician@northside.example'],
      ['create', 'C', '0', 'physician@northside.example'],
    ]);
    expect(log[2]?.entity?.map(({ what }) => what?.reference)).toContain(`${referenceTo(record)}/_history/2`);
  });

  it('can be searched and read one by one, by those who may', async () => {
    const own = await create(server, patientBody());
    await server.get(referenceTo(own));
    const [read] = await events(`patient=${own.id}&action=R`);

    const answer = await server.get(`AuditEvent/${read?.id}`, { as: privacy });

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(read);
    expect(
      (await server.get(`AuditEvent/${read?.id}`, { as: { role: 'privacy', organization: 'lakeside' } })).status,
    ).toBe(404);
    expect(await events(`patient=${own.id}`, { role: 'privacy', organization: 'lakeside' })).toEqual([]);
    expect(
      (await events('action=R', { role: 'patient', patient: own.id, scope: 'patient/*.rs' })).map(({ id }) => id),
    ).toContain(read?.id);
  });

  it('pages to its end', async () => {
    const own = await create(server, patientBody());
    for (let n = 0; n < 7; n++) await server.get(referenceTo(own));

    const seen: unknown[] = [];
    let path: string | undefined = `AuditEvent?patient=${own.id}&action=R&_count=3`;
    while (path !== undefined) {
      const { body }: { body: { entry: unknown; link: { relation: unknown; url: string }[] } } = (await server.get(
        path,
        {
          as: privacy,
        },
      )) as never;
      seen.push(...resourcesIn(body as never).map(({ id }) => String(id)));
      path = body.link.find(({ relation }) => relation === 'next')?.url;
    }

    expect(new Set(seen).size).toBe(7);
    expect(seen.length).toBe(7);
  });

  it('takes nothing from a writer, and does not look at what one sends', async () => {
    for (const [method, path] of [
      ['POST', 'AuditEvent'],
      ['PUT', 'AuditEvent/1'],
      ['DELETE', 'AuditEvent/1'],
    ] as const) {
      const { status } = await server.request(method, path, { as: physician, body: '{"not": json' });
      expect(status).toBe(403);
    }
  });
});
