import { beforeAll, describe, expect, it } from 'vitest';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { create, encounterBody, patientBody, referenceTo, resourcesIn, system } from '../support/records.ts';

// https://hl7.org/fhir/R4/search.html#token

const snomed = 'http://snomed.info/sct';
const clinical = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
const vs = 'http://hl7.org/fhir/ValueSet';
const act = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

let server: FhirServer;
let subject: string;
/** Ids by what the records are called here. */
const names = new Map<string, string>();

const keep = async (name: string, resource: fhir4.FhirResource): Promise<string> => {
  const { id } = await create(server, resource, system);
  names.set(id, name);
  return id;
};

beforeAll(async () => {
  server = await fhirServer();
  subject = referenceTo(await create(server, patientBody()));
  names.set(subject.slice('Patient/'.length), 'ann');
  const condition = (clinicalStatus: string | undefined, code: string) =>
    ({
      resourceType: 'Condition',
      subject: { reference: subject },
      ...(clinicalStatus === undefined
        ? {}
        : { clinicalStatus: { coding: [{ system: clinical, code: clinicalStatus }] } }),
      code: { coding: [{ system: snomed, code }] },
    }) satisfies fhir4.Condition;
  await keep('active', condition('active', '73211009'));
  await keep('relapse', condition('relapse', '44054006'));
  await keep('resolved', condition('resolved', '195662009'));
  await keep('untold', {
    ...condition(undefined, '15777000'),
    verificationStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'entered-in-error' }],
    },
  });
  await keep('ambulatory', encounterBody(subject));
  await keep('acute', encounterBody(subject, { class: { system: act, code: 'ACUTE' } }));
  const report = (status: fhir4.DiagnosticReport['status']): fhir4.DiagnosticReport => ({
    resourceType: 'DiagnosticReport',
    status,
    code: { text: 'x' },
    subject: { reference: subject },
  });
  for (const status of ['final', 'corrected', 'appended', 'preliminary'] as const) await keep(status, report(status));
  await keep('diabetes', {
    resourceType: 'ValueSet',
    status: 'active',
    url: 'http://acme.org/diabetes',
    compose: { include: [{ system: snomed, concept: [{ code: '73211009' }, { code: '44054006' }] }] },
  });
});

const found = async (query: string): Promise<(string | undefined)[]> => {
  const { status, body } = await server.get(query);
  expect(status, JSON.stringify(body)).toBe(200);
  return resourcesIn(body)
    .flatMap(({ id }) => names.get(id ?? '') ?? [])
    .sort();
};
const conditions = (query: string) => found(`Condition?patient=${subject}&${query}`);

describe('a search by value set', () => {
  it('finds what has a code in it', async () => {
    expect(await conditions(`clinical-status:in=${vs}/condition-clinical`)).toEqual(['active', 'relapse', 'resolved']);
    expect(await conditions(`clinical-status:in=${vs}/allergyintolerance-clinical`)).toEqual([]);
    expect(
      await found(`Encounter?patient=${subject}&class:in=http://terminology.hl7.org/ValueSet/v3-ActEncounterCode`),
    ).toEqual(['acute', 'ambulatory']);
  });

  it('with :not-in finds what has none, or no value', async () => {
    expect(await conditions(`clinical-status:not-in=${vs}/condition-clinical`)).toEqual(['untold']);
    expect(await conditions('code:not-in=http://acme.org/diabetes')).toEqual(['resolved', 'untold']);
  });

  it("takes the organisation's own, by address or id", async () => {
    const [id] = [...names].find(([, name]) => name === 'diabetes') ?? [];
    expect(await conditions('code:in=http://acme.org/diabetes')).toEqual(['active', 'relapse']);
    expect(await conditions(`code:in=ValueSet/${id}`)).toEqual(['active', 'relapse']);
  });

  it('knows the system of an element that is a code', async () => {
    expect(await found(`Patient?_id=${subject.slice(8)}&gender:in=${vs}/administrative-gender`)).toEqual(['ann']);
    // languages have any code, but it would not be one of their system
    expect(await found(`Patient?_id=${subject.slice(8)}&gender:in=${vs}/all-languages`)).toEqual([]);
    expect(await found(`DiagnosticReport?patient=${subject}&status:in=${vs}/observation-status`)).toEqual([]);
  });
});

describe('a search by hierarchy', () => {
  it('with :below finds the code and what it subsumes', async () => {
    expect(await conditions(`clinical-status:below=${clinical}|active`)).toEqual(['active', 'relapse']);
    expect(await conditions('clinical-status:below=active')).toEqual(['active', 'relapse']);
    expect(await conditions('clinical-status:below=|active')).toEqual([]);
    expect(
      await conditions(
        'clinical-status:below=http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical|active',
      ),
    ).toEqual([]);
    expect(await found(`Encounter?patient=${subject}&class:below=${act}|IMP`)).toEqual(['acute']);
    expect(await found(`Encounter?patient=${subject}&class:below=${act}|_ActEncounterCode`)).toEqual([
      'acute',
      'ambulatory',
    ]);
  });

  it('with :above finds the code and what subsumes it', async () => {
    expect(await conditions(`clinical-status:above=${clinical}|relapse`)).toEqual(['active', 'relapse']);
    expect(await conditions(`clinical-status:above=${clinical}|active`)).toEqual(['active']);
  });

  it('knows the system of an element that is a code', async () => {
    const reports = (query: string) => found(`DiagnosticReport?patient=${subject}&${query}`);
    expect(await reports('status:below=amended')).toEqual(['appended', 'corrected']);
    expect(await reports('status:below=|amended')).toEqual(['appended', 'corrected']);
    expect(await reports('status:below=http://hl7.org/fhir/diagnostic-report-status|amended')).toEqual([
      'appended',
      'corrected',
    ]);
    expect(await reports('status:below=http://hl7.org/fhir/observation-status|amended')).toEqual([]);
    expect(await reports('status:above=preliminary')).toEqual(['preliminary']);
  });
});

describe('terminology behind references', () => {
  it('is known there too', async () => {
    expect(await found(`Patient?_id=${subject.slice(8)}&_has:Condition:patient:clinical-status:below=active`)).toEqual([
      'ann',
    ]);
    expect(
      await found(`Patient?_id=${subject.slice(8)}&_has:Condition:patient:code:in=http://acme.org/diabetes`),
    ).toEqual(['ann']);
    expect(await conditions(`patient.gender:in=${vs}/administrative-gender&clinical-status=resolved`)).toEqual([
      'resolved',
    ]);
  });

  it('is known in a filter', async () => {
    const filter = (text: string) => conditions(`_filter=${encodeURIComponent(text)}`);
    expect(await filter('code in http://acme.org/diabetes')).toEqual(['active', 'relapse']);
    expect(await filter(`clinical-status ss "${clinical}|active" or code eq 195662009`)).toEqual([
      'active',
      'relapse',
      'resolved',
    ]);
  });

  it('is known in a condition', async () => {
    const post = (code: string) =>
      server.post(
        'Condition',
        { resourceType: 'Condition', subject: { reference: subject }, code: { text: code } },
        {
          headers: { 'if-none-exist': `patient=${subject}&clinical-status:above=${clinical}|${code}` },
        },
      );
    expect((await post('remission')).status).toBe(201);
    // the active one and its relapse
    expect((await post('relapse')).status).toBe(412);
  });
});

describe('terminology that is not known', () => {
  it.each([
    ['code:in', 'http://acme.org/none', 'This value set is not known here'],
    ['code:not-in', 'ValueSet/none', 'This value set is not known here'],
    ['code:in', `${vs}/condition-clinical|3`, 'This value set is not known here'],
    ['code:in', `${vs}/condition-code`, `The codes of ${snomed}, which it selects from, are not known here`],
    [
      'code:below',
      `${snomed}|73211009`,
      'The codes of this system are not known here, nor what is above or below them',
    ],
    ['code:above', '73211009', 'No code system of FHIR has this code: write system|code'],
  ])('is refused, whether there are records or not: %s=%s', async (name, value, message) => {
    const query = `${name}=${encodeURIComponent(value)}`;
    for (const search of [`Condition?patient=${subject}&${query}`, `Condition?patient=Patient/none&${query}`]) {
      const { status, body } = await server.get(search);

      expect(status).toBe(400);
      expect(body.issue).toMatchObject([
        { code: 'not-supported', expression: [name], diagnostics: expect.stringContaining(message) },
      ]);
    }
  });
});

describe('what terminology costs a search', () => {
  const callsOf = async (query: string): Promise<number> => {
    server.calls.reset();
    await found(query);
    return server.calls.sequential();
  };

  it("is nothing for R4's own, and a call for a value set of the organisation", async () => {
    const plain = await callsOf(`Condition?patient=${subject}&clinical-status=active`);

    expect(await callsOf(`Condition?patient=${subject}&clinical-status:in=${vs}/condition-clinical`)).toBe(plain);
    expect(await callsOf(`Condition?patient=${subject}&clinical-status:below=${clinical}|active`)).toBe(plain);
    expect(await callsOf(`Condition?patient=${subject}&code:in=http://acme.org/diabetes`)).toBe(plain + 1);
  });
});
