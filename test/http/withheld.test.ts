import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, physician } from '../support/fhir-server.ts';
import {
  admin,
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
} from '../support/records.ts';

// What a physician withholds from a patient: a denial at every door that names the record. The rule itself is compared with a model in test/unit/decide.test.ts.

const privacy: TestCaller = { role: 'privacy' };
const frontdesk: TestCaller = { role: 'frontdesk' };
const nurse: TestCaller = { role: 'nurse' };
const reviewer = 'Practitioner/reviewer';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let open: Stored<fhir4.Observation>;
let closed: Stored<fhir4.Observation>;
let ofPatient: TestCaller;

const parameters = (values: Readonly<Record<string, object | string>>): fhir4.Parameters => ({
  resourceType: 'Parameters',
  parameter: Object.entries(values).map(([name, value]) => ({
    name,
    ...(typeof value === 'string'
      ? { [name === 'reason' || name === 'evidence' ? 'valueString' : 'valueCode']: value }
      : { valueReference: value }),
  })),
});
const determination = (values: Readonly<Record<string, object | string>> = {}) =>
  parameters({
    ground: 'danger',
    reason: 'Confided plans that the finding would set off',
    reviewer: { reference: reviewer },
    ...values,
  });
const withhold = (
  values: Readonly<Record<string, object | string>> = {},
  as: TestCaller = physician,
  record: Parameters<typeof pathOf>[0] = closed,
) => server.post(`${pathOf(record)}/$withhold`, determination(values), { as });
const release = (as: TestCaller = physician) =>
  server.post(`${pathOf(closed)}/$release`, { resourceType: 'Parameters' }, { as });
const outcomeOf = async (path: string, as: TestCaller) => {
  const { status, body } = await server.get(path, { as });
  return [status, issuesOf(body)[0]?.reason];
};
const ids = (body: Parameters<typeof resourcesIn>[0]) => resourcesIn(body).map(({ id }) => id);
const doors = ['', '/_history', '/_history/1', '/_history/2', '/$meta', '/$validate'];

beforeAll(async () => {
  server = await fhirServer();
  await server.put(reviewer, { resourceType: 'Practitioner', id: 'reviewer' }, { as: admin });
  const own = 'Practitioner/northside-physician';
  await server.put(own, { resourceType: 'Practitioner', id: 'northside-physician' }, { as: admin });
});
beforeEach(async () => {
  patient = await create(server, patientBody({ birthDate: '2014-01-01' }));
  ofPatient = { role: 'patient', patient: patient.id };
  open = await create(server, observationBody(referenceTo(patient)));
  closed = await create(server, observationBody(referenceTo(patient)));
});

describe('a record that is withheld from its patient', () => {
  it('is refused to the patient with the denial, in all its versions, and found nowhere', async () => {
    const { status, body, headers } = await withhold();
    expect(status, JSON.stringify(body)).toBe(200);
    expect(headers['ETag'] ?? headers['etag']).toBe('W/"2"');
    expect(JSON.stringify(body)).toContain(`if you ask: ${reviewer}`);

    for (const door of doors) {
      expect(await outcomeOf(`${pathOf(closed)}${door}`, ofPatient), door).toEqual([403, 'withheld']);
    }
    const [denial] = issuesOf((await server.get(pathOf(closed), { as: ofPatient })).body);
    expect(JSON.stringify(denial)).toContain('endanger the life');
    expect(JSON.stringify(denial)).toContain(reviewer);
    expect(JSON.stringify(denial)).not.toContain('Confided');
    const found = await server.get(`Observation?patient=${patient.id}`, { as: ofPatient });
    expect(ids(found.body)).toEqual([open.id]);
    for (const history of ['Observation/_history', '_history']) {
      const versions = await server.get(history, { as: ofPatient });
      expect(ids(versions.body), history).toContain(open.id);
      expect(JSON.stringify(versions.body), history).not.toContain(closed.id);
    }
    const all = (await server.get(`Patient/${patient.id}/$everything`, { as: ofPatient })).body;
    expect(ids(all)).not.toContain(closed.id);
    expect(JSON.stringify(entriesOf(all).at(-1))).toMatch(/"withheld".*"mode":"outcome"/);
    const ofOneType = await server.get(`Patient/${patient.id}/$everything?_type=Observation`, { as: ofPatient });
    expect(JSON.stringify(ofOneType.body)).not.toContain('withheld');
  });

  it('is there for staff as before, stays withheld when it is changed and deleted, and has a trace', async () => {
    await withhold();
    for (const as of [physician, nurse]) {
      expect((await server.get(pathOf(closed), { as })).status).toBe(200);
      expect((await server.get(`${pathOf(closed)}/_history/1`, { as })).status).toBe(200);
    }
    expect((await server.get(`${pathOf(closed)}/_history/9`)).status).toBe(404);
    const all = await server.get(`Patient/${patient.id}/$everything`);
    expect(ids(all.body)).toContain(closed.id);
    expect(JSON.stringify(all.body)).not.toContain('"withheld"');
    const changed = await server.put(pathOf(closed), { ...closed, status: 'amended' });
    expect(changed.status).toBe(200);
    expect(await outcomeOf(pathOf(closed), ofPatient)).toEqual([403, 'withheld']);
    expect((await server.delete(pathOf(closed))).status).toBe(204);
    expect(await outcomeOf(pathOf(closed), ofPatient)).toEqual([403, 'withheld']);

    const log = await server.get(`AuditEvent?patient=${patient.id}&_count=50`, { as: privacy });
    const events = resourcesIn(log.body) as unknown as fhir4.AuditEvent[];
    expect(events.filter((event) => JSON.stringify(event).includes('Security Roles Changed'))).toHaveLength(1);
    const refused = events.filter((event) => event.outcome !== '0' && JSON.stringify(event).includes(closed.id));
    expect(refused.length).toBeGreaterThan(0);
  });

  it('is refused likewise to who would change it, though it is what the patient wrote', async () => {
    const written = await create(server, {
      resourceType: 'Communication',
      status: 'completed',
      subject: { reference: referenceTo(patient) },
      sender: { reference: referenceTo(patient) },
    } satisfies fhir4.Communication);
    const asWriter = { ...ofPatient, scope: 'patient/*.cruds' };
    expect((await server.put(pathOf(written), written, { as: asWriter })).status).toBe(200);
    expect((await withhold({}, physician, written)).status).toBe(200);
    const { status, body } = await server.put(pathOf(written), written, { as: asWriter });
    expect([status, issuesOf(body)[0]?.reason]).toEqual([403, 'withheld']);
  });

  it('is shown again once it is released, what it said meanwhile as well', async () => {
    await withhold();
    expect((await release(nurse)).status).toBe(403);
    const { status, body } = await release();
    expect(status, JSON.stringify(body)).toBe(200);
    for (const door of ['', '/_history/1', '/_history/2', '/_history/3', '/$meta']) {
      expect((await server.get(`${pathOf(closed)}${door}`, { as: ofPatient })).status, door).toBe(200);
    }
    const again = await release();
    expect(again.headers['ETag'] ?? again.headers['etag']).toBe('W/"3"');
    const all = await server.get(`Patient/${patient.id}/$everything`, { as: ofPatient });
    expect(ids(all.body)).toContain(closed.id);
    expect(JSON.stringify(all.body)).not.toContain('"withheld"');
  });

  it('is kept from representatives alone where that is the ground', async () => {
    const relative = await create(server, {
      resourceType: 'RelatedPerson',
      patient: { reference: referenceTo(patient) },
    } satisfies fhir4.RelatedPerson);
    const parent = { ...ofPatient, claims: { fhirUser: referenceTo(relative), sub: 'sub-parent' } };
    const grant = parameters({
      proxy: { reference: referenceTo(relative) },
      basis: 'parent',
      evidence: 'Birth certificate, seen by the front desk',
    });
    const granted = await server.post(`${pathOf(patient)}/$grant-proxy`, grant, { as: frontdesk });
    expect(granted.status, JSON.stringify(granted.body)).toBe(200);
    expect((await server.get(pathOf(closed), { as: parent })).status).toBe(200);
    await withhold({ ground: 'representative' });
    expect(await outcomeOf(pathOf(closed), parent)).toEqual([403, 'withheld']);
    expect((await server.get(pathOf(closed), { as: ofPatient })).status).toBe(200);
  });

  it('is determined by a physician of the organisation that keeps it, with a ground and a reviewer who is somebody else', async () => {
    const refusal = async (...asked: Parameters<typeof withhold>) => {
      const { status, body } = await withhold(...asked);
      return [status, issuesOf(body)[0]?.reason];
    };
    expect(await refusal({}, nurse)).toEqual([403, 'forbidden-role']);
    expect(await refusal({}, ofPatient)).toEqual([403, 'forbidden-role']);
    expect(await refusal({}, elsewhere)).toEqual([404, 'not-found']);
    expect((await refusal({ ground: 'because' }))[0]).toBe(400);
    expect((await refusal({ reason: 'Because' }))[0]).toBe(400);
    expect(await refusal({ reviewer: { reference: 'Practitioner/nobody' } })).toEqual([400, 'reference-not-found']);
    expect((await refusal({ reviewer: { display: ' ' } }))[0]).toBe(400);
    const own = { reference: 'Practitioner/northside-physician' };
    expect(await refusal({ reviewer: own })).toEqual([422, 'reviewer-determined']);
    expect(await refusal({}, physician, patient)).toEqual([422, 'not-withholdable']);
    expect((await server.get(pathOf(closed), { as: ofPatient })).status).toBe(200);
    expect(await refusal({ reviewer: { display: 'Dr Grey, by letter' } })).toEqual([200, undefined]);
    expect(JSON.stringify((await server.get(pathOf(closed), { as: ofPatient })).body)).toContain('Dr Grey, by letter');
  });
});
