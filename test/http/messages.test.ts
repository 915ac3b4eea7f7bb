import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import { create, pathOf, patientBody, referenceTo, resourcesIn, type Stored } from '../support/records.ts';

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
