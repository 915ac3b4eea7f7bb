import { createHash } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import { admin, create, pathOf, patientBody, referenceTo, resourcesIn, type Stored } from '../support/records.ts';

// What a note says is its signer's word: from the signature on nobody changes it, and whoever has it can prove so.

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let author: TestCaller;
let senior: TestCaller;
let note: Stored<fhir4.Composition>;

const practitioner = async (role: string): Promise<TestCaller> => {
  const person = await create(server, { resourceType: 'Practitioner' }, admin);
  return { role, claims: { fhirUser: referenceTo(person) } };
};
const noteBody = (elements: Partial<fhir4.Composition> = {}): fhir4.Composition => ({
  resourceType: 'Composition',
  status: 'preliminary',
  type: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] },
  subject: { reference: referenceTo(patient) },
  date: '2026-11-27T08:00:00Z',
  author: [{ reference: String(author.claims?.['fhirUser']) }],
  title: 'Progress note',
  section: [
    { title: 'Plan', text: { status: 'additional', div: '<div xmlns="http://www.w3.org/1999/xhtml">Rest</div>' } },
  ],
  ...elements,
});
const documentBody = (url: string): fhir4.DocumentReference => ({
  resourceType: 'DocumentReference',
  status: 'current',
  subject: { reference: referenceTo(patient) },
  content: [{ attachment: { contentType: 'text/plain', url } }],
});
const sign = (path: string, as: TestCaller, parameter: fhir4.ParametersParameter[] = []) =>
  server.post(`${path}/$sign`, { resourceType: 'Parameters', parameter } as unknown as TestBody, { as });
const codeOf = (body: unknown) => (body as fhir4.OperationOutcome).issue[0]?.details?.coding?.[0]?.code;

/** The signatures that a resource bears, members by name. */
const signaturesOf = (resource: unknown): Record<string, unknown>[] =>
  ((resource as fhir4.Resource).meta?.extension ?? [])
    .filter(({ url }) => url.endsWith('/signature'))
    .map(({ extension = [] }) =>
      Object.fromEntries(
        extension.map(({ url, valueReference, valueInstant, valueString, valuePositiveInt }) => [
          url,
          valueReference?.reference ?? valueInstant ?? valueString ?? valuePositiveInt,
        ]),
      ),
    );
/** By the words of docs/signing.md alone. */
const hashOf = (resource: unknown): string => {
  const sorted = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(sorted)
      : value !== null && typeof value === 'object'
        ? Object.fromEntries(
            Object.keys(value)
              .sort()
              .map((name) => [name, sorted((value as Record<string, unknown>)[name])]),
          )
        : value;
  const { meta: _, ...content } = resource as Record<string, unknown>;
  return `sha256:${createHash('sha256')
    .update(JSON.stringify(sorted(content)))
    .digest('hex')}`;
};

beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  patient = await create(server, patientBody());
  [author, senior] = [await practitioner('physician'), await practitioner('physician')];
  note = await create(server, noteBody(), author);
});

describe('a signature', () => {
  it('makes a note final, with who signed, when, and a hash that anybody can check', async () => {
    const { status, body } = await sign(pathOf(note), author);

    const [signature] = signaturesOf(body);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'final', attester: [{ mode: 'legal' }], meta: { versionId: '2' } });
    expect(signature).toMatchObject({ signer: author.claims?.['fhirUser'], version: 2, hash: hashOf(body) });
    expect(hashOf((await server.get(pathOf(note), { as: senior })).body)).toBe(signature?.['hash']);
  });

  it.each<[string, () => Promise<{ status: number; body: unknown }>]>([
    ['PUT', () => server.put(pathOf(note), { ...note, status: 'final', title: 'Another' } as never, { as: author })],
    [
      'PUT that marks it as entered in error',
      () => server.put(pathOf(note), { ...note, status: 'entered-in-error' } as never, { as: author }),
    ],
    [
      'PATCH',
      () =>
        server.request('PATCH', pathOf(note), {
          body: [{ op: 'replace', path: '/title', value: 'Another' }],
          as: author,
          headers: { 'content-type': 'application/json-patch+json' },
        }),
    ],
    [
      'conditional PUT',
      () => server.put(`Composition?_id=${note.id}`, { ...note, title: 'X' } as never, { as: author }),
    ],
    ['DELETE', () => server.delete(pathOf(note), { as: author })],
    [
      'transaction of the application of the organisation',
      () =>
        server.post(
          '',
          {
            resourceType: 'Bundle',
            type: 'transaction',
            entry: [{ resource: { ...note, title: 'X' }, request: { method: 'PUT', url: pathOf(note) } }],
          } as never,
          { as: { role: 'system' } },
        ),
    ],
  ])('stands against a %s', async (_, change) => {
    const { body: signed } = await sign(pathOf(note), author);

    const { status, body } = await change();

    expect([status, codeOf(body)]).toEqual([422, 'signed']);
    expect((await server.get(pathOf(note), { as: author })).body).toEqual(signed);
  });

  it('is not taken off, nor given, by a PUT; labels may change beside it', async () => {
    const { body: signed } = await sign(pathOf(note), author);
    const { meta, ...content } = signed as unknown as fhir4.Composition;
    const forged = { ...noteBody(), meta: { extension: meta?.extension ?? [] } };

    await server.put(pathOf(note), content as never, { as: author });
    await server.post(
      `${pathOf(note)}/$meta-add`,
      {
        resourceType: 'Parameters',
        parameter: [{ name: 'meta', valueMeta: { tag: [{ system: 'http://concord.test', code: 'x' }] } }],
      },
      { as: author },
    );

    const after = (await server.get(pathOf(note), { as: author })).body;
    expect([after['meta'], hashOf(after)]).toMatchObject([{ versionId: '4', tag: [{ code: 'x' }] }, hashOf(signed)]);
    expect(signaturesOf(after)).toEqual(signaturesOf(signed));
    expect(signaturesOf(await create(server, forged, author))).toEqual([]);
  });

  it('is not given by those who write no such records, nor by an application, nor twice by one', async () => {
    const refusals = await Promise.all(
      [{ role: 'system' }, { role: 'lab' }, { role: 'frontdesk' }].map((as) => sign(pathOf(note), as)),
    );
    const first = await sign(pathOf(note), author);
    const second = await sign(pathOf(note), author);

    expect(refusals.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(second.body).toEqual(first.body);
  });

  it('is not given to what was entered in error', async () => {
    const wrong = await create(server, noteBody({ status: 'entered-in-error' }), author);

    const { status, body } = await sign(pathOf(wrong), author);

    expect([status, codeOf(body)]).toEqual([422, 'not-signable']);
  });
});

describe('a cosignature', () => {
  it('is a task of who is asked, which their signature of the same content completes', async () => {
    const cosigner = { name: 'cosigner', valueReference: { reference: String(senior.claims?.['fhirUser']) } };
    const { body: signed } = await sign(pathOf(note), author, [cosigner]);
    const tasks = async () =>
      (
        resourcesIn((await server.get(`Task?patient=${patient.id}`, { as: author })).body) as unknown as fhir4.Task[]
      ).map(({ status, owner, focus }) => [status, owner?.reference, focus?.reference]);
    const asked = await tasks();

    const { body: both } = await sign(pathOf(note), senior);

    const task = [cosigner.valueReference.reference, referenceTo(note)];
    expect([asked, await tasks()]).toEqual([[['requested', ...task]], [['completed', ...task]]]);
    expect(signaturesOf(both).map(({ signer, hash }) => [signer, hash])).toEqual([
      [author.claims?.['fhirUser'], hashOf(signed)],
      [senior.claims?.['fhirUser'], hashOf(both)],
    ]);
  });

  it('completes its task in whichever open state that is', async () => {
    const states = ['received', 'accepted', 'ready', 'in-progress', 'on-hold'] as const;
    const done: unknown[] = [];
    for (const status of states) {
      const own = await create(server, noteBody(), author);
      const cosigner = { name: 'cosigner', valueReference: { reference: String(senior.claims?.['fhirUser']) } };
      await sign(pathOf(own), author, [cosigner]);
      const found = async () =>
        resourcesIn((await server.get(`Task?patient=${patient.id}&focus=${referenceTo(own)}`, { as: author })).body);
      const [task] = await found();
      await server.put(`Task/${String(task?.id)}`, { ...(task as object), status }, { as: author });
      const [moved] = await found();
      await sign(pathOf(own), senior);
      done.push([moved?.status, (await found())[0]?.status]);
    }

    expect(done).toEqual(states.map((status) => [status, 'completed']));
  });

  it.each(['as the person, of a position', 'under a position, of the person'])('is given %s', async (way) => {
    const person = String(senior.claims?.['fhirUser']);
    const position = referenceTo(
      await create(
        server,
        { resourceType: 'PractitionerRole', practitioner: { reference: person } } as fhir4.PractitionerRole,
        admin,
      ),
    );
    const [asked, signs] = way.startsWith('as') ? [position, person] : [person, position];
    await sign(pathOf(note), author, [{ name: 'cosigner', valueReference: { reference: asked } }]);
    const { status, body } = await sign(pathOf(note), { role: 'physician', claims: { fhirUser: signs } });

    expect([status, signaturesOf(body).at(-1)]).toMatchObject([200, { signer: signs, asked }]);
    const { body: found } = await server.get(`Task?patient=${patient.id}`, { as: author });
    expect(
      (resourcesIn(found) as unknown as fhir4.Task[]).map(({ status: is, owner }) => [is, owner?.reference]),
    ).toEqual([['completed', asked]]);
  });

  it('by somebody else than who holds the position leaves its task open', async () => {
    const other = await practitioner('physician');
    const holder = String(senior.claims?.['fhirUser']);
    const position = await create(
      server,
      { resourceType: 'PractitionerRole', practitioner: { reference: holder } } as fhir4.PractitionerRole,
      admin,
    );
    await sign(pathOf(note), author, [{ name: 'cosigner', valueReference: { reference: referenceTo(position) } }]);
    await sign(pathOf(note), other);

    const { body } = await server.get(`Task?patient=${patient.id}`, { as: author });
    expect(resourcesIn(body).map((each) => each['status'])).toEqual(['requested']);
  });

  it('is not asked of a position of who signs', async () => {
    const own = await create(
      server,
      {
        resourceType: 'PractitionerRole',
        practitioner: { reference: String(author.claims?.['fhirUser']) },
      } as fhir4.PractitionerRole,
      admin,
    );
    const { status, body } = await sign(pathOf(note), author, [
      { name: 'cosigner', valueReference: { reference: referenceTo(own) } },
    ]);

    expect([status, (body as unknown as fhir4.OperationOutcome).issue[0]?.expression]).toEqual([400, ['cosigner']]);
  });

  it('is asked of somebody else, who is in the directory', async () => {
    const [own, nobody] = await Promise.all(
      [String(author.claims?.['fhirUser']), 'Practitioner/nobody'].map((reference) =>
        sign(pathOf(note), author, [{ name: 'cosigner', valueReference: { reference } }]),
      ),
    );

    expect([own?.status, nobody?.status]).toEqual([400, 400]);
  });
});

describe('an addendum', () => {
  const relatesTo = (): fhir4.CompositionRelatesTo[] => [
    { code: 'appends', targetReference: { reference: referenceTo(note) } },
  ];
  const addendaOf = async () =>
    ((await server.get(pathOf(note), { as: author })).body as unknown as fhir4.Composition).meta?.extension
      ?.filter(({ url }) => url.endsWith('/addendum'))
      .map(({ extension = [] }) => [extension[0]?.valueReference?.reference, extension[1]?.valueCode]);

  it('is told of wherever the signed note is, shown with its document, and told of no more when withdrawn', async () => {
    const { body: signed } = await sign(pathOf(note), author);
    const addendum = await create(server, noteBody({ title: 'Addendum', relatesTo: relatesTo() }), senior);
    const told = await addendaOf();
    const document = (await server.get(`${pathOf(note)}/$document`, { as: author })).body;
    await server.put(pathOf(addendum), { ...addendum, status: 'entered-in-error' } as never, { as: senior });

    const after = (await server.get(pathOf(note), { as: author })).body;
    expect([told, await addendaOf()]).toEqual([[[referenceTo(addendum), 'appends']], []]);
    expect(resourcesIn(document).map((each) => each['title'])).toContain('Addendum');
    expect(hashOf(after)).toBe(hashOf(signed));
  });

  it('of several at once is told of for each', async () => {
    const added = await Promise.all(
      ['one', 'two', 'three'].map((title) => create(server, noteBody({ title, relatesTo: relatesTo() }), senior)),
    );

    expect((await addendaOf())?.map(([record]) => record).sort()).toEqual(added.map(referenceTo).sort());
  });

  it('in another record of the same person is told of', async () => {
    const first = patient;
    patient = await create(server, patientBody());
    await server.post(`${pathOf(patient)}/$merge`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'source', valueReference: { reference: referenceTo(first) } }],
    });

    const addendum = await create(server, noteBody({ relatesTo: relatesTo() }), senior);

    expect(await addendaOf()).toEqual([[referenceTo(addendum), 'appends']]);
  });

  it('is told of by a note of the same transaction', async () => {
    const entries = [
      { fullUrl: 'urn:uuid:0b9e6f0e-56a4-4f3f-9ed5-43e9d0f9d3aa', resource: noteBody({ title: 'First' }) },
      {
        fullUrl: 'urn:uuid:0b9e6f0e-56a4-4f3f-9ed5-43e9d0f9d3ab',
        resource: noteBody({
          relatesTo: [
            { code: 'replaces', targetReference: { reference: 'urn:uuid:0b9e6f0e-56a4-4f3f-9ed5-43e9d0f9d3aa' } },
          ],
        }),
      },
    ].map((entry) => ({ ...entry, request: { method: 'POST', url: 'Composition' } }));
    await server.post('', { resourceType: 'Bundle', type: 'transaction', entry: entries } as never, { as: author });

    const { body } = await server.get(`Composition?patient=${patient.id}`, { as: author });
    const first = resourcesIn(body).find((each) => each['title'] === 'First') as unknown as fhir4.Composition;
    expect(first.meta).toMatchObject({ versionId: '1', extension: [{ extension: [{}, { valueCode: 'replaces' }] }] });
  });

  it('to a report is told of as well', async () => {
    const report = (elements: Partial<fhir4.DiagnosticReport> = {}): fhir4.DiagnosticReport => ({
      resourceType: 'DiagnosticReport',
      status: 'preliminary',
      code: { coding: [{ system: 'http://loinc.org', code: '24323-8' }] },
      subject: { reference: referenceTo(patient) },
      ...elements,
    });
    const lab = await practitioner('lab');
    const first = await create(server, report(), lab);
    const { status } = await sign(pathOf(first), lab);
    const addendumOf = 'http://hl7.org/fhir/StructureDefinition/diagnosticReport-addendumOf';
    const reference = referenceTo(first);
    const second = await create(
      server,
      report({ extension: [{ url: addendumOf, valueReference: { reference } }] }),
      lab,
    );

    const { body } = await server.get(pathOf(first), { as: lab });
    expect(status).toBe(200);
    expect(JSON.stringify(body['meta'])).toContain(referenceTo(second));
    expect(body).toMatchObject({ status: 'final', resultsInterpreter: [{ reference: lab.claims?.['fhirUser'] }] });
  });
});

describe('what a signed document shows', () => {
  it('stays with it, and is hashed in its signature', async () => {
    const data = Buffer.from('Scan of a letter').toString('base64');
    const scan = await create(
      server,
      { resourceType: 'Binary', contentType: 'text/plain', data, securityContext: { reference: referenceTo(patient) } },
      author,
    );
    const document = await create(server, documentBody(referenceTo(scan)), author);
    const { body } = await sign(pathOf(document), author);

    const other = Buffer.from('Another letter').toString('base64');
    const changed = await server.put(pathOf(scan), { ...scan, data: other } as never, { as: author });

    const hash = `sha256:${createHash('sha256').update('Scan of a letter').digest('hex')}`;
    expect(body).toMatchObject({ docStatus: 'final', authenticator: { reference: author.claims?.['fhirUser'] } });
    expect(JSON.stringify(body['meta'])).toContain(hash);
    expect([changed.status, codeOf(changed.body)]).toEqual([422, 'signed']);
  });

  it('is hashed in the version that the address names', async () => {
    const letter = (text: string): fhir4.Binary => ({
      resourceType: 'Binary',
      contentType: 'text/plain',
      data: Buffer.from(text).toString('base64'),
    });
    const scan = await create(server, letter('First'), author);
    await server.put(pathOf(scan), { ...letter('Second'), id: scan.id } as never, { as: author });
    const document = await create(server, documentBody(`${referenceTo(scan)}/_history/1`), author);

    const { body } = await sign(pathOf(document), author);

    expect(JSON.stringify(body['meta'])).toContain(createHash('sha256').update('First').digest('hex'));
  });

  it.each(['/', '?x=y', '#x'])('is not signed under an address that ends with %s', async (ending) => {
    const scan = await create(server, { resourceType: 'Binary', contentType: 'text/plain', data: 'aGk=' }, author);
    const document = await create(server, documentBody(`${referenceTo(scan)}${ending}`), author);

    const { status, body } = await sign(pathOf(document), author);

    expect([status, codeOf(body)]).toEqual([422, 'attachment-missing']);
  });

  it('is not signed if it is not there', async () => {
    const scan = await create(server, { resourceType: 'Binary', contentType: 'text/plain', data: 'aGk=' }, author);
    const document = await create(server, documentBody(referenceTo(scan)), author);
    await server.delete(pathOf(scan), { as: author });

    const { status, body } = await sign(pathOf(document), author);

    expect([status, codeOf(body)]).toEqual([422, 'attachment-missing']);
  });
});

describe('a retraction', () => {
  const retract = (reason: string) =>
    server.post(
      `${pathOf(note)}/$retract`,
      { resourceType: 'Parameters', parameter: [{ name: 'reason', valueString: reason }] },
      { as: author },
    );

  it('says so in the record, for good, and keeps what was signed in the history', async () => {
    const { body: signed } = await sign(pathOf(note), author);
    const { status, body } = await retract('Written into the wrong chart');
    const again = await server.put(pathOf(note), { ...note, status: 'final' } as never, { as: author });
    const { body: before } = await server.get(`${pathOf(note)}/_history/2`, { as: author });

    expect([status, body['status'], signaturesOf(body)]).toEqual([200, 'entered-in-error', []]);
    expect(JSON.stringify(body['meta'])).toContain('Written into the wrong chart');
    expect([again.status, codeOf(again.body)]).toEqual([422, 'signed']);
    expect([before, hashOf(before)]).toEqual([signed, signaturesOf(signed)[0]?.['hash']]);
  });

  it('needs a reason, and something that was signed', async () => {
    const unsigned = await retract('Written into the wrong chart');
    await sign(pathOf(note), author);
    const short = await retract('wrong');

    expect([unsigned.status, codeOf(unsigned.body), short.status]).toEqual([422, 'not-signed', 400]);
  });
});
