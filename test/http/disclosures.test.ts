import { describe, expect, it } from 'vitest';
import { auditRow } from '../../shared/audit/audit-row.ts';
import { disclosureRow } from '../../shared/audit/disclosure-rows.ts';
import { auditKey } from '../../shared/store/keys.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import type { TestCaller } from '../support/callers.ts';
import type { TestBody } from '../support/fhir-server.ts';
import { type Chart, disclosed, isRead, patientView, privacy, textsIn } from '../support/patient-view.ts';
import { allPages, elsewhere, issuesOf, nextLinkOf, pathOf, resourcesIn } from '../support/records.ts';

// What a patient is told of: the access log in words, and to whom the chart was disclosed.

const { server, chart, share, followStream, post, record, disclosures, logOf } = await patientView();

describe('the access log of a chart', () => {
  it('tells its patient in words who did what with which record', async () => {
    const one = await chart();
    await server.get(pathOf(one.observation), { as: { role: 'nurse' } });

    const first = await logOf(one, one.own);
    const second = await logOf(one, one.own);

    expect(textsIn(second)).toContain('you searched for records of the kind “audit event”.');
    expect(textsIn(first.filter(isRead))).toEqual([
      'nurse Nora Nord of Northside Clinic read the observation “Blood &lt;pressure&gt;” of 3 May 2026.',
    ]);
  });

  it('tells a privacy officer, who may not read the record, its type alone', async () => {
    const one = await chart();
    await server.get(pathOf(one.observation), { as: { role: 'nurse' } });

    const [read] = (await logOf(one, privacy)).filter(isRead);
    const { body } = await server.get(`AuditEvent/${read?.id}`, { as: privacy });

    expect(textsIn([read as TestBody, body])).toEqual([
      'nurse Nora Nord of Northside Clinic read the observation.',
      'nurse Nora Nord of Northside Clinic read the observation.',
    ]);
  });
});

describe('Patient/{id}/$disclosures', () => {
  it('tells of what another organisation saw and what was recorded, newest first, and of nothing that the own staff did', async () => {
    const one = await chart();
    await share(one);
    await server.get(pathOf(one.observation), { as: { role: 'nurse' } });
    await server.get(pathOf(one.observation), { as: elsewhere });
    await followStream();
    await record(one);
    await record(one, { recipient: 'State Registry', date: '2026-03-04', purpose: 'public health' });

    const shown = await disclosures(one, one.own);

    expect(
      shown.map(({ text }) =>
        String(text?.div)
          .replace(/<[^>]*>/g, '')
          .replace(/^On .* UTC, /, ''),
      ),
    ).toEqual([
      'physician physician@lakeside.example of Lakeside &lt;Hospital&gt; read the observation “Blood &lt;pressure&gt;” of 3 May 2026.',
      expect.stringContaining('On 4 March 2026, this was disclosed to State Registry (1 Court Square)'),
      expect.stringContaining('On 2 March 2026, this was disclosed to County Court (1 Court Square)'),
    ]);
    expect(shown[2]).toMatchObject({
      period: { start: '2026-03-02' },
      purposeOfEvent: [{ text: 'subpoena' }],
      outcomeDesc: 'Visits of 2025',
    });
    expect(shown[2]?.agent?.[4]).toMatchObject({ who: { display: 'County Court, 1 Court Square' } });
    expect((await disclosures(one, privacy)).map(({ id }) => id)).toEqual(shown.map(({ id }) => id));
  });

  it('leaves out what was disclosed more than six years ago', async () => {
    const one = await chart();
    await record(one, { date: '2020-11-01' });
    await record(one, { date: '2021-01-05' });
    server.setTime(Date.UTC(2026, 11, 31));
    try {
      expect((await disclosures(one, one.own)).map(({ period }) => period?.start)).toEqual(['2021-01-05']);
    } finally {
      server.setTime(undefined);
    }
  });

  it('is read in pages, each with as many calls however much the own staff read', async () => {
    const one = await chart();
    for (let day = 1; day <= 5; day++) await record(one, { date: `2026-03-0${day}` });
    const path = `${pathOf(one.patient)}/$disclosures?_count=2`;

    const pages = await allPages(server, path, one.own);
    server.calls.reset();
    await server.get(path, { as: one.own });
    const calls = [...server.calls.names].sort();

    expect(pages.map((page) => resourcesIn(page).map(({ period }) => period?.start))).toEqual([
      ['2026-03-05', '2026-03-04'],
      ['2026-03-03', '2026-03-02'],
      ['2026-03-01'],
    ]);
    // The patient and the trace beside what is not to be told, then the rows, their entries, what these are about, and names for the words.
    expect(calls).toEqual(['BatchGetItem', 'BatchGetItem', 'BatchGetItem', 'GetItem', 'PutItem', 'Query', 'Query']);
    expect(server.calls.sequential()).toBe(5);
  });

  it('is for the patient and the privacy officer of the organisation that keeps the chart', async () => {
    const one = await chart();
    const other = await chart();
    const path = `${pathOf(one.patient)}/$disclosures`;

    expect((await server.get(path, { as: { role: 'physician' } })).status).toBe(403);
    expect((await server.get(path, { as: other.own })).status).toBe(404);
    expect((await server.get(path, { as: { role: 'privacy', organization: 'lakeside' } })).status).toBe(404);
    expect((await server.get(path, { as: { ...one.own, scope: 'patient/Patient.rs' } })).status).toBe(403);
  });
});

describe('Patient/{id}/$record-disclosure', () => {
  it('is for privacy officer, physician and front desk of the organisation that keeps the chart', async () => {
    const one = await chart();
    const statusAs = async (as: TestCaller) => (await record(one, {}, as)).status;

    expect(await statusAs({ role: 'frontdesk' })).toBe(200);
    expect(await statusAs({ role: 'physician' })).toBe(200);
    expect(await statusAs({ role: 'nurse' })).toBe(403);
    expect(await statusAs(one.own)).toBe(403);
    expect(await statusAs({ ...privacy, scope: 'user/Observation.cruds' })).toBe(403);
    expect(await statusAs({ role: 'privacy', organization: 'lakeside' })).toBe(404);
    expect(await disclosures(one, one.own)).toHaveLength(2);
  });

  it('wants to know to whom, when, what and why', async () => {
    const one = await chart();

    expect(
      issuesOf((await post(`${pathOf(one.patient)}/$record-disclosure`, { recipient: 'x' })).body)[0],
    ).toMatchObject({ expression: 'date' });
    expect((await record(one, { date: '2199-01-01' })).status).toBe(400);
  });
});

describe('Patient/{id}/$suspend-disclosures', () => {
  const suspend = (one: Chart, over: Record<string, string | boolean> = {}, as?: TestCaller) =>
    post(
      `${pathOf(one.patient)}/$suspend-disclosures`,
      { recipient: 'County Court', statement: 'Letter 12', until: '2027-01-01T00:00:00Z', ...over },
      as,
    );
  const at = async <T>(time: number, work: () => Promise<T>): Promise<T> => {
    server.setTime(time);
    try {
      return await work();
    } finally {
      server.setTime(undefined);
    }
  };
  const recipients = (events: readonly TestBody[]) => events.map(({ agent }) => agent?.[4]?.name);

  it('keeps what was disclosed, before and after, from the patient while its time runs, and from nobody else', async () => {
    const start = Date.UTC(2026, 11, 1);
    const one = await at(start, async () => {
      const made = await chart();
      await record(made);
      await record(made, { recipient: 'State Registry', date: '2026-03-04' });
      await suspend(made);
      await record(made, { date: '2026-11-30' });
      return made;
    });
    const hidden = await at(start + 1_000, async () => {
      const withheld = (await logOf(one, privacy)).filter(({ text }) => String(text?.div).includes('County Court'));
      await server.get(`AuditEvent/${withheld[0]?.id}`, { as: privacy });
      return withheld;
    });

    await at(start + 2_000, async () => {
      expect(hidden).toHaveLength(3);
      expect(recipients(await disclosures(one, one.own))).toEqual(['State Registry']);
      expect(recipients(await disclosures(one, privacy))).toEqual(['County Court', 'State Registry', 'County Court']);
      for (const { id } of hidden) expect((await server.get(`AuditEvent/${id}`, { as: one.own })).status).toBe(404);
      const told = JSON.stringify(await logOf(one, one.own));
      for (const hint of ['County Court', 'suspend', ...hidden.map(({ id }) => String(id))])
        expect(told).not.toContain(hint);
      expect(told).toContain('State Registry');
    });

    await at(Date.UTC(2027, 0, 1), async () => {
      expect(recipients(await disclosures(one, one.own))).toEqual(['County Court', 'State Registry', 'County Court']);
      expect(JSON.stringify(await logOf(one, one.own))).toContain('are not to be told until 1 January 2027');
    });
  });

  /** Entries of the log to a recipient, as many as none would record by requests, one an hour back from `latest`; and what leads to them. */
  const logged = async ({ patient: { id } }: Chart, recipient: string, count: number, latest: number) => {
    const { ids } = server.store;
    const rows = Array.from({ length: count }, (_, hours) => {
      const time = latest - hours * 3600_000;
      const row = auditRow(ids, auditKey(id, ids.newPlace(time)), {
        at: time,
        interaction: 'operation',
        what: [`Patient/${id}`],
        subject: 's',
        name: 'n',
        client: 'c',
        fhirUser: 'Practitioner/p',
        roles: ['privacy'],
        organization: 'northside',
        request: 'r',
        disclosure: { ...disclosed, recipient },
      });
      return [row, disclosureRow(id, ids.newPlace(time), row.sk)];
    });
    await writeRows(server.store, rows.flat());
  };
  const longAgo = Date.UTC(2026, 5, 1);

  it('never leads to an empty page of disclosures, however many are kept back and however small the page is', async () => {
    const one = await chart();
    await logged(one, 'County Court', 120, longAgo);
    await suspend(one);
    const first = () => server.get(`${pathOf(one.patient)}/$disclosures?_count=1`, { as: one.own });

    const { body: none } = await first();
    expect(resourcesIn(none)).toHaveLength(0);
    expect(nextLinkOf(none)).toBeUndefined();

    await logged(one, 'State Registry', 1, longAgo - 365 * 24 * 3600_000);
    const { body: last } = await first();
    expect(recipients(resourcesIn(last))).toEqual(['State Registry']);
    expect(nextLinkOf(last)).toBeUndefined();
  });

  it('makes no page of the access log shorter, nor leads to an empty one', async () => {
    const one = await chart();
    await logged(one, 'County Court', 20, longAgo);
    await logged(one, 'State Registry', 210, longAgo - 30 * 24 * 3600_000);
    await suspend(one);
    const { body: full } = await server.get(`AuditEvent?patient=${one.patient.id}&_count=200`, { as: one.own });
    expect(resourcesIn(full)).toHaveLength(200);

    const other = await chart();
    await logged(other, 'State Registry', 100, longAgo);
    await logged(other, 'County Court', 150, longAgo - 30 * 24 * 3600_000);
    await suspend(other);
    const { body: all } = await server.get(`AuditEvent?patient=${other.patient.id}&_count=200`, { as: other.own });
    expect(recipients(resourcesIn(all)).filter((name) => name === 'State Registry')).toHaveLength(100);
    expect(nextLinkOf(all)).toBeUndefined();
  });

  it('is refused for an organisation that there is not, of which it would keep nothing back', async () => {
    const one = await chart();

    const { status, body } = await suspend(one, { organization: 'lake-side' });

    expect(status).toBe(400);
    expect(issuesOf(body)[0]).toMatchObject({ expression: 'organization' });
    expect(JSON.stringify(await logOf(one, privacy))).not.toContain('suspend-disclosures');
  });

  it('holds for 30 days where the statement was oral', async () => {
    const start = Date.UTC(2026, 11, 1);
    const month = 30 * 24 * 3600_000;
    const one = await at(start, async () => {
      const made = await chart();
      await record(made);
      expect((await suspend(made, { oral: true, until: '2027-01-01' })).status).toBe(400);
      const answer = await post(`${pathOf(made.patient)}/$suspend-disclosures`, {
        recipient: 'County Court',
        statement: 'By telephone',
        oral: true,
      });
      expect(answer.status).toBe(200);
      return made;
    });

    expect(await at(start + month - 1, () => disclosures(one, one.own))).toHaveLength(0);
    expect(await at(start + month, () => disclosures(one, one.own))).toHaveLength(1);
  });

  it('is for the privacy officer alone, names a recipient, and never the own organisation', async () => {
    const one = await chart();
    const statusOf = async (over: Record<string, string | boolean>, as?: TestCaller) =>
      (await suspend(one, over, as)).status;

    expect(await statusOf({}, { role: 'physician' })).toBe(403);
    expect(await statusOf({}, one.own)).toBe(403);
    expect(await statusOf({}, { role: 'privacy', organization: 'lakeside' })).toBe(404);
    expect(await statusOf({ organization: 'northside' })).toBe(400);
    expect(await statusOf({ organization: 'lakeside' })).toBe(200);
    expect((await post(`${pathOf(one.patient)}/$suspend-disclosures`, { statement: 's', oral: true })).status).toBe(
      400,
    );
    expect((await post(`${pathOf(one.patient)}/$suspend-disclosures`, { recipient: 'r', statement: 's' })).status).toBe(
      400,
    );
  });
});
