import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { concept, consentBody as consentOf, organizationsThere } from '../support/consents.ts';
import { localTable } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { create, elsewhere, patientBody, referenceTo, type Stored } from '../support/records.ts';

// What Consent/$explain tells to whom. That it agrees with the decision is tested in test/unit/extent.test.ts.

const physician: TestCaller = { role: 'physician' };

let server: FhirServer;
/** Another deployment over the same table, where a care relationship shares. */
let treatment: FhirServer;
let patient: Stored<fhir4.Patient>;
let subject: string;
let themselves: TestCaller;

const consentBody = (elements: Partial<fhir4.Consent> = {}) => consentOf(subject, {}, elements);

beforeAll(async () => {
  const table = await localTable();
  server = await fhirServer(table);
  treatment = await fhirServer(table, { sharing: 'treatment' });
  await organizationsThere(server, ['northside', 'lakeside', 'hillside']);
  patient = await create(server, patientBody());
  subject = referenceTo(patient);
  themselves = { role: 'patient', patient: patient.id };
  await create(server, consentBody());
});

const explain = (as: TestCaller, of = subject, organization = 'Organization/lakeside', asked = server) =>
  asked.get(`Consent/$explain?patient=${of}&organization=${organization}`, { as });
type Parameter = fhir4.ParametersParameter;
const parametersOf = (body: unknown): readonly Parameter[] => (body as fhir4.Parameters).parameter ?? [];
const partsIn = (body: unknown, type: string, label?: string) =>
  parametersOf(body)
    .filter(({ name, part = [] }) => {
      const own = part.find((each) => each.name === 'label')?.valueCoding?.code;
      return name === 'shared' && own === label && part.some((each) => each.valueCode === type && each.name === 'type');
    })
    .flatMap(({ part = [] }) => part.filter((each) => each.name === 'extent').map((each) => each.valueCode));
const sentencesIn = (body: unknown) =>
  parametersOf(body).flatMap(({ part = [] }) => part.flatMap((each) => each.valueString ?? []));

describe('Consent/$explain', () => {
  it('tells the patient and staff what is shared now, in codes and in sentences', async () => {
    const byPost = await server.post(
      'Consent/$explain',
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'patient', valueReference: { reference: subject } },
          { name: 'organization', valueReference: { reference: 'Organization/lakeside' } },
        ],
      },
      { as: physician },
    );
    for (const { status, body } of [await explain(themselves), await explain(physician), byPost]) {
      expect(status, JSON.stringify(body)).toBe(200);
      expect(partsIn(body, 'Observation')).toEqual(['all']);
      expect(partsIn(body, 'Observation', 'HIV')).toEqual(['none']);
      expect(partsIn(body, 'Consent')).toEqual(['none']);
      expect(sentencesIn(body)).toContain(
        'Organization/lakeside sees all records without a sensitive label that Organization/northside keeps, but for Binary, Provenance.',
      );
      expect(sentencesIn(body)).toContain(
        'Organization/lakeside sees no records labelled HIV that Organization/northside keeps.',
      );
    }
    const { body } = await explain(physician, subject, 'Organization/hillside');
    expect(partsIn(body, 'Observation')).toEqual(['none']);
  });

  it('uses for staff what their own organisation keeps, and says so; for the patient all', async () => {
    const own = await create(server, patientBody());
    const of = { patient: { reference: referenceTo(own) } };
    await create(server, consentBody(of));
    await create(server, {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: of.patient,
      performer: [{ reference: 'Organization/hillside' }],
    });
    // Who was referred may write of the patient.
    const there: TestCaller = { ...physician, organization: 'hillside' };
    await create(treatment, consentBody({ ...of, policyRule: concept('v3-ActCode', 'OPTOUT') }), there);

    const byStaff = await explain(physician, referenceTo(own));
    const byPatient = await explain({ role: 'patient', patient: own.id }, referenceTo(own));

    expect(partsIn(byStaff.body, 'Observation')).toEqual(['all']);
    expect(JSON.stringify(byStaff.body)).toContain('by its own Consents');
    expect(JSON.stringify(byStaff.body)).not.toContain('hillside');
    expect(partsIn(byPatient.body, 'Observation')).toEqual(['all', 'none']);
    expect(JSON.stringify(byPatient.body)).toContain('Organization/hillside');
  });

  it('is no more than a chart that is merged with it leaves open', async () => {
    const [one, other] = [await create(server, patientBody()), await create(server, patientBody())];
    await create(server, consentBody({ patient: { reference: referenceTo(one) } }));
    expect(partsIn((await explain(physician, referenceTo(one))).body, 'Observation')).toEqual(['all']);

    await server.post(`${referenceTo(one)}/$merge`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'source', valueReference: { reference: referenceTo(other) } }],
    });

    const told = async (patient: typeof one) =>
      partsIn((await explain(physician, referenceTo(patient))).body, 'Observation');
    expect([await told(one), await told(other)]).toEqual([['all'], ['none']]);
    expect(JSON.stringify((await explain(physician, referenceTo(one))).body)).toContain('The chart is merged');
    const policyRule = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] };
    await create(server, consentBody({ patient: { reference: referenceTo(other) }, policyRule }));
    expect(await told(one)).toEqual(['none']);
  });

  it('tells staff no more of a care relationship than that there may be one', async () => {
    const own = await create(server, patientBody());

    const byStaff = await explain(physician, referenceTo(own), 'Organization/hillside', treatment);
    const as: TestCaller = { role: 'patient', patient: own.id };
    const byPatient = await explain(as, referenceTo(own), 'Organization/hillside', treatment);

    expect(partsIn(byStaff.body, 'Observation')).toEqual(['some']);
    expect(partsIn(byPatient.body, 'Observation')).toEqual(['none']);
  });

  it('is not told to who acts for the patient, whom it might tell of what is hidden', async () => {
    const birthDate = `${new Date().getUTCFullYear() - 5}-01-01`;
    const child = await create(server, patientBody({ birthDate }));
    const parent = await create(server, {
      resourceType: 'RelatedPerson',
      patient: { reference: referenceTo(child) },
    });
    const granted = await server.post(
      `${referenceTo(child)}/$grant-proxy`,
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'proxy', valueReference: { reference: referenceTo(parent) } },
          { name: 'basis', valueCode: 'parent' },
          { name: 'evidence', valueString: 'Birth certificate seen' },
        ],
      },
      { as: { role: 'frontdesk' } },
    );
    expect(granted.status, JSON.stringify(granted.body)).toBe(200);
    const as: TestCaller = { role: 'patient', patient: child.id, claims: { fhirUser: referenceTo(parent) } };

    expect((await server.get(referenceTo(child), { as })).status).toBe(200);
    expect((await explain(as, referenceTo(child))).status).toBe(404);
  });

  it('is told to nobody else, as if there were no such patient', async () => {
    const other = await create(server, patientBody());
    const answers = [
      await explain(physician, 'Patient/nobody'),
      await explain(elsewhere),
      await explain({ role: 'patient', patient: other.id }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    const words = answers.map(({ body }) => JSON.stringify(body).replaceAll(/request-\d+/g, ''));
    expect(new Set(words).size).toBe(1);
    expect((await explain({ role: 'frontdesk' })).status).toBe(403);
  });

  it('takes both parameters, of the right type', async () => {
    const asked = ['', `?patient=${subject}`, '?organization=Organization/lakeside'].map((query) =>
      server.get(`Consent/$explain${query}`, { as: physician }),
    );
    const wrong = explain(physician, subject, subject);

    expect((await Promise.all([...asked, wrong])).map(({ status }) => status)).toEqual([400, 400, 400, 400]);
  });

  it('leaves a trace in the chart', async () => {
    const own = await create(server, patientBody());
    await explain(physician, referenceTo(own));

    const { body } = await server.get(`AuditEvent?patient=${own.id}`, { as: { role: 'privacy' } });

    const query = `Consent/$explain?patient=${referenceTo(own)}&organization=Organization/lakeside`;
    expect(JSON.stringify(body)).toContain(Buffer.from(query).toString('base64'));
  });
});
