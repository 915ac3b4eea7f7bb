import { beforeAll, describe, expect, it } from 'vitest';
import { postEntry, transactionOf } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { denial, organizationsThere, recipient } from '../support/consents.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { create, issuesOf, pathOf, patientBody, referenceTo, resourcesIn, type Stored } from '../support/records.ts';

// A patient asks the own organisation for a restriction, and gets an answer. What is such a request is tested in test/unit/restriction-request.test.ts.

const privacy: TestCaller = { role: 'privacy' };
const reason = { text: 'Only the team of this clinic opens the chart' };

let server: FhirServer;
let subject: string;
let as: TestCaller;
beforeAll(async () => {
  server = await fhirServer(undefined, { restrictionDays: 10 });
  await organizationsThere(server, ['northside', 'lakeside']);
});

const someone = async (): Promise<void> => {
  subject = referenceTo(await create(server, patientBody()));
  const patient = subject.slice('Patient/'.length);
  as = { role: 'patient', patient, scope: 'patient/*.cruds', claims: { fhirUser: subject } };
};
const request = (to = 'Organization/northside'): fhir4.Consent =>
  denial(subject, { actor: [recipient(to)] }, { performer: [{ reference: subject }] });
const tasks = async (who = privacy): Promise<Stored<fhir4.Task>[]> =>
  resourcesIn((await server.get(`Task?patient=${subject}`, { as: who })).body) as unknown as Stored<fhir4.Task>[];
const states = async () => (await tasks()).map(({ status }) => status).sort();

describe('a request of a patient that the own organisation restricts itself', () => {
  it('comes with a Task in its transaction, is answered once, and the patient reads the answer', async () => {
    await someone();
    const consent = await create(server, request(), as);

    const [task, ...others] = await tasks();
    expect(others).toEqual([]);
    expect(task).toMatchObject({
      status: 'requested',
      focus: { reference: referenceTo(consent) },
      for: { reference: subject },
      performerType: [{ text: 'Privacy officer' }],
    });
    const { start = '', end = '' } = task?.restriction?.period ?? {};
    expect(Date.parse(end) - Date.parse(start)).toBe(10 * 86_400_000);

    const answered = { ...task, status: 'rejected', statusReason: reason };
    const path = pathOf(task as Stored<fhir4.Task>);
    expect((await server.put(path, answered, { as: { role: 'nurse' } })).status).toBe(403);
    expect(
      issuesOf((await server.put(path, { ...answered, statusReason: undefined }, { as: privacy })).body),
    ).toMatchObject([{ reason: 'restriction-needs-reason' }]);
    expect((await server.put(path, answered, { as: privacy })).status).toBe(200);
    expect(issuesOf((await server.put(path, { ...answered, status: 'accepted' }, { as: privacy })).body)).toMatchObject(
      [{ reason: 'restriction-answered' }],
    );
    expect(await tasks(as)).toMatchObject([{ status: 'rejected', statusReason: reason }]);
  });

  it('ends with the Consent, also where it was agreed on', async () => {
    await someone();
    const consent = await create(server, request(), as);
    const [task] = await tasks();
    await server.put(
      pathOf(task as Stored<fhir4.Task>),
      { ...task, status: 'accepted', statusReason: reason },
      { as: privacy },
    );
    expect(await states()).toEqual(['accepted']);

    await server.put(pathOf(consent), { ...consent, status: 'inactive' }, { as });

    expect(await states()).toEqual(['cancelled']);
  });

  it('is found on every way: by update, patch and transaction, each time anew', async () => {
    await someone();
    const { body } = await server.post('', transactionOf(postEntry(request())), { as: { role: 'system' } });
    expect(body['type']).toBe('transaction-response');
    expect(await states()).toEqual(['requested']);

    const other = await create(server, request('Organization/lakeside'), { role: 'physician' });
    expect(await states()).toEqual(['requested']);
    const changed = await server.put(pathOf(other), { ...other, provision: request().provision }, {});
    expect(changed.status).toBe(200);
    expect(await states()).toEqual(['requested', 'requested']);

    const patch = [{ op: 'replace', path: '/provision/actor/0/reference/reference', value: 'Organization/lakeside' }];
    const patched = await server.request('PATCH', pathOf(other), {
      body: patch,
      headers: { 'content-type': 'application/json-patch+json' },
    });
    expect(patched.status).toBe(200);
    expect(await states()).toEqual(['cancelled', 'requested']);
  });

  it('changes nothing by itself: the own staff see the chart as before', async () => {
    await someone();
    await create(server, request(), as);

    expect((await server.get(subject, { as: { role: 'physician' } })).status).toBe(200);
  });
});
