import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { versionsOf } from '../../shared/store/feed/versions.ts';
import { postEntry, transactionOf, urn, writtenIn } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestRequest } from '../support/fhir-server.ts';
import {
  admin,
  create,
  entriesOf,
  issuesOf,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// Psychotherapy notes are for who wrote them: every door, for everybody else. The rule itself is compared with a model in test/unit/decide.test.ts.

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const note = { system: actCode, code: 'PSYTHPN' };
const privacy: TestCaller = { role: 'privacy' };
const colleague: TestCaller = { role: 'physician', claims: { sub: 'colleague', fhirUser: 'Practitioner/colleague' } };
const elsewhere: TestCaller = { role: 'physician', organization: 'lakeside' };
const author = 'Practitioner/northside-physician';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let open: Stored<fhir4.Composition>;
let closed: Stored<fhir4.Composition>;
let ofPatient: TestCaller;

const noteBody = (elements: Partial<fhir4.Composition> = {}): fhir4.Composition => ({
  resourceType: 'Composition',
  status: 'final',
  type: { text: 'Session' },
  date: '2024-05-06',
  title: 'Session',
  subject: { reference: referenceTo(patient) },
  author: [{ reference: author }],
  ...elements,
});
const sealedBody = (elements: Partial<fhir4.Composition> = {}) => noteBody({ meta: { security: [note] }, ...elements });
const labels = (security: fhir4.Coding) => ({
  resourceType: 'Parameters',
  parameter: [{ name: 'meta', valueMeta: { security: [security] } }],
});
const ids = (body: Parameters<typeof resourcesIn>[0]) => resourcesIn(body).map(({ id }) => id);

beforeAll(async () => {
  server = await fhirServer();
  for (const id of ['northside-physician', 'colleague'])
    await server.put(`Practitioner/${id}`, { resourceType: 'Practitioner', id }, { as: admin });
  await server.put('Organization/lakeside', { resourceType: 'Organization', id: 'lakeside', name: 'L' }, { as: admin });
});
beforeEach(async () => {
  patient = await create(server, patientBody());
  ofPatient = { role: 'patient', patient: patient.id, scope: 'patient/*.cruds' };
  open = await create(server, noteBody());
  const first = await create(server, noteBody({ title: 'Before it was marked' }));
  const marked = await server.put(pathOf(first), { ...first, meta: { security: [note] } });
  expect(marked.status, JSON.stringify(marked.body)).toBe(200);
  closed = marked.body as unknown as Stored<fhir4.Composition>;
});

/** Everybody but its author. */
const others = (): [string, TestCaller][] => [
  ['a colleague', colleague],
  ['a system of the organisation', system],
  ['the patient', ofPatient],
  ['another organisation', elsewhere],
];

describe('a psychotherapy note', () => {
  it('is there for its author', async () => {
    expect((await server.get(pathOf(closed))).status).toBe(200);
    expect((await server.get(`${pathOf(closed)}/_history/1`)).status).toBe(200);
    expect(ids((await server.get(`Composition?patient=${patient.id}`)).body).sort()).toEqual(
      [open.id, closed.id].sort(),
    );
    expect((await server.put(pathOf(closed), { ...closed, title: 'Later' })).status).toBe(200);
    expect((await server.delete(pathOf(closed))).status).toBe(204);
  });

  it('is as if it did not exist for everybody else, on every way to it', async () => {
    const consent: fhir4.Consent = {
      resourceType: 'Consent',
      status: 'active',
      scope: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }],
      },
      category: [{ text: 'privacy' }],
      patient: { reference: referenceTo(patient) },
      policyRule: { coding: [{ system: actCode, code: 'OPTIN' }] },
      provision: { securityLabel: [note] },
    };
    await create(server, consent);
    const path = pathOf(closed);
    const { ids: codec } = server.store;
    const missing = `Composition/${codec.idAt(codec.decode(open.id)?.chart ?? '', codec.newPlace(0))}`;
    const both = (suffix: string, as: TestCaller) => [path, missing].map((at) => server.get(`${at}${suffix}`, { as }));

    for (const [name, as] of others()) {
      for (const suffix of ['', '/_history', '/_history/1', '/_history/2', '/$meta', '/$document']) {
        const [hidden, none] = await Promise.all(both(suffix, as));
        expect(hidden?.status, `${name} ${suffix}`).toBe(none?.status);
        expect(issuesOf(hidden?.body as never), `${name} ${suffix}`).toEqual(issuesOf(none?.body as never));
      }
      if (as === elsewhere) continue;
      for (const [query, found] of [
        [`Composition?patient=${patient.id}`, true],
        [`Composition?_id=${closed.id},${open.id}`, true],
        [`Composition?patient=${patient.id}&_security=PSYTHPN`, false],
        [`Composition?patient=${patient.id}&title=Before`, false],
      ] as const) {
        const { body } = await server.get(query, { as });
        expect(ids(body), `${name} ${query}`).not.toContain(closed.id);
        if (found) expect(ids(body), `${name} ${query}`).toContain(open.id);
      }
      const counted = await server.get(`Composition?patient=${patient.id}&_summary=count`, { as });
      expect(counted.body['total'], name).toBe(1);
      const included = await server.get(`Patient?_id=${patient.id}&_revinclude=Composition:patient`, { as });
      expect(ids(included.body), name).toContain(open.id);
      expect(ids(included.body), name).not.toContain(closed.id);
      const all = await server.get(`Patient/${patient.id}/$everything`, { as });
      expect(ids(all.body), name).toContain(open.id);
      expect(ids(all.body), name).not.toContain(closed.id);
      const had = await server.get(`Patient?_id=${patient.id}&_has:Composition:patient:_id=${closed.id}`, { as });
      expect(ids(had.body), name).toEqual([]);
    }
  });

  it('is neither changed nor deleted by anybody else', async () => {
    const untagged = { tag: [{ system: 'urn:tags', code: 'plain' }] };
    const patch: TestRequest = {
      as: colleague,
      body: [{ op: 'remove', path: '/meta/security' }],
      headers: { 'content-type': 'application/json-patch+json' },
    };
    const transaction = transactionOf({
      resource: { ...closed, meta: untagged },
      request: { method: 'PUT', url: pathOf(closed) },
    });

    expect((await server.put(pathOf(closed), { ...closed, meta: untagged }, { as: colleague })).status).toBe(404);
    expect((await server.request('PATCH', pathOf(closed), patch)).status).toBe(404);
    expect((await server.delete(pathOf(closed), { as: colleague })).status).toBe(404);
    expect((await server.post(`${pathOf(closed)}/$meta-delete`, labels(note), { as: colleague })).status).toBe(404);
    expect((await server.post('', transaction, { as: colleague })).status).toBe(404);
    const condition = `Composition?_id=${closed.id}`;
    await server.request('DELETE', condition, { as: colleague });
    expect((await server.get(pathOf(closed))).body['meta']?.['versionId']).toBe('2');
  });

  it('stays hidden in its versions once it is deleted, and in the feed', async () => {
    await server.delete(pathOf(closed));

    for (const suffix of ['', '/_history', '/_history/1', '/_history/3'])
      expect((await server.get(`${pathOf(closed)}${suffix}`, { as: colleague })).status, suffix).toBe(404);
    const [type, id] = pathOf(closed).split('/') as [string, string];
    const at = server.store.ids.decode(id);
    const change = {
      type,
      ...(at as { chart: string; place: string }),
      version: 1,
      updated: 0,
      change: 'created',
    } as const;
    const { versions } = await versionsOf(server.store, [{ ...change, id, custodian: 'northside' } as never], {
      superseded: false,
      current: () => false,
    });
    expect(versions.map(({ record }) => record.originators)).toEqual([[author]]);
  });

  it('belongs to whom it names as its author, also where another one stores it, who is told', async () => {
    const stored = await server.post('Composition', sealedBody(), {
      as: system,
      headers: { prefer: 'return=OperationOutcome' },
    });
    const path = /Composition\/[^/]+/.exec(stored.headers['location'] ?? '')?.[0] ?? '';

    expect(issuesOf(stored.body).map(({ text }) => text)).toContain(
      'This is a psychotherapy note now: its authors alone will see it, and you are none of them',
    );
    expect((await server.get(path)).status).toBe(200);
    expect((await server.get(path, { as: system })).status).toBe(404);
  });

  it('belongs to whoever stores it where it names nobody, and keeps belonging to them', async () => {
    const binary = { resourceType: 'Binary', contentType: 'text/plain', data: 'eA==', meta: { security: [note] } };
    const { body } = await server.post('Binary', binary, { as: colleague });
    const other = await create(server, sealedBody());
    const handed = await server.put(pathOf(other), { ...other, author: [{ reference: 'Practitioner/colleague' }] });

    expect((await server.get(pathOf(body), { as: colleague })).status).toBe(200);
    expect((await server.get(pathOf(body))).status).toBe(404);
    expect(handed.status).toBe(200);
    expect((await server.get(pathOf(other), { as: colleague })).status).toBe(404);
    expect((await server.get(pathOf(other))).status).toBe(200);
  });

  it('is made of what is there by its author or a privacy officer, and by nobody who would lock others out', async () => {
    const byColleague = await server.put(pathOf(open), { ...open, meta: { security: [note] } }, { as: colleague });
    const claimed = await server.put(
      pathOf(open),
      { ...open, author: [{ reference: 'Practitioner/colleague' }], meta: { security: [note] } },
      { as: colleague },
    );
    const nobodys = await create<fhir4.Basic>(server, {
      resourceType: 'Basic',
      code: { text: 'x' },
      subject: { reference: referenceTo(patient) },
    });
    const unknown = await server.post(`${pathOf(nobodys)}/$meta-add`, labels(note), { as: privacy });
    const byPrivacy = await server.post(`${pathOf(open)}/$meta-add`, labels(note), { as: privacy });

    expect([byColleague.status, claimed.status]).toEqual([403, 403]);
    expect(issuesOf(byColleague.body)[0]?.reason).toBe('not-originator');
    expect([unknown.status, issuesOf(unknown.body)[0]?.reason]).toEqual([422, 'originator-unknown']);
    expect(byPrivacy.status).toBe(200);
    expect((await server.get(pathOf(open), { as: colleague })).status).toBe(404);
    expect((await server.get(pathOf(open))).status).toBe(200);
  });

  it('shows privacy officers its labels alone, who can take them off, with a trace', async () => {
    const seen = await server.get(`${pathOf(closed)}/$meta`, { as: privacy });
    const opened = await server.post(`${pathOf(closed)}/$meta-delete`, labels(note), { as: privacy });

    expect(seen.status).toBe(200);
    expect((await server.get(pathOf(closed), { as: privacy })).status).toBe(403);
    expect(opened.status).toBe(200);
    expect((await server.get(pathOf(closed), { as: colleague })).status).toBe(200);
    // The version that was such a note stays one.
    expect((await server.get(`${pathOf(closed)}/_history/2`, { as: colleague })).status).toBe(404);
    const log = await server.get(`AuditEvent?patient=${patient.id}&subtype=operation`, { as: privacy });
    expect(entriesOf(log.body).length).toBeGreaterThan(1);
  });

  it('is masked for everybody but its author wherever records name it, and nobody finds by it', async () => {
    const session = await create(server, sealedBody());
    const reference = { reference: referenceTo(session), display: 'Session of May' };
    const subject = { reference: referenceTo(patient) };
    const list = await create<fhir4.List>(server, {
      resourceType: 'List',
      status: 'current',
      mode: 'working',
      subject,
      entry: [{ item: reference }, { item: { reference: referenceTo(open) } }],
    });
    const task = await create<fhir4.Task>(server, {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      for: subject,
      focus: reference,
      owner: { reference: 'Practitioner/colleague' },
    });
    const tells = (body: unknown) =>
      /Session of May/.test(JSON.stringify(body)) || JSON.stringify(body).includes(session.id);

    expect(tells((await server.get(pathOf(list))).body)).toBe(true);
    for (const as of [colleague, ofPatient, system])
      for (const path of [
        pathOf(list),
        `${pathOf(list)}/_history`,
        `${pathOf(list)}/_history/1`,
        pathOf(task),
        `Task?owner=Practitioner/colleague`,
        `List?patient=${patient.id}`,
        `Patient/${patient.id}/$everything`,
      ]) {
        const { status, body } = await server.get(path, { as });
        expect([path, tells(body)]).toEqual([path, false]);
        if (status === 200 && path.startsWith('List/')) expect(JSON.stringify(body)).toContain('MASKED');
      }
    const finding = [`List?patient=${patient.id}&item=${referenceTo(session)}`, `Task?focus=${referenceTo(session)}`];
    for (const path of finding) {
      expect(ids((await server.get(path, { as: colleague })).body), path).toEqual([]);
      expect(ids((await server.get(path)).body), path).toHaveLength(1);
    }
    server.calls.reset();
    const shown = (await server.get(pathOf(list), { as: colleague })).body as unknown as fhir4.List;
    expect(server.calls.names.sort()).toEqual(['GetItem', 'PutItem']);
    // Who may change it changes the rest, and nobody else learns what was named in it once.
    const changed = await server.put(pathOf(list), { ...shown, title: 'Working' }, { as: colleague });
    expect([changed.status, tells(changed.body)]).toEqual([200, false]);
    const own = (await server.get(pathOf(list))).body as unknown as fhir4.List;
    expect(own.entry?.[0]?.item).toEqual(reference);
    expect((await server.put(pathOf(list), { ...own, entry: own.entry?.slice(1) })).status).toBe(200);
    expect(tells((await server.get(`${pathOf(list)}/_history`, { as: colleague })).body)).toBe(false);
  });

  it('cannot be named by anybody but its author, as if it did not exist, nor by way of $validate', async () => {
    const { ids: codec } = server.store;
    const missing = `Composition/${codec.idAt(codec.decode(open.id)?.chart ?? '', codec.newPlace(0))}`;
    const naming = (reference: string): fhir4.List => ({
      resourceType: 'List',
      status: 'current',
      mode: 'working',
      subject: { reference: referenceTo(patient) },
      entry: [{ item: { reference } }],
    });
    for (const [path, as] of [
      ['List', colleague],
      ['List', system],
      ['List/$validate', colleague],
    ] as const) {
      const [hidden, none] = [
        await server.post(path, naming(referenceTo(closed)), { as }),
        await server.post(path, naming(missing), { as }),
      ];
      expect(hidden.status).toBe(none.status);
      expect(issuesOf(hidden.body)).toEqual(issuesOf(none.body));
      expect(issuesOf(hidden.body).map(({ reason }) => reason)).toContain('reference-not-found');
    }
    expect((await server.post('List', naming(referenceTo(closed)))).status).toBe(201);
  });

  it('closes a Binary that is under its rights, and what names it in the transaction that writes it', async () => {
    const content = (reference: string): fhir4.Binary => ({
      resourceType: 'Binary',
      contentType: 'text/plain',
      data: Buffer.from('Words').toString('base64'),
      securityContext: { reference },
    });
    const binary = await create(server, content(referenceTo(closed)));
    const name = urn();
    const naming: fhir4.List = {
      resourceType: 'List',
      status: 'current',
      mode: 'working',
      subject: { reference: referenceTo(patient) },
      entry: [{ item: { reference: name } }],
    };
    const entries = [postEntry(sealedBody(), name), postEntry(content(name)), postEntry(naming)];
    const answer = await server.post('', transactionOf(...entries));
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const [session = '', together = '', list = ''] = writtenIn(answer.body);
    const labels = `${pathOf(binary)}/$meta-add`;
    const tag = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] };

    expect((await server.post(labels, tag)).status).toBe(200);
    for (const path of [pathOf(binary), together]) {
      expect((await server.get(path)).status).toBe(200);
      for (const [name, as] of others()) expect((await server.get(path, { as })).status, name).toBe(404);
      expect((await server.delete(path, { as: colleague })).status).toBe(404);
    }
    const { body } = await server.get(list, { as: colleague });
    expect(JSON.stringify(body)).not.toContain(session);
    expect(JSON.stringify((await server.get(list)).body)).toContain(session);
  });

  it('is named in the log to privacy officers alone, while everybody sees that somebody did something', async () => {
    await server.get(pathOf(closed));
    await server.get(`Composition?patient=${patient.id}&_id=${closed.id}`);
    const log = `AuditEvent?patient=${patient.id}`;
    const eventsFor = async (as: TestCaller) =>
      resourcesIn((await server.get(log, { as })).body) as unknown as fhir4.AuditEvent[];
    const tells = (event: fhir4.AuditEvent) =>
      JSON.stringify(event).includes(closed.id) || /Composition\?.*_id/.test(queryIn(event));
    const queryIn = ({ entity = [] }: fhir4.AuditEvent) =>
      Buffer.from(entity.find(({ query }) => query)?.query ?? '', 'base64').toString();
    const isMasked = ({ meta }: fhir4.AuditEvent) => meta?.security?.some(({ code }) => code === 'MASKED');

    const [own, officers] = await Promise.all([eventsFor(ofPatient), eventsFor(privacy)]);

    // Two versions, a read and a search.
    const toldOf = officers.filter(tells);
    expect(toldOf.map(({ action }) => action).sort()).toEqual(['C', 'E', 'R', 'U']);
    const [read] = toldOf.filter(({ action }) => action === 'R');
    expect(read?.meta?.security).toEqual([note]);
    expect(read?.entity?.find(({ what }) => what?.reference?.startsWith('Composition/'))?.securityLabel).toEqual([
      note,
    ]);
    expect(own.filter(tells)).toEqual([]);
    const masked = own.filter(isMasked);
    expect(masked.map(({ id }) => id).sort()).toEqual(toldOf.map(({ id }) => id).sort());
    expect(JSON.stringify(masked)).not.toContain('PSYTHPN');
    for (const { id, text, entity } of masked.filter(({ action }) => action !== 'E')) {
      expect(text?.div).toContain('something that is not shown to you');
      expect(entity?.some(({ what }) => what?.extension)).toBe(true);
      expect(JSON.stringify((await server.get(`AuditEvent/${id}`, { as: ofPatient })).body)).not.toContain(closed.id);
    }
    const named = `${log}&entity=${referenceTo(closed)}`;
    expect(resourcesIn((await server.get(named, { as: ofPatient })).body)).toEqual([]);
    expect(resourcesIn((await server.get(named, { as: privacy })).body)).not.toEqual([]);
  });

  it('is nothing that a patient writes', async () => {
    const answers = {
      resourceType: 'QuestionnaireResponse',
      status: 'completed',
      subject: { reference: referenceTo(patient) },
      author: { reference: referenceTo(patient) },
      meta: { security: [note] },
    };

    const { status, body } = await server.post('QuestionnaireResponse', answers, { as: ofPatient });

    expect([status, issuesOf(body)[0]?.reason]).toEqual([403, 'not-originator']);
  });
});
