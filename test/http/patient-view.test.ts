import { beforeAll, describe, expect, it } from 'vitest';
import { chartLog } from '../../shared/audit/audit-log.ts';
import { auditRow } from '../../shared/audit/audit-row.ts';
import { disclosureRow } from '../../shared/audit/disclosure-rows.ts';
import { indexDisclosures } from '../../shared/audit/index-disclosures.ts';
import { commit } from '../../shared/store/commit.ts';
import { auditKey } from '../../shared/store/keys.ts';
import { sweepPurges } from '../../shared/store/sweep-purges.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import type { TestCaller } from '../support/callers.ts';
import { type LocalTable, localTable } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  admin,
  allPages,
  create,
  elsewhere,
  issuesOf,
  nextLinkOf,
  numberedPatient,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
  stored,
} from '../support/records.ts';
import { insertEvent } from '../support/stream-events.ts';
import { allRows, commitOf, intercepted, newRecord } from '../support/test-store.ts';

// What a patient is told of: the access log in words, and to whom the chart was disclosed.

const privacy: TestCaller = { role: 'privacy' };
const hl7 = 'http://terminology.hl7.org/CodeSystem/';

let table: LocalTable;
let server: FhirServer;
beforeAll(async () => {
  table = await localTable();
  server = await fhirServer(table);
  for (const [id, name] of [
    ['northside', 'Northside Clinic'],
    ['lakeside', 'Lakeside <Hospital>'],
  ] as const) {
    await server.put(
      `Organization/${id}`,
      { resourceType: 'Organization', id, name },
      { as: { ...admin, organization: id } },
    );
  }
  await server.put(
    'Practitioner/northside-nurse',
    { resourceType: 'Practitioner', id: 'northside-nurse', name: [{ given: ['Nora'], family: 'Nord' }] },
    { as: admin },
  );
});

interface Chart {
  readonly patient: Stored<fhir4.Patient>;
  readonly observation: Stored<fhir4.Observation>;
  readonly own: TestCaller;
}

const chart = async (): Promise<Chart> => {
  const patient = await create(server, patientBody());
  const observation = await create(
    server,
    observationBody(referenceTo(patient), {
      code: { coding: [{ system: 'http://loinc.org', code: '85354-9' }], text: 'Blood <pressure>' },
      effectiveDateTime: '2026-05-03',
    }),
  );
  return { patient, observation, own: { role: 'patient', patient: patient.id } };
};

/** Opens a chart to the other organisation. */
const share = async ({ patient }: Chart) => {
  const body: fhir4.Consent = {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: `${hl7}consentscope`, code: 'patient-privacy' }] },
    category: [{ coding: [{ system: `${hl7}consentcategorycodes`, code: 'infa' }] }],
    patient: { reference: referenceTo(patient) },
    policyRule: { coding: [{ system: `${hl7}v3-ActCode`, code: 'OPTIN' }] },
  };
  await create(server, body);
};

/** Does what the consumer of the stream does. */
const followStream = async () => {
  const rows = (await allRows(server.store)).filter(({ pk }) => /^A#[^#]+$/.test(pk));
  rows.sort((a, b) => (a.sk < b.sk ? -1 : 1));
  await indexDisclosures(server.store, insertEvent(rows));
};

const post = (path: string, parameters: Record<string, string | boolean>, as: TestCaller = privacy) =>
  server.post(
    path,
    {
      resourceType: 'Parameters',
      parameter: Object.entries(parameters).map(([name, value]) => {
        const type =
          typeof value === 'boolean'
            ? 'Boolean'
            : name === 'date' || name === 'until'
              ? 'DateTime'
              : name === 'organization'
                ? 'Id'
                : 'String';
        return { name, [`value${type}`]: value };
      }),
    },
    { as },
  );

const disclosed = {
  recipient: 'County Court',
  address: '1 Court Square',
  date: '2026-03-02',
  description: 'Visits of 2025',
  purpose: 'subpoena',
};
const record = ({ patient }: Chart, over: Partial<typeof disclosed> = {}, as?: TestCaller) =>
  post(`${pathOf(patient)}/$record-disclosure`, { ...disclosed, ...over }, as);

const disclosures = async ({ patient }: Chart, as: TestCaller) =>
  (await allPages(server, `${pathOf(patient)}/$disclosures`, as)).flatMap(resourcesIn);
const logOf = async ({ patient }: Chart, as: TestCaller) =>
  (await allPages(server, `AuditEvent?patient=${patient.id}`, as)).flatMap(resourcesIn);
const queriesIn = (event: TestBody): string[] =>
  [...JSON.stringify(event).matchAll(/"query":"([^"]+)"/g)].map(([, query = '']) =>
    Buffer.from(query, 'base64').toString(),
  );
const isRead = ({ subtype }: TestBody) => subtype?.[0]?.code === 'read';
const textsIn = (events: readonly TestBody[]) =>
  events.map(({ text }) =>
    String(text?.div)
      .replace(/<[^>]*>/g, '')
      .replace(/^On .* UTC, /, ''),
  );

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
      const row = auditRow(auditKey(id, ids.newPlace(time)), {
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
