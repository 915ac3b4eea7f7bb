import { beforeAll, describe, expect, it } from 'vitest';
import { roleSystem } from '../../shared/access/roles.ts';
import { rulesOfRecord, rulesOfType } from '../../shared/access/rules/index.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { admin, create, observationBody, patientBody, referenceTo, type Stored } from '../support/records.ts';

const privacy: TestCaller = { role: 'privacy' };
const hl7 = 'http://terminology.hl7.org/CodeSystem/';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let observation: Stored<fhir4.Observation>;
let doctor: Stored<fhir4.Practitioner>;
beforeAll(async () => {
  server = await fhirServer();
  for (const id of ['northside', 'lakeside'])
    await server.put(
      `Organization/${id}`,
      { resourceType: 'Organization', id, name: id },
      { as: { ...admin, organization: id } },
    );
  patient = await create(server, patientBody());
  observation = await create(server, observationBody(referenceTo(patient)));
  const elsewhere: TestCaller = { ...admin, organization: 'lakeside' };
  doctor = await create(server, { resourceType: 'Practitioner', name: [{ family: 'Okafor' }] }, elsewhere);
  await create(
    server,
    {
      resourceType: 'PractitionerRole',
      active: true,
      practitioner: { reference: referenceTo(doctor) },
      organization: { reference: 'Organization/lakeside' },
      code: [{ coding: [{ system: roleSystem, code: 'physician' }] }],
    },
    elsewhere,
  );
});

type Parameter = fhir4.ParametersParameter;
const reference = (name: string, value: string): Parameter => ({ name, valueReference: { reference: value } });
const explain = (more: readonly Parameter[] = [], as: TestCaller = privacy, record = referenceTo(observation)) =>
  server.post(
    '$explain-access',
    {
      resourceType: 'Parameters',
      parameter: [
        ...(more.some(({ name }) => name === 'caller') ? [] : [reference('caller', referenceTo(doctor))]),
        ...(more.some(({ name }) => name === 'action') ? [] : [{ name: 'action', valueCode: 'read' }]),
        reference('record', record),
        ...more,
      ],
    },
    { as },
  );
const told = (body: unknown, name: string) =>
  ((body as fhir4.Parameters).parameter ?? []).find((each) => each.name === name)?.valueCode;
const rulesIn = (body: unknown) =>
  ((body as fhir4.Parameters).parameter ?? [])
    .filter(({ name }) => name === 'rule')
    .map(({ part = [] }) => part.flatMap(({ valueCode }) => valueCode ?? []).join(' '));
const codeOf = (body: unknown) => (body as fhir4.OperationOutcome).issue[0]?.details?.coding?.[0]?.code;

describe('$explain-access', () => {
  it('tells the decision about somebody whom the directory knows, rule by rule', async () => {
    const { status, body } = await explain();

    expect(status, JSON.stringify(body)).toBe(200);
    expect([told(body, 'decision'), told(body, 'reason'), told(body, 'answer')]).toEqual([
      'deny',
      'custodian',
      'not-found',
    ]);
    const asked = [...Object.keys(rulesOfType), ...Object.keys(rulesOfRecord)];
    expect(rulesIn(body)).toEqual(
      asked.map((rule) => (rule === 'sharing' ? 'sharing deny custodian' : `${rule} pass`)),
    );
    expect(JSON.stringify(body)).not.toContain('8867-4');
  });

  it('decides as the request itself would, now', async () => {
    const own = await create(server, patientBody());
    const record = await create(server, observationBody(referenceTo(own)));
    await create(server, {
      resourceType: 'Consent',
      status: 'active',
      scope: { coding: [{ system: `${hl7}consentscope`, code: 'patient-privacy' }] },
      category: [{ coding: [{ system: `${hl7}consentcategorycodes`, code: 'infa' }] }],
      patient: { reference: referenceTo(own) },
      policyRule: { coding: [{ system: `${hl7}v3-ActCode`, code: 'OPTIN' }] },
      provision: { class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }] },
    });

    const shared = await explain([], privacy, referenceTo(record));
    const closed = await explain([], privacy, referenceTo(own));

    expect([told(shared.body, 'decision'), told(shared.body, 'basis')]).toEqual(['permit', 'consent']);
    expect(told(closed.body, 'decision')).toBe('deny');
    const as: TestCaller = { role: 'physician', organization: 'lakeside' };
    const asked = [referenceTo(record), referenceTo(own)].map((path) => server.get(path, { as }));
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 404]);
  });

  it('takes a caller as it is described', async () => {
    const described = [
      reference('caller', 'Practitioner/anybody'),
      reference('organization', 'Organization/northside'),
    ];

    const nurse = await explain([...described, { name: 'role', valueCode: 'nurse' }]);
    const desk = await explain([...described, { name: 'role', valueCode: 'frontdesk' }]);
    const narrow = await explain([
      ...described,
      { name: 'role', valueCode: 'nurse' },
      { name: 'scope', valueString: 'user/Task.rs' },
    ]);
    const owner = await explain([reference('caller', referenceTo(patient))]);
    const update = await explain([reference('caller', referenceTo(patient)), { name: 'action', valueCode: 'update' }]);

    expect([nurse, desk, narrow, owner, update].map(({ body }) => told(body, 'answer'))).toEqual([
      'permit',
      'forbidden-role',
      'forbidden-scope',
      'permit',
      'forbidden-role',
    ]);
  });

  it('refuses what says too little, or would tell what a record says', async () => {
    const unknown = await explain([reference('caller', 'Practitioner/anybody')]);
    const narrowed = await explain([
      { name: 'scope', valueString: 'user/Observation.rs?code=http://loinc.org|8867-4' },
    ]);
    const wrong = await explain([{ name: 'action', valueCode: 'sign' }]);

    expect(
      [unknown, narrowed, wrong].map(({ status, body }) => [
        status,
        (body as unknown as fhir4.OperationOutcome).issue[0]?.expression?.[0],
      ]),
    ).toEqual([
      [400, 'organization'],
      [400, 'scope'],
      [400, 'action'],
    ]);
  });

  it('is for privacy officers and administrators of the organisation that keeps the record', async () => {
    const physician = await explain([], { role: 'physician' });
    const elsewhere = await explain([], { ...privacy, organization: 'lakeside' });
    const missing = await explain([], privacy, 'Observation/nowhere');
    const unscoped = await explain([], { ...privacy, scope: 'user/Patient.rs' });

    expect([physician, elsewhere, missing, unscoped].map(({ status, body }) => [status, codeOf(body)])).toEqual([
      [403, 'forbidden-role'],
      [404, 'not-found'],
      [404, 'not-found'],
      [403, 'forbidden-scope'],
    ]);
    const words = (body: unknown) => (body as fhir4.OperationOutcome).issue[0]?.diagnostics?.replace(/request-\d+/, '');
    expect(words(elsewhere.body)).toBe(words(missing.body));
  });

  it('tells privacy officers alone what would show what a record is about', async () => {
    const caller = [
      reference('caller', 'Practitioner/agent'),
      reference('organization', 'Organization/northside'),
      { name: 'role', valueCode: 'support' },
    ];
    const parent = [reference('caller', 'RelatedPerson/parent'), reference('patient', referenceTo(patient))];
    const nurse = [
      reference('caller', 'Practitioner/anybody'),
      reference('organization', 'Organization/northside'),
      { name: 'role', valueCode: 'nurse' },
    ];
    const note = await create(
      server,
      observationBody(referenceTo(patient), {
        performer: [{ display: 'A therapist' }],
        meta: { security: [{ system: `${hl7}v3-ActCode`, code: 'PSYTHPN' }] },
      }),
    );

    const asked = [
      await explain(caller),
      await explain(caller, admin),
      await explain(parent),
      await explain(parent, admin),
      await explain([], privacy, referenceTo(note)),
      await explain(nurse, admin, referenceTo(note)),
    ];

    expect(asked.map(({ status, body }) => (status === 200 ? told(body, 'answer') : codeOf(body)))).toEqual([
      'forbidden-role',
      'forbidden-role',
      'forbidden-proxy',
      'forbidden-role',
      'not-found',
      'not-found',
    ]);
    expect(asked.map(({ status }) => status)).toEqual([200, 403, 200, 403, 200, 404]);
  });

  it('tells no administrator by callers of another organisation which records are sensitive', async () => {
    const own = await create(server, patientBody());
    await create(server, {
      resourceType: 'Consent',
      status: 'active',
      scope: { coding: [{ system: `${hl7}consentscope`, code: 'patient-privacy' }] },
      category: [{ coding: [{ system: `${hl7}consentcategorycodes`, code: 'infa' }] }],
      patient: { reference: referenceTo(own) },
      policyRule: { coding: [{ system: `${hl7}v3-ActCode`, code: 'OPTIN' }] },
    });
    const conditions = await Promise.all(
      ['J00', 'B20'].map((code) =>
        create(server, {
          resourceType: 'Condition',
          subject: { reference: referenceTo(own) },
          code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code }] },
        }),
      ),
    );
    const nurse = [
      reference('caller', 'Practitioner/anybody'),
      reference('organization', 'Organization/northside'),
      { name: 'role', valueCode: 'nurse' },
    ];
    const of = (as: TestCaller, more: readonly Parameter[] = []) =>
      Promise.all(conditions.map((each) => explain(more, as, referenceTo(each))));

    const elsewhere = await of(admin);
    const patientItself = await of(admin, [reference('caller', referenceTo(own))]);
    for (const { status, body } of [...elsewhere, ...patientItself])
      expect([status, codeOf(body)]).toEqual([403, 'forbidden-role']);
    expect((await of(admin, nurse)).map(({ body }) => told(body, 'answer'))).toEqual(['permit', 'permit']);
    expect((await of(privacy)).map(({ body }) => told(body, 'answer'))).toEqual(['permit', 'not-found']);
  });

  it('leaves a trace in the chart', async () => {
    const own = await create(server, patientBody());
    await explain([], privacy, referenceTo(own));

    const { body } = await server.get(`AuditEvent?patient=${own.id}`, { as: privacy });

    expect(JSON.stringify(body)).toContain(
      Buffer.from(`$explain-access?caller=${referenceTo(doctor)}&action=read&record=${referenceTo(own)}`).toString(
        'base64',
      ),
    );
  });
});
