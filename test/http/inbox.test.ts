import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  atOnce,
  create,
  entriesOf,
  issuesOf,
  nextLinkOf,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  stored,
} from '../support/records.ts';

// Who has which work. Each test has an organisation of its own, so that no inbox holds what another test has left.

const now = Date.UTC(2026, 4, 4, 12);
const hour = 3_600_000;
const iso = (time: number): string => new Date(time).toISOString();

let server: FhirServer;
let organizations = 0;

beforeAll(async () => {
  server = await fhirServer();
  server.setTime(now);
});

interface Staff {
  readonly organization: string;
  readonly patient: string;
  readonly as: (role: string, name?: string) => TestCaller;
}

const practitioner = async (as: TestCaller): Promise<string> => {
  const { id } = await create(server, { resourceType: 'Practitioner', name: [{ family: 'Nord' }] }, as);
  return `Practitioner/${id}`;
};

/** An organisation with people of these names. */
const staffOf = async (...names: string[]): Promise<Staff> => {
  const organization = (await create(server, organizationBody({ name: `Clinic ${++organizations}` }), admin)).id;
  const people = new Map<string, string>();
  for (const name of names) people.set(name, await practitioner({ role: 'admin', organization }));
  const as = (role: string, name = ''): TestCaller => ({
    role,
    organization,
    claims: { sub: `sub-${name}-${organization}`, ...(people.has(name) ? { fhirUser: people.get(name) } : {}) },
  });
  const patient = referenceTo(await create(server, patientBody(), as('nurse')));
  return { organization, patient, as };
};

const nurses: fhir4.CodeableConcept[] = [{ coding: [{ system: 'http://snomed.info/sct', code: '106292003' }] }];
const roleOf = (code: string): fhir4.CodeableConcept[] => [
  { coding: [{ system: 'https://concord.example/fhir/CodeSystem/role', code }] },
];

const taskBody = ({ patient }: Staff, elements: Partial<fhir4.Task> = {}): fhir4.Task => ({
  resourceType: 'Task',
  status: 'requested',
  intent: 'order',
  description: 'Call the patient',
  for: { reference: patient },
  authoredOn: iso(now - 24 * hour),
  performerType: nurses,
  ...elements,
});
const due = (hours: number): Partial<fhir4.Task> => ({ restriction: { period: { end: iso(now + hours * hour) } } });

const inbox = async (as: TestCaller, query = ''): Promise<TestBody> => {
  const { status, body, text } = await server.get(`Task/$inbox${query}`, { as });
  expect(status, text).toBe(200);
  return body;
};
const namesIn = (bundle: TestBody): string[] => resourcesIn(bundle).map(referenceTo);
const userOf = (as: TestCaller): string => (as.claims as { fhirUser: string }).fhirUser;
const post = (path: string, as: TestCaller, headers: Record<string, string> = {}) =>
  server.post(path, { resourceType: 'Parameters' }, { as, headers });
const claim = (task: Stored<fhir4.Task>, as: TestCaller) => post(`${pathOf(task)}/$claim`, as);

describe('Task/$inbox', () => {
  it('lists what there is to do for the caller, the pool and the organisation, the most urgent first', async () => {
    const staff = await staffOf('ann', 'ben');
    const ann = staff.as('nurse', 'ann');
    const one = (elements: Partial<fhir4.Task>) => create(server, taskBody(staff, elements), ann);
    const someTime = await one({});
    const tomorrow = await one(due(24));
    const late = await one(due(-2));
    const later = await one(due(-1));
    const mine = await one({ ...due(3), owner: { reference: userOf(ann) }, status: 'accepted' });
    const { performerType: _nobody, ...forAll } = taskBody(staff, due(4));
    const ours = await create(server, forAll, ann);
    const urgent = await one({ priority: 'stat', authoredOn: iso(now - hour / 2) });
    // Not to be seen: of others, not asked for yet, done, of another pool.
    await one({ owner: { reference: userOf(staff.as('nurse', 'ben')) }, status: 'accepted' });
    await one({ status: 'draft' });
    await one({ status: 'completed' });
    await one({ performerType: roleOf('physician') });

    const body = await inbox(ann);

    expect(namesIn(body)).toEqual([late, later, urgent, mine, ours, tomorrow, someTime].map(referenceTo));
    const overdue = entriesOf(body).map((entry) => (entry as unknown as fhir4.BundleEntry).search?.extension?.[0]);
    expect(overdue.map((extension) => extension?.valueInstant)).toEqual([
      iso(now - 2 * hour),
      iso(now - hour),
      ...Array.from({ length: 5 }, () => undefined),
    ]);
    expect(namesIn(await inbox(staff.as('physician', 'ben')))).toHaveLength(3);
  });

  it('holds messages that nobody has received, of the caller and of the caller’s positions and teams', async () => {
    const staff = await staffOf('ann');
    const ann = staff.as('nurse', 'ann');
    const position = await create(
      server,
      {
        resourceType: 'PractitionerRole',
        practitioner: { reference: userOf(ann) },
        organization: { reference: `Organization/${staff.organization}` },
      },
      staff.as('admin'),
    );
    const team = await create(
      server,
      {
        resourceType: 'CareTeam',
        subject: { reference: staff.patient },
        participant: [{ member: { reference: userOf(ann) } }],
      },
      ann,
    );
    const message = (recipient: string, elements: Partial<fhir4.Communication> = {}): fhir4.Communication => ({
      resourceType: 'Communication',
      status: 'completed',
      subject: { reference: staff.patient },
      recipient: [{ reference: recipient }],
      sent: iso(now - hour),
      ...elements,
    });
    const unread = await create(server, message(userOf(ann)), ann);
    const toPosition = await create(server, message(referenceTo(position), { sent: iso(now - hour / 2) }), ann);
    await create(server, message(userOf(ann), { received: iso(now) }), ann);
    await create(server, message(staff.patient), ann);
    const ofTeam = await create(
      server,
      taskBody(staff, { status: 'accepted', owner: { reference: referenceTo(team) } }),
      ann,
    );

    expect(namesIn(await inbox(ann))).toEqual([unread, toPosition].map(referenceTo));
    expect(namesIn(await inbox(ann, `?team=${referenceTo(team)}`))).toEqual(
      [unread, toPosition, ofTeam].map(referenceTo),
    );
    await server.put(pathOf(unread), { ...unread, received: iso(now) }, { as: ann });
    expect(namesIn(await inbox(ann))).toEqual([referenceTo(toPosition)]);
    const others = await server.get(`Task/$inbox?team=${referenceTo(team)}`, { as: staff.as('nurse', 'else') });
    expect(issuesOf(others.body)).toMatchObject([{ reason: 'reference-not-found', expression: 'team' }]);
  });

  it('holds what is over no more, however it came to be', async () => {
    const staff = await staffOf('ann');
    const ann = staff.as('nurse', 'ann');
    const done = await create(server, taskBody(staff), ann);
    const gone = await create(server, taskBody(staff), ann);
    expect(namesIn(await inbox(ann))).toHaveLength(2);

    await server.put(pathOf(done), { ...done, status: 'completed' }, { as: ann });
    await server.delete(pathOf(gone), { as: ann });

    expect(await inbox(ann)).not.toHaveProperty('entry');
  });

  it('comes in pages that hold each once, in order', async () => {
    const staff = await staffOf('ann');
    const ann = staff.as('nurse', 'ann');
    const tasks: string[] = [];
    for (const hours of [5, 1, 4, 2, 3]) {
      const owner = hours % 2 === 0 ? { owner: { reference: userOf(ann) } } : {};
      tasks[hours - 1] = referenceTo(await create(server, taskBody(staff, { ...due(-hours), ...owner }), ann));
    }

    const pages = await allPages(server, 'Task/$inbox?_count=2', ann);

    expect(pages.map((page) => namesIn(page).length)).toEqual([2, 2, 1]);
    expect(pages.flatMap(namesIn)).toEqual(tasks.toReversed());
    expect(nextLinkOf(pages.at(-1) as TestBody)).toBeUndefined();
  });

  it('goes on behind what is overdue', async () => {
    const staff = await staffOf('ann');
    const ann = staff.as('nurse', 'ann');
    const tasks: string[] = [];
    for (const hours of [-1, 1, 2]) tasks.push(referenceTo(await create(server, taskBody(staff, due(hours)), ann)));

    const pages = await allPages(server, 'Task/$inbox?_count=1', ann);

    expect(pages.flatMap(namesIn)).toEqual(tasks);
    const last = String(nextLinkOf(pages[2] as TestBody)).split('/fhir/')[1] ?? '';
    server.calls.reset();
    await server.get(last, { as: ann });
    // Past now, no list is read of what is overdue: a range that ends before it begins is refused.
    expect(server.calls.names.filter((name) => name === 'Query')).toHaveLength(6);
  });

  it('takes the same calls, however much was done', async () => {
    const staff = await staffOf('ann');
    const ann = staff.as('nurse', 'ann');
    const costOf = async () => {
      server.calls.reset();
      await inbox(ann);
      const count = (name: string) => server.calls.names.filter((each) => each === name).length;
      return {
        queries: count('Query'),
        gets: count('BatchGetItem'),
        units: server.calls.readUnits,
      };
    };
    await create(server, taskBody(staff), ann);
    const before = await costOf();
    for (let each = 0; each < 30; each++) await create(server, taskBody(staff, { status: 'completed' }), ann);

    expect(await costOf()).toEqual(before);
    // Positions; messages, tasks and what is overdue, of the caller and of the organisation; tasks of the pool, and those of it that are overdue.
    expect(before).toMatchObject({ queries: 9, gets: 1 });
  });

  it('is for staff, and holds what their role may see', async () => {
    const staff = await staffOf('ann', 'eve');
    const ann = staff.as('nurse', 'ann');
    await create(server, taskBody(staff), ann);
    const { performerType: _nobody, ...forAll } = taskBody(staff);
    const ours = await create(server, forAll, ann);

    expect(namesIn(await inbox(staff.as('frontdesk', 'eve')))).toEqual([referenceTo(ours)]);
    expect((await server.get('Task/$inbox', { as: staff.as('admin') })).status).toBe(403);
    const id = staff.patient.slice('Patient/'.length);
    const own: TestCaller = { role: 'patient', patient: id, scope: 'patient/*.cruds' };
    expect((await server.get('Task/$inbox', { as: own })).status).toBe(403);
    expect(await inbox({ role: 'nurse', organization: 'lakeside' })).not.toHaveProperty('entry');
  });

  it('leaves a row in the log of each chart that it shows', async () => {
    const staff = await staffOf('ann');
    const ann = staff.as('nurse', 'ann');
    const task = await create(server, taskBody(staff), ann);
    await inbox(ann);

    const { body } = await server.get(`AuditEvent?patient=${staff.patient}`, { as: staff.as('privacy') });
    const found = JSON.stringify(resourcesIn(body));
    expect(found).toContain(referenceTo(task));
    expect(found).toContain(Buffer.from('Task/$inbox').toString('base64'));
  });
});

describe('a task that is not done in time', () => {
  const afterwards = async (test: () => Promise<void>) => {
    server.setTime(now + 2 * hour);
    try {
      await test();
    } finally {
      server.setTime(now);
    }
  };

  it('comes to whoever of the staff has asked for it, besides who has it', async () => {
    const staff = await staffOf('ann', 'ben', 'cat');
    const [ann, ben, cat] = [staff.as('physician', 'ann'), staff.as('physician', 'ben'), staff.as('physician', 'cat')];
    const { performerType: _pool, ...body } = taskBody(staff, {
      ...due(1),
      owner: { reference: userOf(ben) },
      requester: { reference: userOf(ann) },
    });
    const task = referenceTo(await create(server, body, ann));
    expect(await inbox(ann)).not.toHaveProperty('entry');

    await afterwards(async () => {
      expect(namesIn(await inbox(ann))).toEqual([task]);
      expect(namesIn(await inbox(ben))).toEqual([task]);
      expect(await inbox(cat)).not.toHaveProperty('entry');
    });
  });

  it('is for everybody of the organisation where nobody of the staff has asked for it and it has no pool', async () => {
    const staff = await staffOf('ann', 'ben');
    const [ann, ben] = [staff.as('physician', 'ann'), staff.as('physician', 'ben')];
    const owner = { reference: userOf(ben) };
    const { performerType: _pool, ...body } = taskBody(staff, { ...due(1), owner, status: 'accepted' });
    const task = await create(server, { ...body, requester: { reference: staff.patient } }, ann);
    const own = await create(server, { ...body, requester: owner }, ann);
    const { restriction: _time, ...timeless } = body;
    await create(server, timeless, ann);
    expect(await inbox(ann)).not.toHaveProperty('entry');
    expect((await claim(task, ann)).status).toBe(409);

    await afterwards(async () => {
      expect(namesIn(await inbox(ann)).sort()).toEqual([task, own].map(referenceTo).sort());
      expect((await claim(task, ann)).body.owner).toEqual({ reference: userOf(ann) });
    });
  });

  it('is among all that are overdue in the organisation, those of orders by themselves', async () => {
    const staff = await staffOf('ann', 'ben');
    const ann = staff.as('physician', 'ann');
    const order = await create(
      server,
      { resourceType: 'ServiceRequest', status: 'active', intent: 'order', subject: { reference: staff.patient } },
      ann,
    );
    const { id: elsewhere } = await create(server, organizationBody({ name: 'Elsewhere' }), admin);
    const { performerType: _pool, ...body } = taskBody(staff, {
      ...due(-2),
      focus: { reference: referenceTo(order) },
      owner: { reference: `Organization/${elsewhere}` },
    });
    const referral = await create(server, body, ann);
    const other = await create(
      server,
      taskBody(staff, { ...due(-1), owner: { reference: userOf(staff.as('nurse', 'ben')) } }),
      ann,
    );
    await create(server, taskBody(staff, due(1)), ann);
    await create(server, taskBody(staff), ann);
    const overdue = async (query = '', as = ann) => {
      const { status, body: bundle, text } = await server.get(`Task/$overdue${query}`, { as });
      expect(status, text).toBe(200);
      return namesIn(bundle);
    };

    server.calls.reset();
    expect(await overdue()).toEqual([referral, other].map(referenceTo));
    expect(server.calls.names.filter((name) => name === 'Query')).toHaveLength(2);
    expect(await overdue('?referral=true')).toEqual([referenceTo(referral)]);
    expect((await allPages(server, 'Task/$overdue?_count=1', ann)).flatMap(namesIn)).toHaveLength(2);
    expect(await overdue('', { role: 'nurse', organization: 'lakeside' })).toEqual([]);
    expect((await server.get('Task/$overdue', { as: staff.as('admin') })).status).toBe(403);
    const id = staff.patient.slice('Patient/'.length);
    const own: TestCaller = { role: 'patient', patient: id, scope: 'patient/*.cruds' };
    expect((await server.get('Task/$overdue', { as: own })).status).toBe(403);
    // Nobody takes away what another organisation has.
    expect((await claim(referral, ann)).status).toBe(409);

    await server.post(
      'DiagnosticReport',
      {
        resourceType: 'DiagnosticReport',
        status: 'final',
        code: { text: 'Echocardiography' },
        subject: { reference: staff.patient },
        basedOn: [{ reference: referenceTo(order) }],
      },
      { as: ann },
    );
    expect(await overdue()).toEqual([referenceTo(other)]);
  });
});

describe('Task/{id}/$claim', () => {
  it('gives a task of a pool to one of those who claim it at once, and tells the others', async () => {
    const staff = await staffOf('ann', 'ben', 'cat');
    const task = await create(server, taskBody(staff), staff.as('nurse', 'ann'));
    const who = ['ann', 'ben', 'cat'].map((name) => staff.as('nurse', name));

    const answers = await atOnce(3, (index) => claim(task, who[index] as TestCaller));

    const won = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []));
    expect(won).toHaveLength(1);
    for (const { status, body } of answers.filter((_, index) => index !== won[0])) {
      expect(status).toBe(409);
      expect(issuesOf(body)).toMatchObject([{ code: 'conflict', reason: 'task-taken' }]);
    }
    const winner = who[won[0] ?? 0] as TestCaller;
    expect((await server.get(pathOf(task), { as: winner })).body).toMatchObject({
      status: 'accepted',
      owner: { reference: userOf(winner) },
      meta: { versionId: '2' },
    });
    // Who has it may ask again.
    expect((await claim(task, winner)).body.meta?.versionId).toBe('2');
  });

  it('is for members of the pool, and for what is not over', async () => {
    const staff = await staffOf('ann', 'dan');
    const ann = staff.as('nurse', 'ann');
    const task = await create(server, taskBody(staff), ann);
    const over = await create(server, taskBody(staff, { status: 'completed' }), ann);

    expect(issuesOf((await claim(task, staff.as('physician', 'dan'))).body)).toMatchObject([
      { reason: 'forbidden-role', expression: 'Task.performerType' },
    ]);
    expect(issuesOf((await claim(over, ann)).body)).toMatchObject([{ reason: 'illegal-move' }]);
    expect((await claim(task, { role: 'nurse', organization: 'lakeside' })).status).toBe(404);
    expect((await claim(task, staff.as('admin'))).status).toBe(403);
    expect((await post('Task/nowhere/$claim', ann)).status).toBe(404);
    expect((await post(`${pathOf(task)}/$claim`, ann, { 'if-match': 'W/"7"' })).status).toBe(412);
  });

  it('takes a task of a team on by those who are in it', async () => {
    const staff = await staffOf('ann', 'ben');
    const [ann, ben] = [staff.as('nurse', 'ann'), staff.as('nurse', 'ben')];
    const team = await create(
      server,
      {
        resourceType: 'CareTeam',
        subject: { reference: staff.patient },
        participant: [{ member: { reference: userOf(ann) } }],
      },
      ann,
    );
    const task = await create(server, taskBody(staff, { owner: { reference: referenceTo(team) } }), ann);

    expect(issuesOf((await claim(task, ben)).body)).toMatchObject([{ reason: 'task-taken' }]);
    expect((await claim(task, ann)).body.owner).toEqual({ reference: userOf(ann) });
  });

  it('brings a task that is overdue back to its pool, which may take it over as it is', async () => {
    const staff = await staffOf('ann', 'ben');
    const [ann, ben] = [staff.as('nurse', 'ann'), staff.as('nurse', 'ben')];
    const task = await create(server, taskBody(staff, due(1)), ann);
    const claimed = stored<fhir4.Task>((await claim(task, ann)).body);
    await server.put(pathOf(task), { ...claimed, status: 'in-progress' }, { as: ann });
    expect(await inbox(ben)).not.toHaveProperty('entry');
    expect((await claim(task, ben)).status).toBe(409);

    server.setTime(now + 2 * hour);
    try {
      expect(namesIn(await inbox(ben))).toEqual([referenceTo(task)]);
      expect(namesIn(await inbox(ann))).toEqual([referenceTo(task)]);
      expect((await claim(task, ben)).body).toMatchObject({
        status: 'in-progress',
        owner: { reference: userOf(ben) },
      });
    } finally {
      server.setTime(now);
    }
  });
});

describe('Task/{id}/$unclaim', () => {
  it('gives a task back to its pool, by who has it', async () => {
    const staff = await staffOf('ann', 'ben');
    const [ann, ben] = [staff.as('nurse', 'ann'), staff.as('nurse', 'ben')];
    const task = await create(server, taskBody(staff), ann);
    await claim(task, ann);
    expect(await inbox(ben)).not.toHaveProperty('entry');

    expect(issuesOf((await post(`${pathOf(task)}/$unclaim`, ben)).body)).toMatchObject([{ reason: 'task-taken' }]);
    const { body } = await post(`${pathOf(task)}/$unclaim`, ann);

    expect(body).toMatchObject({ status: 'requested', lastModified: iso(now) });
    expect(body).not.toHaveProperty('owner');
    expect(namesIn(await inbox(ben))).toEqual([referenceTo(task)]);
  });
});
