import { beforeAll, describe, expect, it } from 'vitest';
import { getEntry, postEntry, putEntry, statusesOf, transactionOf } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, physician } from '../support/fhir-server.ts';
import {
  create,
  elsewhere,
  encounterBody,
  issuesOf,
  nextLinkOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  type Stored,
} from '../support/records.ts';

// Ways by which somebody might come by more than they may see or do, one test each. A patient of the clinic is nobody's whom the hospital knows.

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let other: Stored<fhir4.Patient>;
let observation: Stored<fhir4.Observation>;
let own: Stored<fhir4.Patient>;
let portal: TestCaller;
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
  other = await create(server, patientBody());
  observation = await create(server, observationBody(referenceTo(patient)));
  own = await create(server, patientBody(), elsewhere);
  portal = { role: 'patient', patient: other.id, scope: 'patient/*.cruds' };
});

const json = { 'content-type': 'application/json-patch+json' };
const unchanged = async (record: Stored<fhir4.Resource>) => {
  const { body } = await server.get(pathOf(record));
  expect(body).toEqual(record);
};

describe('nobody comes by more', () => {
  it('by guessing ids: one that exists, one changed in a letter, and one of nothing answer alike', async () => {
    const { id } = observation;
    const changed = Array.from(id, (letter, at) =>
      letter === '.' ? id : `${id.slice(0, at)}${letter === 'a' ? 'b' : 'a'}${id.slice(at + 1)}`,
    ).filter((guess) => guess !== id);
    const answerTo = async (guess: string, as: TestCaller) => {
      const { status, body } = await server.get(`Observation/${guess}`, { as });
      return [status, issuesOf(body)];
    };
    for (const as of [elsewhere, portal]) {
      const hidden = await answerTo(id, as);
      expect(hidden[0]).toBe(404);
      for (const guess of changed.filter((_, at) => at % 7 === 0)) expect(await answerTo(guess, as)).toEqual(hidden);
    }
    // The other patient's chart in an id of one's own.
    expect((await answerTo(`${patient.id}.${id.split('.')[1]}`, portal))[0]).toBe(404);
    expect((await answerTo(`${other.id}.${id.split('.')[1]}`, portal))[0]).toBe(404);
  });

  it('by referring to what is hidden, alone, in a transaction, or by a condition', async () => {
    const body = observationBody(referenceTo(own), { derivedFrom: [{ reference: referenceTo(observation) }] });
    const nowhere = observationBody(referenceTo(own), {
      derivedFrom: [{ reference: `Observation/${patient.id.replaceAll(/./g, 'a')}` }],
    });
    const [hidden, missing] = await Promise.all(
      [body, nowhere].map((each) => server.post('Observation', each, { as: elsewhere })),
    );
    expect(hidden?.status).toBe(400);
    expect(issuesOf(hidden?.body ?? ({} as never))).toEqual(issuesOf(missing?.body ?? ({} as never)));
    expect((await server.post('', transactionOf(postEntry(body)), { as: elsewhere })).status).toBe(400);
    const found = observationBody(`Patient?_id=${patient.id}`);
    const byCondition = await server.post('', transactionOf(postEntry(found)), { as: elsewhere });
    expect(byCondition.status).toBe(412);
    const about = encounterBody(referenceTo(patient));
    expect((await server.post('Encounter', about, { as: portal })).status).toBe(403);
  });

  it('by a transaction: what is hidden is neither read nor written in it, and nothing of it stays', async () => {
    const mine = postEntry(observationBody(referenceTo(own)));
    const put = putEntry({ ...observation, status: 'entered-in-error' });
    for (const entry of [getEntry(pathOf(observation)), put]) {
      const { status, body } = await server.post('', transactionOf(mine, entry), { as: elsewhere });
      expect(status).toBe(404);
      expect(JSON.stringify(body)).not.toContain('8867-4');
    }
    const { body } = await server.get(`Observation?patient=${own.id}&_summary=count`, { as: elsewhere });
    expect(body.total).toBe(0);
    const batch = { ...transactionOf(getEntry(pathOf(observation)), put), type: 'batch' };
    expect(statusesOf((await server.post('', batch, { as: elsewhere })).body)).toEqual(['404', '404']);
    await unchanged(observation);
  });

  it('by an import that claims an id, a version, an author or a time', async () => {
    const claimed: fhir4.Observation = {
      ...observation,
      status: 'amended',
      meta: { versionId: '9', lastUpdated: '2001-01-01T00:00:00Z', source: '#northside' },
    };
    expect((await server.put(pathOf(observation), claimed, { as: elsewhere })).status).toBe(404);
    const { status, body } = await server.post(
      'Observation',
      { ...claimed, subject: { reference: referenceTo(own) } },
      { as: elsewhere },
    );
    expect(status).toBe(201);
    expect(body.id).not.toBe(observation.id);
    expect(body.meta?.versionId).toBe('1');
    expect(String(body.meta?.lastUpdated) > '2026').toBe(true);
    expect((await server.get(`Observation/${body.id}`)).status).toBe(404);
    await unchanged(observation);
  });

  it('by a patch of labels, of the subject, or of who keeps the record', async () => {
    const patch = (path: string, value: unknown) => [{ op: 'add', path, value }];
    const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'U' };
    const tries: [unknown, TestCaller, number][] = [
      [patch('/meta/security', [label]), elsewhere, 404],
      [patch('/meta/security', [label]), portal, 403],
      [patch('/meta/security', [label]), { role: 'frontdesk' }, 403],
      [patch('/meta/security', [label]), { role: 'privacy' }, 403],
      [patch('/subject/reference', referenceTo(other)), physician, 422],
      [patch('/subject/reference', referenceTo(own)), physician, 422],
      [patch('/id', 'another'), physician, 422],
      [patch('/custodian', { reference: 'Organization/lakeside' }), physician, 400],
    ];
    for (const [body, as, status] of tries) {
      const answer = await server.request('PATCH', pathOf(observation), { as, body, headers: json });
      expect([answer.status, JSON.stringify(body)], as.role).toEqual([status, JSON.stringify(body)]);
    }
    const meta = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { security: [label] } }] };
    expect((await server.post(`${pathOf(observation)}/$meta-add`, meta, { as: elsewhere })).status).toBe(404);
    // A patient who is said to belong to another organisation stays where the record was written.
    const moved = { ...patient, managingOrganization: { reference: 'Organization/lakeside' } };
    await server.put(
      'Organization/lakeside',
      { resourceType: 'Organization', id: 'lakeside', name: 'L' },
      { as: { role: 'admin', organization: 'lakeside' } },
    );
    expect((await server.put(pathOf(patient), moved)).status).toBe(200);
    expect((await server.get(pathOf(patient), { as: elsewhere })).status).toBe(404);
    await unchanged(observation);
  });

  it('by a page mark of somebody else, of another search, or one that was changed', async () => {
    await create(server, observationBody(referenceTo(patient)));
    const { body } = await server.get(`Observation?patient=${patient.id}&_count=1`);
    const next = String(nextLinkOf(body));
    expect((await server.get(next)).status).toBe(200);
    const mark = /_page=([^&]+)/.exec(next)?.[1] ?? '';
    const changed = `${mark.slice(0, 20)}${mark[20] === 'A' ? 'B' : 'A'}${mark.slice(21)}`;
    const tries: [string, TestCaller][] = [
      [next, elsewhere],
      [next, portal],
      [next.replace(mark, changed), physician],
      [next.replace('/Observation', '/Encounter'), physician],
      [next.replace('/Observation', `/Patient/${other.id}/Observation`), portal],
    ];
    for (const [url, as] of tries) {
      const answer = await server.get(url, { as });
      expect([answer.status, issuesOf(answer.body)[0]?.reason], url).toEqual([400, 'page-link']);
    }
  });

  it('by a token that names more than the pool would', async () => {
    const claims: Readonly<Record<string, unknown>>[] = [
      { roles: ['patient', 'physician'] },
      { roles: ['root'] },
      { roles: [] },
      { organization: ' ' },
      { fhirUser: 'northside' },
    ];
    for (const claim of claims) {
      const { status } = await server.get(pathOf(observation), { as: { role: 'physician', claims: claim } });
      expect(status, JSON.stringify(claim)).toBe(401);
    }
    // Scopes of another kind of caller do not count.
    const scoped = { role: 'patient', patient: other.id, scope: 'user/*.cruds system/*.cruds' };
    expect((await server.get(pathOf(observation), { as: scoped })).status).toBe(403);
  });
});
