import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  allPages,
  create,
  issuesOf,
  matchesIn,
  nextLinkOf,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  system,
} from '../support/records.ts';

// Words between patients and staff.

const nurse: TestCaller = { role: 'nurse' };

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let as: TestCaller;

beforeAll(async () => {
  server = await fhirServer();
});

const someone = async (): Promise<void> => {
  patient = await create(server, patientBody());
  as = { role: 'patient', patient: patient.id, scope: 'patient/*.cruds', claims: { fhirUser: referenceTo(patient) } };
};
const message = (elements: Partial<fhir4.Communication> = {}): fhir4.Communication => ({
  resourceType: 'Communication',
  status: 'completed',
  priority: 'urgent',
  subject: { reference: referenceTo(patient) },
  sender: { reference: referenceTo(patient) },
  payload: [{ contentString: 'My chest hurts' }],
  ...elements,
});
const tasks = async (): Promise<fhir4.Task[]> =>
  resourcesIn((await server.get(`Task?patient=${patient.id}`, { as: nurse })).body) as unknown as fhir4.Task[];

describe('an urgent message of a patient', () => {
  beforeAll(someone);

  it('comes with a task for the nurses, which says no word of it', async () => {
    const sent = await create(server, message(), as);

    const [task, ...others] = await tasks();
    expect(others).toEqual([]);
    expect(task).toMatchObject({
      status: 'requested',
      priority: 'urgent',
      focus: { reference: referenceTo(sent) },
      for: { reference: referenceTo(patient) },
      performerType: [{ coding: [{ code: '106292003' }] }],
    });
    expect(JSON.stringify(task)).not.toContain('chest');
  });

  it('is asked for once, however often the message is written', async () => {
    await someone();
    const sent = await create(server, message(), as);
    await server.put(referenceTo(sent), { ...sent, note: [{ text: 'Since noon' }] }, { as });

    expect(await tasks()).toHaveLength(1);
  });

  it('takes its task back with it, but not one that a nurse has taken on', async () => {
    await someone();
    const sent = [await create(server, message(), as), await create(server, message(), as)] as const;
    const [taken] = (await tasks()).filter(({ focus }) => focus?.reference === referenceTo(sent[0]));
    await server.put(`Task/${taken?.id}`, { ...taken, status: 'accepted' }, { as: nurse });

    for (const each of sent) await server.put(pathOf(each), { ...each, status: 'entered-in-error' }, { as: nurse });

    const found = new Map((await tasks()).map(({ focus, status }) => [focus?.reference, status]));
    expect([found.get(referenceTo(sent[0])), found.get(referenceTo(sent[1]))]).toEqual(['accepted', 'cancelled']);
  });

  it('comes with its task from a transaction too, which may write the task that another change would', async () => {
    await someone();
    const sent = await create(server, message(), as);
    const [task] = await tasks();
    const entry = (resource: unknown, method: string, url: string) => ({
      resource: resource as TestBody,
      request: { method, url },
    });
    const { status } = await server.post(
      '',
      {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [
          entry(message({ priority: 'stat' }), 'POST', 'Communication'),
          entry({ ...sent, status: 'entered-in-error' }, 'PUT', referenceTo(sent)),
          entry({ ...task, status: 'accepted' }, 'PUT', `Task/${task?.id}`),
        ],
      },
      { as: nurse },
    );

    expect(status).toBe(200);
    expect((await tasks()).map((each) => `${each.status} ${each.priority}`).sort()).toEqual([
      'accepted urgent',
      'requested stat',
    ]);
  });
});

it('that is not urgent, or is sent by staff, calls for nobody', async () => {
  await someone();
  await create(server, message({ priority: 'routine' }), as);
  const { sender: _patient, ...ours } = message();
  await create(server, ours, nurse);

  expect(await tasks()).toEqual([]);
});

describe('a thread', () => {
  beforeAll(someone);

  const at = (minute: number) => `2026-05-04T12:${String(minute).padStart(2, '0')}:00Z`;
  const ours = (minute: number, elements: Partial<fhir4.Communication> = {}): fhir4.Communication => ({
    resourceType: 'Communication',
    status: 'completed',
    subject: { reference: referenceTo(patient) },
    sent: at(minute),
    payload: [{ contentString: `At ${minute}` }],
    ...elements,
  });
  const answering = (message: { resourceType: string; id: string }): Partial<fhir4.Communication> => ({
    inResponseTo: [{ reference: referenceTo(message) }],
  });
  const threadOf = async (named: { resourceType: string; id: string }, by = nurse, query = '') => {
    const { status, body, text } = await server.get(`${referenceTo(named)}/$thread${query}`, { as: by });
    expect(status, text).toBe(200);
    return matchesIn(body).map(({ id }) => id);
  };
  const reasonOf = ({ status, body }: { status: number; body: TestBody }) => [status, issuesOf(body)[0]?.reason];

  it('is named by the message that began it, whichever of its messages is answered, and found by one search', async () => {
    const first = await create(server, message({ priority: 'routine', sent: at(1) }), as);
    const second = await create(server, ours(2, answering(first)), nurse);
    const third = await create(server, message({ priority: 'routine', sent: at(3), ...answering(second) }), as);

    const begun = [{ reference: referenceTo(first) }];
    expect([first.partOf, second.partOf, third.partOf]).toEqual([undefined, begun, begun]);
    const found = await server.get(`Communication?part-of=${referenceTo(first)}`, { as: nurse });
    expect(matchesIn(found.body).map(({ id }) => id)).toEqual([third.id, second.id]);
    for (const each of [first, second, third]) expect(await threadOf(each)).toEqual([first.id, second.id, third.id]);
  });

  it('keeps its name in each version, before whatever else an answer is a part of', async () => {
    const [first, other] = [await create(server, ours(1), nurse), await create(server, ours(2), nurse)];
    const broader = { reference: referenceTo(other) };
    const draft = await create(
      server,
      ours(3, { ...answering(first), status: 'preparation', partOf: [broader] }),
      nurse,
    );
    const begun = { reference: referenceTo(first) };
    const { partOf: _left, ...without } = draft;
    const put = async (body: object) => (await server.put(pathOf(draft), body as TestBody, { as: nurse })).body.partOf;

    expect(draft.partOf).toEqual([begun, broader]);
    expect(await put(without)).toEqual([begun]);
    expect(await put({ ...draft, ...answering(other) })).toEqual([broader]);
    const headers = { 'content-type': 'application/json-patch+json' };
    const patch = [{ op: 'add', path: '/inResponseTo', value: [begun] }];
    const patched = await server.request('PATCH', pathOf(draft), { body: patch, headers, as: nurse });
    expect(patched.body.partOf).toEqual([begun]);
  });

  it('is known of what comes in one transaction', async () => {
    const old = await create(server, ours(1), nurse);
    const post = (id: string, resource: fhir4.Communication) => ({
      fullUrl: `urn:uuid:${id}`,
      resource,
      request: { method: 'POST', url: 'Communication' },
    });
    const ids = [1, 2, 3].map((digit) => `6f6f6f6f-0000-4000-8000-00000000000${digit}`);
    const reply = (to: string): Partial<fhir4.Communication> => ({ inResponseTo: [{ reference: to }] });
    const send = async (entry: unknown[]) =>
      resourcesIn(
        (
          await server.post(
            '',
            { resourceType: 'Bundle', type: 'transaction', entry },
            { as: nurse, headers: { prefer: 'return=representation' } },
          )
        ).body,
      );

    const [third, second, first] = await send([
      post(ids[2] ?? '', ours(4, reply(`urn:uuid:${ids[1]}`))),
      post(ids[1] ?? '', ours(3, reply(`urn:uuid:${ids[0]}`))),
      post(ids[0] ?? '', ours(2)),
    ]);
    const [later] = await send([
      post(ids[1] ?? '', ours(6, reply(`urn:uuid:${ids[0]}`))),
      post(ids[0] ?? '', ours(5, reply(referenceTo(old)))),
    ]);

    const begun = [{ reference: `Communication/${first?.id}` }];
    expect([third?.partOf, second?.partOf]).toEqual([begun, begun]);
    expect(later?.partOf).toEqual([{ reference: referenceTo(old) }]);
  });

  it('is about one patient, or about nobody', async () => {
    const first = await create(server, ours(1), nurse);
    const other = await create(server, patientBody());
    const elsewhere = ours(2, { ...answering(first), subject: { reference: referenceTo(other) } });
    const { subject: _patient, ...ofNobody } = ours(3);

    expect(reasonOf(await server.post('Communication', elsewhere, { as: nurse }))).toEqual([
      422,
      'other-patients-message',
    ]);
    expect(reasonOf(await server.post('Communication', { ...ofNobody, ...answering(first) }, { as: nurse }))).toEqual([
      422,
      'other-patients-message',
    ]);
    const told = await server.post('Communication', elsewhere, { as: system });
    expect([told.status, told.body.partOf]).toEqual([201, undefined]);

    const staff = await create(server, ofNobody as fhir4.Communication, nurse);
    const answer = await create(
      server,
      { ...ofNobody, sent: at(4), ...answering(staff) } as fhir4.Communication,
      nurse,
    );
    const last = await create(server, { ...ofNobody, sent: at(5), ...answering(answer) } as fhir4.Communication, nurse);
    expect(last.partOf).toEqual([{ reference: referenceTo(staff) }]);
    for (const each of [staff, last]) expect(await threadOf(each)).toEqual([staff.id, answer.id, last.id]);
  });

  it('goes on in the other record of a person whose records were merged', async () => {
    const first = await create(server, ours(1), nurse);
    const other = await create(server, patientBody());
    const parameter = [{ name: 'source', valueReference: { reference: referenceTo(patient) } }];
    const merged = await server.post(`${referenceTo(other)}/$merge`, { resourceType: 'Parameters', parameter });
    expect(merged.status, merged.text).toBe(200);

    const answer = await create(
      server,
      ours(2, { ...answering(first), subject: { reference: referenceTo(other) } }),
      nurse,
    );

    expect(answer.partOf).toEqual([{ reference: referenceTo(first) }]);
    expect(await threadOf(first)).toEqual([first.id, answer.id]);
    expect(await threadOf(answer)).toEqual([first.id, answer.id]);
    await someone();
  });

  it('is shown in pages, without what its reader may not see', async () => {
    const physician: TestCaller = { role: 'physician' };
    const first = await create(server, ours(1), physician);
    const ids = [first.id];
    for (const minute of [2, 3, 4, 5]) ids.push((await create(server, ours(minute, answering(first)), nurse)).id);
    const parameter = [
      { name: 'ground', valueCode: 'danger' },
      { name: 'reason', valueString: 'It might put somebody in danger' },
      { name: 'reviewer', valueString: 'Dr. Other' },
    ];
    const denied = await server.post(
      `Communication/${ids[2]}/$withhold`,
      { resourceType: 'Parameters', parameter },
      { as: physician },
    );
    expect(denied.status, denied.text).toBe(200);
    const seen = ids.filter((id) => id !== ids[2]);

    expect(await threadOf(first)).toEqual(ids);
    expect(await threadOf(first, as)).toEqual(seen);
    const pages = await allPages(server, `${pathOf(first)}/$thread?_count=2`, as);
    expect(pages.map((page) => matchesIn(page).map(({ id }) => id))).toEqual([seen.slice(0, 2), seen.slice(2)]);
    expect(nextLinkOf(pages.at(-1) as TestBody)).toBeUndefined();
    for (const page of pages) expect(JSON.stringify(page)).not.toContain(`Communication/${ids[2]}`);
    const hidden = await server.get(`Communication/${ids[2]}/$thread`, { as });
    expect(reasonOf(hidden)).toEqual([403, 'withheld']);
  });

  it('is of nobody else, costs two reads, and leaves its trace', async () => {
    const first = await create(server, ours(1), nurse);
    const answer = await create(server, ours(2, answering(first)), nurse);
    const stranger = await create(server, patientBody());
    const other: TestCaller = { role: 'patient', patient: stranger.id, scope: 'patient/*.cruds' };
    const refused = [
      await server.get(`${pathOf(first)}/$thread`, { as: other }),
      await server.get(`${pathOf(first)}/$thread`, { as: { role: 'nurse', organization: 'lakeside' } }),
      await server.get('Communication/none/$thread', { as: nurse }),
    ];

    for (const each of refused) expect(reasonOf(each)).toEqual([404, 'not-found']);
    const ask = await server.prepare('GET', `${pathOf(answer)}/$thread`, { as: nurse });
    await ask();
    server.calls.reset();
    await ask();
    // The row of the log beside the read, and the row of what is shown with it.
    expect(server.calls.sequential()).toBe(3);
    const { body } = await server.get(`AuditEvent?patient=${patient.id}`, { as: { role: 'privacy' } });
    const named = (resourcesIn(body) as unknown as fhir4.AuditEvent[]).filter(({ entity = [] }) =>
      entity.some(({ query }) => query && Buffer.from(query, 'base64').toString().endsWith('/$thread')),
    );
    expect(JSON.stringify(named)).toContain(referenceTo(first));
  });
});
