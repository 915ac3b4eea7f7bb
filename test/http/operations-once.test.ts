import { beforeAll, describe, expect, it } from 'vitest';
import { ownRoutes } from '../../shared/http/own-routes/index.ts';
import { routesOf } from '../../shared/http/routes.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { otherRecordTypes } from '../../shared/record-types/other.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, physician, type TestResponse } from '../support/fhir-server.ts';
import {
  admin,
  create,
  elsewhere,
  issuesOf,
  matchesIn,
  observationBody,
  patientBody,
  positionOf,
  prescriberOf,
  referenceTo,
  type Stored,
} from '../support/records.ts';
import { subscriptionBody } from '../support/subscriptions.ts';

// An answer may be lost, so that a client asks again. Whatever writes has to know it by the key.

const lab: TestCaller = { role: 'lab' };
const frontdesk: TestCaller = { role: 'frontdesk' };
const privacy: TestCaller = { role: 'privacy' };
const extensions = 'https://concord.example/fhir/StructureDefinition';

/** Some answers tell as of when they are. */
const now = Date.now();

let server: FhirServer;
let nurse: TestCaller;
let author: TestCaller;
let support: TestCaller;

beforeAll(async () => {
  server = await fhirServer();
  server.setTime(now);
  const person = async (role: string): Promise<TestCaller> => {
    const { id } = await create(server, { resourceType: 'Practitioner', active: true }, admin);
    return { role, claims: { fhirUser: `Practitioner/${id}` } };
  };
  nurse = await person('nurse');
  author = await prescriberOf(server);
  await positionOf(server, author);
  support = await person('support');
  const delegated: fhir4.PractitionerRole = {
    resourceType: 'PractitionerRole',
    active: true,
    code: [{ coding: [{ system: 'https://concord.example/fhir/CodeSystem/delegation', code: 'support' }] }],
    practitioner: { reference: String(support.claims?.['fhirUser']) },
    period: { start: new Date(now - 60_000).toISOString(), end: new Date(now + 3_600_000).toISOString() },
  };
  await create(server, delegated, admin);
});

type Value = Omit<fhir4.ParametersParameter, 'name'>;
const parameters = (values: Readonly<Record<string, Value>> = {}): fhir4.Parameters => ({
  resourceType: 'Parameters',
  parameter: Object.entries(values).map(([name, value]) => ({ name, ...value })),
});
const words = (valueString: string): Value => ({ valueString });
const reference = (of: Parameters<typeof referenceTo>[0] | string): Value => ({
  valueReference: { reference: typeof of === 'string' ? of : referenceTo(of) },
});

let hours = 0;
const patient = () => create(server, patientBody());
const appointment = (status: fhir4.Appointment['status']): fhir4.Appointment => {
  const start = Date.UTC(2040, 0, 1) + ++hours * 3_600_000;
  return {
    resourceType: 'Appointment',
    status,
    start: new Date(start).toISOString(),
    end: new Date(start + 1_800_000).toISOString(),
    participant: [{ actor: { reference: String(nurse.claims?.['fhirUser']) }, status: 'accepted' }],
  };
};
const booked = () => create(server, appointment('booked'), frontdesk);
/** One whose time has come. */
const begun = () => {
  const start = now - ++hours * 3_600_000;
  const times = { start: new Date(start).toISOString(), end: new Date(start + 1_800_000).toISOString() };
  return create(server, { ...appointment('booked'), ...times }, frontdesk);
};
const task = async (elements: Partial<fhir4.Task> = {}) =>
  create(server, {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    for: { reference: referenceTo(await patient()) },
    ...elements,
  } as fhir4.Task);
const notes: Readonly<Record<string, (subject: fhir4.Reference) => fhir4.Resource>> = {
  Composition: (subject) =>
    ({
      resourceType: 'Composition',
      status: 'preliminary',
      type: { text: 'Note' },
      subject,
      date: '2026-11-27T08:00:00Z',
      author: [{ reference: String(author.claims?.['fhirUser']) }],
      title: 'Note',
    }) as fhir4.Composition,
  DocumentReference: (subject) =>
    ({
      resourceType: 'DocumentReference',
      status: 'current',
      subject,
      content: [{ attachment: { contentType: 'text/plain', data: 'aGVsbG8=' } }],
    }) as fhir4.DocumentReference,
  DiagnosticReport: (subject) =>
    ({
      resourceType: 'DiagnosticReport',
      status: 'preliminary',
      code: { text: 'Report' },
      subject,
    }) as fhir4.DiagnosticReport,
};
const note = async (type: string) =>
  create(server, notes[type]?.({ reference: referenceTo(await patient()) }) as fhir4.Resource, author);

/** Words of a patient to everybody of the organisation. */
const message = async (): Promise<Stored<fhir4.Communication>> => {
  const about = { reference: referenceTo(await patient()) };
  return create(server, { resourceType: 'Communication', status: 'completed', subject: about, sender: about }, nurse);
};

/** An operation that was prepared: where, what with and by whom. */
type Asked = readonly [on: Parameters<typeof referenceTo>[0] | undefined, body: fhir4.Parameters, as: TestCaller];
const ask = async (name: string, [on, body, as]: Asked, key?: string): Promise<TestResponse> => {
  const [type, operation = ''] = name.split('/');
  const path = `${on ? referenceTo(on) : type}/${operation}`;
  return server.post(path, body, { as, headers: key === undefined ? {} : { 'idempotency-key': key } });
};
const done = async (name: string, asked: Asked): Promise<Asked> => {
  const { status, text } = await ask(name, asked);
  expect(status, text).toBe(200);
  return asked;
};

const signing = Object.fromEntries(
  Object.keys(notes).flatMap((type): [string, () => Promise<Asked>][] => [
    [`${type}/$sign`, async () => [await note(type), parameters(), author]],
    [
      `${type}/$retract`,
      async () => {
        const [on] = await done(`${type}/$sign`, [await note(type), parameters(), author]);
        return [on, parameters({ reason: words('It is about somebody else') }), author];
      },
    ],
  ]),
);
const tagged = { valueMeta: { tag: [{ system: 'http://concord.test/tag', code: 'seen' }] } };
const merging = async (): Promise<Asked> => [
  await patient(),
  parameters({ source: reference(await patient()) }),
  physician,
];
const holding = async (): Promise<Asked> => [
  await patient(),
  parameters({ reason: words('A court asks for it') }),
  privacy,
];
const observation = async () => create(server, observationBody(referenceTo(await patient())));
const withholding = async (): Promise<Asked> => [
  await observation(),
  parameters({
    ground: { valueCode: 'danger' },
    reason: words('Confided plans that the finding would set off'),
    reviewer: { valueReference: { display: 'The medical director' } },
  }),
  physician,
];
const proxy = async (): Promise<readonly [Stored<fhir4.Patient>, Stored<fhir4.RelatedPerson>]> => {
  const child = await create(server, patientBody({ birthDate: '2024-01-02' }), frontdesk);
  const subject = { reference: referenceTo(child) };
  return [child, await create(server, { resourceType: 'RelatedPerson', patient: subject }, frontdesk)];
};
const granting = async (): Promise<Asked> => {
  const [child, relative] = await proxy();
  const evidence = words('Birth certificate, seen by the front desk');
  return [child, parameters({ proxy: reference(relative), basis: { valueCode: 'parent' }, evidence }), frontdesk];
};

const takenDown = async (): Promise<fhir4.Parameters> =>
  parameters({
    order: {
      resource: {
        resourceType: 'MedicationRequest',
        status: 'active',
        intent: 'order',
        medicationCodeableConcept: { text: 'Amoxicillin 500 mg' },
        subject: { reference: referenceTo(await patient()) },
        requester: { reference: String(author.claims?.['fhirUser']) },
      } as fhir4.MedicationRequest,
    },
    given: { valueCode: 'verbal' },
    readBack: { valueBoolean: true },
  });

let filed = 0;
const filing = async (): Promise<fhir4.Parameters> => {
  const type = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'FILL' }] };
  const report: fhir4.DiagnosticReport = {
    resourceType: 'DiagnosticReport',
    status: 'final',
    code: { text: 'Blood count' },
    subject: { reference: referenceTo(await patient()) },
    issued: '2026-11-20T10:00:00Z',
    identifier: [{ type, system: 'http://concord.test/filler', value: `F-${++filed}` }],
  };
  return parameters({ report: { resource: report } });
};

const cases: Readonly<Record<string, () => Promise<Asked>>> = {
  ...signing,
  'MedicationRequest/$sign': async () => {
    const order: fhir4.MedicationRequest = {
      resourceType: 'MedicationRequest',
      status: 'draft',
      intent: 'order',
      medicationCodeableConcept: { text: 'Amoxicillin 500 mg' },
      subject: { reference: referenceTo(await patient()) },
    };
    return [await create(server, order, author), parameters(), author];
  },
  'MedicationRequest/$renew': async () => {
    const prior = await create(
      server,
      {
        resourceType: 'MedicationRequest',
        status: 'draft',
        intent: 'order',
        medicationCodeableConcept: { text: 'Amoxicillin 500 mg' },
        subject: { reference: referenceTo(await patient()) },
      } as fhir4.MedicationRequest,
      author,
    );
    await server.post(`MedicationRequest/${prior.id}/$sign`, parameters(), { as: author });
    return [prior, parameters(), author];
  },
  'MedicationRequest/$take-order': async () => [undefined, await takenDown(), nurse],
  'MedicationRequest/$deny': async () => {
    const { body } = await server.post('MedicationRequest/$take-order', await takenDown(), { as: nurse });
    return [body, parameters({ reason: words('It was not ordered at all') }), nurse];
  },
  'DiagnosticReport/$file': async () => [undefined, await filing(), lab],
  'DiagnosticReport/$resolve': async () => {
    const { parameter = [] } = await filing();
    const nobody = parameter.map(({ name, resource }) => ({
      name,
      resource: { ...resource, subject: undefined } as unknown as fhir4.FhirResource,
    }));
    const { body } = await ask('DiagnosticReport/$file', [
      undefined,
      { resourceType: 'Parameters', parameter: nobody },
      lab,
    ]);
    const { parameter: told = [] } = body as unknown as fhir4.Parameters;
    const waits = told.find(({ name }) => name === 'report')?.valueReference?.reference ?? '';
    const [resourceType = '', id = ''] = waits.split('/');
    return [{ resourceType, id }, parameters({ patient: reference(await patient()) }), lab];
  },
  'Appointment/$hold': async () => [
    undefined,
    parameters({ appointment: { resource: appointment('proposed') } }),
    frontdesk,
  ],
  'Appointment/$book': async () => [
    undefined,
    parameters({ appointment: { resource: appointment('proposed') } }),
    frontdesk,
  ],
  'Appointment/$reschedule': async () => {
    const { start, end } = appointment('booked');
    return [
      await booked(),
      parameters({ start: { valueDateTime: String(start) }, end: { valueDateTime: String(end) } }),
      frontdesk,
    ];
  },
  'Appointment/$cancel': async () => [await booked(), parameters(), frontdesk],
  'Appointment/$offer': async () => {
    const [{ id }, { start, end }] = [
      await create(server, { resourceType: 'Practitioner' }, admin),
      appointment('booked'),
    ];
    const actor = [{ actor: { reference: `Practitioner/${id}` }, status: 'accepted' as const }];
    await create(server, { resourceType: 'Appointment', status: 'waitlist', participant: actor }, frontdesk);
    const times = { start: { valueDateTime: String(start) }, end: { valueDateTime: String(end) } };
    return [undefined, parameters({ actor: reference(`Practitioner/${id}`), ...times }), frontdesk];
  },
  'Appointment/$decline': async () => {
    const extension = [
      { url: `${extensions}/hold-until`, valueInstant: new Date(now + 3_600_000).toISOString() },
      { url: `${extensions}/waitlist-offer`, valueBoolean: true },
    ];
    return [await create(server, { ...appointment('pending'), extension }, frontdesk), parameters(), frontdesk];
  },
  'Appointment/$check-in': async () => [await begun(), parameters(), frontdesk],
  'Appointment/$no-show': async () => [await begun(), parameters(), frontdesk],
  'Patient/$register': async () => [
    undefined,
    parameters({ patient: { resource: patientBody({ name: [{ family: 'Oyelaran' }], birthDate: '1931-12-24' }) } }),
    frontdesk,
  ],
  'Patient/$merge': merging,
  'Patient/$unmerge': async () => done('Patient/$merge', await merging()),
  'Patient/$break-glass': async () => [
    await create(server, patientBody(), elsewhere),
    parameters({ purpose: { valueCode: 'BTG' }, reason: words('Unconscious after a fall') }),
    physician,
  ],
  'Patient/$record-disclosure': async () => [
    await patient(),
    parameters({
      recipient: words('County Court'),
      date: { valueDateTime: '2026-03-02' },
      description: words('Visits of 2025'),
      purpose: words('subpoena'),
    }),
    privacy,
  ],
  'Patient/$suspend-disclosures': async () => [
    await patient(),
    parameters({
      recipient: words('County Court'),
      statement: words('An investigation is under way'),
      until: { valueDateTime: '2041-01-01' },
    }),
    privacy,
  ],
  'Patient/$reconcile-medications': async () => {
    const taken: fhir4.MedicationStatement = {
      resourceType: 'MedicationStatement',
      status: 'active',
      medicationCodeableConcept: { text: 'Amoxicillin 500 mg' },
      subject: { reference: referenceTo(await patient()) },
    };
    const item = { reference: referenceTo(await create(server, taken, author)) };
    const coding = [{ system: 'https://concord.example/fhir/CodeSystem/reconciliation', code: 'stop' }];
    const entry = [{ item, flag: { coding, text: 'A rash' } }];
    const list: fhir4.List = { resourceType: 'List', status: 'current', mode: 'snapshot', entry };
    const own = String(taken.subject.reference).slice('Patient/'.length);
    return [{ resourceType: 'Patient', id: own }, parameters({ list: { resource: list } }), author];
  },
  'Patient/$request-amendment': async () => {
    const found = await observation();
    const own = String(found.subject?.reference).slice('Patient/'.length);
    return [
      { resourceType: 'Patient', id: own },
      parameters({ record: reference(found), reason: words('It was measured on somebody else') }),
      { role: 'patient', patient: own },
    ];
  },
  'Task/$decide-amendment': async () => {
    const asked = await ask('Patient/$request-amendment', await prepared('Patient/$request-amendment'));
    return [
      asked.body,
      parameters({
        decision: { valueCode: 'deny' },
        ground: { valueCode: 'accurate-and-complete' },
        reason: words('It is accurate'),
      }),
      privacy,
    ];
  },
  'Patient/$legal-hold': holding,
  'Patient/$release-hold': async () => done('Patient/$legal-hold', await holding()),
  'Patient/$purge': async () => {
    server.setTime(Date.UTC(1950, 0, 1));
    const old = await create(server, patientBody({ birthDate: '1900-01-01' }));
    server.setTime(now);
    return [old, parameters({ reason: words('Its time is over') }), privacy];
  },
  'Patient/$grant-proxy': granting,
  'Patient/$end-proxy': async () => {
    const [child, { parameter = [] }] = await done('Patient/$grant-proxy', await granting());
    const asked = parameter.filter(({ name }) => name !== 'basis');
    return [child, { resourceType: 'Parameters', parameter: asked }, frontdesk];
  },
  'Patient/$emancipate': async () => [
    await create(server, patientBody({ birthDate: '2010-01-02' }), frontdesk),
    parameters({ evidence: words('Order of the family court, seen') }),
    frontdesk,
  ],
  'Practitioner/$revoke-access': async () => [
    await create(server, { resourceType: 'Practitioner' }, admin),
    parameters(),
    admin,
  ],
  'Communication/$read': async () => [await message(), parameters(), nurse],
  'Communication/$triage': async () => [await message(), parameters({ pool: { valueCode: 'physician' } }), nurse],
  'Subscription/$redrive': async () => [await create(server, subscriptionBody(), admin), parameters(), admin],
  'Task/$claim': async () => [await task(), parameters(), nurse],
  'Task/$unclaim': async () => done('Task/$claim', [await task(), parameters(), nurse]),
  'Task/$progress': async () => [
    await task({ owner: { reference: String(support.claims?.['fhirUser']) } }),
    parameters({ status: { valueCode: 'accepted' } }),
    support,
  ],
  'Observation/$review': async () => [await observation(), parameters(), author],
  'DiagnosticReport/$review': async () => {
    const report: fhir4.DiagnosticReport = {
      resourceType: 'DiagnosticReport',
      status: 'final',
      code: { text: 'Blood count' },
      subject: { reference: referenceTo(await patient()) },
    };
    return [await create(server, report), parameters(), author];
  },
  'Task/$acknowledge': async () => {
    const found = await patient();
    const critical = { interpretation: [{ coding: [{ code: 'HH' }] }], effectiveDateTime: new Date(now).toISOString() };
    await create(server, observationBody(referenceTo(found), critical));
    const [asked] = matchesIn((await server.get(`Task?patient=${found.id}`)).body);
    return [asked as unknown as Stored<fhir4.Task>, parameters({ readBack: words('72') }), author];
  },
  'Observation/$meta-add': async () => [await observation(), parameters({ meta: tagged }), physician],
  'Observation/$meta-delete': async () =>
    done('Observation/$meta-add', [await observation(), parameters({ meta: tagged }), physician]),
  'Observation/$withhold': withholding,
  'Observation/$release': async () => {
    const [on] = await done('Observation/$withhold', await withholding());
    return [on, parameters(), physician];
  },
};

const prepared = (name: string): Promise<Asked> => (cases[name] as () => Promise<Asked>)();

const told = ({ status, headers, body }: TestResponse) => ({
  status,
  location: headers.location,
  etag: headers.etag,
  modified: headers['last-modified'],
  body,
});

/** Operations that are asked by POST and write no more than the trace of it. */
const asking = [
  '$meta',
  '$validate',
  '$find',
  '$explain',
  '$document',
  '$docref',
  '$everything',
  '$summary',
  '$lastn',
  '$match',
  '$upload',
  '$inbox',
  '$status',
  '$events',
];
const terms = ['$lookup', '$validate-code', '$subsumes', '$expand'];
/** They count how often somebody looks, so they have to count each time. */
const counting = ['$emergency-match', '$verify-caller'];
/** Its ticket is such a key: sent again, it answers with what it has made. */
const keyed = ['$complete'];

describe('Idempotency-Key of an operation', () => {
  it('is heeded by each that writes, and each is tried here', () => {
    const routes = [...recordTypes, ...otherRecordTypes].flatMap((type) => {
      const own = (ownRoutes[type.name] ?? []).concat(type.name === 'Observation' ? routesOf(type, {}) : []);
      return own.map((route) => ({ ...route, called: `${type.name}/${route.path.at(-1)}` }));
    });
    const operations = routes.filter(({ method, name }) => method === 'POST' && name === 'operation');
    const reads = new Set([...asking, ...terms, ...counting, ...keyed]);
    const writing = operations.filter(({ path }) => !reads.has(path.at(-1) ?? ''));

    expect(writing.filter(({ once }) => once === undefined).map(({ called }) => called)).toEqual([]);
    expect(operations.filter(({ once, path }) => once && reads.has(path.at(-1) ?? ''))).toEqual([]);
    expect(Object.keys(cases).sort()).toEqual([...new Set(writing.map(({ called }) => called))].sort());
  });

  it.each(Object.keys(cases).sort())(
    'of %s: the second time it answers as the first, and writes nothing but its trace',
    async (name) => {
      const asked = await prepared(name);

      const first = await ask(name, asked, name);
      server.calls.reset();
      const again = await ask(name, asked, name);

      expect(first.status, first.text).toBeLessThan(300);
      expect(told(again)).toEqual(told(first));
      const writes = server.calls.names.filter((call) => !/^(?:GetItem|BatchGetItem|Query)$/.test(call));
      expect(writes.filter((call) => call !== 'PutItem')).toEqual([]);
      expect(writes.length).toBeLessThanOrEqual(2);
    },
  );

  it('belongs to one request: another one under it is refused', async () => {
    const asked = await granting();
    await ask('Patient/$grant-proxy', asked, 'used');
    const { status, body } = await ask('Patient/$emancipate', asked, 'used');

    expect([status, issuesOf(body)[0]?.reason]).toEqual([422, 'idempotency-key-reused']);
  });

  it('brings nothing back that was ended meanwhile', async () => {
    const asked = await granting();
    const [child, { parameter = [] }] = asked;
    await ask('Patient/$grant-proxy', asked, 'before the end');
    const evidence = {
      resourceType: 'Parameters',
      parameter: parameter.filter(({ name }) => name !== 'basis'),
    } as const;
    await done('Patient/$end-proxy', [child, { ...evidence, parameter: [...evidence.parameter] }, frontdesk]);
    const { body } = await ask('Patient/$grant-proxy', asked, 'before the end');

    expect(JSON.stringify(body)).toContain('"ended"');
  });

  it.each([
    'Appointment/$cancel',
    'Observation/$withhold',
    'Patient/$break-glass',
    'Patient/$grant-proxy',
    'Patient/$legal-hold',
    'Patient/$record-disclosure',
  ])('answers %s again to who may still ask for it', async (name) => {
    const [on, body, { role, claims }] = await prepared(name);
    const by = (now: string): Asked => [on, body, { role: now, claims: { ...claims, sub: 'sub-moved' } }];
    await ask(name, by(role), `moved from ${name}`);
    const { status, body: refusal } = await ask(name, by('lab'), `moved from ${name}`);

    expect([status, issuesOf(refusal)[0]?.reason]).toEqual([403, 'forbidden-role']);
  });
});
