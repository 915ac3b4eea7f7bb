import { beforeAll, describe, expect, it } from 'vitest';
import { deleteEntry, postEntry, putEntry, statusesOf, transactionOf, urn, writtenIn } from '../support/bundles.ts';
import { base, type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  create,
  encounterBody,
  expressionsIn,
  identifierSystem,
  issuesOf,
  numberedPatient,
  observationBody,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  system,
} from '../support/records.ts';

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

/** What the transaction has written, entry by entry, read back. */
const carriedOut = async (...entries: fhir4.BundleEntry[]): Promise<{ paths: string[]; records: TestBody[] }> => {
  const { status, body } = await server.post('', transactionOf(...entries), { as: system });
  expect(status, JSON.stringify(body)).toBe(200);
  const paths = writtenIn(body);
  // A Binary comes as its content unless FHIR's own type is asked for.
  const read = { as: system, headers: { accept: 'application/fhir+json' } };
  const records = await Promise.all(paths.map(async (path) => (await server.get(path, read)).body));
  return { paths, records };
};

/** What stands within another resource: any resource may. */
const within = (resource: fhir4.FhirResource): fhir4.FhirResource => resource;

const narrative = (content: string): fhir4.Narrative => ({
  status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml">${content}</div>`,
});

describe('links of a transaction', () => {
  it('are rewritten wherever R4 has them: references, addresses and the narrative, within other resources too', async () => {
    const [patient, image] = [urn(), 'urn:oid:2.25.1234567890'];
    const about = (reference: string) => [{ url: 'http://concord.test/about', valueReference: { reference } }];

    const { paths, records } = await carriedOut(
      postEntry(patientBody(), patient),
      postEntry({ resourceType: 'Binary', contentType: 'image/png', data: 'AAAA' }, image),
      postEntry(
        observationBody(patient, {
          text: narrative(`<p><a href="${patient}">who</a><img src="${image}" alt="what"/>${patient}</p>`),
          contained: [
            within({ resourceType: 'Device', id: 'd', patient: { reference: patient }, extension: about(patient) }),
          ],
          device: { reference: '#d' },
          extension: [
            { url: 'http://concord.test/uri', valueUri: patient },
            { url: 'http://concord.test/url', valueUrl: image },
            { url: 'http://concord.test/uuid', valueUuid: patient },
            { url: 'http://concord.test/attached', valueAttachment: { url: image } },
            { url: 'http://concord.test/canonical', valueCanonical: patient },
            { url: 'http://concord.test/text', valueString: patient },
            { url: 'http://concord.test/inner', extension: about(patient) },
          ],
          identifier: [{ system: 'urn:ietf:rfc3986', value: patient }],
          _effectiveDateTime: { extension: about(patient) },
        }),
      ),
    );

    const [patientAt, imageAt] = paths;
    expect(records[2]).toMatchObject({
      subject: { reference: patientAt },
      text: {
        div: narrative(`<p><a href="${patientAt}">who</a><img src="${imageAt}" alt="what"/>${patient}</p>`).div,
      },
      contained: [{ patient: { reference: patientAt }, extension: [{ valueReference: { reference: patientAt } }] }],
      device: { reference: '#d' },
      extension: [
        { valueUri: patientAt },
        { valueUrl: imageAt },
        { valueUri: patientAt },
        { valueAttachment: { url: imageAt } },
        { valueCanonical: patient },
        { valueString: patient },
        { extension: [{ valueReference: { reference: patientAt } }] },
      ],
      identifier: [{ value: patient }],
      _effectiveDateTime: { extension: [{ valueReference: { reference: patientAt } }] },
    });
  });

  it.each([
    ['its address elsewhere', 'https://elsewhere.test/r4/Patient/1', 'https://elsewhere.test/r4/Patient/1'],
    ['a name relative to that', 'https://elsewhere.test/r4/Patient/1', 'Patient/1'],
    ['its address here', `${base}/Patient/of-the-sender`, `${base}/Patient/of-the-sender`],
    ['a name relative to this server', `${base}/Patient/of-the-sender`, 'Patient/of-the-sender'],
  ])('lead to a new record by %s', async (_what, fullUrl, reference) => {
    const observationUrl = fullUrl.replace('Patient', 'Observation');

    const { paths, records } = await carriedOut(
      postEntry(observationBody(reference), observationUrl),
      postEntry(patientBody(), fullUrl),
    );

    expect(records[0]?.subject?.reference).toBe(paths[1]);
  });

  it('keep their fragment, and get the version that the transaction writes', async () => {
    const [fresh, changed, found] = [urn(), urn(), urn()];
    const kept = await create(server, numberedPatient('kept as it is'));
    const { body: second } = await server.put(pathOf(kept), { ...kept, birthDate: '1988-08-08' });
    const updated = await create(server, patientBody());
    const versions = (reference: string) => ({ url: 'http://concord.test/version', valueReference: { reference } });

    const { paths, records } = await carriedOut(
      postEntry(
        observationBody(fresh, {
          extension: [
            versions(`${fresh}/_history/7`),
            versions(`${changed}/_history/1`),
            versions(`${found}/_history/9`),
            { url: 'http://concord.test/fragment', valueUri: `${fresh}#name` },
            { url: 'http://concord.test/both', valueUri: `${changed}/_history/1#name` },
            versions(`${referenceTo(updated)}/_history/1`),
          ],
        }),
      ),
      postEntry(patientBody(), fresh),
      { ...putEntry({ ...updated, birthDate: '1977-07-07' }), fullUrl: changed },
      postEntry(numberedPatient('kept as it is'), found, {
        ifNoneExist: `identifier=${identifierSystem}|kept%20as%20it%20is`,
      }),
    );

    expect(second.meta?.versionId).toBe('2');
    expect(records[0]?.extension).toMatchObject([
      { valueReference: { reference: `${paths[1]}/_history/1` } },
      { valueReference: { reference: `${referenceTo(updated)}/_history/2` } },
      { valueReference: { reference: `${referenceTo(kept)}/_history/2` } },
      { valueUri: `${paths[1]}#name` },
      { valueUri: `${referenceTo(updated)}/_history/2#name` },
      // What is named by its name here, and by no fullUrl, is no link within the transaction.
      { valueReference: { reference: `${referenceTo(updated)}/_history/1` } },
    ]);
  });

  it('are rewritten in patches of both forms', async () => {
    const [patient, organization] = [await create(server, patientBody()), urn()];
    const [other, otherOrganization] = [await create(server, patientBody()), urn()];
    const [managing, general] = ['managingOrganization', 'generalPractitioner'];

    const { paths } = await carriedOut(
      postEntry(organizationBody(), organization),
      postEntry(organizationBody(), otherOrganization),
      {
        request: { method: 'PATCH', url: pathOf(patient) },
        resource: within({
          resourceType: 'Binary',
          contentType: 'application/json-patch+json',
          data: Buffer.from(
            JSON.stringify([
              { op: 'add', path: `/${managing}`, value: { reference: organization } },
              { op: 'add', path: `/${general}`, value: [{ reference: organization }] },
              { op: 'replace', path: `/${general}/0/reference`, value: otherOrganization },
            ]),
          ).toString('base64'),
        }),
      },
      {
        request: { method: 'PATCH', url: pathOf(other) },
        resource: within({
          resourceType: 'Parameters',
          parameter: [
            {
              name: 'operation',
              part: [
                { name: 'type', valueCode: 'add' },
                { name: 'path', valueString: 'Patient' },
                { name: 'name', valueString: managing },
                { name: 'value', valueReference: { reference: organization } },
              ],
            },
          ],
        }),
      },
    );

    expect((await server.get(pathOf(patient))).body).toMatchObject({
      managingOrganization: { reference: paths[0] },
      generalPractitioner: [{ reference: paths[1] }],
    });
    expect((await server.get(pathOf(other))).body.managingOrganization?.reference).toBe(paths[0]);
  });

  const jsonPatch = (...operations: object[]): fhir4.FhirResource =>
    within({
      resourceType: 'Binary',
      contentType: 'application/json-patch+json',
      data: Buffer.from(JSON.stringify(operations)).toString('base64'),
    });

  it('are rewritten in a JSON Patch by the datatypes that its paths lead to, whatever the link is called', async () => {
    const patient = await create(server, patientBody({ photo: [{ title: 'first' }] }));
    const image = urn();

    const { paths } = await carriedOut(
      postEntry({ resourceType: 'Binary', contentType: 'image/png', data: 'AAAA' }, image),
      {
        request: { method: 'PATCH', url: pathOf(patient) },
        resource: jsonPatch(
          { op: 'add', path: '/photo/0/url', value: image },
          { op: 'add', path: '/photo/-', value: { url: image } },
          { op: 'add', path: '/extension', value: [{ url: 'http://x.test/image', valueUri: image }] },
          { op: 'add', path: '/text', value: narrative(`<a href="${image}">image</a>`) },
          { op: 'add', path: '/identifier', value: [{ system: image, value: image }] },
        ),
      },
    );

    expect((await server.get(pathOf(patient))).body).toMatchObject({
      photo: [{ title: 'first', url: paths[0] }, { url: paths[0] }],
      extension: [{ valueUri: paths[0] }],
      text: { div: narrative(`<a href="${paths[0]}">image</a>`).div },
      identifier: [{ system: image, value: image }],
    });
  });

  it('are refused in a JSON Patch where no datatype is known and they are not called a reference', async () => {
    const contained: fhir4.Practitioner = { resourceType: 'Practitioner', id: 'doctor', photo: [{ title: 'first' }] };
    const patient = await create(
      server,
      patientBody({ contained: [contained], generalPractitioner: [{ reference: '#doctor' }] }),
    );
    const [image, entry] = [urn(), { method: 'PATCH', url: pathOf(patient) } as const];
    const posted = postEntry({ resourceType: 'Binary', contentType: 'image/png', data: 'AAAA' }, image);
    const patching = (value: unknown) => ({
      request: entry,
      resource: jsonPatch({ op: 'add', path: '/contained/0/photo/0', value }),
    });

    const { status, body } = await server.post('', transactionOf(posted, patching({ url: image })), { as: system });

    expect(status).toBe(400);
    expect(expressionsIn(body)).toEqual(['Bundle.entry[1].resource[0].value.url']);
    const { paths } = await carriedOut(posted, {
      request: entry,
      resource: jsonPatch(
        { op: 'add', path: '/contained/-', value: { ...contained, id: 'other', photo: [{ url: image }] } },
        {
          op: 'add',
          path: '/generalPractitioner/-',
          value: { reference: '#other' },
        },
      ),
    });
    expect((await server.get(pathOf(patient))).body.contained?.[1]?.photo).toEqual([{ url: paths[0] }]);
  });

  it('leave the canonical address by which a resource calls itself', async () => {
    const url = 'http://concord.test/fhir/ValueSet/own';

    const { records } = await carriedOut(
      postEntry({ resourceType: 'ValueSet', status: 'active', url }, url),
      postEntry({
        resourceType: 'ValueSet',
        status: 'active',
        url: 'http://concord.test/fhir/ValueSet/other',
        compose: { include: [{ valueSet: [url] }] },
      }),
    );

    expect(records.map((record) => record.url)).toEqual([url, 'http://concord.test/fhir/ValueSet/other']);
    expect(records[1]?.compose?.include?.[0]?.valueSet).toEqual([url]);
  });
});

describe('a conditional reference', () => {
  const to = (number: string, type = 'Patient') => `${type}?identifier=${identifierSystem}|${number}`;

  it('finds what the same transaction creates', async () => {
    const { paths, records } = await carriedOut(
      postEntry(observationBody(to('created'))),
      postEntry(numberedPatient('created')),
      postEntry(encounterBody(`${base}/${to('created')}`)),
    );

    expect(records[0]?.subject?.reference).toBe(paths[1]);
    expect(records[2]?.subject?.reference).toBe(paths[1]);
  });

  it('finds what the same transaction creates unless it exists, once', async () => {
    const bundle = () => [
      postEntry(numberedPatient('once'), urn(), { ifNoneExist: `identifier=${identifierSystem}|once` }),
      postEntry(observationBody(to('once'))),
    ];

    const [first, second] = [await carriedOut(...bundle()), await carriedOut(...bundle())];

    expect(first.records[1]?.subject?.reference).toBe(first.paths[0]);
    expect(second.records[1]?.subject?.reference).toBe(first.paths[0]);
  });

  it('takes what is replaced for what it becomes, and what is deleted for gone', async () => {
    const [leaves, joins, gone] = [
      await create(server, numberedPatient('moving')),
      await create(server, patientBody()),
      await create(server, numberedPatient('moving')),
    ];

    const { records } = await carriedOut(
      postEntry(observationBody(to('moving'))),
      putEntry({ ...patientBody(), id: leaves.id }),
      putEntry({ ...numberedPatient('moving'), id: joins.id }),
      deleteEntry(pathOf(gone)),
    );

    expect(records[0]?.subject?.reference).toBe(referenceTo(joins));
  });

  it('is resolved in every place of a resource, and nowhere else', async () => {
    const practice = to('practice', 'Organization');
    await create(server, organizationBody({ identifier: [{ system: identifierSystem, value: 'practice' }] }), admin);

    const { records } = await carriedOut(
      postEntry(
        patientBody({
          contained: [
            within({
              resourceType: 'Practitioner',
              id: 'p',
              qualification: [{ code: { text: 'x' }, issuer: { reference: practice } }],
            }),
          ],
          generalPractitioner: [{ reference: '#p' }],
          extension: [
            { url: 'http://concord.test/about', valueReference: { reference: practice } },
            { url: 'http://concord.test/uri', valueUri: practice },
          ],
        }),
      ),
    );

    const [practiceAt] = resourcesIn((await server.get(practice)).body).map(referenceTo);
    expect(records[0]).toMatchObject({
      contained: [{ qualification: [{ issuer: { reference: practiceAt } }] }],
      extension: [{ valueReference: { reference: practiceAt } }, { valueUri: practice }],
    });
  });

  it.each<
    [what: string, number: string, entries: () => fhir4.BundleEntry[] | Promise<fhir4.BundleEntry[]>, reason: string]
  >([
    ['nothing', 'nobody has it', () => [], 'reference-not-found'],
    [
      'only what is deleted',
      'only deleted',
      async () => [deleteEntry(pathOf(await create(server, numberedPatient('only deleted'))))],
      'reference-not-found',
    ],
    [
      'two that are created',
      'two created',
      () => [postEntry(numberedPatient('two created')), postEntry(numberedPatient('two created'))],
      'multiple-matches',
    ],
    [
      'one that is there and one that is created',
      'there and created',
      async () => {
        await create(server, numberedPatient('there and created'));
        return [postEntry(numberedPatient('there and created'))];
      },
      'multiple-matches',
    ],
  ])(
    'refuses the transaction with 412 where it finds %s, naming entry and element',
    async (_what, number, entries, reason) => {
      const others = await entries();
      const inPart = observationBody('Patient/x', { subject: { reference: to(encodeURIComponent(number)) } });

      const { status, body } = await server.post('', transactionOf(...others, postEntry(inPart)));

      expect(status).toBe(412);
      expect(issuesOf(body)).toMatchObject([
        { reason, expression: `Bundle.entry[${others.length}].resource.subject.reference` },
      ]);
      expect(issuesOf(body)[0]?.text).toMatch(new RegExp(`^Entry ${others.length}: `));
    },
  );

  it('refuses one that is understood by nobody, or would be taken for a wider one', async () => {
    const answers = await Promise.all(
      ['Patient?', 'Patient?nonsense=1', 'Patient?_count=1', 'Patients?name=x'].map((reference) =>
        server.post('', transactionOf(postEntry(observationBody(reference)))),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
    for (const { body } of answers) expect(expressionsIn(body)[0]).toBe('Bundle.entry[0].resource.subject.reference');
  });

  it('is refused in a batch, whose entries stand alone', async () => {
    const { body } = await server.post('', {
      ...transactionOf(postEntry(observationBody(to('created')))),
      type: 'batch',
    });

    expect(statusesOf(body)).toEqual(['400']);
  });
});

describe('a reference that leads nowhere at the commit', () => {
  it('is named with its own entry, beside others of the same element', async () => {
    const [there, gone] = [await create(server, patientBody()), await create(server, patientBody())];
    await server.delete(pathOf(gone));

    const { status, body } = await server.post(
      '',
      transactionOf(
        postEntry(observationBody(referenceTo(there))),
        postEntry(observationBody(referenceTo(there))),
        postEntry(observationBody(referenceTo(gone))),
      ),
    );

    expect(status).toBe(400);
    expect(issuesOf(body)).toMatchObject([
      { reason: 'reference-not-found', expression: 'Bundle.entry[2].resource.subject.reference' },
    ]);
    expect(issuesOf(body)[0]?.text).toMatch(/^Entry 2: /);
  });
});
