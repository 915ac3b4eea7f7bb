import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Card } from '../../shared/cds-hooks/cards.ts';
import type { TestCaller } from '../support/callers.ts';
import { concept, consentBody, hl7, organizationsThere } from '../support/consents.ts';
import { localTable } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer, type TestResponse } from '../support/fhir-server.ts';
import {
  admin,
  create,
  elsewhere,
  pathOf,
  patientBody,
  prescriberOf,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

// What the services of CDS Hooks tell of records that are hidden, shared by Consent, of a substance-use programme, or gone since a card told of them.

const host = 'https://concord.test';
const actCode = `${hl7}v3-ActCode`;
const rxnorm = (code: string): fhir4.CodeableConcept => ({
  coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code }],
});
const amoxicillin = rxnorm('723');
const warfarin = rxnorm('11289');
const aspirin = rxnorm('1191');
const lisinopril = rxnorm('29046');
const metformin = rxnorm('6809');
const restricted = { system: `${hl7}v3-Confidentiality`, code: 'R' };
const therapist: TestCaller = { role: 'physician', claims: { fhirUser: 'Practitioner/therapist' } };
const clinic: TestCaller = { role: 'physician', organization: 'clinic' };
const privacy: TestCaller = { role: 'privacy' };

let server: FhirServer;
let prescriber: TestCaller;
beforeAll(async () => {
  const table = await localTable();
  const first = await fhirServer(table);
  await organizationsThere(first, ['northside', 'lakeside']);
  const organization = {
    resourceType: 'Organization',
    id: 'clinic',
    name: 'c',
    type: [concept('v3-ActCode', '42CFRPart2')],
  };
  await first.put('Organization/clinic', organization, { as: { ...admin, organization: 'clinic' } });
  // Another process, or a minute later: what is a programme is known by then.
  server = await fhirServer(table);
  prescriber = await prescriberOf(server);
});

type Patient = Stored<fhir4.Patient>;
const newPatient = (as?: TestCaller): Promise<Patient> => create(server, patientBody(), as);
const allergyTo = (patient: Patient, code: fhir4.CodeableConcept, security: fhir4.Coding[] = [], as?: TestCaller) =>
  create<fhir4.AllergyIntolerance>(
    server,
    {
      resourceType: 'AllergyIntolerance',
      clinicalStatus: concept('allergyintolerance-clinical', 'active'),
      code,
      patient: { reference: referenceTo(patient) },
      ...(security.length > 0 ? { meta: { security } } : {}),
    },
    as,
  );
const draft = (patient: Patient, medicine: fhir4.CodeableConcept, id = 'draft-1'): fhir4.MedicationRequest => ({
  resourceType: 'MedicationRequest',
  id,
  status: 'draft',
  intent: 'order',
  medicationCodeableConcept: medicine,
  subject: { reference: referenceTo(patient) },
});
const call = (path: string, body: object, as: TestCaller) =>
  server.request('POST', `${host}/cds-services/${path}`, { as, body, headers: { 'content-type': 'application/json' } });
const ask = (patient: Patient, drafts: readonly fhir4.MedicationRequest[], as: TestCaller = prescriber) => {
  const hook = drafts.length > 0 ? 'order-sign' : 'patient-view';
  const draftOrders = { resourceType: 'Bundle', entry: drafts.map((resource) => ({ resource })) };
  const context = { userId: 'Practitioner/1', patientId: patient.id, ...(drafts.length > 0 ? { draftOrders } : {}) };
  return call(hook, { hook, hookInstance: randomUUID(), context }, as);
};
const cardsIn = ({ status, body }: TestResponse): Card[] => {
  expect(status, JSON.stringify(body)).toBe(200);
  return (body as unknown as { cards: Card[] }).cards;
};
const codesIn = (answer: TestResponse) => cardsIn(answer).map(({ source }) => source.topic.code);
const give = (cards: readonly (Card | undefined)[], as: TestCaller = prescriber) =>
  call(
    'order-sign/feedback',
    {
      feedback: cards.map((card) => ({
        card: card?.uuid,
        outcome: 'overridden',
        outcomeTimestamp: '2026-01-02T03:04:05Z',
      })),
    },
    as,
  );
const issuesOf = async (patient: Patient, as?: TestCaller) =>
  resourcesIn(
    (await server.get(`DetectedIssue?patient=${referenceTo(patient)}`, as ? { as } : {})).body,
  ) as unknown as Stored<fhir4.DetectedIssue>[];

/** An answer without what is of one request or one chart alone. */
const comparable = ({ status, headers, text }: TestResponse, patient: Patient) => {
  const { 'x-request-id': _of, ...told } = headers;
  const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{8}(?=[0-9a-f]{4}")/g;
  return { status, told, text: text.replaceAll(patient.id, 'the-patient').replace(uuid, 'uuid-') };
};

describe('records that are hidden', () => {
  const note = [{ system: actCode, code: 'PSYTHPN' }];
  const soon = new Date().toISOString();
  const hidden: Record<string, (subject: fhir4.Reference) => fhir4.FhirResource> = {
    'an allergy': (patient) => ({ resourceType: 'AllergyIntolerance', patient, code: amoxicillin }),
    'an allergy that nobody knows': (patient) => ({
      resourceType: 'AllergyIntolerance',
      patient,
      code: { text: 'The blue pill' },
    }),
    'that there is no allergy': (patient) => ({
      resourceType: 'AllergyIntolerance',
      patient,
      code: { coding: [{ system: 'http://snomed.info/sct', code: '716186003' }] },
    }),
    'a medicine': (subject) => ({
      resourceType: 'MedicationStatement',
      status: 'active',
      medicationCodeableConcept: warfarin,
      subject,
    }),
    'a medicine that nobody knows': (subject) => ({
      resourceType: 'MedicationStatement',
      status: 'active',
      medicationCodeableConcept: { text: 'The blue pill' },
      subject,
    }),
    'a pregnancy': (subject) => ({
      resourceType: 'Condition',
      subject,
      recordedDate: soon,
      code: { coding: [{ system: 'http://snomed.info/sct', code: '77386006' }] },
    }),
    'a value of the kidneys': (subject) => ({
      resourceType: 'Observation',
      status: 'final',
      subject,
      code: { coding: [{ system: 'http://loinc.org', code: '98979-8' }] },
      effectiveDateTime: soon,
      valueQuantity: { value: 20, unit: 'mL/min/{1.73_m2}' },
    }),
  };
  const medicines = [amoxicillin, aspirin, lisinopril, metformin];
  const asked = async (patient: Patient, as?: TestCaller) => {
    const drafts = medicines.map((medicine, index) => draft(patient, medicine, `draft-${index}`));
    const answers = [await ask(patient, drafts, as), await ask(patient, [], as)];
    return answers.map((answer) => comparable(answer, patient));
  };

  it.each(Object.keys(hidden))('%s of a psychotherapy note changes no letter of an answer', async (name) => {
    const [without, having] = [await newPatient(), await newPatient()];
    const record = hidden[name]?.({ reference: referenceTo(having) }) as fhir4.FhirResource;
    const active = { clinicalStatus: concept('allergyintolerance-clinical', 'active') };
    const elements = record.resourceType === 'AllergyIntolerance' ? active : {};
    await create(server, { ...record, ...elements, meta: { security: note } } as fhir4.FhirResource, therapist);
    const answers = await asked(having);

    expect(answers).toEqual(await asked(without));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await asked(having, therapist))[0]?.text).not.toBe(answers[0]?.text);
  });

  it('is what a Consent opens, and nothing that it leaves closed', async () => {
    const [without, having] = [await newPatient(), await newPatient()];
    expect((await ask(having, [draft(having, amoxicillin)], elsewhere)).status).toBe(404);
    for (const patient of [without, having])
      await create(
        server,
        consentBody(referenceTo(patient), {
          provision: [{ type: 'deny', securityLabel: [restricted] }],
        }),
      );
    await allergyTo(having, amoxicillin, [restricted]);
    expect(await asked(having, elsewhere)).toEqual(await asked(without, elsewhere));
    await allergyTo(having, amoxicillin);

    expect(codesIn(await ask(having, [draft(having, amoxicillin)], elsewhere))).toEqual([
      'allergy-same',
      'not-checked',
    ]);
  });
});

describe('what a substance-use programme keeps', () => {
  it('is told of elsewhere by its consent alone, with the notice of the law, on the card and on what is kept of it', async () => {
    const patient = await newPatient(clinic);
    const allergy = await allergyTo(patient, amoxicillin, [], clinic);
    const ofCare = ['TREAT', 'HPAYMT', 'HOPERAT'].map((code) => ({ system: `${hl7}v3-ActReason`, code }));
    await create(server, consentBody(referenceTo(patient), { purpose: ofCare }), clinic);
    const [card, rest] = cardsIn(await ask(patient, [draft(patient, amoxicillin)], elsewhere));
    const [own] = cardsIn(await ask(patient, [draft(patient, amoxicillin)], clinic));

    expect(card?.extension['example.concord.order-check']).toMatchObject({ record: referenceTo(allergy) });
    expect(card?.detail).toContain('42 CFR part 2 prohibits unauthorized use or disclosure of these records.');
    expect(rest?.detail).not.toContain('42 CFR');
    expect(own?.detail).toContain('42 CFR part 2');
    expect((await give([card], elsewhere)).status).toBe(200);
    const [issue] = await issuesOf(patient, elsewhere);
    expect(issue?.meta.security?.map(({ code }) => code)).toEqual(['42CFRPart2', 'NORDSCLCD']);
  });
});

describe('feedback', () => {
  it('writes no word into a chart of what was taken out of it since the card', async () => {
    const [wrong, right] = [await newPatient(), await newPatient()];
    const allergy = await allergyTo(wrong, amoxicillin);
    const [card] = cardsIn(await ask(wrong, [draft(wrong, amoxicillin)]));
    const parameter = [
      { name: 'record', valueReference: { reference: referenceTo(allergy) } },
      { name: 'patient', valueReference: { reference: referenceTo(right) } },
      { name: 'reason', valueString: 'Written into the chart that was open before' },
    ];
    expect((await server.post('$refile', { resourceType: 'Parameters', parameter })).status).toBe(200);

    expect((await give([card])).status).toBe(200);
    expect(await issuesOf(wrong)).toEqual([]);
  });

  it('bears the labels that its records have by then', async () => {
    const patient = await newPatient();
    const allergy = await allergyTo(patient, amoxicillin);
    const [card] = cardsIn(await ask(patient, [draft(patient, amoxicillin)]));
    await server.put(pathOf(allergy), { ...allergy, meta: { security: [restricted] } });
    await give([card]);

    expect((await issuesOf(patient))[0]?.meta.security).toEqual([restricted]);
  });

  it('of several patients, of whom one is gone, is refused whole', async () => {
    const [there, gone] = [await newPatient(), await newPatient()];
    await allergyTo(there, amoxicillin);
    const [first] = cardsIn(await ask(there, [draft(there, amoxicillin)]));
    const [second] = cardsIn(await ask(gone, [draft(gone, warfarin), draft(gone, aspirin, 'draft-2')]));
    expect((await server.delete(pathOf(gone))).status).toBe(204);

    expect((await give([first, second])).status).toBe(410);
    expect(await issuesOf(there)).toEqual([]);
  });
});

describe('the access log', () => {
  it('says of a draft that nobody stored nothing, whatever its id', async () => {
    const [patient, other] = [await newPatient(), await newPatient()];
    const { id: _, ...stored } = draft(other, warfarin);
    const elsewhereOrder = await create(server, stored as fhir4.MedicationRequest, prescriber);
    const allergy = await allergyTo(patient, amoxicillin);
    await ask(patient, [draft(patient, amoxicillin, elsewhereOrder.id)]);
    const log = (await server.get(`AuditEvent?patient=${referenceTo(patient)}&_count=100`, { as: privacy })).text;

    expect(log).toContain(referenceTo(allergy));
    expect(log).not.toContain(referenceTo(elsewhereOrder));
  });
});
