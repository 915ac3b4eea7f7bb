import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, physician } from '../support/fhir-server.ts';
import {
  allPages,
  create,
  issuesOf,
  matchesIn,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

// What an application sees whose scopes are narrowed: https://hl7.org/fhir/smart-app-launch/STU2.1/scopes-and-launch-context.html

const categories = 'http://terminology.hl7.org/CodeSystem/observation-category';
const inCategory = (code: string): Partial<fhir4.Observation> => ({
  category: [{ coding: [{ system: categories, code }] }],
});
const vital = inCategory('vital-signs');
const laboratory = inCategory('laboratory');

const withScope = (scope: string): TestCaller => ({ role: 'physician', scope });
const vitalsOnly = withScope(`user/Patient.rs user/Observation.cruds?category=${categories}|vital-signs`);

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let shown: Stored<fhir4.Observation>;
let hidden: Stored<fhir4.Observation>;
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
  const subject = referenceTo(patient);
  shown = await create(server, observationBody(subject, { ...vital, effectiveDateTime: '2024-01-01' }));
  // The newest of the chart is the first that a search comes by.
  hidden = await create(
    server,
    observationBody(subject, {
      ...laboratory,
      effectiveDateTime: '2024-02-02',
      derivedFrom: [{ reference: referenceTo(shown) }],
    }),
  );
});

const found = async (query: string, as: TestCaller = vitalsOnly) =>
  (await allPages(server, query, as)).flatMap(resourcesIn).map(referenceTo);

describe('a record outside of what a scope is narrowed to', () => {
  it('is not there for a reader, by any route', async () => {
    for (const route of [
      pathOf(hidden),
      `${pathOf(hidden)}/_history`,
      `${pathOf(hidden)}/_history/1`,
      `${pathOf(hidden)}/$meta`,
      `${pathOf(hidden)}/_history/1/$meta`,
    ]) {
      expect((await server.get(route, { as: vitalsOnly })).status, route).toBe(404);
    }
    expect((await server.get(pathOf(shown), { as: vitalsOnly })).status).toBe(200);
    expect((await server.get(`${pathOf(shown)}/_history/1`, { as: vitalsOnly })).status).toBe(200);
  });

  it('is found by no search, not counted, and stops none', async () => {
    expect(await found(`Observation?patient=${patient.id}`)).toEqual([referenceTo(shown)]);
    expect(await found(`Observation?patient=${patient.id}&_count=1`)).toEqual([referenceTo(shown)]);
    expect(await found(`Observation?patient=${patient.id}&_sort=date`)).toEqual([referenceTo(shown)]);
    expect(await found(`Observation?_id=${shown.id},${hidden.id}`)).toEqual([referenceTo(shown)]);
    const { body } = await server.get(`Observation?patient=${patient.id}&_summary=count`, { as: vitalsOnly });
    expect(body.total).toBe(1);
    expect(await found(`Patient?_has:Observation:patient:category=laboratory&_id=${patient.id}`)).toEqual([]);
    expect(await found(`Patient?_has:Observation:patient:category=vital-signs&_id=${patient.id}`)).toEqual([
      referenceTo(patient),
    ]);
  });

  it('does not come along with what is found', async () => {
    const both = [referenceTo(patient), referenceTo(shown)];

    expect(await found(`Patient?_id=${patient.id}&_revinclude=Observation:patient`)).toEqual(both);
    expect(await found(`Patient/${patient.id}/$everything`)).toEqual(expect.arrayContaining(both));
    expect(await found(`Patient/${patient.id}/$everything`)).not.toContain(referenceTo(hidden));
    const laboratoryOnly = withScope(`user/Patient.rs user/Observation.rs?category=${categories}|laboratory`);
    expect(await found(`Observation?patient=${patient.id}&_include=Observation:derived-from`, laboratoryOnly)).toEqual([
      referenceTo(hidden),
    ]);
  });

  it('cannot be written: not made, not changed, not made of another one, not deleted', async () => {
    const created = await server.post('Observation', observationBody(referenceTo(patient), laboratory), {
      as: vitalsOnly,
    });
    const moved = await server.put(pathOf(shown), { ...shown, ...laboratory }, { as: vitalsOnly });
    const patched = await server.request('PATCH', pathOf(hidden), {
      as: vitalsOnly,
      headers: { 'content-type': 'application/json-patch+json' },
      body: [{ op: 'replace', path: '/status', value: 'amended' }],
    });

    expect([created.status, moved.status]).toEqual([403, 403]);
    expect(issuesOf(created.body)[0]?.reason).toBe('forbidden-scope');
    expect((await server.put(pathOf(hidden), { ...hidden, ...vital }, { as: vitalsOnly })).status).toBe(404);
    expect(patched.status).toBe(404);
    expect((await server.delete(pathOf(hidden), { as: vitalsOnly })).status).toBe(404);
    expect((await server.get(pathOf(hidden))).body.meta?.versionId).toBe('1');
    expect((await server.get(pathOf(shown))).body.meta?.versionId).toBe('1');
  });

  it('cannot be referred to, no more than what does not exist, unless the record does so already', async () => {
    const subject = referenceTo(patient);
    const both = await create(
      server,
      observationBody(subject, { ...vital, hasMember: [{ reference: referenceTo(hidden) }] }),
    );
    const missing = `${referenceTo(hidden).slice(0, -4)}aaaa`;
    const answers = async (reference: string) => {
      const body = observationBody(subject, { ...vital, hasMember: [{ reference }] });
      const created = await server.post('Observation', body, { as: vitalsOnly });
      const replaced = await server.put(pathOf(shown), { ...shown, hasMember: [{ reference }] }, { as: vitalsOnly });
      const validated = await server.post('Observation/$validate?mode=create', body, { as: vitalsOnly });
      const told = ({ body: outcome }: typeof created) => issuesOf(outcome).map(({ reason, code }) => [reason, code]);
      return [created, replaced, validated].map((answer) => [answer.status, told(answer)]);
    };

    const [toHidden, toMissing] = [await answers(referenceTo(hidden)), await answers(missing)];
    const kept = await server.put(pathOf(both), { ...both, status: 'amended' }, { as: vitalsOnly });
    const within = await server.post(
      'Observation',
      observationBody(subject, { ...vital, hasMember: [{ reference: referenceTo(both) }] }),
      { as: vitalsOnly },
    );

    expect(toHidden).toEqual(toMissing);
    expect(toHidden.map(([status]) => status)).toEqual([400, 400, 200]);
    expect([kept.status, within.status]).toEqual([200, 201]);
  });

  it('is written where it is within: made, changed and deleted', async () => {
    const made = await create(server, observationBody(referenceTo(patient), vital), vitalsOnly);

    expect((await server.put(pathOf(made), { ...made, status: 'amended' }, { as: vitalsOnly })).status).toBe(200);
    expect((await server.delete(pathOf(made), { as: vitalsOnly })).status).toBe(204);
  });

  it('says that scope is in the way of a write, where it may be read', async () => {
    const as = withScope('user/Observation.rs user/Observation.u?category=vital-signs');

    const { status, body } = await server.put(pathOf(hidden), hidden, { as });

    expect([status, issuesOf(body)[0]?.reason]).toEqual([403, 'forbidden-scope']);
  });

  it('hides its earlier versions too, and those of others that were outside', async () => {
    const left = await create(server, observationBody(referenceTo(patient), vital));
    await server.put(pathOf(left), { ...left, ...laboratory });
    const joined = await create(server, observationBody(referenceTo(patient), laboratory));
    await server.put(pathOf(joined), { ...joined, ...vital });

    expect((await server.get(`${pathOf(left)}/_history/1`, { as: vitalsOnly })).status).toBe(404);
    expect((await server.get(`${pathOf(left)}/_history`, { as: vitalsOnly })).status).toBe(404);
    expect((await server.get(`${pathOf(joined)}/_history/1`, { as: vitalsOnly })).status).toBe(404);
    const history = await server.get(`${pathOf(joined)}/_history`, { as: vitalsOnly });
    expect(resourcesIn(history.body).map(({ meta }) => meta?.versionId)).toEqual(['2']);
    expect(history.body.total).toBeUndefined();
    await server.delete(pathOf(joined));
    await server.delete(pathOf(left));
  });

  it('narrows a patient’s application likewise, and conditions by code', async () => {
    const code = { coding: [{ system: 'http://snomed.info/sct', code: '38341003' }] };
    const subject = { reference: referenceTo(patient) };
    const condition = await create(
      server,
      { resourceType: 'Condition', subject, code } satisfies fhir4.Condition,
      physician,
    );
    await create(server, { resourceType: 'Condition', subject, code: { text: 'other' } } satisfies fhir4.Condition);
    const scope = 'patient/Condition.rs?code=http://snomed.info/sct|38341003';

    const { body } = await server.get('Condition', { as: { role: 'patient', patient: patient.id, scope } });

    expect(matchesIn(body).map(referenceTo)).toEqual([referenceTo(condition)]);
  });

  it('leaves the log of a search that showed others as one that was allowed', async () => {
    const own = await create(server, patientBody());
    await create(server, observationBody(referenceTo(own), laboratory));
    await create(server, observationBody(referenceTo(own), { ...vital, effectiveDateTime: '2023-01-01' }));
    await server.get(`Observation?patient=${own.id}`, { as: vitalsOnly });

    const { body } = await server.get(`AuditEvent?patient=${own.id}&action=E`, { as: { role: 'privacy' } });

    const searches = resourcesIn(body).filter(({ subtype }) => subtype?.[0]?.code === 'search-type');
    expect(searches.map(({ outcome }) => outcome)).toContain('0');
    expect(searches.map(({ outcome }) => outcome)).not.toContain('4');
  });
});
