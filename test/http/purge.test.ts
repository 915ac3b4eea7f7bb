import { describe, expect, it } from 'vitest';
import { chartLog } from '../../shared/audit/audit-log.ts';
import { commit } from '../../shared/store/commit.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { sweepPurges as sweep } from '../../shared/store/sweep-purges.ts';
import { asFunction } from '../support/as-function.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import { type Chart, patientView, privacy, queriesIn } from '../support/patient-view.ts';
import {
  allPages,
  create,
  issuesOf,
  numberedPatient,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';
import { allRows, commitOf, intercepted, newRecord } from '../support/test-store.ts';

const sweepPurges = (store: RecordStore) => asFunction('functions/sweep-transactions.ts', store, () => sweep(store));

// How a chart ends, and what keeps it.

const { server, table, chart, share, post, record, disclosures, logOf } = await patientView();

describe('the end of a chart', () => {
  let charts = 0;
  const old = Date.UTC(2000, 0, 1);
  const later = Date.UTC(2026, 10, 1);
  const at = async <T>(time: number, work: () => Promise<T>): Promise<T> => {
    server.setTime(time);
    try {
      return await work();
    } finally {
      server.setTime(undefined);
    }
  };
  const chosen = (one: Chart) => `chosen-${one.patient.id}`;
  const oldChart = (count = 1) =>
    at(old, async () => {
      const patient = await create(server, numberedPatient(`old-${++charts}`, { birthDate: '1950-01-01' }));
      const observation = await create(
        server,
        observationBody(referenceTo(patient), { effectiveDateTime: '2000-01-01' }),
      );
      const one: Chart = { patient, observation, own: { role: 'patient', patient: patient.id } };
      await server.put(pathOf(observation), { ...observation, status: 'amended' });
      await server.put(`Condition/${chosen(one)}`, {
        resourceType: 'Condition',
        id: chosen(one),
        subject: { reference: referenceTo(patient) },
        code: { text: 'c' },
      });
      const deleted = await create(server, observationBody(referenceTo(patient), { effectiveDateTime: '2000-01-01' }));
      await server.delete(pathOf(deleted));
      await Promise.all(
        Array.from({ length: count }, () =>
          create(server, observationBody(referenceTo(patient), { effectiveDateTime: '2000-01-01' })),
        ),
      );
      return { ...one, deleted };
    });
  const purge = ({ patient }: Chart, as: TestCaller = privacy) =>
    at(later, () => post(`${pathOf(patient)}/$purge`, { reason: 'Its time is over' }, as));
  const reasonOf = ({ body }: { body: TestBody }) => issuesOf(body)[0]?.reason;
  const statuses = async (one: Chart & { deleted: Stored<fhir4.Observation> }) => {
    const paths = [
      pathOf(one.patient),
      pathOf(one.observation),
      `${pathOf(one.observation)}/_history`,
      `${pathOf(one.observation)}/_history/1`,
      `Condition/${chosen(one)}`,
      `${pathOf(one.deleted)}/_history/1`,
      `${pathOf(one.patient)}/$everything`,
    ];
    return Promise.all(paths.map(async (path) => (await server.get(path)).status));
  };
  const rowsOf = async ({ patient }: Chart) =>
    (await allRows(server.store)).filter(
      ({ pk, sk }) => pk === `C#${patient.id}` || (/^[XU]#/.test(pk) && JSON.stringify([pk, sk]).includes(patient.id)),
    );

  it.each([
    ['one transaction', 1],
    ['a staged one', 60],
  ])('is at once for all readers, by %s, and then in the table, but for its log', async (_name, count) => {
    const one = await oldChart(count);
    expect(await statuses(one)).toEqual([200, 200, 200, 200, 200, 200, 200]);

    const { status, body } = await purge(one);

    expect(status, JSON.stringify(body)).toBe(200);
    const gone = [404, 404, 404, 404, 404, 404, 404];
    expect(await statuses(one)).toEqual(gone);
    expect((await allPages(server, `Observation?patient=${one.patient.id}`)).flatMap(resourcesIn)).toEqual([]);
    expect((await allPages(server, `Patient?_id=${one.patient.id}`)).flatMap(resourcesIn)).toEqual([]);
    expect((await rowsOf(one)).length).toBeGreaterThan(0);

    await sweepPurges(server.store);

    expect(await rowsOf(one)).toEqual([]);
    expect(await statuses(one)).toEqual(gone);
    expect((await purge(one)).body).toEqual(body);
    const { accesses } = await chartLog(server.store, one.patient.id, undefined);
    expect(accesses.filter(({ entry }) => entry.query?.includes('$purge')).map(({ entry }) => entry.query)).toEqual([
      `${pathOf(one.patient)}/$purge?records=${4 + count}`,
    ]);
  });

  it('is for a reason that officers read in the log, and its patient nowhere', async () => {
    const one = await oldChart();
    await purge(one);

    const purges = async (as: TestCaller) =>
      (await logOf(one, as)).filter((event) => queriesIn(event).some((query) => query.includes('$purge')));
    const [forOfficers, forPatient] = [await purges(privacy), await purges(one.own)];

    expect(forOfficers.map(({ purposeOfEvent }) => purposeOfEvent)).toEqual([[{ text: 'Its time is over' }]]);
    expect(forOfficers.flatMap(queriesIn).join()).not.toContain('time');
    expect(forPatient).toHaveLength(1);
    expect(JSON.stringify(forPatient)).not.toContain('Its time is over');
  });

  it('leaves the ids that clients chose taken, in every process', async () => {
    const one = await oldChart();
    const other = await create(server, patientBody());
    const path = `Condition/${chosen(one)}`;
    const again = (process: FhirServer, of: Stored<fhir4.Patient>) =>
      process.put(path, {
        resourceType: 'Condition',
        id: chosen(one),
        subject: { reference: referenceTo(of) },
        code: { text: 'another' },
      });
    expect((await server.get(path)).status).toBe(200);
    await purge(one);
    await sweepPurges(server.store);
    expect(await rowsOf(one)).toEqual([]);

    const fresh = await fhirServer(table);
    for (const process of [server, fresh, server]) {
      const answer = await again(process, other);
      expect([answer.status, reasonOf(answer)]).toEqual([409, 'id-taken']);
      expect((await process.get(path)).status).toBe(404);
    }
  });

  it('is taken up again where it was cut off', async () => {
    const one = await oldChart();
    await purge(one);
    let calls = 0;
    const dying = intercepted(server.store, ({ name, send }) =>
      name === 'BatchWrite' && ++calls === 1
        ? send().then(() => Promise.reject(new Error('killed')))
        : calls > 0
          ? Promise.reject(new Error('killed'))
          : send(),
    );

    await expect(sweepPurges(dying)).rejects.toThrow('killed');
    await sweepPurges(server.store);

    expect(await rowsOf(one)).toEqual([]);
  });

  it('does not come while a legal hold keeps it', async () => {
    const one = await oldChart();
    const hold = (name: string, as?: TestCaller) =>
      post(`${pathOf(one.patient)}/${name}`, { reason: 'A court asks' }, as);

    expect((await hold('$legal-hold', { role: 'physician' })).status).toBe(403);
    expect((await hold('$legal-hold', { role: 'privacy', organization: 'lakeside' })).status).toBe(404);
    expect((await hold('$release-hold')).status).toBe(409);
    expect((await hold('$legal-hold')).status).toBe(200);
    expect((await hold('$legal-hold')).status).toBe(409);
    expect(reasonOf(await purge(one))).toBe('legal-hold');
    expect((await hold('$release-hold')).status).toBe(200);
    expect((await purge(one)).status).toBe(200);
  });

  it('is held for a reason that officers read in the log, and its patient nowhere', async () => {
    const one = await chart();
    for (const name of ['$legal-hold', '$release-hold'])
      await post(`${pathOf(one.patient)}/${name}`, { reason: 'Inquiry of the sheriff' });
    const inFull = (events: readonly TestBody[]) => JSON.stringify(events.map((event) => [event, queriesIn(event)]));

    const held = (await logOf(one, privacy)).filter(({ purposeOfEvent }) => purposeOfEvent !== undefined);
    expect(held.map(({ purposeOfEvent }) => purposeOfEvent)).toEqual([
      [{ text: 'Inquiry of the sheriff' }],
      [{ text: 'Inquiry of the sheriff' }],
    ]);

    const told = await logOf(one, one.own);
    expect(told.map(({ id }) => id)).toEqual(expect.arrayContaining(held.map(({ id }) => id)));
    const byId = await Promise.all(held.map(({ id }) => server.get(`AuditEvent/${id}`, { as: one.own })));
    expect(byId.map(({ status }) => status)).toEqual([200, 200]);
    for (const events of [told, byId.map(({ body }) => body)]) {
      expect(inFull(events)).toContain('$legal-hold');
      expect(inFull(events)).not.toMatch(/inquiry|sheriff/i);
    }
  });

  it('leaves its log and disclosures to officers of who kept it, and to no others', async () => {
    const one = await oldChart();
    await at(later, () => record(one));
    await purge(one);
    const theirs: TestCaller = { role: 'privacy', organization: 'lakeside' };

    const log = await logOf(one, privacy);
    expect(log.flatMap(queriesIn)).toContainEqual(expect.stringContaining('$purge'));
    expect((await server.get(`AuditEvent/${log.at(-1)?.id}`, { as: privacy })).status).toBe(200);
    expect((await disclosures(one, privacy)).map(({ outcomeDesc }) => outcomeDesc)).toEqual(['Visits of 2025']);

    expect(await logOf(one, theirs)).toEqual([]);
    expect((await server.get(`AuditEvent/${log.at(-1)?.id}`, { as: theirs })).status).toBe(404);
    expect((await server.get(`${pathOf(one.patient)}/$disclosures`, { as: theirs })).status).toBe(404);
  });

  it('comes to nothing younger, and to nothing that others keep', async () => {
    const young = await chart();
    expect(reasonOf(await purge(young))).toBe('retention');

    const shared = await oldChart();
    await at(old, () => share(shared));
    const theirs = newRecord(server.store, shared.patient.id, { custodian: 'lakeside', updated: old });
    await commit(server.store, commitOf({ writes: [{ next: theirs }] }));
    expect(reasonOf(await purge(shared))).toBe('others-records');
    expect((await statuses(shared))[1]).toBe(200);
  });

  it('does not come to whom is born in a year before that year is certainly over', async () => {
    const patient = await at(Date.UTC(2005, 0, 1), () =>
      create(server, numberedPatient(`old-${++charts}`, { birthDate: '1998' })),
    );
    const purgeAt = (time: number) => at(time, () => post(`${pathOf(patient)}/$purge`, { reason: 'Its time is over' }));

    expect(reasonOf(await purgeAt(Date.UTC(2026, 11, 31)))).toBe('retention');
    expect((await purgeAt(Date.UTC(2027, 0, 1))).status).toBe(200);
  });

  it.each([
    ['CarePlan', { status: 'active', intent: 'plan' }, 'subject', '2030-01-01'],
    ['CarePlan', { status: 'active', intent: 'plan' }, 'subject', '2020-01-01'],
    ['Coverage', { status: 'active', payor: [{ reference: 'Organization/northside' }] }, 'beneficiary', '2030-01-01'],
  ])('does not come while a %s is in force or ended lately', async (resourceType, elements, about, end) => {
    const one = await oldChart();
    const body = {
      resourceType,
      ...elements,
      [about]: { reference: referenceTo(one.patient) },
      period: { start: '1999-01-01', end },
    };
    const made = await at(old, () => server.post(resourceType, body, { as: { role: 'system' } }));

    expect(made.status, JSON.stringify(made.body)).toBe(201);
    expect(reasonOf(await purge(one))).toBe('retention');
  });

  it.each([
    ['active', 'retention'],
    ['on-hold', 'retention'],
    ['completed', undefined],
  ])('does not come while a period goes on that has no end: %s', async (status, refused) => {
    const one = await oldChart();
    const body = {
      resourceType: 'CarePlan',
      status,
      intent: 'plan',
      subject: { reference: referenceTo(one.patient) },
      period: { start: '1999-01-01' },
    };
    const made = await at(old, () => server.post('CarePlan', body));

    expect(made.status, JSON.stringify(made.body)).toBe(201);
    expect(reasonOf(await purge(one))).toBe(refused);
  });

  it('comes when the deployment says so', async () => {
    const one = await oldChart();
    const retention = { years: 40, yearsOfType: {}, majority: 18, yearsFromMajority: 10 };
    const longer = await fhirServer(table, { retention });
    longer.setTime(later);
    const parameter = [{ name: 'reason', valueString: 'Its time is over' }];

    const refused = await longer.post(
      `${pathOf(one.patient)}/$purge`,
      { resourceType: 'Parameters', parameter },
      { as: privacy },
    );

    expect([refused.status, reasonOf(refused)]).toEqual([422, 'retention']);
    expect((await purge(one)).status).toBe(200);
  });

  describe('is proposed', () => {
    /** All pages, by charts. */
    const due = async (as: TestCaller = privacy) => {
      const charts = new Map<string, Record<string, unknown>>();
      let pages = 0;
      for (let path: string | undefined = 'Patient/$purge-due'; path !== undefined; pages++) {
        const { status, body } = await server.get(path, { as });
        expect(status, JSON.stringify(body)).toBe(200);
        const { parameter = [] } = body as unknown as fhir4.Parameters;
        for (const { part = [] } of parameter.filter(({ name }) => name === 'due')) {
          const found = Object.fromEntries(
            part.map(({ name, valueReference, valueUnsignedInt, valueInstant, valueCode }) => [
              name,
              valueReference?.reference ?? valueUnsignedInt ?? valueInstant ?? valueCode,
            ]),
          );
          charts.set(String(found['patient']), found);
        }
        path = parameter.find(({ name }) => name === 'next')?.valueUri;
      }
      return { charts, pages };
    };

    it('once its time is over, to who may purge it, with what stands against it', async () => {
      const one = await oldChart();
      const held = await oldChart();
      await post(`${pathOf(held.patient)}/$legal-hold`, { reason: 'A court asks' });
      const linked = await oldChart();
      await at(old, () => share(linked));
      const theirs = newRecord(server.store, linked.patient.id, { custodian: 'lakeside', updated: old });
      await commit(server.store, commitOf({ writes: [{ next: theirs }] }));
      const young = await chart();
      const gone = await oldChart();
      await purge(gone);
      const alive = await at(old, () =>
        create(server, numberedPatient(`old-${++charts}`, { birthDate: '1950-01-01' })),
      );
      await at(later, () => create(server, observationBody(referenceTo(alive))));
      const theirOfficer: TestCaller = { role: 'privacy', organization: 'lakeside' };

      const { charts: found } = await at(later, () => due());

      expect(found.get(pathOf(one.patient))).toEqual({
        patient: pathOf(one.patient),
        records: 5,
        since: '2010-01-02T00:00:00.000Z',
      });
      expect(found.get(pathOf(held.patient))).toEqual({ patient: pathOf(held.patient), obstacle: 'legal-hold' });
      expect(found.get(pathOf(linked.patient))).toEqual({
        patient: pathOf(linked.patient),
        obstacle: 'others-records',
      });
      for (const { id } of [young.patient, gone.patient, alive]) expect(found.has(`Patient/${id}`)).toBe(false);
      const { charts: others } = await at(later, () => due(theirOfficer));
      expect([...others.keys()].filter((path) => found.has(path))).toEqual([]);
      expect((await logOf(one, privacy)).flatMap(queriesIn)).toContain('Patient/$purge-due');
      expect((await logOf(young, privacy)).flatMap(queriesIn)).not.toContain('Patient/$purge-due');
    });

    it('page by page, of which each reads a bounded number of charts', async () => {
      const made = [];
      for (let count = 0; count < 21; count++)
        made.push(await at(old, () => create(server, numberedPatient(`old-${++charts}`, { birthDate: '1950-01-01' }))));

      const { charts: found, pages } = await at(later, () => due());

      expect(pages).toBeGreaterThan(1);
      expect(made.filter(({ id }) => !found.has(`Patient/${id}`))).toEqual([]);
      const page = (await at(later, () => server.get('Patient/$purge-due', { as: privacy }))).body;
      const { parameter = [] } = page as unknown as fhir4.Parameters;
      const next = parameter.find(({ name }) => name === 'next')?.valueUri ?? '';
      expect(parameter.filter(({ name }) => name === 'due').length).toBeLessThan(100);
      expect((await server.get(next, { as: { role: 'privacy', claims: { sub: 'another' } } })).status).toBe(400);
    });

    it('to nobody else', async () => {
      const path = 'Patient/$purge-due';

      expect((await server.get(path, { as: { role: 'physician' } })).status).toBe(403);
      expect((await server.get(path, { as: { ...privacy, scope: 'user/*.cru' } })).status).toBe(403);
      expect((await server.get(`${path}?count=1`, { as: privacy })).status).toBe(400);
    });
  });

  describe('with a Binary', () => {
    const scan = (securityContext?: fhir4.Reference) =>
      at(old, async () => {
        const data = Buffer.from('scan').toString('base64');
        const body: fhir4.Binary = { resourceType: 'Binary', contentType: 'text/plain', data };
        return create(server, securityContext ? { ...body, securityContext } : body);
      });
    const named = (one: Chart, url: string) =>
      at(old, () =>
        create<fhir4.DocumentReference>(server, {
          resourceType: 'DocumentReference',
          status: 'current',
          date: '2000-01-01T00:00:00Z',
          subject: { reference: referenceTo(one.patient) },
          content: [{ attachment: { contentType: 'text/plain', url } }],
        }),
      );

    it('takes in what shares the rights of one of its records', async () => {
      const one = await oldChart();
      const binary = await scan({ reference: referenceTo(one.observation) });
      const ofPatient = await scan({ reference: referenceTo(one.patient) });
      await named(one, referenceTo(ofPatient));

      const { status, body } = await purge(one);

      expect(status, JSON.stringify(body)).toBe(200);
      const gone = async () =>
        Promise.all(
          [binary, ofPatient].flatMap((each) =>
            ['', '/_history', '/_history/1'].map(async (end) => (await server.get(`${pathOf(each)}${end}`)).status),
          ),
        );
      expect(await gone()).toEqual([404, 404, 404, 404, 404, 404]);
      await sweepPurges(server.store);
      expect(await gone()).toEqual([404, 404, 404, 404, 404, 404]);
      const left = (await allRows(server.store)).filter(({ pk }) => pk === `C#${binary.id}`);
      expect(left).toEqual([]);
    });

    it('does not come while one that it names has no security context', async () => {
      const one = await oldChart();
      const binary = await scan();
      await named(one, referenceTo(binary));

      expect(reasonOf(await purge(one))).toBe('binary-without-context');
      expect((await server.get(pathOf(binary))).status).toBe(200);
    });
  });

  it('is for the privacy officer of who keeps it', async () => {
    const one = await oldChart();

    expect((await purge(one, { role: 'physician' })).status).toBe(403);
    expect((await purge(one, { role: 'privacy', organization: 'lakeside' })).status).toBe(404);
    expect((await purge(one, { ...privacy, scope: 'user/*.cru' })).status).toBe(403);
    expect((await purge(one)).status).toBe(200);
    expect((await purge(one, { role: 'privacy', organization: 'lakeside' })).status).toBe(404);
  });
});
