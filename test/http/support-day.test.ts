import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';

// A day of outsourced support staff, as docs/support-day.md tells it: whatever the agent is answered is judged, element by element, by the lists of this file, which share nothing with the project's.

const concord = 'https://concord.example/fhir';
const administrative = { coding: [{ system: `${concord}/CodeSystem/work`, code: 'administrative' }] };

/** Elements that the agent may be answered with, by type; `[]` for each of a list. Directory types are everybody's. */
const mayBeSeen: Readonly<Record<string, readonly string[]>> = {
  Patient: [
    'active',
    'name[].family',
    'name[].given[]',
    'birthDate',
    'telecom[].system',
    'telecom[].value',
    'address[].postalCode',
    'address[].city',
    'communication[].language.coding[].system',
    'communication[].language.coding[].code',
    'extension[].url',
    'extension[].valueBoolean',
  ],
  Appointment: [
    'status',
    'start',
    'end',
    'minutesDuration',
    'patientInstruction',
    'participant[].actor.reference',
    'participant[].status',
  ],
  Communication: [
    'status',
    'category[].coding[].system',
    'category[].coding[].code',
    'subject.reference',
    'sent',
    'recipient[].reference',
    'sender.reference',
    'payload[].contentString',
  ],
  Task: [
    'status',
    'intent',
    'code.coding[].system',
    'code.coding[].code',
    'description',
    'for.reference',
    'owner.reference',
    'authoredOn',
    'lastModified',
    'executionPeriod.start',
    'executionPeriod.end',
  ],
  Parameters: [
    'parameter[].name',
    'parameter[].valueBoolean',
    'parameter[].valueInstant',
    'parameter[].valueReference.reference',
  ],
  OperationOutcome: [
    'issue[].severity',
    'issue[].code',
    'issue[].details.coding[].system',
    'issue[].details.coding[].code',
    'issue[].details.text',
    'issue[].diagnostics',
    'issue[].expression[]',
  ],
  Bundle: ['type', 'total', 'link[].relation', 'link[].url', 'entry[].fullUrl', 'entry[].search.mode'],
};
/** Of every record and list: which it is, in which version, and that it is a part. */
const ofAll = [
  'resourceType',
  'id',
  'meta.versionId',
  'meta.lastUpdated',
  'meta.tag[].system',
  'meta.tag[].code',
  'meta.tag[].display',
];
/** Extensions, roles and codes whose values are judged, too. */
const mayBeSaid: Readonly<Record<string, readonly unknown[]>> = {
  'Patient.extension[].url': ['http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired'],
  'Communication.category[].coding[].code': ['administrative'],
  'Task.code.coding[].code': ['administrative'],
};
/** Participants of bookings by their types. */
const maySeeOf = /^(?:Patient|Location)\//;
const directory = ['Practitioner', 'PractitionerRole', 'Location', 'Organization', 'Schedule'];

/** What an answer says, by path; resources in it by their own types. */
const told = (value: unknown, at: string): [string, unknown][] => {
  if (Array.isArray(value)) return value.flatMap((item) => told(item, `${at}[]`));
  if (typeof value !== 'object' || value === null) return [[at, value]];
  const { resourceType } = value as { resourceType?: string };
  const here = resourceType ?? at;
  return Object.entries(value).flatMap(([name, inner]) => told(inner, `${here}.${name}`));
};

/** What the agent was answered and should not have been. Whom the agent has named in the same request is no news. */
const tooMuch = ({ body, sent }: { body: unknown; sent: string }): string[] =>
  told(body, '').flatMap(([at, value]) => {
    const [type = '', ...elements] = at.split('.');
    const element = elements.join('.');
    if (directory.includes(type)) return [];
    if (![...ofAll, ...(mayBeSeen[type] ?? [])].includes(element)) return [`${at} is told`];
    const said = mayBeSaid[at];
    if (said && !said.includes(value)) return [`${at} says ${String(value)}`];
    if (
      at === 'Appointment.participant[].actor.reference' &&
      !maySeeOf.test(String(value)) &&
      !sent.includes(String(value))
    )
      return [`${at} names ${String(value)}`];
    return [];
  });

let server: FhirServer;
const as = (role: string, claims: Record<string, unknown> = {}): TestCaller => ({ role, claims });
const admin = as('admin');
const physician = as('physician');
const nurse = as('nurse');
/** `Type/id` by the names of this story, and back. */
const names = new Map<string, string>();
const called = (name: string): string => names.get(name) ?? `Nobody/${name}`;
const clock = (time: string): number => Date.parse(`2026-11-27T${time}:00Z`);

/** Stands, each time another one, in whatever the agent is not to see. */
let secrets = 0;
const hush = () => `hush${1_000 + secrets++}`;
const concept = () => ({ text: hush(), coding: [{ system: 'http://snomed.info/sct', code: hush(), display: hush() }] });

const make = async (name: string, resource: fhir4.Resource & { [element: string]: unknown }, by: TestCaller) => {
  const { status, body, text } = await server.post(resource.resourceType, resource, { as: by });
  expect(status, text).toBe(201);
  names.set(name, `${body.resourceType}/${body.id}`);
};

/** One line of the day: when, who, what was asked and what was answered. */
interface Line {
  readonly time: string;
  readonly who: string;
  readonly asked: string;
  readonly answered: string;
}
const day: Line[] = [];
/** What the agent has sent and was answered, each as text, too. */
interface Answer {
  readonly asked: string;
  readonly sent: string;
  readonly body: TestBody;
  readonly text: string;
  readonly headers: string;
}
const answers: Answer[] = [];
let agent: TestCaller;

/** Asks something at a time of the day, and notes it as the story tells it. Names of the story stand for references. */
const ask = async (time: string, who: string, asked: string, body?: unknown): Promise<TestBody> => {
  server.setTime(clock(time));
  const [method = '', ...rest] = asked.split(' ');
  const withReferences = (text: string) => text.replaceAll(/\{(\w+)\}/g, (_, name: string) => called(name));
  const callers: Record<string, TestCaller> = { agent, administrator: admin, nurse };
  const caller = callers[who];
  const sent = withReferences(JSON.stringify(body ?? null));
  const answered = await server.request(method, withReferences(rest.join(' ')), {
    ...(body === undefined ? {} : { body: JSON.parse(sent) as unknown }),
    ...(caller ? { as: caller } : {}),
  });
  const { status, body: answer, text } = answered;
  const outcome = answer?.resourceType === 'OperationOutcome' ? answer : undefined;
  const code = outcome?.issue?.[0]?.details?.coding?.[0]?.code;
  const verified = answer?.parameter?.[0]?.name === 'verified' ? answer.parameter[0].valueBoolean : undefined;
  const said = code ?? (verified === undefined ? undefined : verified ? 'verified' : 'not verified');
  day.push({ time, who, asked, answered: said === undefined ? String(status) : `${status} ${said}` });
  if (who === 'agent')
    answers.push({
      asked: `${time} ${asked}`,
      sent,
      body: answer,
      text,
      headers: JSON.stringify(answered.headers),
    });
  return answer;
};
const parameters = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter });
const resourcesIn = (bundle: TestBody): TestBody[] =>
  [...(bundle.entry ?? [])].map(({ resource }) => resource as TestBody);

beforeAll(async () => {
  server = await fhirServer();
  server.setTime(clock('06:00'));
  await server.put(
    'Organization/northside',
    { resourceType: 'Organization', id: 'northside', name: 'Northside Clinic' },
    { as: admin },
  );
  await make('sam', { resourceType: 'Practitioner', name: [{ text: 'Sam of support' }] }, admin);
  await make('surgeon', { resourceType: 'Practitioner', name: [{ text: 'Dr Surgeon' }] }, admin);
  await make('room', { resourceType: 'Location', name: 'Room 1' }, admin);
  agent = as('support', { fhirUser: called('sam'), sub: 'sam' });
  const surgeon = { reference: called('surgeon'), display: hush() };
  await make(
    'cleo',
    {
      resourceType: 'Patient',
      active: true,
      identifier: [{ system: 'urn:numbers', value: hush() }],
      name: [{ family: 'Caller', given: ['Cleo'] }],
      birthDate: '1980-02-29',
      gender: 'female',
      telecom: [{ system: 'phone', value: '+1 555 0100' }],
      address: [{ postalCode: '12345', city: 'Springfield' }],
      maritalStatus: concept(),
      contact: [{ name: { text: hush() }, relationship: [concept()] }],
      generalPractitioner: [surgeon],
      communication: [{ language: { text: hush(), coding: [{ system: 'urn:ietf:bcp:47', code: 'fr' }] } }],
      extension: [
        { url: 'http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired', valueBoolean: true },
        { url: 'http://hl7.org/fhir/StructureDefinition/patient-religion', valueCodeableConcept: concept() },
      ],
      text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${hush()}</div>` },
    },
    physician,
  );
  const subject = { reference: called('cleo'), display: hush() };
  await make('other', { resourceType: 'Patient', name: [{ family: hush() }], birthDate: '1970-01-01' }, physician);
  await make('illness', { resourceType: 'Condition', subject, code: concept(), note: [{ text: hush() }] }, physician);
  await make(
    'visit',
    {
      resourceType: 'Appointment',
      status: 'booked',
      start: '2026-12-01T09:00:00Z',
      end: '2026-12-01T09:30:00Z',
      minutesDuration: 30,
      description: hush(),
      comment: hush(),
      serviceType: [concept()],
      reasonCode: [concept()],
      reasonReference: [{ reference: called('illness') }],
      patientInstruction: 'Come with an empty stomach',
      supportingInformation: [{ reference: called('illness'), display: hush() }],
      participant: [
        { actor: subject, status: 'accepted' },
        { actor: surgeon, status: 'accepted', type: [concept()] },
        { actor: { reference: called('room'), display: hush() }, status: 'accepted' },
      ],
    },
    physician,
  );
  await make(
    'taken',
    {
      resourceType: 'Appointment',
      status: 'booked',
      start: '2026-12-01T10:00:00Z',
      end: '2026-12-01T10:30:00Z',
      description: hush(),
      participant: [
        { actor: { reference: called('other') }, status: 'accepted' },
        { actor: surgeon, status: 'accepted' },
      ],
    },
    physician,
  );
  const message = {
    resourceType: 'Communication',
    status: 'completed',
    subject,
    sent: '2026-11-26T09:00:00Z',
    note: [{ text: hush() }],
  };
  await make('clinical', { ...message, payload: [{ contentString: hush() }], reasonCode: [concept()] }, physician);
  await make(
    'reminder',
    {
      ...message,
      category: [{ ...administrative, text: hush() }],
      sender: { reference: 'Organization/northside' },
      recipient: [subject],
      payload: [{ contentString: 'Please call us' }],
    },
    physician,
  );
  const task = { resourceType: 'Task', status: 'requested', intent: 'order', for: subject, reasonCode: concept() };
  await make(
    'callback',
    {
      ...task,
      code: administrative,
      description: 'Call Cleo back',
      authoredOn: '2026-11-26T09:00:00Z',
      owner: { reference: called('sam') },
      note: [{ text: hush() }],
    },
    physician,
  );
  await make('review', { ...task, description: hush() }, physician);
});

/** The day itself: what comes of it is judged below. */
const live = async (): Promise<void> => {
  await ask('07:55', 'agent', 'GET Patient?family=caller');
  const delegation = {
    resourceType: 'PractitionerRole',
    practitioner: { reference: '{sam}' },
    code: [
      {
        coding: ['support', 'verified-calls'].map((code) => ({ system: `${concord}/CodeSystem/delegation`, code })),
      },
    ],
    period: { start: '2026-11-27T08:00:00Z', end: '2026-11-27T18:00:00Z' },
  };
  const { id } = await ask('08:00', 'administrator', 'POST PractitionerRole', delegation);
  names.set('delegation', `PractitionerRole/${id}`);
  const tasks = await ask('08:05', 'agent', 'GET Task?owner={sam}');
  expect(resourcesIn(tasks).map(({ id: found }) => `Task/${found}`)).toEqual([called('callback')]);
  await ask('08:10', 'agent', 'GET {cleo}');

  const facts = (birthDate: string) =>
    parameters({
      name: 'resource',
      resource: { resourceType: 'Patient', birthDate, telecom: [{ system: 'phone', value: '+1 (555) 0100' }] },
    });
  await ask('09:00', 'agent', 'POST Patient/$verify-caller', facts('1981-02-28'));
  const verified = await ask('09:01', 'agent', 'POST Patient/$verify-caller', facts('1980-02-29'));
  expect(verified.parameter?.[1]?.valueReference?.reference).toBe(called('cleo'));
  await ask('09:02', 'agent', 'GET {cleo}');
  await ask('09:02', 'agent', 'GET {other}');
  await ask('09:02', 'agent', 'GET Condition?patient={cleo}');
  await ask('09:02', 'agent', 'GET {cleo}/$everything');
  const bookings = await ask('09:03', 'agent', 'GET Appointment?patient={cleo}&_include=Appointment:actor');
  expect(resourcesIn(bookings).map(({ resourceType }) => resourceType)).toContain('Appointment');
  const messages = await ask('09:03', 'agent', 'GET Communication?patient={cleo}');
  expect(resourcesIn(messages).map(({ id: found }) => `Communication/${found}`)).toEqual([called('reminder')]);
  await ask('09:03', 'agent', 'GET {clinical}');

  const times = (start: string, end: string) =>
    parameters({ name: 'start', valueDateTime: start }, { name: 'end', valueDateTime: end });
  await ask('09:04', 'agent', 'POST {visit}/$reschedule', times('2026-12-01T10:00:00Z', '2026-12-01T10:30:00Z'));
  const found = await ask(
    '09:05',
    'agent',
    'POST Appointment/$find',
    parameters(
      ...['{surgeon}', '{room}', '{cleo}'].map((reference) => ({ name: 'actor', valueReference: { reference } })),
      { name: 'start', valueDateTime: '2026-12-01T10:00:00Z' },
      { name: 'end', valueDateTime: '2026-12-01T12:00:00Z' },
      { name: '_count', valueInteger: 1 },
    ),
  );
  expect(resourcesIn(found).map(({ start }) => start)).toEqual(['2026-12-01T10:30:00.000Z']);
  const moved = await ask(
    '09:06',
    'agent',
    'POST {visit}/$reschedule',
    times('2026-12-01T10:30:00Z', '2026-12-01T11:00:00Z'),
  );
  expect(moved.start).toBe('2026-12-01T10:30:00Z');
  const confirmation = await ask('09:07', 'agent', 'POST Communication', {
    resourceType: 'Communication',
    status: 'completed',
    category: [administrative],
    subject: { reference: '{cleo}' },
    recipient: [{ reference: '{cleo}' }],
    sent: '2026-11-27T09:07:00Z',
    payload: [{ contentString: 'Your visit is on 1 December at 10:30' }],
  });
  expect(confirmation.id).toBeDefined();
  await ask(
    '09:08',
    'agent',
    'POST {callback}/$progress',
    parameters({ name: 'status', valueCode: 'in-progress' }, { name: 'note', valueString: 'Visit moved' }),
  );

  const words = 'She says that her chest hurts';
  await ask('09:10', 'agent', 'POST Communication', {
    resourceType: 'Communication',
    status: 'completed',
    priority: 'urgent',
    subject: { reference: '{cleo}' },
    payload: [{ contentString: words }],
  });
  await ask('09:10', 'agent', 'GET Communication?patient={cleo}');
  const inbox = await ask('09:11', 'nurse', 'GET Task/$inbox');
  const handed = resourcesIn(inbox).find(({ focus }) => focus?.reference?.startsWith('Communication/'));
  names.set('handed', `Task/${handed?.id}`);
  names.set('words', String(handed?.focus?.reference));
  await ask('09:12', 'nurse', 'POST {handed}/$claim');
  const read = await ask('09:12', 'nurse', 'GET {words}');
  expect(read.payload?.[0]?.contentString).toBe(words);
  await ask('09:12', 'agent', 'GET {words}');
  await ask('09:12', 'agent', 'GET {handed}');
  await ask('09:13', 'agent', 'POST {callback}/$progress', parameters({ name: 'status', valueCode: 'completed' }));

  const ended = { ...delegation, id, active: false };
  await ask('09:15', 'administrator', 'PUT {delegation}', ended);
  await ask('09:15', 'agent', 'GET {cleo}');
  await ask('09:15', 'agent', 'GET {callback}');
  await ask('09:15', 'agent', 'POST {visit}/$cancel', parameters());
  await ask('09:15', 'agent', 'POST Patient/$verify-caller', facts('1980-02-29'));
  await ask('09:16', 'nurse', 'GET {visit}');
};

describe('a day of support staff', () => {
  beforeAll(live);

  it('goes as docs/support-day.md tells it', () => {
    const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/support-day.md'), 'utf8');
    const rows = page
      .split('\n')
      .filter((line) => /^\| \d\d:\d\d /.test(line))
      .map((line) => {
        const [time = '', who = '', asked = '', answered = ''] = line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim());
        return { time, who, asked: asked.replaceAll('`', ''), answered: answered.replaceAll('`', '') };
      });
    expect(day).toEqual(rows);
    const lists = [...page.matchAll(/^\| (\w+) +\| `(.+)` +\|$/gm)].map(([, type, listed]) => [
      type,
      listed?.split('`, `'),
    ]);
    const records = ['Patient', 'Appointment', 'Communication', 'Task'];
    expect(lists).toEqual(records.map((type) => [type, mayBeSeen[type]]));
  });

  it('shows the agent what is listed, and nothing else', () => {
    expect(answers.length).toBeGreaterThan(20);
    for (const answer of answers) expect(tooMuch(answer), answer.asked).toEqual([]);
  });

  it('tells the agent nothing in any words, headers or addresses', () => {
    expect(secrets).toBeGreaterThan(30);
    for (const { asked, text, headers } of answers) {
      expect(`${text}${headers}`, asked).not.toMatch(/hush\d/);
      expect(`${text}${headers}`, asked).not.toContain(called('illness').split('/')[1]);
      expect(text, asked).not.toContain('chest hurts');
    }
  });

  it('shows what there is to work with', () => {
    const seen = new Set(answers.flatMap(({ body }) => told(body, '').map(([at]) => at)));
    const listed = Object.entries(mayBeSeen).flatMap(([type, elements]) =>
      elements.map((element) => `${type}.${element}`),
    );

    expect(listed.filter((element) => !seen.has(element))).toEqual([]);
  });

  it('stands in the log of the chart, with the agent and the organisation that it was done for', async () => {
    const log = `AuditEvent?patient=${called('cleo')}&_count=100`;
    const cleo = { ...as('patient', { fhirUser: called('cleo') }), patient: called('cleo').slice('Patient/'.length) };
    const { body } = await server.get(log, { as: as('privacy') });
    const own = await server.get(log, { as: cleo });

    const events = (resourcesIn(body) as unknown as fhir4.AuditEvent[]).filter(
      ({ agent: who }) => who[0]?.who?.reference === called('sam'),
    );
    expect(events.length).toBeGreaterThan(10);
    for (const { id } of events) expect(own.text).toContain(id);
    for (const event of events) expect(JSON.stringify(event)).toContain('Organization/northside');
    expect(JSON.stringify(events)).not.toContain('1980-02-29');
  });
});
