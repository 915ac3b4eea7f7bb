import { beforeAll, describe, expect, it } from 'vitest';
import { bundleSchema } from '../../shared/fhir/generated/schemas/Bundle.ts';
import { validateStructure } from '../../shared/fhir/validate.ts';
import type { TestCaller } from '../support/callers.ts';
import { base, type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  expressionsIn,
  issuesOf,
  observationBody,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let author: Stored<fhir4.Practitioner>;
let laboratory: Stored<fhir4.Organization>;
let visit: Stored<fhir4.Encounter>;
let observation: Stored<fhir4.Observation>;
let earlier: Stored<fhir4.Composition>;
let composition: Stored<fhir4.Composition>;

const compositionBody = (elements: Partial<fhir4.Composition> = {}): fhir4.Composition => ({
  resourceType: 'Composition',
  status: 'final',
  type: { text: 'Visit note' },
  date: '2024-05-06',
  title: 'Visit',
  subject: { reference: referenceTo(patient) },
  author: [{ reference: referenceTo(author) }],
  ...elements,
});

beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
  author = await create<fhir4.Practitioner>(server, { resourceType: 'Practitioner', name: [{ family: 'Rao' }] }, admin);
  laboratory = await create(server, organizationBody({ name: 'Laboratory' }), admin);
  visit = await create(server, encounterBody(referenceTo(patient)));
  observation = await create(
    server,
    observationBody(referenceTo(patient), { performer: [{ reference: referenceTo(laboratory) }] }),
  );
  earlier = await create(server, compositionBody());
  composition = await create(
    server,
    compositionBody({
      encounter: { reference: referenceTo(visit) },
      relatesTo: [{ code: 'replaces', targetReference: { reference: referenceTo(earlier) } }],
      section: [
        {
          title: 'Results',
          text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Results</div>' },
          section: [{ title: 'Pulse', entry: [{ reference: referenceTo(observation) }] }],
        },
      ],
    }),
  );
});

const document = async (path = `${pathOf(composition)}/$document`, as?: TestCaller): Promise<TestBody> => {
  const { status, body } = await server.get(path, as ? { as } : {});
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};

describe('Composition/{id}/$document', () => {
  it('makes a document: the composition first, then what it refers to, then what its entries refer to', async () => {
    const names = resourcesIn(await document()).map(referenceTo);

    expect(names).toEqual([composition, patient, author, visit, observation, laboratory].map(referenceTo));
  });

  it('keeps the rules of documents: type, identifier, time, full addresses', async () => {
    const body = await document();

    expect(body).toMatchObject({
      resourceType: 'Bundle',
      type: 'document',
      identifier: { system: 'urn:ietf:rfc:3986', value: expect.stringMatching(/^urn:uuid:[0-9a-f-]{36}$/) as string },
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
    expect(entriesOf(body).map(({ fullUrl }) => fullUrl)).toEqual(
      resourcesIn(body).map((resource) => `${base}/${referenceTo(resource)}`),
    );
    expect(entriesOf(body).every((entry) => !('search' in entry))).toBe(true);
    expect(validateStructure(bundleSchema, body)).toEqual([]);
  });

  it('is another document each time', async () => {
    expect((await document()).identifier?.value).not.toBe((await document()).identifier?.value);
  });

  it('shows its parts as a read does', async () => {
    for (const { resource, fullUrl } of entriesOf(await document())) {
      expect((await server.get(fullUrl ?? '')).body).toEqual(resource);
    }
  });

  it('leaves out the document that it replaces', async () => {
    expect(resourcesIn(await document()).map(referenceTo)).not.toContain(referenceTo(earlier));
  });

  it('leaves out what the caller may not read', async () => {
    const task = await create<fhir4.Task>(server, {
      resourceType: 'Task',
      status: 'draft',
      intent: 'order',
      for: { reference: referenceTo(patient) },
    });
    const own = await create(
      server,
      compositionBody({ section: [{ title: 'To do', entry: [{ reference: referenceTo(task) }] }] }),
    );
    const scope = 'user/Composition.rs user/Patient.rs user/Practitioner.rs';

    const narrow = await document(`${pathOf(own)}/$document`, { role: 'physician', scope });

    expect(resourcesIn(narrow).map(referenceTo)).toEqual([own, patient, author].map(referenceTo));
    expect(resourcesIn(await document(`${pathOf(own)}/$document`)).map(referenceTo)).toContain(referenceTo(task));
  });

  it('has an entry in the version that it names', async () => {
    const result = await create(server, observationBody(referenceTo(patient), { status: 'preliminary' }));
    const own = await create(
      server,
      compositionBody({ section: [{ title: 'Result', entry: [{ reference: `${referenceTo(result)}/_history/1` }] }] }),
    );
    await server.put(pathOf(result), { ...result, status: 'final' });

    const [, , , entry] = resourcesIn(await document(`${pathOf(own)}/$document`));

    expect(entry).toMatchObject({ id: result.id, status: 'preliminary', meta: { versionId: '1' } });
  });

  it('is asked for by id at the type, too: a plain one or an address', async () => {
    for (const id of [composition.id, pathOf(composition), `${base}/${pathOf(composition)}`]) {
      const body = await document(`Composition/$document?id=${encodeURIComponent(id)}`);
      expect(referenceTo(resourcesIn(body)[0] as TestBody)).toBe(referenceTo(composition));
    }
  });

  it('is sent by POST, too', async () => {
    const parameter = [{ name: 'persist', valueBoolean: false }];
    const { status, body } = await server.post(`${pathOf(composition)}/$document`, {
      resourceType: 'Parameters',
      parameter,
    });

    expect([status, body.type]).toEqual([200, 'document']);
  });

  it.each([
    ['to keep it', '{id}/$document?persist=true', 'persist'],
    ['a graph', '{id}/$document?graph=http://x.example/g', 'graph'],
    ['an id twice', '{id}/$document?id={id}', 'id'],
    ['no id', '$document', 'id'],
    ['an id elsewhere', '$document?id=http://x.example/fhir/Composition/1', 'id'],
    ['the id of another type', '$document?id=Patient/1', 'id'],
    ['what it does not have', '{id}/$document?wish=1', 'wish'],
  ])('refuses %s', async (_, path, name) => {
    const { status, body } = await server.get(`Composition/${path.replaceAll('{id}', composition.id)}`);

    expect([status, expressionsIn(body)]).toEqual([400, [name]]);
  });

  it('answers about another organisation’s composition as about none, and 410 for a deleted one', async () => {
    const theirs = await server.get(`${pathOf(composition)}/$document`, { as: elsewhere });
    const none = await server.get('Composition/none/$document', { as: elsewhere });
    const gone = await create(server, compositionBody());
    await server.delete(pathOf(gone));

    expect([theirs.status, none.status]).toEqual([404, 404]);
    expect(issuesOf(theirs.body)).toEqual(issuesOf(none.body));
    expect((await server.get(`${pathOf(gone)}/$document`)).status).toBe(410);
  });

  it('refuses what would be too large for an answer', async () => {
    const large = [];
    for (let n = 0; n < 2; n++) {
      large.push(
        await create<fhir4.Binary>(server, {
          resourceType: 'Binary',
          contentType: 'text/plain',
          data: 'QUJD'.repeat(600_000),
        }),
      );
    }
    const own = await create(
      server,
      compositionBody({
        section: [{ title: 'Files', entry: large.map((each) => ({ reference: referenceTo(each) })) }],
      }),
    );

    const { status, body } = await server.get(`${pathOf(own)}/$document`);

    expect([status, issuesOf(body)[0]?.code]).toEqual([400, 'too-costly']);
  });

  it('leaves a trace', async () => {
    const own = await create(server, patientBody());
    const made = await create(server, compositionBody({ subject: { reference: referenceTo(own) } }));
    await document(`${pathOf(made)}/$document`);

    const { body } = await server.get(`AuditEvent?patient=${own.id}&subtype=operation`, { as: { role: 'privacy' } });

    expect(JSON.stringify(body)).toContain(pathOf(made));
  });
});
