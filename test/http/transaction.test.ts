import { beforeAll, describe, expect, it } from 'vitest';
import {
  batchOf,
  deleteEntry,
  getEntry,
  postEntry,
  putEntry,
  statusesOf,
  transactionOf,
  urn,
  writtenIn,
} from '../support/bundles.ts';
import { base, type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  expressionsIn,
  identifierSystem,
  issuesOf,
  numberedPatient,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
} from '../support/records.ts';

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

/** Patients of ours that bear a number: how a test sees whether anything was written. */
const patientsNumbered = async (value: string): Promise<TestBody[]> =>
  resourcesIn((await server.get(`Patient?identifier=${identifierSystem}|${value}`)).body);

const unlessNumbered = (value: string) => ({ ifNoneExist: `identifier=${identifierSystem}|${value}` });

describe('references within a transaction', () => {
  it('resolves urn:uuid forwards and backwards, and in every place of a resource', async () => {
    const [patient, encounter] = [urn(), urn()];
    const observation = observationBody(patient, {
      encounter: { reference: encounter },
      extension: [{ url: 'http://concord.test/about', valueReference: { reference: patient } }],
    });

    const { status, body } = await server.post(
      '',
      transactionOf(
        postEntry(observation),
        postEntry(patientBody(), patient),
        postEntry(encounterBody(patient), encounter),
      ),
    );

    expect(status, JSON.stringify(body)).toBe(200);
    const [observationAt = '', patientAt, encounterAt] = writtenIn(body);
    expect((await server.get(observationAt)).body).toMatchObject({
      subject: { reference: patientAt },
      encounter: { reference: encounterAt },
      extension: [{ valueReference: { reference: patientAt } }],
    });
  });

  it('resolves records that refer to each other', async () => {
    const [patient, first, second] = [urn(), urn(), urn()];
    const partOf = (reference: string) => ({ partOf: { reference } });

    const { status, body } = await server.post(
      '',
      transactionOf(
        postEntry(encounterBody(patient, partOf(second)), first),
        postEntry(encounterBody(patient, partOf(first)), second),
        postEntry(patientBody(), patient),
      ),
    );

    expect(status).toBe(200);
    const [firstAt = '', secondAt = ''] = writtenIn(body);
    expect((await server.get(firstAt)).body.partOf?.reference).toBe(secondAt);
    expect((await server.get(secondAt)).body.partOf?.reference).toBe(firstAt);
  });

  it('takes the id of a PUT entry for its fullUrl', async () => {
    const patient = await create(server, patientBody());
    const fullUrl = urn();

    const { body } = await server.post(
      '',
      transactionOf({ ...putEntry(patient), fullUrl }, postEntry(observationBody(fullUrl))),
    );

    const [, observationAt = ''] = writtenIn(body);
    expect((await server.get(observationAt)).body.subject?.reference).toBe(referenceTo(patient));
  });

  it('resolves a conditional reference to the one record that meets it', async () => {
    const patient = await create(server, numberedPatient('conditional-reference'));

    const { status, body } = await server.post(
      '',
      transactionOf(postEntry(observationBody(`Patient?identifier=${identifierSystem}|conditional-reference`))),
    );

    expect(status, JSON.stringify(body)).toBe(200);
    expect((await server.get(writtenIn(body)[0] ?? '')).body.subject?.reference).toBe(referenceTo(patient));
  });

  it('refuses a conditional reference that nothing or several records meet', async () => {
    await create(server, numberedPatient('several'));
    await create(server, numberedPatient('several'));
    await create(server, numberedPatient('theirs'), elsewhere);

    const answer = (value: string) =>
      server.post('', transactionOf(postEntry(observationBody(`Patient?identifier=${identifierSystem}|${value}`))));
    const [none, theirs, several] = [await answer('none'), await answer('theirs'), await answer('several')];

    expect(none.status).toBe(412);
    expect(issuesOf(none.body)).toMatchObject([{ code: 'not-found', reason: 'reference-not-found' }]);
    expect(expressionsIn(none.body)).toEqual(['Bundle.entry[0].resource.subject.reference']);
    expect(issuesOf(theirs.body)).toEqual(issuesOf(none.body));
    expect(several.status).toBe(412);
    expect(expressionsIn(several.body)).toEqual(['Bundle.entry[0].resource.subject.reference']);
  });

  it('refuses a conditional reference of more parameters than a request may have, and says where', async () => {
    const { status, body } = await server.post(
      '',
      transactionOf(postEntry(observationBody(`Patient?${'name&'.repeat(100_000)}`))),
    );

    expect(status).toBe(400);
    expect(issuesOf(body)).toMatchObject([{ code: 'too-costly' }]);
    expect(expressionsIn(body)).toEqual(['Bundle.entry[0].resource.subject.reference']);
  });

  it('refuses a urn that no entry bears, and one to an entry that is only read', async () => {
    const patient = await create(server, patientBody());
    const fullUrl = urn();

    const unknown = await server.post('', transactionOf(postEntry(observationBody(urn()))));
    const onlyRead = await server.post(
      '',
      transactionOf({ ...getEntry(pathOf(patient)), fullUrl }, postEntry(observationBody(fullUrl))),
    );

    expect(unknown.status).toBe(400);
    expect(expressionsIn(unknown.body)[0]).toBe('Bundle.entry[0].resource.subject.reference');
    expect(onlyRead.status).toBe(400);
    expect(expressionsIn(onlyRead.body)[0]).toBe('Bundle.entry[1].resource.subject.reference');
  });
});

describe('a transaction of several kinds of entries', () => {
  it('answers in the order of the request, each with its status, place and version', async () => {
    const [updated, deleted] = [await create(server, patientBody()), await create(server, patientBody())];

    const { status, body } = await server.post(
      '',
      transactionOf(
        getEntry(pathOf(updated)),
        putEntry({ ...updated, birthDate: '1981-01-01' }),
        postEntry(patientBody()),
        deleteEntry(pathOf(deleted)),
      ),
    );

    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.type).toBe('transaction-response');
    expect(statusesOf(body)).toEqual(['200', '200', '201', '204']);
    const [read, put, post, removed] = entriesOf(body);
    // A read comes last, so it sees what the transaction wrote.
    expect(read?.resource).toMatchObject({ birthDate: '1981-01-01', meta: { versionId: '2' } });
    expect(put?.response).toMatchObject({ location: `${base}/${pathOf(updated)}/_history/2`, etag: 'W/"2"' });
    expect(post?.response).toMatchObject({ etag: 'W/"1"' });
    expect(post?.response?.location).toMatch(/\/Patient\/[^/]+\/_history\/1$/);
    expect(removed?.response?.etag).toBe('W/"2"');
    expect((await server.get(pathOf(deleted))).status).toBe(410);
  });

  it('repeats what it wrote only if the client prefers that', async () => {
    const bundle = () => transactionOf(postEntry(patientBody()));

    const plain = await server.post('', bundle());
    const repeated = await server.post('', bundle(), { headers: { prefer: 'return=representation' } });

    expect(entriesOf(plain.body)[0]).not.toHaveProperty('resource');
    expect(entriesOf(repeated.body)[0]?.resource).toMatchObject(patientBody());
  });

  it('creates under an id that the client chose, for other entries to refer to', async () => {
    const { status, body } = await server.post(
      '',
      transactionOf(
        postEntry(observationBody('Patient/chosen-in-bundle')),
        putEntry({ ...patientBody(), id: 'chosen-in-bundle' } as fhir4.Patient),
      ),
    );

    expect(status, JSON.stringify(body)).toBe(200);
    expect(statusesOf(body)).toEqual(['201', '201']);
    expect((await server.get(writtenIn(body)[0] ?? '')).body.subject?.reference).toBe('Patient/chosen-in-bundle');
  });

  it('creates where ifNoneExist finds nothing, and leads references to what it finds', async () => {
    const bundle = () => {
      const patient = urn();
      return transactionOf(
        postEntry(observationBody(patient)),
        postEntry(numberedPatient('if-none-exist'), patient, unlessNumbered('if-none-exist')),
      );
    };

    const first = await server.post('', bundle());
    const second = await server.post('', bundle());

    expect(statusesOf(first.body)).toEqual(['201', '201']);
    expect(statusesOf(second.body)).toEqual(['201', '200']);
    expect(writtenIn(second.body)[1]).toBe(writtenIn(first.body)[1]);
    expect((await server.get(writtenIn(second.body)[0] ?? '')).body.subject?.reference).toBe(writtenIn(first.body)[1]);
  });

  it('creates anew what ifNoneExist finds only among the records that it deletes', async () => {
    const old = await create(server, numberedPatient('replaced'));
    const patient = urn();

    const { status, body } = await server.post(
      '',
      transactionOf(
        postEntry(observationBody(patient)),
        postEntry(numberedPatient('replaced'), patient, unlessNumbered('replaced')),
        deleteEntry(pathOf(old)),
      ),
    );

    expect(status, JSON.stringify(body)).toBe(200);
    expect(statusesOf(body)).toEqual(['201', '201', '204']);
    expect((await patientsNumbered('replaced')).map(referenceTo)).toEqual([writtenIn(body)[1]]);
    expect((await server.get(writtenIn(body)[0] ?? '')).body.subject?.reference).toBe(writtenIn(body)[1]);
  });

  it('lets two records exchange their identifiers', async () => {
    const [first, second] = [
      await create(server, numberedPatient('first')),
      await create(server, numberedPatient('second')),
    ];

    const { status } = await server.post(
      '',
      transactionOf(
        putEntry({ ...numberedPatient('second'), id: first.id }),
        putEntry({ ...numberedPatient('first'), id: second.id }),
      ),
    );

    expect(status).toBe(200);
    expect((await patientsNumbered('first')).map(referenceTo)).toEqual([referenceTo(second)]);
    expect((await patientsNumbered('second')).map(referenceTo)).toEqual([referenceTo(first)]);
  });

  it('makes one patient of 12 transactions at once that each create it unless it exists', async () => {
    const responses = await Promise.all(
      Array.from({ length: 12 }, () => {
        const patient = urn();
        const entries = [
          postEntry(numberedPatient('race'), patient, unlessNumbered('race')),
          postEntry(observationBody(patient)),
        ];
        return server.post('', transactionOf(...entries));
      }),
    );

    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
    expect(responses.filter(({ body }) => statusesOf(body)[0] === '201')).toHaveLength(1);
    const [patient, ...others] = await patientsNumbered('race');
    expect(others).toEqual([]);
    const observations = await server.get(`Observation?patient=${patient?.id}`);
    expect(resourcesIn(observations.body)).toHaveLength(12);
  });

  it('files identifiers for later conditional creates', async () => {
    const { body } = await server.post('', transactionOf(postEntry(numberedPatient('filed'))));

    const later = await server.post('Patient', numberedPatient('filed'), {
      headers: { 'if-none-exist': `identifier=${identifierSystem}|filed` },
    });

    expect(later.status).toBe(200);
    expect(referenceTo(later.body)).toBe(writtenIn(body)[0]);
  });

  it('reads a chart once for all that it deletes of it, and refuses what others of it refer to', async () => {
    const patient = await create(server, patientBody());
    const visits = await Promise.all(
      Array.from({ length: 12 }, () => create(server, encounterBody(referenceTo(patient)))),
    );
    const last = visits.at(-1) ?? patient;
    const observation = await create(
      server,
      observationBody(referenceTo(patient), { encounter: { reference: referenceTo(last) } }),
    );
    const deletions = visits.map((visit) => deleteEntry(pathOf(visit)));

    const refused = await server.post('', transactionOf(...deletions));
    server.calls.reset();
    const carriedOut = await server.post('', transactionOf(...deletions, deleteEntry(pathOf(observation))));

    expect(refused.status).toBe(409);
    expect(issuesOf(refused.body)).toMatchObject([{ reason: 'referenced', expression: 'Bundle.entry[11]' }]);
    expect(statusesOf(carriedOut.body)).toEqual([...visits, observation].map(() => '204'));
    expect(server.calls.names.filter((name) => name === 'Query')).toHaveLength(1);
    expect(server.calls.names.filter((name) => name === 'BatchGetItem')).toHaveLength(1);
  });

  it('deletes what a condition finds beside what is named in the same chart', async () => {
    const patient = await create(server, patientBody());
    const coded = (code: string) => ({ code: { coding: [{ system: 'http://concord.test/codes', code }] } });
    const found = await Promise.all(
      Array.from({ length: 3 }, () => create(server, observationBody(referenceTo(patient), coded('found')))),
    );
    const named = await create(server, observationBody(referenceTo(patient), coded('named')));

    const { body } = await server.post(
      '',
      transactionOf(
        deleteEntry(`Observation?patient=${patient.id}&code=found`),
        deleteEntry(pathOf(named)),
        deleteEntry('Observation?patient=Patient/nobody'),
      ),
    );

    expect(statusesOf(body)).toEqual(['204', '204', '204']);
    const gone = await Promise.all([...found, named].map(async (record) => (await server.get(pathOf(record))).status));
    expect(gone).toEqual([410, 410, 410, 410]);
  });

  it('deletes records that refer to one another, together', async () => {
    const patient = await create(server, patientBody());
    const encounter = await create(server, encounterBody(referenceTo(patient)));
    const observation = await create(
      server,
      observationBody(referenceTo(patient), { encounter: { reference: referenceTo(encounter) } }),
    );

    const { status, body } = await server.post(
      '',
      transactionOf(deleteEntry(pathOf(encounter)), deleteEntry(pathOf(observation))),
    );

    expect(status, JSON.stringify(body)).toBe(200);
    expect(statusesOf(body)).toEqual(['204', '204']);
  });
});

describe('a transaction with a bad entry', () => {
  const cases: [
    what: string,
    status: number,
    expression: string,
    bad: () => Promise<fhir4.BundleEntry> | fhir4.BundleEntry,
  ][] = [
    ['an invalid resource', 400, '.resource.birthDate', () => postEntry(patientBody({ birthDate: 'soon' }))],
    [
      'a broken invariant',
      400,
      '.resource.contact[0]',
      () => postEntry(patientBody({ contact: [{ gender: 'male' }] })),
    ],
    [
      'a reference that is an object which cannot be made a text',
      400,
      '.resource.subject.reference',
      () => postEntry(observationBody('', { subject: { reference: { toString: '' } as never } })),
    ],
    [
      'a type that is an object which cannot be made a text',
      400,
      '.resource',
      () => ({
        resource: { ...patientBody({ link: [] }), resourceType: { toString: [] } as never },
        request: { method: 'POST', url: 'Patient' },
      }),
    ],
    ['a reference to nothing', 400, '.resource.subject.reference', () => postEntry(observationBody('Patient/nobody'))],
    [
      'an unknown type',
      400,
      '.request.url',
      () => ({ ...postEntry(patientBody()), request: { method: 'POST', url: 'Patients' } }),
    ],
    ['an unknown method', 400, '.request.method', () => ({ request: { method: 'TRACE' as never, url: 'Patient/1' } })],
    [
      'a method that is an object which cannot be made a text',
      400,
      '.request.method',
      () => ({ request: { method: { toString: '' } as never, url: 'Patient/1' } }),
    ],
    ['no request', 400, '.request', () => ({ resource: patientBody() })],
    ['no url', 400, '.request.url', () => ({ resource: patientBody(), request: { method: 'POST', url: '' } })],
    ['no resource', 400, '.resource', () => ({ request: { method: 'POST', url: 'Patient' } })],
    [
      'a resource of another type',
      400,
      '.resource',
      () => ({ ...postEntry(patientBody()), request: { method: 'POST', url: 'Observation' } }),
    ],
    [
      'a path that takes no POST',
      405,
      '',
      () => ({ ...postEntry(patientBody()), request: { method: 'POST', url: 'Patient/1' } }),
    ],
    ['a path that takes no GET', 404, '', () => getEntry('Patient/1/nothing')],
    ['the deletion of what never was', 404, '', () => deleteEntry('Patient/nobody')],
    [
      'an If-Match of another version',
      412,
      '.request.ifMatch',
      async () => putEntry(await create(server, patientBody()), { ifMatch: 'W/"7"' }),
    ],
    [
      'an If-Match that is none',
      400,
      '.request.ifMatch',
      async () => putEntry(await create(server, patientBody()), { ifMatch: 'seven' }),
    ],
    [
      'a deletion of what is referred to',
      409,
      '',
      async () => {
        const patient = await create(server, patientBody());
        await create(server, observationBody(referenceTo(patient)));
        return deleteEntry(pathOf(patient));
      },
    ],
  ];
  it.each(cases)('writes nothing for %s, and names the entry', async (what, status, expression, bad) => {
    const number = `beside ${what}`;

    const response = await server.post('', transactionOf(postEntry(numberedPatient(number)), await bad()));

    expect(response.status, response.text).toBe(status);
    expect(expressionsIn(response.body)[0]?.startsWith(`Bundle.entry[1]${expression}`), response.text).toBe(true);
    expect(await patientsNumbered(number)).toEqual([]);
  });

  it('refuses two entries that write the same record', async () => {
    const patient = await create(server, patientBody());

    for (const second of [putEntry(patient), deleteEntry(pathOf(patient))]) {
      const response = await server.post('', transactionOf(putEntry(patient), second));

      expect(response.status).toBe(400);
      expect(expressionsIn(response.body)).toEqual(['Bundle.entry[1].request.url']);
    }
    expect((await server.get(pathOf(patient))).headers.etag).toBe('W/"1"');
  });

  it('refuses a fullUrl that two entries bear', async () => {
    const fullUrl = urn();

    const response = await server.post(
      '',
      transactionOf(postEntry(numberedPatient('same-url'), fullUrl), postEntry(patientBody(), fullUrl)),
    );

    expect(response.status).toBe(400);
    expect(expressionsIn(response.body)).toEqual(['Bundle.entry[1].fullUrl']);
    expect(await patientsNumbered('same-url')).toEqual([]);
  });

  it('refuses a new record that refers to one which the same transaction deletes', async () => {
    const patient = await create(server, patientBody());
    const encounter = await create(server, encounterBody(referenceTo(patient)));
    const observation = observationBody(referenceTo(patient), { encounter: { reference: referenceTo(encounter) } });

    const response = await server.post('', transactionOf(deleteEntry(pathOf(encounter)), postEntry(observation)));

    expect(response.status).toBe(400);
    expect((await server.get(pathOf(encounter))).status).toBe(200);
  });

  it('refuses a replacement that goes on referring to a record which the same transaction deletes', async () => {
    const patient = await create(server, patientBody());
    const encounter = await create(server, encounterBody(referenceTo(patient)));
    const referring = observationBody(referenceTo(patient), { encounter: { reference: referenceTo(encounter) } });
    const observation = await create(server, referring);
    const { encounter: _encounter, ...without } = observation;

    const kept = await server.post('', transactionOf(deleteEntry(pathOf(encounter)), putEntry(observation)));
    const dropped = await server.post('', transactionOf(deleteEntry(pathOf(encounter)), putEntry(without)));

    expect(kept.status).toBe(400);
    expect(expressionsIn(kept.body)).toEqual(['Bundle.entry[1].resource.encounter.reference']);
    expect(dropped.status).toBe(200);
  });

  it("refuses another organisation's records as if they were not there", async () => {
    const theirs = await create(server, patientBody(), elsewhere);

    const response = await server.post(
      '',
      transactionOf(postEntry(numberedPatient('beside theirs')), putEntry(theirs)),
    );

    expect(response.status).toBe(404);
    expect(await patientsNumbered('beside theirs')).toEqual([]);
    expect((await server.get(pathOf(theirs), { as: elsewhere })).headers.etag).toBe('W/"1"');
  });

  it.each([
    ['a bundle of another type', { resourceType: 'Bundle', type: 'collection' }, 'Bundle.type'],
    ['no bundle', patientBody(), 'resourceType'],
    ['an unknown element', { resourceType: 'Bundle', type: 'transaction', entries: [] }, 'Bundle.entries'],
    [
      'an element of the wrong form',
      { resourceType: 'Bundle', type: 'transaction', timestamp: 'now' },
      'Bundle.timestamp',
    ],
    ['a total', { resourceType: 'Bundle', type: 'transaction', total: 0 }, 'Bundle.total'],
    ['entries that are no list', { resourceType: 'Bundle', type: 'transaction', entry: {} }, 'Bundle.entry'],
    ['an entry that is nothing', { resourceType: 'Bundle', type: 'transaction', entry: [null] }, 'Bundle.entry[0]'],
  ])('refuses %s', async (_what, bundle, expression) => {
    const response = await server.post('', bundle);

    expect(response.status).toBe(400);
    expect(expressionsIn(response.body)).toEqual([expression]);
  });

  it('answers an empty transaction with an empty one', async () => {
    const { status, body } = await server.post('', { resourceType: 'Bundle', type: 'transaction' });

    expect(status).toBe(200);
    expect(entriesOf(body)).toEqual([]);
  });
});

describe('a transaction of 300 entries', () => {
  const size = 300;
  const large = (number: string, last: fhir4.BundleEntry[] = []) => {
    const patient = urn();
    const observations = Array.from({ length: size - 1 - last.length }, (_, n) =>
      postEntry(observationBody(patient, { valueQuantity: { value: n, unit: '/min' } })),
    );
    return transactionOf(postEntry(numberedPatient(number), patient), ...observations, ...last);
  };

  it('writes all of them', async () => {
    const { status, body } = await server.post('', large('large'));

    expect(status, JSON.stringify(body).slice(0, 500)).toBe(200);
    expect(new Set(writtenIn(body)).size).toBe(size);
    const [patient] = await patientsNumbered('large');
    const found = await server.get(`Observation?patient=${patient?.id}&_count=1000`);
    const values = resourcesIn(found.body).map(({ valueQuantity }) => Number(valueQuantity?.value));
    expect(values.sort((a, b) => a - b)).toEqual(Array.from({ length: size - 1 }, (_, n) => n));
    for (const path of writtenIn(body).slice(-20)) expect((await server.get(path)).headers.etag).toBe('W/"1"');
  });

  it('updates and deletes many at once', async () => {
    const made = writtenIn((await server.post('', large('many'))).body);
    const [patient = '', ...observations] = made;
    const updates = observations
      .slice(0, 150)
      .map((path) => putEntry({ ...observationBody(patient), id: path.split('/')[1] }));
    const deletions = observations.slice(150).map(deleteEntry);

    const { status, body } = await server.post('', transactionOf(...updates, ...deletions));

    expect(status, JSON.stringify(body).slice(0, 500)).toBe(200);
    expect(statusesOf(body)).toEqual([...updates.map(() => '200'), ...deletions.map(() => '204')]);
    const left = resourcesIn(
      (await server.get(`Observation?${patient.replace('/', '=').toLowerCase()}&_count=1000`)).body,
    );
    expect(left.map(referenceTo).sort()).toEqual(observations.slice(0, 150).sort());
    expect(new Set(left.map(({ meta }) => meta?.versionId))).toEqual(new Set(['2']));
    expect((await server.get(`${observations[0]}/_history/1`)).status).toBe(200);
  });

  it.each([
    ['a reference to nothing', () => [postEntry(observationBody('Patient/nobody'))], 400],
    [
      'a reference to a record that is not there any more',
      async () => {
        const gone = await create(server, patientBody());
        await server.delete(pathOf(gone));
        return [postEntry(observationBody(referenceTo(gone)))];
      },
      400,
    ],
    [
      'a version that is not the current one',
      async () => [putEntry(await create(server, patientBody()), { ifMatch: 'W/"2"' })],
      412,
    ],
  ] as const)('writes none of them where one fails on %s', async (what, last, status) => {
    const number = `large beside ${what}`;

    const response = await server.post('', large(number, [...(await last())]));

    expect(response.status).toBe(status);
    expect(expressionsIn(response.body)[0]).toMatch(/^Bundle\.entry\[299\]/);
    expect(await patientsNumbered(number)).toEqual([]);
    // A later conditional create finds nothing that a given-up transaction left behind.
    const later = await server.post('Patient', numberedPatient(number), {
      headers: { 'if-none-exist': `identifier=${identifierSystem}|${encodeURIComponent(number)}` },
    });
    expect(later.status).toBe(201);
  });
});

describe('a transaction of 100 entries under ids that the client chose', () => {
  const chosen = (prefix: string) =>
    Array.from({ length: 100 }, (_, n) => putEntry({ ...patientBody(), id: `${prefix}-${n}` }));

  it('creates them, and replaces them when it is sent again', async () => {
    const first = await server.post('', transactionOf(...chosen('many')));
    const second = await server.post('', transactionOf(...chosen('many')));

    expect(new Set(statusesOf(first.body))).toEqual(new Set(['201']));
    expect(new Set(statusesOf(second.body))).toEqual(new Set(['200']));
    expect((await server.get('Patient/many-99')).headers.etag).toBe('W/"2"');
  });

  it('leaves the ids free where it fails', async () => {
    const failed = await server.post(
      '',
      transactionOf(...chosen('free'), postEntry(observationBody('Patient/nobody'))),
    );
    const late = await create(server, patientBody());
    await server.delete(pathOf(late));
    const failedLate = await server.post(
      '',
      transactionOf(...chosen('free'), postEntry(observationBody(referenceTo(late)))),
    );

    expect([failed.status, failedLate.status]).toEqual([400, 400]);
    expect((await server.get('Patient/free-0')).status).toBe(404);
    expect((await server.put('Patient/free-0', { ...patientBody(), id: 'free-0' })).status).toBe(201);
    expect((await server.get('Patient/free-0')).headers.etag).toBe('W/"1"');
  });
});

describe('two transactions at once', () => {
  it.each([
    ['small', 3],
    ['large', 120],
  ])(
    'of the same %s set of records: at most one writes, and what does not write changes nothing',
    async (_size, count) => {
      const patients = Array.from({ length: count }, () => postEntry(patientBody()));
      const made = writtenIn((await server.post('', transactionOf(...patients))).body);
      const updateAll = (birthDate: string, paths: readonly string[]) =>
        server.post(
          '',
          transactionOf(
            ...paths.map((path) =>
              putEntry({ ...patientBody({ birthDate }), id: path.split('/')[1] }, { ifMatch: 'W/"1"' }),
            ),
          ),
        );

      const responses = await Promise.all([
        updateAll('1991-01-01', made),
        updateAll('1992-02-02', [...made].reverse()),
      ]);

      const statuses = responses.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(1);
      // The loser meets another version, a change on its way, or rows that stay busy; never a fault.
      expect(statuses.filter((status) => status !== 200).every((status) => [409, 412, 429].includes(status))).toBe(
        true,
      );
      const now = await Promise.all(made.map((path) => server.get(path)));
      const winner = ['1991-01-01', '1992-02-02'][statuses.indexOf(200)] ?? '1980-02-03';
      expect(new Set(now.map(({ body }) => body.birthDate))).toEqual(new Set([winner]));
      expect(new Set(now.map(({ headers }) => headers.etag))).toEqual(
        new Set([statuses.includes(200) ? 'W/"2"' : 'W/"1"']),
      );
    },
  );
});

describe('a batch', () => {
  it('answers each entry on its own, in the order of the request', async () => {
    const [patient, deleted] = [await create(server, patientBody()), await create(server, patientBody())];

    const { status, body } = await server.post(
      '',
      batchOf(
        postEntry(patientBody()),
        postEntry(patientBody({ birthDate: 'soon' })),
        getEntry('Patient/nobody'),
        getEntry(pathOf(patient)),
        { ...postEntry(patientBody()), request: { method: 'POST', url: 'Patients' } },
        { request: { method: 'PATCH', url: pathOf(patient) } },
        putEntry(patient, { ifMatch: 'W/"5"' }),
        deleteEntry(pathOf(deleted)),
      ),
    );

    expect(status).toBe(200);
    expect(body.type).toBe('batch-response');
    expect(statusesOf(body)).toEqual(['201', '400', '404', '200', '400', '400', '412', '204']);
    const [, invalid, missing, read] = entriesOf(body);
    expect(expressionsIn(invalid?.response?.outcome as TestBody)).toEqual(['Bundle.entry[1].resource.birthDate']);
    expect(missing?.response?.outcome).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ code: 'not-found' }],
    });
    expect(read?.resource).toMatchObject({ resourceType: 'Patient', id: patient.id });
  });

  it('does not resolve references between its entries', async () => {
    const patient = urn();

    const { body } = await server.post(
      '',
      batchOf(postEntry(patientBody(), patient), postEntry(observationBody(patient))),
    );

    expect(statusesOf(body)).toEqual(['201', '400']);
  });

  it('searches and follows conditions like single requests', async () => {
    const existing = await create(server, numberedPatient('in a batch'));

    const { body } = await server.post(
      '',
      batchOf(
        getEntry(`Patient?identifier=${identifierSystem}|in%20a%20batch`),
        postEntry(numberedPatient('in a batch'), urn(), {
          ifNoneExist: `identifier=${identifierSystem}|in%20a%20batch`,
        }),
      ),
    );

    const [search, conditional] = entriesOf(body);
    expect(resourcesIn(search?.resource as TestBody).map(referenceTo)).toEqual([referenceTo(existing)]);
    expect(conditional?.response?.status).toMatch(/^200/);
    expect(writtenIn(body)[1]).toBe(referenceTo(existing));
  });
});
