import { beforeAll, describe, expect, it } from 'vitest';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  create,
  elsewhere,
  encounterBody,
  numberedPatient,
  observationBody,
  organizationBody,
  patientBody,
  referenceTo,
  resourcesIn,
  system,
} from '../support/records.ts';

// One small world: Ann and Ben at Northside, Cleo at Lakeside; who treats them, where, and what was found.

let server: FhirServer;
const names = new Map<string, string>();
const make = async (name: string, resource: fhir4.Resource, as = system): Promise<string> => {
  const reference = referenceTo(await create(server, resource, as));
  names.set(reference, name);
  return reference;
};

/** What a search finds, by the names given above. */
const found = (bundle: TestBody, mode = 'match'): string[] =>
  ((bundle as unknown as fhir4.Bundle).entry ?? [])
    .filter(({ search }) => search?.mode === mode)
    .map(({ resource = { resourceType: 'none' } }) => names.get(referenceTo(resource)) ?? '?')
    .sort();

const search = async (query: string, as = system): Promise<TestBody> => {
  const { status, body } = await server.get(query, { as });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};

const matchesOf = async (query: string, as = system): Promise<string[]> =>
  (await allPages(server, query, as)).flatMap((page) => found(page)).sort();

const loinc = (code: string) => ({ coding: [{ system: 'http://loinc.org', code }] });

beforeAll(async () => {
  server = await fhirServer();
  const hospital = await make('hospital', organizationBody({ name: 'Great Hospital' }), admin);
  const ward = await make('ward', organizationBody({ name: 'Ward', partOf: { reference: hospital } }), admin);
  const bay = await make('bay', organizationBody({ name: 'Bay', partOf: { reference: ward } }), admin);
  const doctor = await make(
    'doctor',
    { resourceType: 'Practitioner', name: [{ family: 'Heal' }] } as fhir4.Practitioner,
    admin,
  );
  await make(
    'role',
    {
      resourceType: 'PractitionerRole',
      practitioner: { reference: doctor },
      organization: { reference: ward },
    } as fhir4.PractitionerRole,
    admin,
  );
  const ann = await make(
    'ann',
    numberedPatient('ann', {
      name: [{ family: 'Chainwell' }],
      managingOrganization: { reference: bay },
      generalPractitioner: [{ reference: doctor }],
    }),
  );
  const ben = await make('ben', patientBody({ name: [{ family: 'Otherwise' }], gender: 'male' }));
  const cleo = await make('cleo', patientBody({ name: [{ family: 'Chainwell' }] }), {
    role: 'system',
    organization: 'lakeside',
  });
  const visit = await make(
    'visit',
    encounterBody(ann, { participant: [{ individual: { reference: doctor } }], reasonCode: [loinc('reason')] }),
  );
  await make(
    'pulse of ann',
    observationBody(ann, { encounter: { reference: visit }, performer: [{ reference: doctor }] }),
  );
  await make('weight of ann', observationBody(ann, { code: loinc('29463-7') }));
  await make('pulse of ben', observationBody(ben));
  await make('pulse of cleo', observationBody(cleo), { role: 'system', organization: 'lakeside' });
  await make('pills', {
    resourceType: 'MedicationRequest',
    status: 'active',
    intent: 'order',
    subject: { reference: ann },
    medicationReference: { reference: '#m' },
    contained: [{ resourceType: 'Medication', id: 'm', code: loinc('within') } as fhir4.Medication],
  } as fhir4.MedicationRequest);
  await make('seen', {
    resourceType: 'List',
    status: 'current',
    mode: 'changes',
    entry: [{ item: { reference: ann } }, { item: { reference: ben }, deleted: true }],
  } as fhir4.List);
  const questions = await make('questions', {
    resourceType: 'Questionnaire',
    url: 'http://concord.test/questions',
    version: '2',
    title: 'Pain',
    status: 'active',
  } as fhir4.Questionnaire);
  expect(questions).toContain('Questionnaire/');
  await make('answers', {
    resourceType: 'QuestionnaireResponse',
    status: 'completed',
    questionnaire: 'http://concord.test/questions|2',
    subject: { reference: ann },
  } as fhir4.QuestionnaireResponse);
});

const by = (name: string): string => [...names].find(([, each]) => each === name)?.[0] ?? '?';
const idOf = (name: string): string => by(name).split('/')[1] ?? '?';

// https://hl7.org/fhir/R4/search.html#chaining https://hl7.org/fhir/R4/search.html#has
describe('a search by what other records say', () => {
  it.each([
    ['Observation?subject:Patient.family=chainwell', ['pulse of ann', 'weight of ann']],
    ['Observation?patient.family=chainwell&code=8867-4', ['pulse of ann']],
    ['Observation?patient.gender=male', ['pulse of ben']],
    ['Observation?subject.name=otherwise', ['pulse of ben']],
    ['Observation?performer:Practitioner.family=heal', ['pulse of ann']],
    ['Observation?encounter.reason-code=reason', ['pulse of ann']],
    ['Observation?encounter.participant:Practitioner.family=heal', ['pulse of ann']],
    ['Observation?patient.organization.partof.name=ward', ['pulse of ann', 'weight of ann']],
    ['PractitionerRole?practitioner.family=heal', ['role']],
    ['PractitionerRole?practitioner.family=nobody', []],
    ['MedicationRequest?medication.code=within', ['pills']],
    ['MedicationRequest?patient.family=chainwell&medication.code=within', ['pills']],
    ['QuestionnaireResponse?questionnaire.title=pain', ['answers']],
    ['Patient?_has:Observation:patient:code=29463-7', ['ann']],
    ['Patient?_has:Observation:patient:code=8867-4', ['ann', 'ben']],
    ['Patient?_has:Observation:patient:_has:Provenance:target:agent=x', []],
    ['Patient?_has:Encounter:patient:participant:Practitioner.family=heal', ['ann']],
    ['Practitioner?_has:Encounter:practitioner:reason-code=reason', ['doctor']],
    ['Practitioner?_has:PractitionerRole:practitioner:organization.name=ward', ['doctor']],
    ['Practitioner?_has:Observation:performer:_has:Provenance:target:agent=x', []],
    ['Encounter?_has:Observation:encounter:code=8867-4', ['visit']],
    ['Patient?_filter=organization.name eq bay', ['ann']],
    ['Patient?_filter=gender eq male or organization.name eq bay', ['ann', 'ben']],
  ])('finds what it asks for: %s', async (query, expected) => {
    expect(await matchesOf(query)).toEqual(expected);
  });

  it('shows nothing of what another organisation keeps, nor whether it is there', async () => {
    expect(await matchesOf('Observation?patient.family=chainwell', elsewhere)).toEqual(['pulse of cleo']);
    expect(await matchesOf(`Observation?patient._id=${idOf('cleo')}`)).toEqual([]);
    expect(await matchesOf(`Practitioner?_has:Encounter:practitioner:reason-code=reason`, elsewhere)).toEqual([]);
  });

  it('leads to no log: AuditEvents are asked for themselves', async () => {
    const { status, body } = await server.get('Patient?_has:AuditEvent:patient:action=R');

    expect(status).toBe(400);
    expect(body.issue).toMatchObject([{ code: 'not-supported' }]);
  });

  it('goes through no type that the caller’s role does not see', async () => {
    expect(await matchesOf('Patient?_has:Observation:patient:code=29463-7', { role: 'frontdesk' })).toEqual([]);
  });

  it('goes by the chart of the patient who is named, in one Query and one reading of what is referred to', async () => {
    await search(`Observation?patient=${by('ann')}&performer:Practitioner.family=heal`);
    server.calls.reset();
    await search(`Observation?patient=${by('ann')}&performer:Practitioner.family=heal`);

    expect([...server.calls.names].sort()).toEqual(['BatchGetItem', 'PutItem', 'Query']);
  });

  it('is found by an index of what is referred to, if that has one', async () => {
    const indexed = await search('Observation?patient.family=chainwell');
    const walked = await search('Observation?patient.gender=male');

    expect(found(indexed, 'outcome')).toEqual([]);
    expect(found(walked, 'outcome')).toHaveLength(1);
  });
});

// https://hl7.org/fhir/R4/search.html#list
describe('a search of a list', () => {
  it('finds what stands in it and is not marked as taken off', async () => {
    expect(await matchesOf(`Patient?_list=${idOf('seen')}`)).toEqual(['ann']);
    expect(await matchesOf(`Observation?_list=${idOf('seen')}`)).toEqual([]);
    expect(await matchesOf(`Patient?_list=${idOf('seen')}`, elsewhere)).toEqual([]);
    expect(await matchesOf('Patient?_list=none')).toEqual([]);
  });
});

// https://hl7.org/fhir/R4/search.html#recursive
describe('a search through a hierarchy', () => {
  it('finds what is below or above, and the record itself', async () => {
    expect(await matchesOf(`Organization?partof:below=${by('hospital')}`)).toEqual(['bay', 'ward']);
    expect(await matchesOf(`Patient?organization:below=${by('hospital')}`)).toEqual(['ann']);
    expect(await matchesOf(`Patient?organization:above=${by('bay')}`)).toEqual(['ann']);
    expect(await matchesOf(`Patient?organization:above=${by('ward')}`)).toEqual([]);
  });
});

// https://hl7.org/fhir/R4/search.html#include
describe('what a search includes', () => {
  const included = async (query: string, as = system): Promise<string[]> => found(await search(query, as), 'include');

  it('is what matches refer to', async () => {
    const query = `Observation?patient=${by('ann')}&code=8867-4`;

    expect(await included(`${query}&_include=Observation:patient`)).toEqual(['ann']);
    expect(await included(`${query}&_include=Observation:subject:Group`)).toEqual([]);
    expect(await included(`${query}&_include=Observation:performer&_include=Observation:encounter`)).toEqual([
      'doctor',
      'visit',
    ]);
    expect(await included(`${query}&_include=Observation:*`)).toEqual(['ann', 'doctor', 'visit']);
    expect(await included(`${query}&_include=*`)).toEqual(['ann', 'doctor', 'visit']);
  });

  it('is what refers to matches', async () => {
    expect(await included(`Patient?_id=${idOf('ann')}&_revinclude=Observation:patient`)).toEqual([
      'pulse of ann',
      'weight of ann',
    ]);
    expect(await included(`Encounter?_id=${idOf('visit')}&_revinclude=Observation:encounter`)).toEqual([
      'pulse of ann',
    ]);
    expect(await included(`Practitioner?_id=${idOf('doctor')}&_revinclude=Encounter:*`)).toEqual(['visit']);
    expect(await included(`Patient?_id=${idOf('ann')}&_revinclude=*`)).toEqual([
      'answers',
      'pills',
      'pulse of ann',
      'seen',
      'visit',
      'weight of ann',
    ]);
  });

  it('goes on from what was included where it says so', async () => {
    const query = `Observation?patient=${by('ann')}&code=8867-4&_include=Observation:patient`;

    expect(await included(`${query}&_include=Patient:organization`)).toEqual(['ann']);
    expect(await included(`${query}&_include:iterate=Patient:organization`)).toEqual(['ann', 'bay']);
    expect(
      await included(`${query}&_include:iterate=Patient:organization&_include:iterate=Organization:partof`),
    ).toEqual(['ann', 'bay', 'hospital', 'ward']);
    expect(await included(`${query}&_revinclude:iterate=MedicationRequest:patient`)).toEqual(['ann', 'pills']);
  });

  it('is what canonical references name', async () => {
    expect(
      await included(`QuestionnaireResponse?patient=${by('ann')}&_include=QuestionnaireResponse:questionnaire`),
    ).toEqual(['questions']);
  });

  it('is read at once, of whatever type it is', async () => {
    const query = `Observation?patient=${by('ann')}&code=8867-4`;
    server.calls.reset();

    await search(`${query}&_include=Observation:performer&_include=Observation:encounter&_include=Observation:patient`);

    expect(server.calls.names.toSorted()).toEqual(['BatchGetItem', 'BatchGetItem', 'BatchGetItem', 'PutItem', 'Query']);
    expect(server.calls.sequential()).toBe(2);
  });

  it('is the version that a reference names, if it is there', async () => {
    const patient = referenceTo(await create(server, patientBody(), system));
    const author = await create<fhir4.Practitioner>(
      server,
      { resourceType: 'Practitioner', name: [{ family: 'First' }] },
      system,
    );
    const renamed = { ...author, name: [{ family: 'Second' }] };
    expect((await server.put(referenceTo(author), renamed, { as: system })).status).toBe(200);
    const performedBy = async (...versions: string[]) => {
      const performer = versions.map((version) => ({ reference: `${referenceTo(author)}${version}` }));
      const { id } = await create(server, observationBody(patient, { performer }), system);
      const bundle = await search(`Observation?_id=${id}&_include=Observation:performer`, system);
      return resourcesIn(bundle)
        .filter(({ resourceType }) => resourceType === 'Practitioner')
        .map(({ meta, name }) => `${meta?.versionId} ${name?.[0]?.family}`);
    };

    expect(await performedBy('')).toEqual(['2 Second']);
    expect(await performedBy('/_history/1')).toEqual(['1 First']);
    expect(await performedBy('/_history/2')).toEqual(['2 Second']);
    expect(await performedBy('', '/_history/1', '/_history/2')).toEqual(['2 Second', '1 First']);
    const told = await create(
      server,
      observationBody(patient, { performer: [{ reference: `${referenceTo(author)}/_history/1` }] }),
      system,
    );
    expect((await server.delete(referenceTo(author), { as: system })).status).toBeLessThan(300);
    const bundle = await search(`Observation?_id=${told.id}&_include=Observation:performer`, system);
    expect(resourcesIn(bundle).map(({ resourceType }) => String(resourceType))).toEqual(['Observation']);
  });

  it('is no match again, and comes once', async () => {
    const bundle = await search(`Organization?_id=${idOf('bay')},${idOf('ward')}&_include=Organization:partof`);

    expect(found(bundle)).toEqual(['bay', 'ward']);
    expect(found(bundle, 'include')).toEqual(['hospital']);
    expect(bundle.total).toBe(2);
  });

  it('is nothing that the caller may not see', async () => {
    expect(await included(`Patient?_id=${idOf('ann')}&_revinclude=Observation:patient`, { role: 'frontdesk' })).toEqual(
      [],
    );
  });

  it('leaves its trace in every chart that it is of', async () => {
    const query = `Practitioner?_id=${idOf('doctor')}&_revinclude=Encounter:practitioner`;
    const traces = async () => {
      const log = await allPages(server, `AuditEvent?patient=${by('ann')}`, { role: 'privacy' });
      const queries = log
        .flatMap(resourcesIn)
        .flatMap((event) => (event as unknown as fhir4.AuditEvent).entity ?? [])
        .map(({ query: text = '' }) => Buffer.from(text, 'base64').toString());
      return queries.filter((text) => text === 'Practitioner?_id&_revinclude').length;
    };
    const before = await traces();
    await search(query);

    expect(await traces()).toBe(before + 1);
  });

  it('is projected as a summary is, and not by the elements of what is searched', async () => {
    const query = `Observation?patient=${by('ann')}&code=8867-4&_include=Observation:patient`;
    const byElements = resourcesIn(await search(`${query}&_elements=code`)).find(
      ({ resourceType }) => resourceType === 'Patient',
    );
    const summary = resourcesIn(await search(`${query}&_summary=true`)).find(
      ({ resourceType }) => resourceType === 'Patient',
    );

    expect(byElements?.birthDate).toBe('1980-02-03');
    expect(byElements?.meta?.tag).toBeUndefined();
    expect(summary?.birthDate).toBe('1980-02-03');
    expect(JSON.stringify(summary?.meta?.tag)).toContain('SUBSETTED');
  });
});
