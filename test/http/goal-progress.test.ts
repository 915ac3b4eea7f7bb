import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { localTable } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  create,
  elsewhere,
  encounterBody,
  issuesOf,
  pathOf,
  patientBody,
  referenceTo,
} from '../support/records.ts';

// How far goals are reached, by the results that who asks may see.

const now = Date.parse('2026-03-01T10:00:00Z');
const loinc = (code: string): fhir4.CodeableConcept => ({ coding: [{ system: 'http://loinc.org', code }] });
const a1c = loinc('4548-4');
const percent = (value: number): fhir4.Quantity => ({ value, system: 'http://unitsofmeasure.org', code: '%' });

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer(await localTable(), { sharing: 'treatment' });
  server.setTime(now);
  for (const id of ['northside', 'lakeside'])
    await server.put(
      `Organization/${id}`,
      { resourceType: 'Organization', id, name: id },
      { as: { ...admin, organization: id } },
    );
});

const patient = async (): Promise<string> => referenceTo(await create(server, patientBody()));

const result = (
  subject: string,
  date: string,
  value: number,
  elements: Partial<fhir4.Observation> = {},
  as?: TestCaller,
) =>
  create(
    server,
    {
      resourceType: 'Observation',
      status: 'final',
      code: a1c,
      subject: { reference: subject },
      effectiveDateTime: date,
      valueQuantity: percent(value),
      ...elements,
    },
    as,
  );

const goalBody = (subject: string, elements: Partial<fhir4.Goal> = {}): fhir4.Goal => ({
  resourceType: 'Goal',
  lifecycleStatus: 'active',
  description: { text: 'Blood sugar in control' },
  subject: { reference: subject },
  startDate: '2026-01-01',
  target: [{ measure: a1c, detailQuantity: { ...percent(7), comparator: '<' }, dueDate: '2026-02-28' }],
  ...elements,
});

type Part = fhir4.ParametersParameter;
const partsIn = (parameter: Part | undefined, name: string): Part[] =>
  (parameter?.part ?? []).filter((each) => each.name === name);
const partIn = (parameter: Part | undefined, name: string) => partsIn(parameter, name)[0];

const asked = async (path: string, as?: TestCaller): Promise<Part[]> => {
  const { status, body, text } = await server.get(`${path}/$progress`, as ? { as } : {});
  expect(status, text).toBe(200);
  return (body as unknown as fhir4.Parameters).parameter ?? [];
};

/** State, trend, value of the newest result and of the first, of each target. */
const told = (targets: readonly Part[]): string[] =>
  targets.map((target) => {
    const valueOf = (name: string) => partIn(partIn(target, name), 'value')?.valueQuantity?.value ?? '–';
    const code = (name: string) => partIn(target, name)?.valueCode ?? '–';
    return `${code('state')} ${code('trend')} ${valueOf('latest')} ${valueOf('baseline')}`;
  });

describe('Goal/{id}/$progress', () => {
  it('tells the newest result of each target, whether it is met, and the way since the goal began', async () => {
    const subject = await patient();
    const other = await patient();
    await result(subject, '2025-06-01', 6.5);
    const baseline = await result(subject, '2025-12-20', 8.9);
    const latest = await result(subject, '2026-02-20', 7.4);
    await result(subject, '2026-02-10', 8.1);
    // None of these counts.
    await result(other, '2026-02-25', 5);
    await result(subject, '2026-02-26', 5, { status: 'preliminary' });
    await result(subject, '2026-02-26', 5, { status: 'entered-in-error' });
    await result(subject, '2026-02-26', 5, { code: loinc('2345-7') });
    await result(subject, '2026-03-02', 5);
    const { valueQuantity: _none, ...absent } = await result(subject, '2026-02-27', 5, { status: 'registered' });
    await server.put(pathOf(absent), { ...absent, status: 'final', dataAbsentReason: { text: 'Lost' } });
    const goal = await create(server, goalBody(subject));

    server.calls.reset();
    const targets = await asked(pathOf(goal));

    expect(server.calls.sequential()).toBe(2);
    expect(told(targets)).toEqual(['not-met improving 7.4 8.9']);
    expect(targets[0]).toMatchObject({ name: 'target' });
    expect(partIn(targets[0], 'late')?.valueBoolean).toBe(true);
    expect(partIn(partIn(targets[0], 'latest'), 'observation')?.valueReference?.reference).toBe(referenceTo(latest));
    expect(partIn(partIn(targets[0], 'baseline'), 'observation')?.valueReference?.reference).toBe(
      referenceTo(baseline),
    );
    expect(partIn(partIn(targets[0], 'latest'), 'time')?.valueInstant).toBe('2026-02-20T00:00:00.000Z');
  });

  it('finds what a component has measured, and says what it cannot compare', async () => {
    const subject = await patient();
    const pressure = (value: number): fhir4.Quantity => ({
      value,
      system: 'http://unitsofmeasure.org',
      code: 'mm[Hg]',
    });
    await create(server, {
      resourceType: 'Observation',
      status: 'amended',
      code: loinc('85354-9'),
      subject: { reference: subject },
      effectiveDateTime: '2026-02-20',
      component: [
        { code: loinc('8480-6'), valueQuantity: pressure(128) },
        { code: loinc('8462-4'), valueQuantity: pressure(91) },
      ],
    });
    const goal = await create(
      server,
      goalBody(subject, {
        target: [
          { measure: loinc('8480-6'), detailRange: { high: pressure(130) } },
          { measure: loinc('8462-4'), detailRange: { high: pressure(80) } },
          { measure: loinc('8462-4'), detailQuantity: { value: 80, unit: 'torr', comparator: '<' } },
          { measure: { text: 'Pressure' }, detailQuantity: pressure(80) },
          { measure: a1c, detailQuantity: percent(7) },
        ],
      }),
    );

    const targets = await asked(pathOf(goal));
    expect(told(targets)).toEqual([
      'met – 128 –',
      'not-met – 91 –',
      'not-comparable – 91 –',
      'not-comparable – – –',
      'no-result – – –',
    ]);
    expect(targets.map((target) => partIn(target, 'because')?.valueString)).toEqual([
      undefined,
      undefined,
      'The units of target and result are not known to convert into one another',
      'The target does not say by a code what is measured',
      undefined,
    ]);
  });

  it('goes by what the caller may see, and hints at nothing else', async () => {
    const subject = await patient();
    await create(server, {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: { reference: subject },
      performer: [{ reference: 'Organization/lakeside' }],
    });
    await create(
      server,
      encounterBody(subject, { status: 'in-progress', period: { start: '2026-03-01T09:00:00Z' } }),
      elsewhere,
    );
    await result(subject, '2026-02-01', 8);
    const open = await create(server, goalBody(subject));
    const before = await asked(pathOf(open));
    const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' };
    // Of another organisation, which shares it not; and one that is withheld from the patient.
    await result(subject, '2026-02-20', 6, { meta: { security: [label] } }, elsewhere);
    expect(await asked(pathOf(open))).toEqual(before);
    const shared = await result(subject, '2026-02-21', 7.5, {}, elsewhere);
    expect(told(await asked(pathOf(open)))).toEqual(['not-met improving 7.5 8']);
    expect(
      (await server.get(`${pathOf(open)}/$progress`, { as: { role: 'physician', organization: 'hillside' } })).status,
    ).toBe(404);

    const withheld = await result(subject, '2026-02-22', 6.5);
    const own: TestCaller = { role: 'patient', patient: subject.slice('Patient/'.length), scope: 'patient/*.rs' };
    expect(told(await asked(pathOf(open), own))).toEqual(['met improving 6.5 8']);
    const { status } = await server.post(`${pathOf(withheld)}/$withhold`, {
      resourceType: 'Parameters',
      parameter: [
        { name: 'ground', valueCode: 'danger' },
        { name: 'reason', valueString: 'Danger to life, as discussed' },
        { name: 'reviewer', valueReference: { display: 'Dr Else' } },
      ],
    });
    expect(status).toBe(200);
    expect(told(await asked(pathOf(open), own))).toEqual(['not-met improving 7.5 8']);
    expect(told(await asked(pathOf(open)))).toEqual(['met improving 6.5 8']);
    expect(shared.id).toBeDefined();
  });

  it('begins with what was found on its first day, whenever that was', async () => {
    const subject = await patient();
    await result(subject, '2025-06-01', 9);
    await result(subject, '2026-01-01T07:30:00Z', 7.2);
    await result(subject, '2026-02-01', 7.6);
    const [day, month] = [
      await create(server, goalBody(subject)),
      await create(server, goalBody(subject, { startDate: '2026-01' })),
    ];

    expect(told(await asked(pathOf(day)))).toEqual(['not-met worsening 7.6 7.2']);
    expect(told(await asked(pathOf(month)))).toEqual(['not-met improving 7.6 9']);
  });

  it('is told of 300 targets at most', async () => {
    const subject = await patient();
    const [target] = goalBody(subject).target ?? [];
    const ofMany = (count: number) =>
      create(server, goalBody(subject, { target: Array.from({ length: count }, () => target as fhir4.GoalTarget) }));

    expect(await asked(pathOf(await ofMany(300)))).toHaveLength(300);
    const { status, body } = await server.get(`${pathOf(await ofMany(301))}/$progress`);
    expect([status, (body as unknown as fhir4.OperationOutcome).issue[0]?.code]).toEqual([400, 'too-costly']);
  });

  it('is refused to who may not search results, or not read the goal', async () => {
    const subject = await patient();
    const goal = await create(server, goalBody(subject));
    const ask = async (as: TestCaller) => {
      const { status, body } = await server.get(`${pathOf(goal)}/$progress`, { as });
      return [status, issuesOf(body)[0]?.reason];
    };
    expect(await ask({ role: 'physician', scope: 'user/Goal.cruds' })).toEqual([403, 'forbidden-scope']);
    expect(await ask({ role: 'physician', scope: 'user/Observation.cruds' })).toEqual([403, 'forbidden-scope']);
    expect(await ask({ role: 'frontdesk' })).toEqual([403, 'forbidden-role']);
    expect((await server.get('Goal/nowhere/$progress')).status).toBe(404);
  });

  it('leaves its trace as what it is: a look at the goal, and a search of results', async () => {
    const subject = await patient();
    const goal = await create(server, goalBody(subject));
    await asked(pathOf(goal));
    const { body } = await server.get(`AuditEvent?patient=${subject}`, { as: { role: 'privacy' } });
    const log = JSON.stringify(body);
    expect(log).toContain(Buffer.from(`${referenceTo(goal)}/$progress`).toString('base64'));
    expect(log).toContain(Buffer.from('Observation?patient=').toString('base64').slice(0, 24));
  });
});

describe('CarePlan/{id}/$progress', () => {
  it('tells how its goals stand and in which state its activities are, of those that the caller may see', async () => {
    const subject = await patient();
    await result(subject, '2026-02-20', 6.8);
    const [reached, open, foreign] = [
      await create(server, goalBody(subject, { lifecycleStatus: 'completed' })),
      await create(server, goalBody(subject, { target: [{ measure: loinc('8480-6'), detailInteger: 1 }] })),
      await create(server, goalBody(await patient())),
    ];
    const order = await create(server, {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: { reference: subject },
    });
    const plan = await create(server, {
      resourceType: 'CarePlan',
      status: 'active',
      intent: 'plan',
      subject: { reference: subject },
      goal: [reached, open, foreign].map((goal) => ({ reference: referenceTo(goal) })),
      activity: [
        { reference: { reference: referenceTo(order) } },
        { detail: { status: 'in-progress', description: 'Walk each day' } },
      ],
    });

    server.calls.reset();
    const parameters = await asked(pathOf(plan));

    expect(server.calls.sequential()).toBeLessThanOrEqual(4);
    const goals = parameters.filter(({ name }) => name === 'goal');
    expect(goals.map((goal) => partIn(goal, 'reference')?.valueReference?.reference)).toEqual(
      [reached, open].map(referenceTo),
    );
    expect(goals.map((goal) => partIn(goal, 'lifecycleStatus')?.valueCode)).toEqual(['completed', 'active']);
    expect(goals.flatMap((goal) => told(partsIn(goal, 'target')))).toEqual(['met – 6.8 –', 'no-result – – –']);
    const activities = parameters.filter(({ name }) => name === 'activity');
    expect(activities.map((activity) => partIn(activity, 'status')?.valueCode)).toEqual(['active', 'in-progress']);

    // A scope without orders shows the plan without them.
    const narrow: TestCaller = { role: 'physician', scope: 'user/CarePlan.r user/Observation.s user/Goal.r' };
    expect((await asked(pathOf(plan), narrow)).map(({ name }) => name)).toEqual(['goal', 'goal', 'activity']);
    const body = (await server.get(`${pathOf(plan)}/$progress`)).body as TestBody;
    expect(body.resourceType).toBe('Parameters');
  });
});
