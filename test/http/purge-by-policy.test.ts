import { beforeAll, describe, expect, it } from 'vitest';
import { usualPolicy } from '../../shared/access/policy.ts';
import { chartLog } from '../../shared/audit/audit-log.ts';
import { purgeByPolicy } from '../../shared/interactions/retention/by-policy.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  admin,
  create,
  observationBody,
  organizationBody,
  pathOf,
  patientBody,
  type Stored,
} from '../support/records.ts';
import { intercepted } from '../support/test-store.ts';

// The job that ends charts whose time is over, by the rules and with the traces of `$purge`.

const old = Date.UTC(2000, 0, 1);
const later = Date.UTC(2026, 10, 1);
const privacy: TestCaller = { role: 'privacy' };
const theirs: TestCaller = { role: 'physician', organization: 'lakeside' };

let server: FhirServer;

beforeAll(async () => {
  server = await fhirServer();
  for (const id of ['lakeside', 'northside'])
    await server.put(`Organization/${id}`, { ...organizationBody(), id }, { as: admin });
});

const at = async <T>(time: number, work: () => Promise<T>): Promise<T> => {
  server.setTime(time);
  try {
    return await work();
  } finally {
    server.setTime(undefined);
  }
};
const chartAt = (time: number, as: TestCaller = { role: 'physician' }): Promise<Stored<fhir4.Patient>> =>
  at(time, async () => {
    const patient = await create(server, patientBody({ birthDate: '1950-01-01' }), as);
    await create(server, observationBody(pathOf(patient), { effectiveDateTime: '2000-01-01' }), as);
    return patient;
  });
const run = (pages?: number, store: RecordStore = server.store) =>
  purgeByPolicy(store, {
    policy: usualPolicy,
    programmes: new Set(),
    now: later,
    ...(pages === undefined ? {} : { pages }),
  });
const statusOf = async (patient: Stored<fhir4.Patient>, as: TestCaller = { role: 'physician' }) =>
  (await server.get(pathOf(patient), { as })).status;

describe('the job that purges by policy', () => {
  it('ends charts whose time is over, of each organisation, in its name and with its traces, and no others', async () => {
    const [one, young, held] = [await chartAt(old), await chartAt(later), await chartAt(old)];
    const other = await chartAt(old, theirs);
    const parameter = [{ name: 'reason', valueString: 'A court asks' }];
    await server.post(`${pathOf(held)}/$legal-hold`, { resourceType: 'Parameters', parameter }, { as: privacy });

    expect(await run()).toBe(2);

    expect([await statusOf(one), await statusOf(other, theirs)]).toEqual([404, 404]);
    expect([await statusOf(young), await statusOf(held)]).toEqual([200, 200]);
    const { accesses } = await chartLog(server.store, one.id, undefined);
    const purge = accesses.find(({ entry }) => entry.query?.includes('$purge'))?.entry;
    expect(purge).toMatchObject({
      name: 'Retention policy',
      fhirUser: 'Organization/northside',
      organization: 'northside',
      query: `${pathOf(one)}/$purge?records=2`,
      reason: 'Its time is over by the retention policy',
    });
    expect(await run()).toBe(0);
  });

  it('goes on in the next run where the last one ended, also behind one that was killed', async () => {
    const charts: Stored<fhir4.Patient>[] = [];
    for (let count = 0; count < 21; count++) charts.push(await chartAt(old));
    const left = async () => {
      const statuses = await Promise.all(charts.map((chart) => statusOf(chart)));
      return statuses.filter((status) => status === 200).length;
    };
    let purges = 0;
    const dying = intercepted(server.store, ({ name, send }) =>
      name === 'TransactWrite' && ++purges === 5 ? Promise.reject(new Error('killed')) : send(),
    );

    const ended: number[] = [];
    const lefts: number[] = [];
    while ((await left()) > 0 && ended.length < 20) {
      ended.push(await run(1, ended.length === 0 ? dying : server.store));
      lefts.push(await left());
    }

    expect(lefts.at(-1)).toBe(0);
    expect(ended.reduce((sum, count) => sum + count, 0)).toBe(21);
    expect(Math.max(...ended)).toBeLessThanOrEqual(20);
  });

  it('comes by every patient, however many charts it has to look at in vain', async () => {
    const named = (id: string) =>
      at(old, async () => {
        const body = patientBody({ id, birthDate: '1950-01-01' });
        return (await server.put(`Patient/${id}`, body)).body as unknown as Stored<fhir4.Patient>;
      });
    for (let count = 0; count < 21; count++) {
      const alive = await named(`0-alive-${count}`);
      await at(later, () => create(server, observationBody(pathOf(alive))));
    }
    const due = await named('zz-due');

    let runs = 0;
    while ((await statusOf(due)) === 200 && runs < 20) {
      await run(1);
      runs++;
    }

    expect(await statusOf(due)).toBe(404);
    expect(runs).toBeGreaterThan(1);
    expect((await server.get('Patient/0-alive-0')).status).toBe(200);
  });
});
