import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, physician } from '../support/fhir-server.ts';
import {
  create,
  elsewhere,
  encounterBody,
  matchesIn,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

// What a record says of others that the reader's role may not see.

const frontdesk: TestCaller = { role: 'frontdesk' };
let server: FhirServer;
let condition: Stored<fhir4.Condition>;
let appointment: Stored<fhir4.Appointment>;
let patient: string;

beforeAll(async () => {
  server = await fhirServer();
  patient = referenceTo(await create(server, patientBody()));
  condition = await create(server, { resourceType: 'Condition', subject: { reference: patient } });
  appointment = await create(server, {
    resourceType: 'Appointment',
    status: 'booked',
    start: '2030-01-02T09:00:00Z',
    end: '2030-01-02T09:20:00Z',
    reasonReference: [{ reference: referenceTo(condition), display: 'secret words' }],
    participant: [{ actor: { reference: patient }, status: 'accepted' }],
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">secret words</div>' },
  });
});

describe('a reference to what the role may not see', () => {
  it('is masked at every door, and to nobody else', async () => {
    for (const path of [
      pathOf(appointment),
      `${pathOf(appointment)}/_history/1`,
      `${pathOf(appointment)}/_history`,
      `Appointment?patient=${patient}`,
      `Appointment?patient=${patient}&_sort=date`,
      `${patient}/Appointment`,
      `Appointment?patient=${patient}&_elements=reasonReference`,
      `Appointment?patient=${patient}&_include=*`,
    ]) {
      const masked = await server.get(path, { as: frontdesk });
      const text = JSON.stringify(masked.body);
      expect(masked.status, path).toBe(200);
      expect(text, path).toContain(appointment.id);
      expect(text, path).toContain('MASKED');
      expect(text, path).not.toContain(condition.id);
      expect(text, path).not.toContain('secret');
      expect(JSON.stringify((await server.get(path, { as: physician })).body), path).toContain(condition.id);
    }
    const entry = { request: { method: 'GET', url: pathOf(appointment) } };
    const batch = { resourceType: 'Bundle', type: 'batch', entry: [entry] };
    const { body } = await server.post('', batch, { as: frontdesk });
    expect(JSON.stringify(body)).toContain('masked');
    expect(JSON.stringify(body)).not.toContain(condition.id);
  });

  it('finds nothing, sorts nothing and leads nowhere', async () => {
    const by = async (query: string, as: TestCaller) =>
      resourcesIn((await server.get(`Appointment?patient=${patient}&${query}`, { as })).body).map(referenceTo);
    const own = [referenceTo(appointment)];
    const query = `reason-reference=${referenceTo(condition)}`;
    expect(await by(query, frontdesk)).toEqual([]);
    expect(await by(query, physician)).toEqual(own);
    expect(await by('reason-reference:missing=true', physician)).toEqual([]);
    expect(matchesIn((await server.get(`Appointment?patient=${patient}`, { as: frontdesk })).body)).toHaveLength(1);
  });

  it('is whole after the reader has changed the rest, by PUT or PATCH', async () => {
    const json = { 'content-type': 'application/json-patch+json' };
    const changed = (body: unknown) =>
      server.request('PATCH', pathOf(appointment), { as: frontdesk, body, headers: json });
    const { body: read } = await server.get(pathOf(appointment), { as: frontdesk });
    const put = await server.put(
      pathOf(appointment),
      { ...(read as object), comment: 'By the side door' },
      { as: frontdesk },
    );
    expect(put.status).toBe(200);
    expect(JSON.stringify(put.body)).not.toContain(condition.id);
    const patch = [{ op: 'replace', path: '/comment', value: 'By the front door' }];
    expect((await changed(patch)).status).toBe(200);
    const { body } = await server.get(pathOf(appointment));
    const { meta: _, text, ...rest } = appointment;
    expect(body).toMatchObject({ ...rest, text: { status: text?.status }, comment: 'By the front door' });
    expect(body.meta?.security).toBeUndefined();
    // Under the version that it was read in, and nowhere else.
    const stale = await server.put(pathOf(appointment), read, { as: frontdesk });
    expect(stale.status).toBe(422);
    expect(stale.body).toMatchObject({ issue: [{ details: { coding: [{ code: 'masked' }] } }] });
    expect((await server.post('Appointment', read, { as: frontdesk })).status).toBe(422);
    const guess = [{ op: 'test', path: '/reasonReference/0/reference', value: referenceTo(condition) }];
    expect((await changed(guess)).status).toBe(422);
  });
});

describe('a reference in what another organisation shares', () => {
  const terminology = 'http://terminology.hl7.org/CodeSystem/';
  const concept = (system: string, code: string) => ({ coding: [{ system: `${terminology}${system}`, code }] });
  let open: Stored<fhir4.Encounter>;
  let closed: Stored<fhir4.Encounter>;
  let observations: Stored<fhir4.Observation>[];

  beforeAll(async () => {
    open = await create(server, encounterBody(patient));
    const restricted = { system: `${terminology}v3-Confidentiality`, code: 'R' };
    closed = await create(server, encounterBody(patient, { meta: { security: [restricted] } }));
    observations = await Promise.all(
      [open, closed].map((encounter) =>
        create(
          server,
          observationBody(patient, { encounter: { reference: referenceTo(encounter), display: 'secret words' } }),
        ),
      ),
    );
    await create(server, {
      resourceType: 'Consent',
      status: 'active',
      scope: concept('consentscope', 'patient-privacy'),
      category: [concept('consentcategorycodes', 'infa')],
      patient: { reference: patient },
      policyRule: concept('v3-ActCode', 'OPTIN'),
      provision: {
        class: ['Observation', 'Encounter'].map((code) => ({ system: 'http://hl7.org/fhir/resource-types', code })),
      },
    });
  });

  it('is masked if it leads to what is not shared, and only then', async () => {
    const [toOpen, toClosed] = observations.map(pathOf);
    for (const path of [toClosed, `${toClosed}/_history/1`, `${toClosed}/_history`]) {
      const { status, text } = await server.get(String(path), { as: elsewhere });
      expect(status, path).toBe(200);
      expect(text, path).toContain('masked');
      expect(text, path).not.toContain(closed.id);
      expect(text, path).not.toContain('secret');
    }
    expect((await server.get(String(toOpen), { as: elsewhere })).text).toContain(open.id);
    const { body, text } = await server.get(`Observation?patient=${patient}`, { as: elsewhere });
    expect(matchesIn(body)).toHaveLength(2);
    expect(text).toContain(open.id);
    expect(text).not.toContain(closed.id);
    expect((await server.get(`${toClosed}`)).text).toContain(closed.id);
  });

  it('is found by only where it is shown', async () => {
    const by = async (query: string) =>
      resourcesIn((await server.get(`Observation?patient=${patient}&${query}`, { as: elsewhere })).body).map(
        ({ id }) => id,
      );
    const [toOpen, toClosed] = observations.map(({ id }) => id);
    expect(await by(`encounter=${referenceTo(open)}`)).toEqual([toOpen]);
    expect(await by(`encounter=${referenceTo(closed)}`)).toEqual([]);
    // It is not missing, as everybody sees: it is masked.
    expect(await by('encounter:missing=true')).toEqual([]);
    expect(await by('encounter.class=AMB')).toEqual([toOpen]);
    const sorted = await by('_sort=encounter');
    expect(new Set(sorted)).toEqual(new Set([toOpen, toClosed]));
  });

  it('costs a call for all records of a page', async () => {
    const lookUps = async (path: string) => {
      server.calls.reset();
      await server.get(path, { as: elsewhere });
      return server.calls.names.filter((name) => name.startsWith('BatchGet'));
    };
    expect(await lookUps(`Observation?patient=${patient}`)).toHaveLength(1);
    expect(await lookUps(`Encounter?patient=${patient}`)).toHaveLength(0);
  });
});
