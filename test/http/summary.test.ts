import { beforeAll, describe, expect, it } from 'vitest';
import { bundleSchema } from '../../shared/fhir/generated/schemas/Bundle.ts';
import { parseReference, referencesIn } from '../../shared/fhir/references.ts';
import { validateStructure } from '../../shared/fhir/validate.ts';
import { xhtmlProblem } from '../../shared/fhir/xhtml.ts';
import type { TestCaller } from '../support/callers.ts';
import { base, type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  create,
  elsewhere,
  encounterBody,
  issuesOf,
  observationBody,
  organizationBody,
  patientBody,
  referenceTo,
  type Stored,
  system,
} from '../support/records.ts';

// https://hl7.org/fhir/uv/ips/StructureDefinition-Composition-uv-ips.html

let server: FhirServer;
let empty: Stored<fhir4.Patient>;
let patient: Stored<fhir4.Patient>;
let penicillin: Stored<fhir4.AllergyIntolerance>;
let order: Stored<fhir4.MedicationRequest>;
let hidden: Stored<fhir4.Condition>;
let medication: Stored<fhir4.Medication>;
let newest: Stored<fhir4.Observation>;

const nurse: TestCaller = { role: 'nurse' };
const own = (of: Stored<fhir4.Patient>): TestCaller => ({ role: 'patient', patient: of.id });
const coded = (code: string, text = code): fhir4.CodeableConcept => ({
  coding: [{ system: 'http://snomed.info/sct', code }],
  text,
});
const clinical = (code: string, of = 'condition-clinical'): fhir4.CodeableConcept => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/${of}`, code }],
});
const categoryOf = (code: string): fhir4.CodeableConcept[] => [
  { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code }] },
];

beforeAll(async () => {
  server = await fhirServer();
  await server.put(
    'Organization/northside',
    { ...organizationBody({ name: 'Northside Clinic' }), id: 'northside' },
    { as: admin },
  );
  empty = await create(server, patientBody());
  patient = await create(server, patientBody());
  const subject = { reference: referenceTo(patient) };
  const visit = await create(server, encounterBody(subject.reference));
  penicillin = await create<fhir4.AllergyIntolerance>(server, {
    resourceType: 'AllergyIntolerance',
    patient: subject,
    clinicalStatus: clinical('active', 'allergyintolerance-clinical'),
    code: coded('91936005', 'Penicillin <script>alert("&")</script>'),
    encounter: { reference: referenceTo(visit) },
  });
  await create<fhir4.AllergyIntolerance>(server, {
    resourceType: 'AllergyIntolerance',
    patient: subject,
    verificationStatus: clinical('entered-in-error', 'allergyintolerance-verification'),
    code: coded('1', 'Never there'),
  });
  medication = await create<fhir4.Medication>(
    server,
    { resourceType: 'Medication', code: coded('372687004', 'Amoxicillin') },
    system,
  );
  order = await create<fhir4.MedicationRequest>(server, {
    resourceType: 'MedicationRequest',
    status: 'active',
    intent: 'order',
    subject,
    medicationReference: { reference: referenceTo(medication) },
  });
  for (const [text, status] of [
    ['Asthma', 'active'],
    ['Measles', 'resolved'],
  ] as const)
    await create<fhir4.Condition>(server, {
      resourceType: 'Condition',
      subject,
      clinicalStatus: clinical(status),
      code: coded(text),
    });
  hidden = await create<fhir4.Condition>(server, {
    resourceType: 'Condition',
    subject,
    meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] },
    clinicalStatus: clinical('active'),
    code: coded('Kept to itself'),
  });
  const laboratory = { category: categoryOf('laboratory'), code: coded('potassium') };
  for (const effectiveDateTime of ['2024-01-01', '2025-01-01', '2023-01-01']) {
    const each = await create(server, observationBody(subject.reference, { ...laboratory, effectiveDateTime }));
    if (effectiveDateTime.startsWith('2025')) newest = each;
  }
  await create(
    server,
    observationBody(subject.reference, { ...laboratory, effectiveDateTime: '2026-01-01', status: 'cancelled' }),
  );
  await create(server, observationBody(subject.reference, { category: categoryOf('vital-signs') }));
  await create(
    server,
    observationBody(subject.reference, { category: categoryOf('social-history'), code: coded('smoker') }),
  );
  await create(
    server,
    observationBody(subject.reference, { code: { coding: [{ system: 'http://loinc.org', code: '82810-3' }] } }),
  );
});

interface Summary {
  readonly bundle: fhir4.Bundle;
  readonly composition: fhir4.Composition;
  readonly body: TestBody;
  readonly section: (code: string) => fhir4.CompositionSection | undefined;
}

const summary = async (of: Stored<fhir4.Patient>, as: TestCaller = nurse): Promise<Summary> => {
  const { status, body } = await server.get(`${referenceTo(of)}/$summary`, { as });
  expect(status, JSON.stringify(body)).toBe(200);
  const bundle = body as unknown as fhir4.Bundle;
  const composition = bundle.entry?.[0]?.resource as fhir4.Composition;
  const section = (code: string) => composition.section?.find((each) => each.code?.coding?.[0]?.code === code);
  return { bundle, composition, body, section };
};

const namesIn = (section: fhir4.CompositionSection | undefined) =>
  (section?.entry ?? []).map(({ reference }) => String(reference).replace(`${base}/`, ''));

describe('summary of a patient', () => {
  it('is a document of R4 with what IPS asks of one', async () => {
    const { body, bundle, composition } = await summary(patient);

    expect(validateStructure(bundleSchema, body)).toEqual([]);
    expect(bundle).toMatchObject({
      type: 'document',
      timestamp: expect.any(String),
      identifier: { system: 'urn:ietf:rfc:3986', value: expect.stringMatching(/^urn:uuid:/) },
    });
    expect(composition).toMatchObject({
      resourceType: 'Composition',
      status: 'final',
      type: { coding: [{ system: 'http://loinc.org', code: '60591-5' }] },
      subject: { reference: `${base}/${referenceTo(patient)}` },
      title: expect.any(String),
      custodian: { reference: `${base}/Organization/northside` },
    });
    expect(composition).not.toHaveProperty('attester');
    expect(composition.author).toHaveLength(1);
    expect(composition.section?.slice(0, 3).map(({ code }) => code?.coding?.[0]?.code)).toEqual([
      '48765-2',
      '10160-0',
      '11450-4',
    ]);
    for (const { title, text, entry = [], emptyReason } of composition.section ?? []) {
      expect(title).toBeTruthy();
      expect(xhtmlProblem(text?.div ?? '')).toBeUndefined();
      expect(entry.length > 0).toBe(emptyReason === undefined);
    }
  });

  it('holds whatever its parts refer to, and names nothing besides', async () => {
    const { bundle } = await summary(patient);
    const urls = (bundle.entry ?? []).map(({ fullUrl }) => fullUrl);

    expect(new Set(urls).size).toBe(urls.length);
    const named = (bundle.entry ?? []).flatMap(({ resource }) => referencesIn(resource as fhir4.FhirResource));
    const leading = named.map(({ reference }) => {
      const parsed = parseReference(reference, base);
      return parsed.kind === 'record' ? `${base}/${parsed.type}/${parsed.id}` : reference;
    });
    expect(leading.length).toBeGreaterThan(10);
    expect(leading.filter((url) => !urls.includes(url))).toEqual([]);
    expect(urls).toContain(`${base}/${referenceTo(medication)}`);
    const allergy = bundle.entry?.find(({ fullUrl }) => fullUrl === `${base}/${referenceTo(penicillin)}`)?.resource;
    expect((allergy as fhir4.AllergyIntolerance).encounter).toEqual({ display: 'Encounter, not part of this summary' });
  });

  it('has each record in its part, of results the latest, and nothing that was entered in error', async () => {
    const { section, bundle } = await summary(patient);

    expect(namesIn(section('48765-2'))).toEqual([referenceTo(penicillin)]);
    expect(namesIn(section('10160-0'))).toEqual([referenceTo(order)]);
    expect(namesIn(section('30954-2'))).toEqual([referenceTo(newest)]);
    const others = ['11450-4', '11348-0', '8716-3', '29762-2', '10162-6'].map((code) => namesIn(section(code)).length);
    expect(others).toEqual([2, 1, 1, 1, 1]);
    expect(JSON.stringify(bundle)).not.toContain('Never there');
  });

  it('says of an order that nobody has signed it, and shows no word as markup', async () => {
    const { section } = await summary(patient);

    expect(section('10160-0')?.text?.div).toContain('Amoxicillin: active; not signed here');
    expect(section('48765-2')?.text?.div).toContain('Penicillin &lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;');
  });

  it('takes an order not to give a medicine for an alert, and never for medication', async () => {
    const other = await create(server, patientBody());
    const subject = { reference: referenceTo(other) };
    const ordered = (medicine: string, elements: Partial<fhir4.MedicationRequest>) =>
      create<fhir4.MedicationRequest>(
        server,
        {
          resourceType: 'MedicationRequest',
          status: 'active',
          intent: 'order',
          subject,
          medicationCodeableConcept: { text: medicine },
          ...elements,
        },
        system,
      );
    const forbidding = await ordered('Aspirin', { doNotPerform: true });
    const unsure = await ordered('Warfarin', { status: 'unknown' });
    await ordered('Ibuprofen', { doNotPerform: true, status: 'stopped' });

    const { section } = await summary(other);

    expect(namesIn(section('10160-0'))).toEqual([referenceTo(unsure)]);
    expect(section('10160-0')?.text?.div).toContain('Warfarin: unknown');
    expect(namesIn(section('104605-1'))).toEqual([referenceTo(forbidding)]);
    expect(section('104605-1')?.text?.div).toContain('Not to be given: Aspirin: active');
  });

  it('leaves out no result for the category that its laboratory gives it, and shows the one that was told last of one time', async () => {
    const other = await create(server, patientBody());
    const observed = (category: fhir4.CodeableConcept[], elements: Partial<fhir4.Observation> = {}) =>
      create(
        server,
        observationBody(referenceTo(other), {
          code: coded('potassium'),
          category,
          effectiveDateTime: '2025-01-01',
          ...elements,
        }),
      );
    const laboratory = [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0074', code: 'LAB' }] }];
    await observed(categoryOf('survey'), { code: coded('questions') });
    const results: string[] = [];
    for (let count = 0; count < 5; count++) {
      server.setTime(Date.now() + count * 1_000);
      results.push(referenceTo(await observed(laboratory)));
    }

    server.setTime(undefined);

    expect(namesIn((await summary(other)).section('30954-2'))).toEqual([results.at(-1)]);
  });

  it('never takes for none what it does not see', async () => {
    const { composition } = await summary(empty);

    expect(composition.section).toHaveLength(3);
    for (const { emptyReason, entry, text } of composition.section ?? []) {
      expect(entry).toBeUndefined();
      expect(emptyReason?.coding?.[0]?.code).toBe('unavailable');
      expect(text?.div).toContain('That does not mean that there are none.');
    }
  });

  it('bears the labels of what it holds', async () => {
    const { bundle } = await summary(patient);

    expect(bundle.meta?.security?.map(({ code }) => code)).toContain('R');
    expect((await summary(empty)).bundle.meta).not.toHaveProperty('security');
  });

  it('says the same of what it leaves out to everybody', async () => {
    const consent: fhir4.Consent = {
      resourceType: 'Consent',
      status: 'active',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
      category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
      patient: { reference: referenceTo(patient) },
      policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTIN' }] },
      provision: {
        actor: [
          {
            role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
            reference: { reference: 'Organization/lakeside' },
          },
        ],
      },
    };
    await server.put(
      'Organization/lakeside',
      { ...organizationBody({ name: 'Lakeside' }), id: 'lakeside' },
      { as: admin },
    );
    await create(server, consent);
    const [theirs, ours, patients] = [
      await summary(patient, elsewhere),
      await summary(patient),
      await summary(patient, own(patient)),
    ];

    const sees = ({ bundle }: Summary) =>
      bundle.entry?.some(({ fullUrl }) => fullUrl === `${base}/${referenceTo(hidden)}`);
    expect([theirs, ours, patients].map(sees)).toEqual([false, true, true]);
    const words = ({ composition }: Summary) => composition.text?.div.replace(/of \d{4}\S+/, '');
    expect(words(theirs)).toBe(words(ours));
    expect(words(patients)).toBe(words(ours));
    expect(words(ours)).toContain('what its reader may see of the chart');
    expect(theirs.bundle.meta?.tag).toEqual(ours.bundle.meta?.tag);
  });

  it('is for who may read all that every summary has', async () => {
    const refused = ['frontdesk', 'lab', 'privacy', 'admin', 'support'].map(async (role) => {
      const { status } = await server.get(`${referenceTo(patient)}/$summary`, { as: { role } as TestCaller });
      return status;
    });
    expect(await Promise.all(refused)).toEqual([403, 403, 403, 403, 403]);
    const { status } = await server.get(`${referenceTo(patient)}/$summary`, { as: own(empty) });
    expect(status).toBe(404);
    expect((await server.get('Patient/nobody/$summary', { as: nurse })).status).toBe(404);
    const other = await server.get(`${referenceTo(patient)}/$summary?profile=http://example.org/other`, { as: nurse });
    expect([other.status, issuesOf(other.body)[0]?.reason]).toEqual([400, 'not-supported']);
  });

  it('gives up on a chart as soon as it would hold too much of it', async () => {
    const large = await create(server, patientBody());
    const note = Array.from({ length: 7 }, () => ({ text: 'x'.repeat(500_000) }));
    for (let count = 0; count < 5; count++)
      await create<fhir4.Condition>(server, {
        resourceType: 'Condition',
        subject: { reference: referenceTo(large) },
        clinicalStatus: clinical('active'),
        code: coded(`problem ${count}`),
        note,
      });
    server.calls.reset();

    const { status, body } = await server.get(`${referenceTo(large)}/$summary`, { as: nurse });

    expect([status, issuesOf(body)[0]?.code]).toEqual([400, 'too-costly']);
    // Of three and a half megabytes each, in pages of ten megabytes.
    expect(server.calls.names.filter((name) => name === 'Query')).toHaveLength(2);
  });

  it('takes one Query of a chart, and leaves its trace there', async () => {
    server.calls.reset();
    await summary(patient);
    const { names } = server.calls;
    expect(names.filter((name) => name === 'Query')).toHaveLength(1);
    expect(names.length).toBeLessThanOrEqual(5);

    const log = await server.get(`AuditEvent?patient=${patient.id}&_count=100`, { as: { role: 'privacy' } });
    expect(JSON.stringify(log.body)).toContain('$summary');
  });
});
