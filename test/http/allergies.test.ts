import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  create,
  issuesOf,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// A chart never says of the same thing that there is an allergy and that there is none.

type Allergy = fhir4.AllergyIntolerance;

let server: FhirServer;
let patient: Stored<fhir4.Patient>;

beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  patient = await create(server, patientBody());
});

const none = '716186003';
const noMedicine = '409137002';
const noFood = '429625007';
const clinical = (code: string): fhir4.CodeableConcept => ({
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code }],
});
const verification = (code: string): fhir4.CodeableConcept => ({
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification', code }],
});
const saying = (code: fhir4.CodeableConcept, elements: Partial<Allergy> = {}): Allergy => ({
  resourceType: 'AllergyIntolerance',
  clinicalStatus: clinical('active'),
  code,
  patient: { reference: referenceTo(patient) },
  ...elements,
});
const denial = (...codes: string[]) =>
  saying({ coding: codes.map((code) => ({ system: 'http://snomed.info/sct', code })) });
const peanuts = (elements: Partial<Allergy> = {}) => saying({ text: 'Peanuts' }, { category: ['food'], ...elements });
const statusOf = async (record: Stored<Allergy>) => {
  const { clinicalStatus, verificationStatus } = (await server.get(pathOf(record))).body as unknown as Allergy;
  return [clinicalStatus?.coding?.[0]?.code, verificationStatus?.coding?.[0]?.code];
};
const post = (body: Allergy, as?: TestCaller) =>
  server.post('AllergyIntolerance', body as unknown as TestBody, as ? { as } : {});
const retired = ['inactive', 'refuted'];
const held = ['active', undefined];

describe('an allergy', () => {
  it('retires what it contradicts, and nothing else, in its own transaction', async () => {
    const [all, food, medicine] = [
      await create(server, denial(none)),
      await create(server, denial(noFood)),
      await create(server, denial(noMedicine)),
    ];
    server.calls.reset();
    await create(server, peanuts());
    const writes = server.calls.names.filter((name) => name.startsWith('Transact'));

    expect(writes).toHaveLength(1);
    expect(await Promise.all([all, food, medicine].map(statusOf))).toEqual([retired, retired, held]);
  });

  it('that comes into the right chart is held against the orders in force there, and told of there alone', async () => {
    const wrong = referenceTo(await create(server, patientBody()));
    const medicine = { text: 'Amoxicillin' };
    const order = await create<fhir4.MedicationRequest>(
      server,
      {
        resourceType: 'MedicationRequest',
        status: 'active',
        intent: 'order',
        medicationCodeableConcept: medicine,
        subject: { reference: referenceTo(patient) },
      },
      system,
    );
    const allergy = await create(server, saying(medicine, { patient: { reference: wrong } }));
    const parameter = [
      { name: 'record', valueReference: { reference: referenceTo(allergy) } },
      { name: 'patient', valueReference: { reference: referenceTo(patient) } },
      { name: 'reason', valueString: 'Written into the chart that was open before' },
    ];
    expect((await server.post('$refile', { resourceType: 'Parameters', parameter })).status).toBe(200);
    const implicatedIn = async (chart: string) =>
      resourcesIn((await server.get(`DetectedIssue?patient=${chart}`)).body).map((issue) =>
        (issue as unknown as fhir4.DetectedIssue).implicated?.map(({ reference }) => reference),
      );

    expect(await implicatedIn(referenceTo(patient))).toEqual([
      [referenceTo(order), expect.stringMatching(new RegExp(`^AllergyIntolerance/${patient.id}\\.`))],
    ]);
    expect(await implicatedIn(wrong)).toEqual([]);
  });

  it('of no category may be of any', async () => {
    const medicine = await create(server, denial(noMedicine));
    await create(server, saying({ text: 'Something' }));

    expect(await statusOf(medicine)).toEqual(retired);
  });

  it.each<[string, Partial<Allergy>]>([
    ['refuted', { verificationStatus: verification('refuted') }],
    ['resolved', { clinicalStatus: clinical('resolved') }],
  ])('that is %s contradicts nothing', async (_, elements) => {
    const all = await create(server, denial(none));
    await create(server, peanuts(elements));

    expect(await statusOf(all)).toEqual(held);
  });

  it('that comes back retires what was said meanwhile', async () => {
    const allergy = await create(server, peanuts({ clinicalStatus: clinical('resolved') }));
    const all = await create(server, denial(none));
    const answer = await server.put(pathOf(allergy), { ...allergy, clinicalStatus: clinical('active') }, {});

    expect(answer.status).toBe(200);
    expect(await statusOf(all)).toEqual(retired);
  });

  it('of another patient contradicts nothing here', async () => {
    const all = await create(server, denial(none));
    const other = await create(server, patientBody());
    await create(server, { ...peanuts(), patient: { reference: referenceTo(other) } });

    expect(await statusOf(all)).toEqual(held);
  });
});

describe('that there is no allergy', () => {
  it('is refused while one is recorded that it denies, on every way to write', async () => {
    await create(server, peanuts());
    const medicine = await create(server, denial(noMedicine));
    const answers = [
      await post(denial(none)),
      await post(denial(noFood), system),
      await server.put(pathOf(medicine), { ...medicine, code: denial(none).code }, {}),
      await server.request('PATCH', pathOf(medicine), {
        body: [{ op: 'replace', path: '/code/coding/0/code', value: none }],
        headers: { 'content-type': 'application/json-patch+json' },
      }),
      await server.post(
        '',
        {
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [{ resource: denial(none), request: { method: 'POST', url: 'AllergyIntolerance' } }],
        } as unknown as TestBody,
        {},
      ),
    ];

    expect(answers.map(({ status, body }) => [status, issuesOf(body)[0]?.reason])).toEqual(
      answers.map(() => [422, 'allergy-recorded']),
    );
  });

  it('is said by each of its codes', async () => {
    const both = await create(server, denial(noMedicine, noFood));
    await create(server, peanuts());
    const { status } = await post(denial(noMedicine, noFood));

    expect(status).toBe(422);
    expect(await statusOf(both)).toEqual(retired);
  });

  it('is said of other things, and once the allergy is refuted', async () => {
    const allergy = await create(server, peanuts());
    const other = await post(denial(noMedicine));
    await server.put(pathOf(allergy), { ...allergy, verificationStatus: verification('refuted') }, {});
    const after = await post(denial(none));

    expect([other.status, after.status]).toEqual([201, 201]);
  });

  it('is not said in one transaction with an allergy', async () => {
    const entry = [denial(none), peanuts()].map((resource) => ({
      resource,
      request: { method: 'POST', url: 'AllergyIntolerance' },
    }));
    const { status } = await server.post(
      '',
      { resourceType: 'Bundle', type: 'transaction', entry } as unknown as TestBody,
      {},
    );

    expect(status).toBe(422);
  });
});

describe('a denial in words alone', () => {
  it.each(['No known allergies', 'NKA', 'no known allergy.'])('is one: %s', async (text) => {
    const said = await create(server, saying({ text }));
    const coded = await post(denial(none));
    await create(server, peanuts());

    expect(coded.status).toBe(201);
    expect(await statusOf(said)).toEqual(retired);
  });

  it('is none where a code says what the allergy is to, or more words follow', async () => {
    const peanut = { coding: [{ system: 'http://snomed.info/sct', code: '91935009' }], text: 'No known allergies' };
    await create(server, saying(peanut));
    const answer = await post(denial(none));
    const other = await create(server, patientBody());
    const elsewhere = { patient: { reference: referenceTo(other) } };
    await create(server, saying({ text: 'No known allergies but peanuts' }, elsewhere));
    const there = await post({ ...denial(none), ...elsewhere });

    expect([answer.status, there.status]).toEqual([422, 422]);
  });
});

describe('two who write at once', () => {
  it('never leave an allergy beside its denial', async () => {
    const both = await Promise.all([post(peanuts()), post(denial(none)), post(peanuts()), post(denial(noFood))]);
    const { body } = await server.get(`AllergyIntolerance?patient=${referenceTo(patient)}&clinical-status=active`);
    const said = ((body as unknown as fhir4.Bundle).entry ?? []).map(
      ({ resource }) => (resource as Allergy).code?.text ?? 'none',
    );

    expect(both.filter(({ status }) => status === 201).length).toBeGreaterThanOrEqual(2);
    expect(both.every(({ status }) => [201, 409, 422].includes(status))).toBe(true);
    expect(said).toEqual(['Peanuts', 'Peanuts']);
  });
});
