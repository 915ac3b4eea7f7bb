import { ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordKey } from '../../shared/store/keys.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody, type TestRequest } from '../support/fhir-server.ts';
import {
  admin,
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  issuesOf,
  observationBody,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

const usCorePatient = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient';
const narrative = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Sample</div>' } as const;
const patientReader: TestCaller = { role: 'pharmacist' };
const frontDesk: TestCaller = { role: 'frontdesk' };

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let other: Stored<fhir4.Patient>;
let record: Stored<fhir4.Observation>;
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody({ text: narrative }));
  other = await create(server, patientBody());
});
beforeEach(async () => {
  record = await create(server, observationBody(referenceTo(patient), { text: narrative }));
});

interface Input {
  readonly resource?: unknown;
  readonly mode?: string;
  readonly profile?: string;
}

const parameters = ({ resource, mode, profile }: Input) => ({
  resourceType: 'Parameters',
  parameter: [
    ...(resource === undefined ? [] : [{ name: 'resource', resource }]),
    ...(mode === undefined ? [] : [{ name: 'mode', valueCode: mode }]),
    ...(profile === undefined ? [] : [{ name: 'profile', valueUri: profile }]),
  ],
});

const validate = (path: string, input: Input, options?: TestRequest) =>
  server.post(`${path}/$validate`, parameters(input), options);

/** `severity code reason expression` of each issue: what a program acts on. */
const found = (body: TestBody): string[] =>
  [...(body as unknown as fhir4.OperationOutcome).issue].map(({ severity, code, details, expression }) =>
    [severity, code, details?.coding?.[0]?.code, expression?.[0]].filter((part) => part !== undefined).join(' '),
  );
const allRight = 'information informational valid';
const noNarrative = (type: string) => `warning invariant validation ${type}`;

/** Everything that is stored, but for the log of accesses. */
const rows = async () => {
  const { client, tableName: TableName } = server.store;
  const items: Record<string, unknown>[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await client.send(
      new ScanCommand({ TableName, ConsistentRead: true, ...(from ? { ExclusiveStartKey: from } : {}) }),
    );
    items.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey;
  } while (from);
  return items.filter(({ pk }) => !String(pk).startsWith('A#'));
};

const about = (elements: Partial<fhir4.Observation> = {}) =>
  observationBody(referenceTo(patient), { text: narrative, ...elements });

describe('{type}/$validate', () => {
  const cases: readonly (readonly [
    what: string,
    ask: () => readonly [path: string, input: Input, options?: TestRequest],
    issues: readonly string[],
  ])[] = [
    ['a resource that is in order', () => ['Observation', { resource: about() }], [allRight]],
    ['one to be created', () => ['Observation', { resource: about(), mode: 'create' }], [allRight]],
    [
      'one without narrative: R4 advises one',
      () => ['Observation', { resource: about({ text: undefined as never }) }],
      [allRight, noNarrative('Observation')],
    ],
    [
      'elements that R4 does not know, and values that are none',
      () => ['Observation', { resource: { ...about(), colour: 'red', effectiveDateTime: '2024-13' } }],
      [
        'error structure validation Observation.colour',
        'error value validation Observation.effectiveDateTime',
        'information informational not-checked',
      ],
    ],
    [
      'a broken rule of R4',
      () => ['Observation', { resource: about({ dataAbsentReason: { text: 'unknown' } }) }],
      ['error invariant validation Observation'],
    ],
    [
      'a rule that only warns',
      () => [
        'Condition',
        {
          resource: {
            resourceType: 'Condition',
            text: narrative,
            subject: { reference: referenceTo(patient) },
            category: [
              {
                coding: [
                  {
                    system: 'http://terminology.hl7.org/CodeSystem/condition-category',
                    code: 'problem-list-item',
                  },
                ],
              },
            ],
          },
          mode: 'create',
        },
      ],
      [allRight, 'warning invariant validation Condition'],
    ],
    [
      'a narrative that may not be shown',
      () => [
        'Patient',
        { resource: patientBody({ text: { status: 'generated', div: '<div><script>1</script></div>' } }) },
      ],
      ['error value validation Patient.text.div', 'information informational not-checked'],
    ],
    [
      'a reference to nothing',
      () => ['Observation', { resource: about({ encounter: { reference: `Encounter/${other.id}` } }) }],
      ['error not-found reference-not-found Observation.encounter.reference'],
    ],
    [
      'a reference that a contained resource should answer',
      () => ['Observation', { resource: about({ device: { reference: '#none' } }) }],
      [
        'error invariant validation Observation.device',
        'error not-found reference-not-found Observation.device.reference',
      ],
    ],
    [
      'a claim of a profile that it does not meet',
      () => ['Patient', { resource: patientBody({ text: narrative, meta: { profile: [`${usCorePatient}|6.1.0`] } }) }],
      ['error required profile-not-met Patient.identifier'],
    ],
    [
      'a claim without a version, of which only a warning comes',
      () => ['Patient', { resource: patientBody({ text: narrative, meta: { profile: [usCorePatient] } }) }],
      [allRight, 'warning required profile-not-met Patient.identifier'],
    ],
    [
      'a profile that is asked for',
      () => ['Patient', { resource: patientBody({ text: narrative }), profile: usCorePatient }],
      ['error required profile-not-met Patient.identifier'],
    ],
    [
      'the same with its version',
      () => ['Patient', { resource: patientBody({ text: narrative }), profile: `${usCorePatient}|6.1.0` }],
      ['error required profile-not-met Patient.identifier'],
    ],
    [
      'a profile that is asked for and not known',
      () => ['Patient', { resource: patientBody({ text: narrative }), profile: 'http://concord.test/profile' }],
      ['error not-supported profile-not-met profile'],
    ],
    [
      'a version of it that is not known',
      () => ['Patient', { resource: patientBody({ text: narrative }), profile: `${usCorePatient}|3.1.1` }],
      ['error not-supported profile-not-met profile'],
    ],
    [
      'a profile of another type',
      () => ['Observation', { resource: about(), profile: usCorePatient }],
      ['error value profile-not-met profile'],
    ],
    [
      'a contained resource, of which the type is not at hand',
      () => [
        'Observation',
        {
          resource: about({
            contained: [{ resourceType: 'Device', id: 'meter', status: 'none' } as never],
            device: { reference: '#meter' },
          }),
        },
      ],
      [allRight, 'information informational not-checked'],
    ],
    [
      'another type of resource',
      () => ['Observation', { resource: patientBody() }],
      ['error invalid invalid resourceType'],
    ],
    [
      'all of it at once',
      () => [
        'Observation',
        {
          resource: {
            ...about({
              dataAbsentReason: { text: 'unknown' },
              encounter: { reference: `Encounter/${other.id}` },
              meta: { profile: ['http://hl7.org/fhir/us/core/StructureDefinition/us-core-bmi|6.1.0'] },
            }),
            issued: 'yesterday',
            status: undefined,
            colour: 'red',
          },
          mode: 'create',
        },
      ],
      [
        'error structure validation Observation.colour',
        'error value validation Observation.issued',
        'error required validation Observation.status',
        'error invariant validation Observation',
        'error required profile-not-met Observation.category',
        'error required profile-not-met Observation.category',
        'error value profile-not-met Observation.code',
        'error value profile-not-met Observation.valueQuantity.code',
        'error not-found reference-not-found Observation.encounter.reference',
        'information informational not-checked',
      ],
    ],
    [
      'a role that may only read such records',
      () => [
        'Observation',
        { resource: about({ encounter: { reference: `Encounter/${other.id}` } }), mode: 'create' },
        { as: patientReader },
      ],
      ['error forbidden forbidden-role', 'information informational not-checked'],
    ],
    [
      'the content alone, to a role that may only read such records',
      () => ['Observation', { resource: about() }, { as: patientReader }],
      [allRight, 'information informational not-checked'],
    ],
    [
      'a deletion of a record that the resource names',
      () => ['Observation', { resource: about({ id: record.id } as never), mode: 'delete' }],
      [allRight],
    ],
    [
      'an update of one that the resource names',
      () => ['Observation', { resource: about({ id: record.id } as never), mode: 'update' }],
      [allRight],
    ],
    [
      'an update that would be the first version under an id of the client’s',
      () => ['Observation', { resource: about({ id: 'own-choice' } as never), mode: 'update' }],
      [allRight],
    ],
    [
      'an update of what has an id of ours and is not there',
      () => ['Observation', { resource: about({ id: `${patient.id}.${'a'.repeat(26)}` } as never), mode: 'update' }],
      ['error not-found not-found'],
    ],
  ];

  it.each(cases)('tells of %s', async (_, ask, issues) => {
    const [path, input, options] = ask();

    const { status, body } = await validate(path, input, options);

    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.resourceType).toBe('OperationOutcome');
    expect(found(body).sort()).toEqual([...issues].sort());
  });
});

describe('{type}/{id}/$validate', () => {
  it('judges the stored record, by GET and by POST, and leaves a trace of it', async () => {
    const unfinished = await create(server, patientBody({ text: narrative, meta: { profile: [usCorePatient] } }));
    const path = `${pathOf(unfinished)}/$validate`;

    const got = await server.get(path);
    const posted = await server.post(path, undefined);
    const asked = await server.get(`${path}?profile=${encodeURIComponent(usCorePatient)}`);

    expect(found(got.body)).toEqual([allRight, 'warning required profile-not-met Patient.identifier']);
    expect(posted.body).toEqual(got.body);
    expect(found(asked.body)).toEqual(['error required profile-not-met Patient.identifier']);
    const log = await server.get(`AuditEvent?patient=${unfinished.id}&subtype=operation`, { as: { role: 'privacy' } });
    const queries = resourcesIn(log.body).flatMap((event) => {
      const { entity = [] } = event as unknown as fhir4.AuditEvent;
      return entity.flatMap(({ query }) => (query === undefined ? [] : [Buffer.from(query, 'base64').toString()]));
    });
    expect(queries).toEqual([path, path, path]);
  });

  const next = (elements: Partial<fhir4.Observation> = {}) => about({ id: record.id, ...elements });
  const updates: readonly (readonly [what: string, ask: () => [Input, TestRequest?], issues: readonly string[]])[] = [
    ['one in order', () => [{ resource: next() }], [allRight]],
    ['the same, told that it is one', () => [{ resource: next(), mode: 'update' }], [allRight]],
    ['another id', () => [{ resource: next({ id: other.id }) }], ['error invalid invalid Observation.id']],
    [
      'another patient, and another fault with it',
      () => [{ resource: { ...next({ subject: { reference: referenceTo(other) } }), status: 'none' } }],
      [
        'error code-invalid validation Observation.status',
        'information informational not-checked',
        'error business-rule patient-changed Observation.subject',
      ],
    ],
    [
      'another version than the current one',
      () => [{ resource: next() }, { headers: { 'if-match': 'W/"7"' } }],
      ['error conflict version-conflict If-Match'],
    ],
    [
      'a role that may only read it',
      () => [{ resource: next() }, { as: patientReader }],
      ['error forbidden forbidden-role', 'information informational not-checked'],
    ],
  ];

  it.each(updates)('tells of an update: %s', async (_, ask, issues) => {
    const [input, options] = ask();

    const { status, body } = await validate(pathOf(record), input, options);

    expect(status, JSON.stringify(body)).toBe(200);
    expect(found(body)).toEqual(issues);
  });

  it('tells whether a record can be deleted: not while others refer to it', async () => {
    const visit = await create(server, encounterBody(referenceTo(patient)));
    const free = await validate(pathOf(visit), { mode: 'delete' });
    await create(server, observationBody(referenceTo(patient), { encounter: { reference: referenceTo(visit) } }));

    const bound = await validate(pathOf(visit), { mode: 'delete' });
    const byNurse = await server.get(`${pathOf(patient)}/$validate?mode=delete`, { as: { role: 'nurse' } });

    expect(found(free.body)).toEqual([allRight]);
    expect(found(bound.body)).toEqual(['error conflict referenced']);
    expect(found(byNurse.body)).toEqual(['error forbidden forbidden-role']);
    expect((await server.get(pathOf(visit))).status).toBe(200);
  });

  it('tells of an entry of the directory that another organisation keeps', async () => {
    const clinic = await create(server, organizationBody({ text: narrative }), admin);

    const { body } = await validate(
      pathOf(clinic),
      { resource: clinic },
      { as: { ...admin, organization: 'lakeside' } },
    );

    expect(found(body)).toEqual(['error forbidden forbidden-custodian']);
  });

  it('judges what brings a deleted record back, and has nothing to judge without it', async () => {
    await server.delete(pathOf(record));

    const back = await validate(pathOf(record), { resource: next() });
    const deleted = await server.get(`${pathOf(record)}/$validate`);
    const again = await validate(pathOf(record), { mode: 'delete' });

    expect(found(back.body)).toEqual([allRight]);
    expect([deleted.status, issuesOf(deleted.body)[0]?.code]).toEqual([410, 'deleted']);
    expect(found(again.body)).toEqual([allRight]);
  });

  it('tells nothing of a record that the caller may not know of, and says of it what it says of none', async () => {
    const hidden = await validate(pathOf(record), { resource: next() }, { as: elsewhere });
    const none = await validate(`Observation/${other.id}`, { resource: next() }, { as: elsewhere });
    const asked = await server.get(`${pathOf(record)}/$validate`, { as: elsewhere });
    const named = await validate('Observation', { resource: next(), mode: 'update' }, { as: elsewhere });

    expect([hidden.status, none.status, asked.status]).toEqual([404, 404, 404]);
    expect(issuesOf(hidden.body)).toEqual(issuesOf(none.body));
    expect(found(named.body)).toEqual([
      'error not-found not-found',
      'error not-found reference-not-found Observation.subject.reference',
    ]);
  });
});

describe('what is told beside a structure that is wrong', () => {
  const wrong = 'error structure validation Observation.colour';
  const partly = 'information informational not-checked';

  it('is no rule that is broken only by what was left out', async () => {
    const { body } = await validate('Organization', {
      resource: { ...organizationBody({ text: narrative }), name: ['Clinic'] },
    });

    expect(found(body)).toEqual(['error structure validation Organization.name', partly]);
  });

  it('is no move to another patient, where the patient is what is wrong', async () => {
    const { body } = await validate(pathOf(record), {
      resource: { ...about({ id: record.id }), subject: referenceTo(patient) },
    });

    expect(found(body)).toEqual(['error structure validation Observation.subject', partly]);
  });

  it('is what was checked without it, also where it stands beside a primitive', async () => {
    const { body } = await validate('Patient', {
      resource: {
        ...patientBody({ text: narrative, managingOrganization: { reference: 'Organization/none' } }),
        _birthDate: 'unknown',
      },
    });

    expect(found(body)).toEqual([
      'error structure validation Patient.birthDate',
      partly,
      'error not-found reference-not-found Patient.managingOrganization.reference',
    ]);
  });

  it('is that nothing else was checked, where nothing sound is left', async () => {
    let nested: unknown = { url: 'http://concord.test/deep', valueBoolean: true };
    for (let level = 0; level < 40; level++) nested = { url: 'http://concord.test/deep', extension: [nested] };

    const { body } = await validate('Patient', { resource: { ...patientBody(), extension: [nested] } });

    expect(found(body)).toEqual(['error structure validation Patient', partly]);
    expect(issuesOf(body)[1]?.text).toBe('Nothing else was checked, since the structure is wrong');
  });

  it('is that nothing else was checked, where more is wrong than is told', async () => {
    const unknown = (length: number) =>
      Object.fromEntries(Array.from({ length }, (_, index) => [`colour${index}`, index]));
    const managingOrganization = { reference: 'Organization/none' };
    const judged = async (length: number) => {
      const resource = { ...patientBody({ text: narrative, managingOrganization }), ...unknown(length) };
      return issuesOf((await validate('Patient', { resource })).body);
    };

    const [some, many] = [await judged(49), await judged(50)];

    expect(some).toHaveLength(51);
    expect(some.at(-1)).toMatchObject({ expression: 'Patient.managingOrganization.reference' });
    expect(many).toHaveLength(51);
    expect(many.at(-1)?.text).toBe('Nothing else was checked, since the structure is wrong');
  });

  it('is who keeps the record, which version it has, and whose words it holds', async () => {
    const clinic = await create(server, organizationBody({ text: narrative }), admin);
    const said = await create(server, {
      resourceType: 'Communication',
      status: 'completed',
      subject: { reference: referenceTo(patient) },
    } as fhir4.Communication);
    const own = { ...said, text: narrative, sender: { reference: referenceTo(patient) }, colour: 'red' };

    const theirs = await validate(
      pathOf(clinic),
      { resource: { ...clinic, colour: 'red' } },
      { as: { ...admin, organization: 'lakeside' } },
    );
    const older = await validate(
      pathOf(record),
      { resource: { ...about({ id: record.id }), colour: 'red' } },
      { headers: { 'if-match': 'W/"7"' } },
    );
    const staff = await validate(pathOf(said), { resource: own }, { as: { role: 'patient', patient: patient.id } });

    expect(found(theirs.body)).toContain('error forbidden forbidden-custodian');
    expect(found(older.body)).toEqual([wrong, partly, 'error conflict version-conflict If-Match']);
    expect(found(staff.body)).toContain('error forbidden not-own-words Communication.sender');
  });
});

describe('what $validate reads of others', () => {
  it('tells neither version nor patient of a record that is hidden, where only the resource names it', async () => {
    const resource = about({ id: record.id, subject: { reference: referenceTo(other) } });
    const options = { as: elsewhere, headers: { 'if-match': 'W/"7"' } };

    const { body } = await validate('Observation', { resource, mode: 'update' }, options);

    expect(found(body)).toEqual([
      'error not-found not-found',
      'error not-found reference-not-found Observation.subject.reference',
    ]);
  });

  const condition = (id: string): fhir4.Condition => ({
    resourceType: 'Condition',
    id,
    subject: { reference: referenceTo(patient) },
  });
  const work = (elements: Partial<fhir4.Task> = {}): fhir4.Task => ({
    resourceType: 'Task',
    text: narrative,
    status: 'requested',
    intent: 'order',
    ...elements,
  });
  const notLookedUp = [allRight, 'information informational not-checked'];

  it('is not whether there is a record of a type that the caller may not read', async () => {
    await server.put('Condition/of-doe', condition('of-doe'));
    const judged = async (id: string, mode?: string) => {
      const resource = work({ focus: { reference: `Condition/${id}` } });
      return found((await validate('Task', { resource, ...(mode ? { mode } : {}) }, { as: frontDesk })).body);
    };

    expect(await judged('of-doe')).toEqual(notLookedUp);
    expect(await judged('of-roe')).toEqual(notLookedUp);
    expect(await judged('of-doe', 'create')).toEqual(notLookedUp);
    expect(await judged('of-roe', 'create')).toEqual(notLookedUp);
  });

  it('is not that either by an update, nor by the patient that a record would have', async () => {
    const privacy: TestCaller = { role: 'privacy' };
    await server.put('Patient/doe', patientBody({ id: 'doe' }));
    await server.put('Condition/of-doe', condition('of-doe'));
    const task = await create(server, work(), privacy);
    const judged = async (elements: Partial<fhir4.Task>) =>
      found((await validate(pathOf(task), { resource: { ...task, ...elements } }, { as: privacy })).body);

    expect(await judged({ for: { reference: 'Patient/doe' } })).toEqual(notLookedUp);
    expect(await judged({ for: { reference: 'Patient/roe' } })).toEqual(notLookedUp);
    expect(await judged({ focus: { reference: 'Condition/of-doe' } })).toEqual(notLookedUp);
    expect(await judged({ focus: { reference: 'Condition/of-roe' } })).toEqual(notLookedUp);
  });

  it('looks up what the record refers to already, and what scopes let be read', async () => {
    const visit = await create(server, encounterBody(referenceTo(patient)));
    const elements = { for: { reference: referenceTo(patient) }, encounter: { reference: referenceTo(visit) } };
    const task = await create(server, work(elements));

    const kept = await validate(pathOf(task), { resource: task }, { as: frontDesk });
    const added = await validate('Task', { resource: work(elements), mode: 'create' }, { as: frontDesk });
    const narrow = await validate(
      'Task',
      { resource: work({ for: { reference: 'Patient/nobody' } }), mode: 'create' },
      { as: { role: 'physician', scope: 'user/Task.c' } },
    );
    const wide = await validate(
      'Task',
      { resource: work({ for: { reference: 'Patient/nobody' } }), mode: 'create' },
      { as: { role: 'physician', scope: 'user/Task.c user/Patient.r' } },
    );

    expect(found(kept.body)).toEqual([allRight]);
    expect(found(added.body)).toEqual(notLookedUp);
    expect(found(narrow.body)).toEqual(notLookedUp);
    expect(found(wide.body)).toEqual(['error not-found reference-not-found Task.for.reference']);
  });

  it('is the own record to a patient, whatever the application may read', async () => {
    const as: TestCaller = { role: 'patient', patient: patient.id, scope: 'patient/Communication.c' };
    const subject = { reference: referenceTo(patient) };
    const resource = { resourceType: 'Communication', text: narrative, status: 'completed', subject, sender: subject };

    const { body } = await validate('Communication', { resource, mode: 'create' }, { as });

    expect(found(body)).toEqual([allRight]);
  });

  it('is not what a transaction has staged and not committed', async () => {
    const visit = await create(server, encounterBody(referenceTo(patient)));
    const resource = about({ encounter: { reference: referenceTo(visit) } });
    const before = await validate('Observation', { resource });
    const address = await server.store.locate('Encounter', visit.id, false);
    if (!address) throw new Error('the visit is nowhere');
    await server.store.client.send(
      new UpdateCommand({
        TableName: server.store.tableName,
        Key: recordKey(address),
        UpdateExpression: 'SET tx = :tx',
        ExpressionAttributeValues: { ':tx': 'never-committed' },
      }),
    );

    const staged = await validate('Observation', { resource });

    expect(found(before.body)).toEqual([allRight]);
    expect(found(staged.body)).toEqual(['error not-found reference-not-found Observation.encounter.reference']);
  });
});

describe('a resource that no row has room for', () => {
  it('is told of, as a write would', async () => {
    const security = Array.from({ length: 400 }, (_, index) => ({
      system: `http://concord.test/${'x'.repeat(1_000)}`,
      code: `label-${index}`,
    }));

    const { body } = await validate('Observation', { resource: about({ meta: { security } }), mode: 'create' });

    expect(found(body)).toEqual(['error too-long record-too-large Observation.meta.security']);
  });
});

describe('what $validate tells of times', () => {
  it('is who has an actor, but not to who names what is not there', async () => {
    const room = await create(
      server,
      { resourceType: 'Location', name: 'Room', text: narrative } as fhir4.Location,
      admin,
    );
    const booked = (participant: fhir4.AppointmentParticipant[] = []): fhir4.Appointment => ({
      resourceType: 'Appointment',
      text: narrative,
      status: 'booked',
      start: '2999-05-06T10:00:00Z',
      end: '2999-05-06T10:30:00Z',
      participant: [
        { actor: { reference: referenceTo(patient) }, status: 'accepted' },
        { actor: { reference: referenceTo(room) }, status: 'accepted' },
        ...participant,
      ],
    });
    const free = await validate('Appointment', { resource: booked(), mode: 'create' });
    await create(server, booked());

    const taken = await validate('Appointment', { resource: booked(), mode: 'create' });
    const content = await validate('Appointment', { resource: booked() });
    const nobody = { actor: { reference: `Location/${record.id}` }, status: 'accepted' } as const;
    const unknown = await validate('Appointment', { resource: booked([nobody]), mode: 'create' });

    expect(found(free.body)).toEqual([allRight]);
    expect(found(taken.body)).toEqual(['error conflict time-taken Appointment.participant[1].actor']);
    expect(found(content.body)).toEqual([allRight]);
    expect(found(unknown.body)).toEqual([
      'error not-found reference-not-found Appointment.participant[2].actor.reference',
    ]);
  });
});

describe('what a patient may write', () => {
  it('is validated as it would be written: in the own name', async () => {
    const as: TestCaller = { role: 'patient', patient: patient.id };
    const message = (sender: string): fhir4.Communication => ({
      resourceType: 'Communication',
      text: narrative,
      status: 'completed',
      subject: { reference: referenceTo(patient) },
      sender: { reference: sender },
    });

    const own = await validate('Communication', { resource: message(referenceTo(patient)), mode: 'create' }, { as });
    const foreign = await validate('Communication', { resource: message(referenceTo(other)), mode: 'create' }, { as });

    expect(found(own.body)).toEqual([allRight]);
    expect(found(foreign.body)).toEqual([
      'error forbidden not-own-words Communication.sender',
      'error not-found reference-not-found Communication.sender.reference',
    ]);
  });
});

describe('a call of $validate that is wrong itself', () => {
  const asked = async (path: string, input: Input, options?: TestRequest) => {
    const { status, body } = await validate(path, input, options);
    return [status, issuesOf(body)[0]?.code, issuesOf(body)[0]?.expression];
  };

  it('is refused by the name of what is wrong', async () => {
    expect(await asked('Patient', {})).toEqual([400, 'invalid', 'resource']);
    expect(await asked('Patient', { mode: 'delete' })).toEqual([400, 'invalid', 'resource']);
    expect(await asked('Patient', { resource: patientBody(), mode: 'update' })).toEqual([400, 'invalid', 'resource']);
    expect(await asked('Patient', { resource: patientBody(), mode: 'erase' })).toEqual([400, 'invalid', 'mode']);
    expect(await asked(pathOf(patient), { resource: patient, mode: 'create' })).toEqual([400, 'invalid', 'mode']);
    const { status, body } = await server.post('Patient/$validate', '{"resourceType":');
    expect([status, issuesOf(body)[0]?.expression]).toEqual([400, 'body']);
  });

  it('is forbidden to who may do nothing with such records, whatever is sent', async () => {
    expect(await asked('Observation', { resource: { colour: 'red' } }, { as: frontDesk })).toEqual([
      403,
      'forbidden',
      undefined,
    ]);
    expect((await server.get(`${pathOf(record)}/$validate`, { as: frontDesk })).status).toBe(403);
    expect((await validate('AuditEvent', { resource: {} })).status).toBe(403);
  });
});

describe('$validate with the resource as the body', () => {
  it('takes mode and profile from the query', async () => {
    const { body } = await server.post(
      `Patient/$validate?mode=create&profile=${encodeURIComponent(usCorePatient)}`,
      patientBody({ text: narrative }),
    );

    expect(found(body)).toEqual(['error required profile-not-met Patient.identifier']);
  });

  it('is an entry of a batch, which answers with the outcome', async () => {
    const entry = [
      { resource: patientBody({ text: narrative }), request: { method: 'POST', url: 'Patient/$validate' } },
      { resource: { ...patientBody(), colour: 'red' }, request: { method: 'POST', url: 'Patient/$validate' } },
      { request: { method: 'GET', url: `${pathOf(record)}/$validate` } },
      { request: { method: 'GET', url: `Observation/${other.id}/$validate` } },
    ];

    const { body } = await server.post('', { resourceType: 'Bundle', type: 'batch', entry });

    const answers = entriesOf(body).map((each) => each as unknown as fhir4.BundleEntry);
    expect(answers.map(({ response }) => response?.status)).toEqual(['200 OK', '200 OK', '200 OK', '404']);
    expect(answers.map(({ response }) => response?.outcome !== undefined)).toEqual([false, false, false, true]);
    expect(answers.slice(0, 3).map(({ resource }) => found(resource as unknown as TestBody)[0])).toEqual([
      allRight,
      'error structure validation Patient.colour',
      allRight,
    ]);
  });
});

describe('what $validate leaves behind', () => {
  it('is nothing but the trace: no row is written, changed or removed', async () => {
    const before = await rows();
    const headers = { 'idempotency-key': 'once', 'if-none-exist': 'identifier=1' };
    const resource = about({ encounter: { reference: `Encounter/${other.id}` } });

    await validate('Observation', { resource: about(), mode: 'create' }, { headers });
    await validate('Observation', { resource, mode: 'create' }, { headers });
    await validate(pathOf(record), { resource: { ...about(), id: record.id } }, { headers });
    await validate(pathOf(record), { mode: 'delete' }, { headers });
    await validate('Patient', { resource: patientBody({ id: 'own-patient' }), mode: 'update' }, { headers });
    await server.get(`${pathOf(record)}/$validate`);

    expect(await rows()).toEqual(before);
    expect(before.length).toBeGreaterThan(5);
    expect(server.objectCalls).toEqual([]);
  });
});

describe('a resource with more references than are looked up', () => {
  it('says how many were', async () => {
    const entry = Array.from({ length: 1_001 }, (_, index) => ({ item: { reference: `Location/place-${index}` } }));
    const resource = { resourceType: 'List', text: narrative, status: 'current', mode: 'working', entry };

    const { body } = await validate('List', { resource });

    const told = found(body);
    expect(told[0]).toBe('information informational not-checked');
    expect(told.slice(1)).toHaveLength(1_000);
    expect(told.at(-1)).toBe('error not-found reference-not-found List.entry[999].item.reference');
  });
});
