import { beforeAll, describe, expect, it } from 'vitest';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  create,
  elsewhere,
  encounterBody,
  identifierSystem,
  linkOf,
  nextLinkOf,
  numberedPatient,
  observationBody,
  organizationBody,
  patientBody,
  referenceTo,
  resourcesIn,
} from '../support/records.ts';

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

const found = async (query: string, options = {}) =>
  resourcesIn((await server.get(query, options)).body)
    .filter(({ resourceType }) => resourceType !== 'OperationOutcome')
    .map(referenceTo);

const search = async (query: string) => (await server.get(query)).body;

describe('search across patients', () => {
  it('finds names by their beginning, in any part, without regard to case or accents', async () => {
    const patient = await create(
      server,
      patientBody({ name: [{ family: 'Núñez Carreño', given: ['María', 'Inés'] }] }),
    );
    const reference = referenceTo(patient);

    for (const query of [
      'name=nunez',
      'family=CARRE',
      'given=mari',
      'given=ine',
      'name=Nuñ',
      'family:exact=Núñez Carreño',
    ]) {
      expect(await found(`Patient?${query}`), query).toContain(reference);
    }
    for (const query of ['family=maria', 'name=arreno', 'family:exact=nunez carreno', 'given=carreno']) {
      expect(await found(`Patient?${query}`), query).not.toContain(reference);
    }
  });

  it('finds a name shorter than the rows are filed under, by a walk that it warns of', async () => {
    const patient = await create(server, patientBody({ name: [{ family: 'Ng' }] }));

    const bundle = await search('Patient?family=ng');

    expect(resourcesIn(bundle).map(referenceTo)).toContain(referenceTo(patient));
    expect(bundle.entry?.at(-1)).toMatchObject({ search: { mode: 'outcome' } });
  });

  it('finds each patient once, however many names and rows lead there, on whichever page', async () => {
    const names = [{ family: 'Doublet' }, { family: 'Doubleton', given: ['Doubled'] }];
    const made = [];
    for (let n = 0; n < 7; n++) made.push(referenceTo(await create(server, patientBody({ name: names }))));

    const pages = await allPages(server, 'Patient?name=double,doubled&_count=3');

    expect(pages.flatMap(resourcesIn).map(referenceTo).sort()).toEqual(made.sort());
    expect(pages.length).toBe(3);
  });

  it('finds by identifier, birth date and telecom, and combines them', async () => {
    const patient = await create(
      server,
      numberedPatient('combined-1', {
        birthDate: '1931-07-09',
        gender: 'male',
        telecom: [{ system: 'email', value: 'Combined@Sample.example' }],
      }),
    );
    const reference = referenceTo(patient);

    for (const query of [
      `identifier=${identifierSystem}|combined-1`,
      'identifier=combined-1',
      'birthdate=1931-07-09',
      'telecom=combined@sample.example',
      'email=combined@sample.example',
      'birthdate=1931-07-09&gender=male',
      'birthdate=ge1931&birthdate=lt1932',
    ]) {
      expect(await found(`Patient?${query}`), query).toEqual([reference]);
    }
    for (const query of [
      'identifier=http://other|combined-1',
      'birthdate=1931-07-09&gender=female',
      'birthdate=1931-07-08',
    ]) {
      expect(await found(`Patient?${query}`), query).toEqual([]);
    }
  });

  it('does not find a name that the patient no longer has, nor a deleted patient', async () => {
    const patient = await create(server, patientBody({ name: [{ family: 'Formerly' }] }));
    await server.put(referenceTo(patient), { ...patient, name: [{ family: 'Nowadays' }] });

    expect(await found('Patient?name=formerly')).toEqual([]);
    expect(await found('Patient?name=nowadays')).toEqual([referenceTo(patient)]);

    await server.delete(referenceTo(patient));
    expect(await found('Patient?name=nowadays')).toEqual([]);
    expect(await found(`Patient?_id=${patient.id}`)).toEqual([]);
  });

  it.each([
    ['the third', 'ab'],
    ['the sixtieth', 'a'.repeat(59)],
  ])('files and finds a name of which %s letter takes two code units', async (_which, before) => {
    const family = `${before}\u{1F9EC}end`;
    const patient = await create(server, patientBody({ name: [{ family }] }));

    expect(await found(`Patient?family=${encodeURIComponent(family)}`)).toEqual([referenceTo(patient)]);
    expect(await found(`Patient?family=${encodeURIComponent(`${before}\u{1F9EC}`)}`)).toEqual([referenceTo(patient)]);
    expect(await found(`Patient?family=${encodeURIComponent(`${before}\u{1F9ED}`)}`)).toEqual([]);
  });

  it('finds clinical records of all patients by walking through their charts, and says so', async () => {
    const code = { coding: [{ system: 'http://loinc.org', code: '99-walk' }] };
    const made = [];
    for (let n = 0; n < 3; n++) {
      const patient = await create(server, patientBody());
      made.push(referenceTo(await create(server, observationBody(referenceTo(patient), { code }))));
    }

    const pages = await allPages(server, 'Observation?code=http://loinc.org|99-walk&_count=1');

    const matches = pages.flatMap(resourcesIn).filter(({ resourceType }) => resourceType === 'Observation');
    expect(matches.map(referenceTo).sort()).toEqual(made.sort());
    expect(JSON.stringify(pages[0])).toContain('No index serves this search');
  });

  it('finds an entry of the directory for everybody, whoever keeps it', async () => {
    const organization = await create(server, organizationBody({ name: 'Harbour Clinic' }), admin);

    expect(await found('Organization?name=harb', { as: elsewhere })).toEqual([referenceTo(organization)]);
  });
});

describe('search in a chart', () => {
  it('finds by token, date, reference and string together, newest first, and nothing of another chart', async () => {
    const patient = await create(server, patientBody());
    const other = await create(server, patientBody());
    const encounter = await create(server, encounterBody(referenceTo(patient)));
    const body = (day: number, elements = {}) =>
      observationBody(referenceTo(patient), {
        effectiveDateTime: `2021-03-0${day}`,
        encounter: { reference: referenceTo(encounter) },
        ...elements,
      });
    const made = [];
    for (const day of [2, 1, 4, 3]) made.push(await create(server, body(day)));
    await create(server, body(5, { code: { text: 'something else' } }));
    await create(server, observationBody(referenceTo(other), { effectiveDateTime: '2021-03-02' }));
    const days = async (query: string) =>
      resourcesIn(await search(query)).map(({ effectiveDateTime }) => String(effectiveDateTime));

    const parameters = `patient=${patient.id}&code=8867-4&encounter=${referenceTo(encounter)}`;
    expect(await days(`Observation?${parameters}`)).toEqual(['2021-03-04', '2021-03-03', '2021-03-02', '2021-03-01']);
    expect(await days(`Observation?${parameters}&date=ge2021-03-03`)).toEqual(['2021-03-04', '2021-03-03']);
    expect(await days(`Observation?subject=Patient/${patient.id}&code:text=something`)).toEqual(['2021-03-05']);
    expect(await days(`Observation?${parameters}&_sort=date`)).toEqual([
      '2021-03-01',
      '2021-03-02',
      '2021-03-03',
      '2021-03-04',
    ]);
  });

  it('gives the same answer to GET, to POST _search and to an absolute reference', async () => {
    const patient = await create(server, patientBody());
    const observation = await create(server, observationBody(referenceTo(patient)));
    const byForm = await server.request('POST', 'Observation/_search', {
      body: `patient=${patient.id}&code=8867-4`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });

    expect(resourcesIn(byForm.body).map(referenceTo)).toEqual([referenceTo(observation)]);
    expect(await found(`Observation?patient=https://concord.test/fhir/Patient/${patient.id}`)).toEqual([
      referenceTo(observation),
    ]);
  });

  it('pages to the end, each record once, with a total of all on the first page only if it saw all', async () => {
    const patient = await create(server, patientBody());
    const made = [];
    for (let n = 0; n < 25; n++) {
      const date = `2020-01-${String(n + 1).padStart(2, '0')}`;
      made.push(referenceTo(await create(server, observationBody(referenceTo(patient), { effectiveDateTime: date }))));
    }

    const pages = await allPages(server, `Observation?patient=${patient.id}&_count=10`);

    expect(pages.map((page) => resourcesIn(page).length)).toEqual([10, 10, 5]);
    expect(pages.flatMap(resourcesIn).map(referenceTo)).toEqual(made.reverse());
    expect(pages[0]?.total).toBeUndefined();
    expect((await search(`Observation?patient=${patient.id}&_count=10&_total=accurate`)).total).toBe(25);
    expect((await search(`Observation?patient=${patient.id}`)).total).toBe(25);
  });

  it('counts without showing: _summary=count, _count=0, across charts too', async () => {
    const own = await fhirServer();
    for (let n = 0; n < 3; n++) {
      const patient = await create(own, patientBody());
      for (let m = 0; m <= n; m++) await create(own, observationBody(referenceTo(patient)));
    }

    const { body } = await own.get('Observation?_summary=count');

    expect(body.total).toBe(6);
    expect(resourcesIn(body).filter(({ resourceType }) => resourceType === 'Observation')).toEqual([]);
    expect((await own.get('Patient?_count=0')).body.total).toBe(3);
  });

  it('knows _lastUpdated', async () => {
    const own = await fhirServer();
    own.setTime(Date.UTC(2024, 0, 1));
    const patient = await create(own, patientBody());
    own.setTime(Date.UTC(2024, 5, 1));
    const observation = await create(own, observationBody(referenceTo(patient)));
    const matches = async (query: string) => resourcesIn((await own.get(query)).body).map(referenceTo);

    expect(await matches(`Observation?patient=${patient.id}&_lastUpdated=ge2024-06-01`)).toEqual([
      referenceTo(observation),
    ]);
    expect(await matches(`Observation?patient=${patient.id}&_lastUpdated=lt2024-06-01`)).toEqual([]);
  });

  it('finds an appointment of two patients in the chart of each', async () => {
    const [one, two] = [await create(server, patientBody()), await create(server, patientBody())];
    const participant = [one, two].map((patient) => ({
      actor: { reference: referenceTo(patient) },
      status: 'accepted' as const,
    }));
    const appointment = await create(server, {
      resourceType: 'Appointment',
      status: 'booked',
      start: '2030-01-01T09:00:00Z',
      end: '2030-01-01T09:30:00Z',
      participant,
    });

    expect(await found(`Appointment?patient=${one.id}`)).toEqual([referenceTo(appointment)]);
    expect(await found(`Appointment?patient=${two.id}`)).toEqual([referenceTo(appointment)]);

    await server.put(referenceTo(appointment), { ...appointment, participant: participant.slice(0, 1) });
    expect(await found(`Appointment?patient=${two.id}`)).toEqual([]);
  });

  it('answers with nothing for a patient that does not exist, or that another organisation keeps', async () => {
    const patient = await create(server, patientBody());
    await create(server, observationBody(referenceTo(patient)));

    const [missing, hidden] = [
      await server.get('Observation?patient=no-such-patient', { as: elsewhere }),
      await server.get(`Observation?patient=${patient.id}`, { as: elsewhere }),
    ];

    expect(hidden.status).toBe(200);
    expect(hidden.body.total).toBe(0);
    expect(missing.body.total).toBe(0);
    expect(resourcesIn(hidden.body)).toEqual([]);
  });
});

describe('what a search does not understand', () => {
  it('is ignored with a warning that names it, and left out of the self link', async () => {
    const bundle = await search('Patient?name=sample&colour=red');

    expect(resourcesIn(bundle).at(-1)).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'warning', expression: ['colour'] }],
    });
    expect(linkOf(bundle, 'self')).not.toContain('colour');
  });

  it('is refused under Prefer: handling=strict', async () => {
    const { status, body } = await server.get('Patient?colour=red', { headers: { prefer: 'handling=strict' } });

    expect(status).toBe(400);
    expect(body.issue?.[0]?.expression).toEqual(['colour']);
  });

  it.each([
    ['Observation?date=xx2020', 'date'],
    ['Observation?date=2020-13', 'date'],
    ['Patient?birthdate=2023-02-30', 'birthdate'],
    ['Patient?_count=many', '_count'],
    ['Condition?code:above=http://snomed.info/sct|1', 'code:above'],
    ['Observation?subject:Rock=1', 'subject:Rock'],
    ['Patient?_has:Observation:patient:colour=1', '_has:Observation:patient:colour'],
    ['Patient?organization.colour=x', 'organization.colour'],
  ])('is refused where ignoring it would mislead: %s', async (query, parameter) => {
    const { status, body } = await server.get(query);

    expect(status).toBe(400);
    expect(body).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'error', expression: [parameter] }],
    });
  });

  it('is a page link that was altered, is another search’s, or another caller’s', async () => {
    for (let n = 0; n < 3; n++) await create(server, patientBody({ name: [{ family: 'Pagewise' }] }));
    const next = nextLinkOf(await search('Patient?name=pagewise&_count=1')) ?? '';
    const altered = next.replace(/.$/, (letter) => (letter === 'A' ? 'B' : 'A'));

    expect((await server.get(next)).status).toBe(200);
    for (const [link, options] of [
      [next.slice(0, -6), {}],
      [altered.slice(0, -10) + altered.slice(-9), {}],
      [next.replace('/Patient?', '/Observation?'), {}],
      [next, { as: { role: 'nurse' } }],
    ] as const) {
      const { status, body } = await server.get(link, options);
      expect(status).toBe(400);
      expect(body.issue?.[0]?.expression).toEqual(['_page']);
    }
  });
});
