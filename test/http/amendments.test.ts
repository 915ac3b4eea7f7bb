import { describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import type { TestBody } from '../support/fhir-server.ts';
import { type Chart, hl7, patientView, privacy } from '../support/patient-view.ts';
import {
  allPages,
  create,
  elsewhere,
  issuesOf,
  observationBody,
  pathOf,
  referenceTo,
  resourcesIn,
  stored,
} from '../support/records.ts';

// What becomes of a patient's request that a record is amended.

const { server, chart, share, followStream, post, record } = await patientView();

describe('a request for an amendment', () => {
  const ask = (one: Chart, as: TestCaller = one.own, record = referenceTo(one.observation)) =>
    server.post(
      `${pathOf(one.patient)}/$request-amendment`,
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'record', valueReference: { reference: record } },
          { name: 'reason', valueString: 'It was measured on somebody else' },
        ],
      },
      { as },
    );
  const decide = (id: unknown, given: Record<string, string>, as: TestCaller = privacy) =>
    server.post(
      `Task/${String(id)}/$decide-amendment`,
      {
        resourceType: 'Parameters',
        parameter: Object.entries({ reason: 'We looked into it', ...given }).map(([name, value]) =>
          name === 'amendment'
            ? { name, valueReference: { reference: value } }
            : { name, [name === 'reason' ? 'valueString' : 'valueCode']: value },
        ),
      },
      { as },
    );
  const reasonOf = ({ body }: { body: TestBody }) => issuesOf(body)[0]?.reason;

  it('is a task for who keeps the record, with sixty days for it', async () => {
    const one = await chart();
    server.setTime(Date.UTC(2026, 11, 1));
    try {
      const { status, body } = await ask(one);

      expect(status).toBe(201);
      expect(body).toMatchObject({
        status: 'requested',
        focus: { reference: referenceTo(one.observation) },
        requester: { reference: referenceTo(one.patient) },
        owner: { reference: 'Organization/northside' },
        reasonCode: { text: 'It was measured on somebody else' },
        restriction: { period: { start: '2026-12-01T00:00:00.000Z', end: '2027-01-30T00:00:00.000Z' } },
      });
      expect((await server.get(`Task/${body.id}`, { as: privacy })).status).toBe(200);
      expect((await server.get(`Task/${body.id}`, { as: elsewhere })).status).toBe(404);
    } finally {
      server.setTime(undefined);
    }
  });

  it('is about a record of the own chart alone', async () => {
    const one = await chart();
    const other = await chart();

    expect(reasonOf(await ask(one, one.own, referenceTo(other.observation)))).toBe('reference-not-found');
    expect((await ask(one, other.own)).status).toBe(404);
    expect((await ask(one, { role: 'physician', organization: 'lakeside' })).status).toBe(404);
    expect((await ask(one, { role: 'admin' })).status).toBe(403);
    expect((await ask(one, { role: 'physician' })).status).toBe(201);
  });

  it('is denied on a ground of the law, after which the patient disagrees and the organisation answers', async () => {
    const one = await chart();
    const { body: task } = await ask(one);

    expect((await decide(task.id, { decision: 'deny' })).status).toBe(400);
    expect((await decide(task.id, { decision: 'deny', ground: 'no-time' })).status).toBe(400);
    expect(
      (await decide(task.id, { decision: 'deny', ground: 'accurate-and-complete' }, { role: 'nurse' })).status,
    ).toBe(403);
    expect((await decide(task.id, { decision: 'deny', ground: 'accurate-and-complete' }, one.own)).status).toBe(403);
    const { body: denied } = await decide(task.id, { decision: 'deny', ground: 'accurate-and-complete' });
    expect(denied).toMatchObject({
      status: 'rejected',
      statusReason: { coding: [{ code: 'accurate-and-complete' }], text: 'We looked into it' },
      note: [{ text: expect.stringContaining('statement of disagreement') }],
    });
    expect(reasonOf(await decide(task.id, { decision: 'extend' }))).toBe('amendment-decided');

    const statement = (sender: string): fhir4.Communication => ({
      resourceType: 'Communication',
      status: 'completed',
      subject: { reference: referenceTo(one.patient) },
      about: [{ reference: referenceTo(one.observation) }],
      basedOn: [{ reference: `Task/${task.id}` }],
      sender: { reference: sender },
      payload: [{ contentString: 'It was not me' }],
    });
    const disagreement = await create(server, statement(referenceTo(one.patient)), one.own);
    const rebuttal = await create(server, statement('Organization/northside'));
    const path = `Observation?_id=${one.observation.id}&_revinclude=Task:focus&_revinclude:iterate=Communication:based-on`;
    const found = (await allPages(server, path)).flatMap(resourcesIn).map(referenceTo);

    expect(found.sort()).toEqual([one.observation, task, disagreement, rebuttal].map(referenceTo).sort());
  });

  it('is given thirty days more, once and in time', async () => {
    const one = await chart();
    const start = Date.UTC(2026, 11, 1);
    const day = 24 * 3600_000;
    server.setTime(start);
    try {
      const { body: late } = await ask(one);
      const { body: task } = await ask(one);
      server.setTime(start + 60 * day);
      expect((await decide(task.id, { decision: 'extend' })).body.restriction?.period).toEqual({
        start: '2026-12-01T00:00:00.000Z',
        end: '2027-03-01T00:00:00.000Z',
      });
      expect(reasonOf(await decide(task.id, { decision: 'extend' }))).toBe('amendment-extended');
      server.setTime(start + 60 * day + 1);
      expect(reasonOf(await decide(late.id, { decision: 'extend' }))).toBe('amendment-late');
    } finally {
      server.setTime(undefined);
    }
  });

  it('that is accepted is linked to what amends the record, and those who received it are told', async () => {
    const one = await chart();
    await share(one);
    await server.get(pathOf(one.observation), { as: elsewhere });
    await followStream();
    await record(one);
    const amended = await create(server, observationBody(referenceTo(one.patient), { status: 'amended' }));
    const { body: task } = await ask(one);

    expect((await decide(task.id, { decision: 'accept' })).status).toBe(400);
    const { status, body } = await decide(
      task.id,
      { decision: 'accept', amendment: referenceTo(amended) },
      { role: 'physician' },
    );

    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'completed',
      output: [{ valueReference: { reference: referenceTo(amended) } }],
    });
    const notices = async (as: TestCaller) =>
      (await allPages(server, `Task?patient=${one.patient.id}&code=amendment-notice`, as)).flatMap(resourcesIn);
    const owners = async (as: TestCaller) => (await notices(as)).map(({ owner }) => owner?.reference).sort();
    const theirs = (await notices(elsewhere)).find(({ owner }) => owner?.reference === 'Organization/lakeside');
    expect(theirs).toMatchObject({
      owner: { reference: 'Organization/lakeside' },
      focus: { reference: referenceTo(one.observation) },
    });
    expect(await owners({ role: 'nurse' })).toEqual(['Organization/northside']);
    expect(await owners(one.own)).toEqual(['Organization/lakeside', 'Organization/northside']);
  });

  it('is not answered with a psychotherapy note, of which the patient would learn', async () => {
    const one = await chart();
    const note = await create(
      server,
      observationBody(referenceTo(one.patient), {
        performer: [{ display: 'A therapist' }],
        meta: { security: [{ system: `${hl7}v3-ActCode`, code: 'PSYTHPN' }] },
      }),
    );
    const { body: task } = await ask(one);

    for (const as of [privacy, { role: 'physician' } as const]) {
      const named = await decide(task.id, { decision: 'accept', amendment: referenceTo(note) }, as);
      const missing = await decide(task.id, { decision: 'accept', amendment: 'Observation/nowhere' }, as);
      expect([named.status, reasonOf(named)]).toEqual([400, 'reference-not-found']);
      expect([missing.status, reasonOf(missing)]).toEqual([400, 'reference-not-found']);
    }
    expect((await server.get(`Task/${task.id}`, { as: one.own })).body.output).toBeUndefined();
  });

  it('that is accepted tells nobody of whom the patient is not to be told now', async () => {
    const one = await chart();
    await share(one);
    await server.get(pathOf(one.observation), { as: elsewhere });
    await followStream();
    await record(one, { recipient: 'Sheriff' });
    const statement = { statement: 's', oral: true };
    await post(`${pathOf(one.patient)}/$suspend-disclosures`, {
      recipient: 'Sheriff',
      organization: 'lakeside',
      ...statement,
    });
    const { body: task } = await ask(one);

    await decide(task.id, { decision: 'accept', amendment: referenceTo(one.observation) });

    const tasks = (await allPages(server, `Task?patient=${one.patient.id}`, one.own)).flatMap(resourcesIn);
    expect(tasks.map(({ id, status }) => [id, status])).toEqual([[task.id, 'completed']]);
  });

  it('comes by its operation alone: no first version says that it is decided', async () => {
    const one = await chart();
    const forged: fhir4.Task = {
      resourceType: 'Task',
      status: 'completed',
      intent: 'order',
      code: { coding: [{ system: 'https://concord.example/fhir/CodeSystem/amendment', code: 'amendment-request' }] },
      focus: { reference: referenceTo(one.observation) },
      for: { reference: referenceTo(one.patient) },
      requester: { reference: referenceTo(one.patient) },
      output: [{ type: { text: 'x' }, valueReference: { reference: referenceTo(one.observation) } }],
    };
    const put = { ...forged, id: `forged-${one.patient.id}` };

    for (const as of [{ role: 'nurse' }, { role: 'frontdesk' }, one.own] as const) {
      expect(reasonOf(await server.post('Task', forged, { as }))).toBe('amendment-asked');
      expect(reasonOf(await server.put(`Task/${put.id}`, put, { as }))).toBe('amendment-asked');
    }
    expect((await server.post('Task', forged, { as: { role: 'system' } })).status).toBe(201);
  });

  it('cannot be decided by a write of the task, also in a transaction', async () => {
    const one = await chart();
    const { body: task } = await ask(one);
    const asked = stored<fhir4.Task>(task);
    const rejected = { ...asked, status: 'rejected' };

    expect(reasonOf(await server.put(`Task/${task.id}`, rejected, { as: privacy }))).toBe('amendment-by-operation');
    const entry = [{ resource: rejected, request: { method: 'PUT', url: `Task/${task.id}` } }];
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
    expect(reasonOf(await server.post('', bundle, { as: privacy }))).toBe('amendment-by-operation');
    expect(reasonOf(await server.delete(`Task/${task.id}`))).toBe('amendment-stays');
    expect((await server.put(`Task/${task.id}`, { ...asked, status: 'cancelled' }, { as: one.own })).status).toBe(200);
  });
});
