import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { localTable } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer, physician } from '../support/fhir-server.ts';
import {
  allPages,
  create,
  encounterBody,
  issuesOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

// Who acts for a patient, until when, and what a minor keeps to herself. How it is decided is compared with a model in test/unit/proxies.test.ts.

const frontdesk: TestCaller = { role: 'frontdesk' };
const privacy: TestCaller = { role: 'privacy' };
const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const now = Date.parse('2026-03-01T10:00:00Z');

let server: FhirServer;
/** Another deployment over the same table, under another law. */
let washington: FhirServer;
beforeAll(async () => {
  const table = await localTable();
  server = await fhirServer(table);
  washington = await fhirServer(table, { jurisdiction: 'US-WA' });
});
beforeEach(() => {
  server.setTime(now);
  washington.setTime(now);
});

interface Family {
  readonly child: Stored<fhir4.Patient>;
  readonly subject: string;
  readonly relative: Stored<fhir4.RelatedPerson>;
  /** The child's own sign-in. */
  readonly minor: TestCaller;
  readonly parent: TestCaller;
}

const family = async (
  elements: Partial<fhir4.Patient> = { birthDate: '2011-03-02' },
  at: FhirServer = server,
): Promise<Family> => {
  const child = await create(at, patientBody(elements));
  const relative = await create(at, {
    resourceType: 'RelatedPerson',
    patient: { reference: referenceTo(child) },
    name: [{ family: 'Sample', given: ['Mary'] }],
  } satisfies fhir4.RelatedPerson);
  const minor: TestCaller = { role: 'patient', patient: child.id };
  const parent: TestCaller = {
    role: 'patient',
    patient: child.id,
    claims: { fhirUser: referenceTo(relative), sub: 'sub-parent', username: 'parent@home.example' },
  };
  return { child, subject: referenceTo(child), relative, minor, parent };
};

const parameters = (values: Readonly<Record<string, unknown>>): fhir4.Parameters => ({
  resourceType: 'Parameters',
  parameter: Object.entries(values).map(([name, value]) => ({
    name,
    ...(typeof value === 'string'
      ? { [name === 'evidence' ? 'valueString' : name === 'activated' ? 'valueDateTime' : 'valueCode']: value }
      : { [name === 'period' ? 'valuePeriod' : 'valueReference']: value }),
  })),
});
const evidence = 'Birth certificate, seen by the front desk';
const grantBody = (proxy: string, values: Readonly<Record<string, unknown>> = {}) =>
  parameters({ proxy: { reference: proxy }, basis: 'parent', evidence, ...values });

const grant = async (
  { subject, relative }: Pick<Family, 'subject' | 'relative'>,
  values: Readonly<Record<string, unknown>> = {},
  as: TestCaller = frontdesk,
  at: FhirServer = server,
) => at.post(`${subject}/$grant-proxy`, grantBody(referenceTo(relative), values), { as });
const granted = async (
  values: Readonly<Record<string, unknown>> = {},
  elements?: Partial<fhir4.Patient>,
  at?: FhirServer,
) => {
  const known = await family(elements, at);
  const { status, body } = await grant(known, values, frontdesk, at);
  expect(status, JSON.stringify(body)).toBe(200);
  return known;
};
const end = ({ subject, relative }: Family) =>
  server.post(
    `${subject}/$end-proxy`,
    parameters({ proxy: { reference: referenceTo(relative) }, evidence: 'Asked for by the father, at the desk' }),
    { as: frontdesk },
  );

const statusOf = async (path: string, as: TestCaller) => (await server.get(path, { as })).status;
const found = async (path: string, as: TestCaller) =>
  (await allPages(server, path, as))
    .flatMap(resourcesIn)
    .filter(({ resourceType }) => resourceType !== 'OperationOutcome')
    .map(referenceTo)
    .sort();
const reasonOf = async (path: string, as: TestCaller) => issuesOf((await server.get(path, { as })).body)[0]?.reason;
const standingsOf = async ({ subject }: Family) =>
  JSON.stringify((await server.get(`${subject}/$proxies`, { as: frontdesk })).body).match(
    /(?<="standing","valueCode":")[a-z-]+/g,
  );

describe('the right to act for a patient', () => {
  it('opens nothing by what the token says, and the chart by a grant, until it is ended', async () => {
    const known = await family();
    const { subject, parent } = known;
    const observation = await create(server, observationBody(subject));
    expect(await reasonOf(pathOf(observation), parent)).toBe('forbidden-proxy');
    expect(await statusOf(`Observation?patient=${subject}`, parent)).toBe(403);
    expect(await statusOf('Organization', parent)).toBe(200);

    await grant(known);

    expect(await statusOf(pathOf(observation), parent)).toBe(200);
    expect(await found(`Observation?patient=${subject}`, parent)).toEqual([referenceTo(observation)]);
    expect(await statusOf(subject, parent)).toBe(200);

    expect((await end(known)).status).toBe(200);

    expect(await reasonOf(pathOf(observation), parent)).toBe('forbidden-proxy');
    expect(await standingsOf(known)).toEqual(['ended']);
  });

  it('takes a Query and a read at once before what is asked for, of a minor one more', async () => {
    const { subject, parent } = await granted();
    const adult = await granted({ basis: 'executor' }, { birthDate: '1950-01-01', deceasedBoolean: true });
    const observation = await create(server, observationBody(subject));
    const other = await create(server, observationBody(adult.subject));

    server.calls.reset();
    await server.get(pathOf(observation), { as: parent });
    const ofMinor = [server.calls.names.toSorted(), server.calls.sequential()];
    server.calls.reset();
    await server.get(pathOf(other), { as: adult.parent });

    expect(ofMinor).toEqual([['GetItem', 'GetItem', 'PutItem', 'Query', 'Query'], 3]);
    expect([server.calls.names.toSorted(), server.calls.sequential()]).toEqual([
      ['GetItem', 'GetItem', 'PutItem', 'Query'],
      2,
    ]);
  });

  it('is of one patient and one person', async () => {
    const { subject, parent } = await granted();
    const other = await family();
    const record = await create(server, observationBody(other.subject));

    expect(await statusOf(pathOf(record), parent)).toBe(404);
    expect(await found(`Observation?patient=${other.subject}`, parent)).toEqual([]);
    expect(await statusOf(subject, { ...parent, claims: other.parent.claims ?? {} })).toBe(403);
    expect(await statusOf(subject, { ...parent, claims: { fhirUser: other.subject } })).toBe(403);
  });

  it('is read only unless it says otherwise, and then writes in the own name', async () => {
    const known = await granted();
    const { subject, relative, parent } = known;
    const message = (sender: string): fhir4.Communication => ({
      resourceType: 'Communication',
      status: 'completed',
      subject: { reference: subject },
      sender: { reference: sender },
    });
    const send = (sender: string) => server.post('Communication', message(sender), { as: parent });
    expect(issuesOf((await send(referenceTo(relative))).body)[0]?.reason).toBe('forbidden-proxy');

    await grant(known, { rights: 'act' });

    expect((await send(referenceTo(relative))).status).toBe(201);
    expect(issuesOf((await send(subject)).body)[0]?.reason).toBe('not-own-words');
  });

  it('can be that of somebody who is a patient too, whose own chart stays apart', async () => {
    const { subject } = await family();
    const mother = await create(server, patientBody());
    const as: TestCaller = {
      role: 'patient',
      patient: subject.split('/')[1] ?? '',
      claims: { fhirUser: referenceTo(mother) },
    };
    const body = grantBody(referenceTo(mother), { rights: 'act' });
    expect((await server.post(`${subject}/$grant-proxy`, body, { as: frontdesk })).status).toBe(200);

    expect(await statusOf(subject, as)).toBe(200);
    expect(await statusOf(referenceTo(mother), as)).toBe(404);
    expect(await statusOf(referenceTo(mother), { role: 'patient', patient: mother.id })).toBe(200);
    const message: fhir4.Communication = {
      resourceType: 'Communication',
      status: 'completed',
      subject: { reference: subject },
      sender: { reference: referenceTo(mother) },
    };
    expect((await server.post('Communication', message, { as })).status).toBe(201);
  });

  it.each([
    ['parent', { birthDate: '2008-03-01' }, 422, 'proxy-of-age'],
    ['parent', { birthDate: '2008-03-02' }, 200, undefined],
    ['guardian', { birthDate: '1990-01-01' }, 200, undefined],
    ['parent', {}, 422, 'proxy-age-unknown'],
    ['executor', { birthDate: '1950-01-01' }, 422, 'proxy-not-deceased'],
    ['executor', { birthDate: '1950-01-01', deceasedDateTime: '2026-02-01' }, 200, undefined],
    ['guardian', { birthDate: '2015-01-01', deceasedDateTime: '2026-02-01' }, 422, 'proxy-deceased'],
    ['attorney', { birthDate: '1950-01-01', deceasedBoolean: true }, 422, 'proxy-deceased'],
    ['uncle', { birthDate: '2015-01-01' }, 400, 'invalid'],
  ])('of a %s of %j answers %d', async (basis, elements, status, reason) => {
    const { birthDate, ...others } = elements as Partial<fhir4.Patient>;
    const { birthDate: _usual, ...nameless } = patientBody(others);
    const child = await create(server, { ...nameless, ...(birthDate ? { birthDate } : {}) });
    const relative = await create(server, {
      resourceType: 'RelatedPerson',
      patient: { reference: referenceTo(child) },
    } satisfies fhir4.RelatedPerson);

    const answer = await grant({ subject: referenceTo(child), relative }, { basis });

    expect([answer.status, issuesOf(answer.body)[0]?.reason]).toEqual([status, reason]);
  });

  it('ends by the clock: with its period, and a parent’s at majority', async () => {
    const known = await granted({ period: { end: '2026-06-30' } });
    const { subject, parent } = known;

    server.setTime(Date.parse('2026-06-30T23:59:59Z'));
    expect(await statusOf(subject, parent)).toBe(200);
    server.setTime(Date.parse('2026-07-01T00:00:00Z'));
    expect(await statusOf(subject, parent)).toBe(403);

    server.setTime(now);
    await grant(known);
    server.setTime(Date.parse('2029-03-01T23:59:59Z'));
    expect(await statusOf(subject, parent)).toBe(200);
    server.setTime(Date.parse('2029-03-02T00:00:00Z'));
    expect(await statusOf(subject, parent)).toBe(403);
    expect(await standingsOf(known)).toEqual(['of-age']);
    expect((await grant(known, { basis: 'guardian', evidence: 'Order of the family court, seen' })).status).toBe(200);
    expect(await statusOf(subject, parent)).toBe(200);
  });

  it('ends by emancipation, and a power of attorney counts once a physician has found that it does', async () => {
    const known = await granted();
    const { subject, parent } = known;
    const emancipated = await server.post(
      `${subject}/$emancipate`,
      parameters({ evidence: 'Decree of emancipation, seen by the front desk' }),
      { as: frontdesk },
    );
    expect(emancipated.status).toBe(200);
    expect(await statusOf(subject, parent)).toBe(403);

    const attorney = { basis: 'attorney', evidence: 'Health-care power of attorney, seen by the front desk' };
    expect((await grant(known, attorney)).status).toBe(200);
    expect(await standingsOf(known)).toEqual(['not-activated']);
    expect(await statusOf(subject, parent)).toBe(403);
    const activated = { ...attorney, activated: '2026-03-01' };
    expect(issuesOf((await grant(known, activated)).body)[0]?.reason).toBe('not-licensed');

    expect((await grant(known, activated, physician)).status).toBe(200);
    expect(await statusOf(subject, parent)).toBe(200);
  });

  it('is recorded by front desk, physician and privacy officer of the own organisation, on evidence', async () => {
    const known = await family();
    for (const role of ['frontdesk', 'physician', 'privacy'])
      expect((await grant(known, {}, { role })).status, role).toBe(200);
    for (const role of ['nurse', 'lab', 'pharmacist', 'support', 'admin', 'system'])
      expect((await grant(known, {}, { role })).status, role).toBe(403);
    expect((await grant(known, {}, { role: 'frontdesk', organization: 'lakeside' })).status).toBe(404);
    expect((await grant(known, { rights: 'act' }, known.parent)).status).toBe(403);
    expect((await grant(known, {}, known.minor)).status).toBe(403);
    expect((await grant(known, { evidence: 'seen' })).status).toBe(400);
    expect((await grant(known, { evidence: { reference: 'DocumentReference/none' } })).status).toBe(400);
    const other = await family();
    expect((await grant({ ...known, relative: other.relative })).status).toBe(400);

    const document = await create(server, {
      resourceType: 'DocumentReference',
      status: 'current',
      subject: { reference: known.subject },
      content: [{ attachment: { title: 'Birth certificate' } }],
    } satisfies fhir4.DocumentReference);
    expect((await grant(known, { evidence: { reference: referenceTo(document) } })).status).toBe(200);

    const { body } = await server.get(`${known.subject}/$proxies`, { as: known.minor });
    expect(JSON.stringify(body)).toContain(referenceTo(document));
    expect(JSON.stringify(body)).toContain('"valueCode":"in-force"');
    expect(await statusOf(`${known.subject}/$proxies`, known.parent)).toBe(403);
  });

  it('stands in the log of the chart: who recorded it, and that the parent looked', async () => {
    const { subject, relative, minor, parent } = await granted();
    const observation = await create(server, observationBody(subject));
    await server.get(pathOf(observation), { as: parent });

    const events = (await allPages(server, `AuditEvent?patient=${subject}`, minor)).flatMap(resourcesIn);

    const looked = events.find((event) => JSON.stringify(event).includes('parent@home.example'));
    const text = JSON.stringify(looked);
    expect(text).toContain(referenceTo(relative));
    expect(text).toContain(referenceTo(observation));
    expect(text).toContain('urn:concord:basis:proxy');
    expect(text).toContain(`"who":{"reference":"${subject}"}`);
    const queries = events.flatMap(({ entity }) =>
      [...(entity ?? [])].flatMap(({ query }) => (query ? [Buffer.from(query, 'base64').toString()] : [])),
    );
    expect(queries.join('\n')).toContain('$grant-proxy?basis=parent');
    expect(await found(`AuditEvent?patient=${subject}`, privacy)).not.toEqual([]);
  });
});

describe('what a minor keeps to herself', () => {
  /** A chart of which some is hers alone. */
  const secrets = async () => {
    const known = await granted({ rights: 'act' });
    const { subject } = known;
    const refers = { subject: { reference: subject } };
    const make = <T extends fhir4.FhirResource>(resource: T) => create(server, resource);
    const open = await make(observationBody(subject));
    const openVisit = await make(encounterBody(subject));
    const coded = await make({
      resourceType: 'Condition',
      ...refers,
      code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'A56.00' }] },
    } satisfies fhir4.Condition);
    const visit = await make(encounterBody(subject, { diagnosis: [{ condition: { reference: referenceTo(coded) } }] }));
    const marked = await make(observationBody(subject, { meta: { security: [{ system: actCode, code: 'ADOL' }] } }));
    const claim = await create(
      server,
      {
        resourceType: 'Claim',
        status: 'active',
        use: 'claim',
        type: { text: 'professional' },
        patient: { reference: subject },
        created: '2026-02-01',
        provider: { display: 'Northside' },
        priority: { text: 'normal' },
        insurance: [{ sequence: 1, focal: true, coverage: { display: 'Plan' } }],
        item: [{ sequence: 1, productOrService: { text: 'Visit' }, encounter: [{ reference: referenceTo(visit) }] }],
      } satisfies fhir4.Claim,
      { role: 'system' },
    );
    const bill = await create(
      server,
      {
        resourceType: 'ExplanationOfBenefit',
        status: 'active',
        use: 'claim',
        type: { text: 'professional' },
        patient: { reference: subject },
        created: '2026-02-02',
        insurer: { display: 'Plan' },
        provider: { display: 'Northside' },
        outcome: 'complete',
        insurance: [{ focal: true, coverage: { display: 'Plan' } }],
        claim: { reference: referenceTo(claim) },
      } satisfies fhir4.ExplanationOfBenefit,
      { role: 'system' },
    );
    const message = await make({
      resourceType: 'Communication',
      status: 'completed',
      ...refers,
      about: [{ reference: referenceTo(coded) }],
    } satisfies fhir4.Communication);
    const booking = await make({
      resourceType: 'Appointment',
      status: 'booked',
      start: '2026-04-02T09:00:00Z',
      end: '2026-04-02T09:20:00Z',
      serviceType: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/service-type', code: '67' }] }],
      participant: [{ actor: { reference: subject }, status: 'accepted' }],
    } satisfies fhir4.Appointment);
    const content = await make({
      resourceType: 'Binary',
      contentType: 'text/plain',
      data: Buffer.from('hers').toString('base64'),
      securityContext: { reference: subject },
    } satisfies fhir4.Binary);
    const document = await make({
      resourceType: 'DocumentReference',
      status: 'current',
      ...refers,
      content: [{ attachment: { url: referenceTo(content) } }],
      meta: { security: [{ system: actCode, code: 'SEX' }] },
    } satisfies fhir4.DocumentReference);
    const hidden = { coded, visit, marked, claim, bill, message, booking, document };
    return { ...known, open, openVisit, content, hidden };
  };

  it('is as if it were not there for a parent, at every door, and there for herself', async () => {
    const { child, subject, parent, minor, open, openVisit, content, hidden, relative } = await secrets();
    const all = Object.values(hidden);

    for (const record of [...all, content]) {
      const path = pathOf(record);
      for (const door of [path, `${path}/_history`, `${path}/_history/1`])
        expect(await statusOf(door, parent), door).toBe(404);
      expect(await statusOf(path, minor), path).toBe(200);
    }
    for (const record of all) {
      const type = record.resourceType;
      const expected = [open, openVisit].filter(({ resourceType }) => resourceType === type).map(referenceTo);
      expect(await found(`${type}?patient=${subject}`, parent), type).toEqual(expected);
      expect(await found(`${type}?_id=${record.id}`, parent), type).toEqual([]);
      const counted = await server.get(`${type}?patient=${subject}&_summary=count`, { as: parent });
      expect(counted.body.total, type).toBe(expected.length);
      expect(await found(`${type}?patient=${subject}`, minor), type).toContain(referenceTo(record));
    }
    const shown = [child, relative, open, openVisit].map(referenceTo).sort();
    expect(await found(`${subject}/$everything`, parent)).toEqual(shown);
    expect(await found(`${subject}/*`, parent)).toEqual(shown);
    expect(await found(`Patient?_id=${child.id}&_revinclude=*`, parent)).toEqual(shown);
    expect(await found(`Patient?_id=${child.id}&_has:Condition:patient:code=A56.00`, parent)).toEqual([]);
    expect(await found(`DocumentReference/$docref?patient=${child.id}`, parent)).toEqual([]);
    expect(await found('Encounter/_history', parent)).toEqual([referenceTo(openVisit)]);
    expect(await found(`${subject}/$everything`, minor)).toEqual(expect.arrayContaining(all.map(referenceTo)));
  });

  it('is a booking, too, that only its service or its free time tells of, but not one at a clinic that offers much', async () => {
    const { subject, parent } = await granted({ rights: 'act' });
    const admin: TestCaller = { role: 'admin' };
    const care = (...codes: string[]) =>
      codes.map((code) => ({ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/service-type', code }] }));
    const service = (...codes: string[]) =>
      create(
        server,
        { resourceType: 'HealthcareService', type: care(...codes) } satisfies fhir4.HealthcareService,
        admin,
      );
    const schedule = await create(
      server,
      { resourceType: 'Schedule', actor: [{ reference: referenceTo(await service('67')) }] } satisfies fhir4.Schedule,
      admin,
    );
    const slot = await create(
      server,
      {
        resourceType: 'Slot',
        schedule: { reference: referenceTo(schedule) },
        status: 'free',
        start: '2026-04-03T09:00:00Z',
        end: '2026-04-03T09:20:00Z',
      } satisfies fhir4.Slot,
      admin,
    );
    const book = (elements: Partial<fhir4.Appointment>, ...actors: string[]) =>
      create<fhir4.Appointment>(server, {
        resourceType: 'Appointment',
        status: 'booked',
        start: '2026-04-03T09:00:00Z',
        end: '2026-04-03T09:20:00Z',
        participant: [subject, ...actors].map((reference) => ({ actor: { reference }, status: 'accepted' as const })),
        ...elements,
      });
    const hidden = [
      await book({}, referenceTo(await service('67'))),
      await book({ slot: [{ reference: referenceTo(slot) }] }),
    ];
    const shown = [await book({}), await book({}, referenceTo(await service('67', '57')))];

    const statuses = (records: readonly Stored<fhir4.Appointment>[]) =>
      Promise.all(records.map(async (each) => (await server.get(pathOf(each), { as: parent })).status));
    expect([await statuses(hidden), await statuses(shown)]).toEqual([
      [404, 404],
      [200, 200],
    ]);
  });

  it('keeps who looked at it to herself as well', async () => {
    const { subject, parent, minor, open, hidden } = await secrets();
    for (const record of [hidden.coded, open]) await server.get(pathOf(record), { as: physician });
    await server.get(`Condition?patient=${subject}&code=A56.00`, { as: physician });

    const own = (await allPages(server, `AuditEvent?patient=${subject}&_count=5`, minor)).flatMap(resourcesIn);
    const pages = await allPages(server, `AuditEvent?patient=${subject}&_count=5`, parent);
    const parents = pages.flatMap(resourcesIn);

    const names = Object.values(hidden).map(referenceTo);
    const tells = (event: unknown) => names.some((name) => JSON.stringify(event).includes(name));
    expect(own.filter(tells).length).toBeGreaterThan(names.length);
    expect(parents.filter(tells)).toEqual([]);
    expect(JSON.stringify(parents)).toContain(referenceTo(open));
    expect(parents.flatMap(({ entity }) => [...(entity ?? [])].filter(({ query }) => query))).toEqual([]);
    // Full pages but for the last: a short one would tell what was left out.
    expect(pages.slice(0, -1).map((page) => resourcesIn(page).length)).toEqual(pages.slice(1).map(() => 5));
    const [event] = own.filter(tells);
    expect(await statusOf(`AuditEvent/${event?.id}`, parent)).toBe(404);
    expect(await statusOf(`AuditEvent/${event?.id}`, minor)).toBe(200);
  });

  it('leaves nothing behind of a document that is deleted, or shows other content now', async () => {
    const { subject, relative, parent, minor, content, hidden } = await secrets();
    const other = await create(server, {
      resourceType: 'Binary',
      contentType: 'text/plain',
      data: Buffer.from('hers').toString('base64'),
      securityContext: { reference: subject },
    } satisfies fhir4.Binary);
    const { document } = hidden;
    const attachment = { url: referenceTo(other) };

    expect((await server.put(pathOf(document), { ...document, content: [{ attachment }] })).status).toBe(200);
    expect([await statusOf(pathOf(content), parent), await statusOf(pathOf(other), parent)]).toEqual([404, 404]);
    expect((await server.delete(pathOf(document))).status).toBe(204);
    expect([await statusOf(pathOf(content), parent), await statusOf(pathOf(other), parent)]).toEqual([404, 404]);
    expect(await statusOf(pathOf(other), minor)).toBe(200);
    const log = (await allPages(server, `AuditEvent?patient=${subject}`, parent)).flatMap(resourcesIn);
    expect(JSON.stringify(log)).not.toContain(referenceTo(other));
    const named = await server.post(
      'Communication',
      {
        resourceType: 'Communication',
        status: 'completed',
        subject: { reference: subject },
        sender: { reference: referenceTo(relative) },
        payload: [{ contentAttachment: attachment }],
      },
      { as: parent },
    );
    expect(named.status).toBe(400);
    expect(await statusOf(pathOf(other), parent)).toBe(404);
  });

  it('hides the results of a report with the report', async () => {
    const { subject, parent, minor } = await granted();
    const result = await create(server, observationBody(subject));
    await create(server, {
      resourceType: 'DiagnosticReport',
      status: 'final',
      subject: { reference: subject },
      code: { coding: [{ system: 'http://loinc.org', code: '56888-1' }] },
      result: [{ reference: referenceTo(result) }],
    } satisfies fhir4.DiagnosticReport);

    expect([await statusOf(pathOf(result), parent), await statusOf(pathOf(result), minor)]).toEqual([404, 200]);
  });

  it('is what a deployment calls sensitive as well, and what a programme wrote before it was known as one', async () => {
    const table = await localTable();
    const before = await fhirServer(table);
    before.setTime(now);
    const { subject, parent } = await granted({}, undefined, before);
    const visit = await create(before, encounterBody(subject));
    const coded = await create(before, {
      resourceType: 'Condition',
      subject: { reference: subject },
      code: { coding: [{ system: 'http://example.org/own', code: 'A7' }] },
    } satisfies fhir4.Condition);
    const seenAt = async (at: FhirServer) => {
      at.setTime(now);
      const answers = [await at.get(pathOf(visit), { as: parent }), await at.get(pathOf(coded), { as: parent })];
      return answers.map(({ status }) => status);
    };
    expect(await seenAt(before)).toEqual([200, 200]);

    expect(await seenAt(await fhirServer(table, { sensitiveCodes: { HIV: ['http://example.org/own|A*'] } }))).toEqual([
      200, 404,
    ]);
    const programme: fhir4.Organization = {
      resourceType: 'Organization',
      id: 'northside',
      name: 'Northside',
      type: [{ coding: [{ system: actCode, code: '42CFRPart2' }] }],
    };
    const put = await before.put('Organization/northside', programme, { as: { role: 'admin' } });
    expect(put.status).toBeLessThan(300);
    // Another process, or a minute later: what is a programme is known by then.
    expect(await seenAt(await fhirServer(table))).toEqual([404, 404]);
  });

  it('cannot be referred to, nor told from what does not exist', async () => {
    const { subject, relative, parent, hidden } = await secrets();
    const about = (reference: string) =>
      server.post(
        'Communication',
        {
          resourceType: 'Communication',
          status: 'completed',
          subject: { reference: subject },
          sender: { reference: referenceTo(relative) },
          about: [{ reference }],
        },
        { as: parent },
      );

    const real = await about(referenceTo(hidden.coded));
    const invented = await about('Condition/none');

    expect([real.status, issuesOf(real.body)]).toEqual([400, issuesOf(invented.body)]);
  });

  it('stays hidden with what is added later, and shows with the label taken away', async () => {
    const { subject, parent, open } = await secrets();
    const label = {
      resourceType: 'Parameters',
      parameter: [{ name: 'meta', valueMeta: { security: [{ system: actCode, code: 'ADOL' }] } }],
    };
    const after = await create(server, observationBody(subject, { derivedFrom: [{ reference: referenceTo(open) }] }));
    expect(await statusOf(pathOf(after), parent)).toBe(200);

    await server.post(`${pathOf(open)}/$meta-add`, label, { as: physician });
    expect([await statusOf(pathOf(open), parent), await statusOf(pathOf(after), parent)]).toEqual([404, 404]);

    await server.post(`${pathOf(open)}/$meta-delete`, label, { as: physician });
    expect([await statusOf(pathOf(open), parent), await statusOf(pathOf(after), parent)]).toEqual([200, 200]);
    expect(await statusOf(`${pathOf(open)}/_history/2`, parent)).toBe(404);
    expect((await found(`${pathOf(open)}/_history`, parent)).length).toBe(2);
  });

  it('is hers from the age on that the law of the place names', async () => {
    const { subject, parent } = await granted({}, { birthDate: '2013-02-01' });
    const condition = await create(server, {
      resourceType: 'Condition',
      subject: { reference: subject },
      code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'A56.00' }] },
    } satisfies fhir4.Condition);
    const statuses = async () =>
      [
        await server.get(pathOf(condition), { as: parent }),
        await washington.get(pathOf(condition), { as: parent }),
      ].map(({ status }) => status);

    expect(await statuses()).toEqual([404, 200]);
    washington.setTime(Date.parse('2027-02-01T00:00:00Z'));
    expect(await statuses()).toEqual([404, 404]);
  });
});

describe('a confidential way to reach a minor', () => {
  const extension = [
    { url: 'https://concord.example/fhir/StructureDefinition/contact-restriction', valueCode: 'confidential' },
  ];
  const telecom: fhir4.ContactPoint[] = [
    { system: 'phone', value: '555-0101' },
    { system: 'phone', value: '555-0199', extension },
  ];
  const contact = {
    url: 'https://concord.example/fhir/StructureDefinition/contact-used',
    valueContactPoint: { system: 'phone', value: '555-0199' },
  } as const;

  it('is told to nobody who acts for her, at no door', async () => {
    const { child, subject, minor, parent } = await granted({}, { birthDate: '2011-03-02', telecom });
    const sent = await create(server, {
      resourceType: 'Communication',
      status: 'completed',
      subject: { reference: subject },
      extension: [contact],
    });
    const paths = [
      subject,
      `${subject}/_history/1`,
      `${subject}/_history`,
      `${subject}/$everything`,
      `${subject}/$contact`,
      `Patient?_id=${child.id}`,
      `Communication?_id=${sent.id}&_include=Communication:subject`,
      pathOf(sent),
      `${pathOf(sent)}/$thread`,
    ];

    for (const path of paths) {
      const [hers, theirs] = [await server.get(path, { as: minor }), await server.get(path, { as: parent })];
      expect([hers.status, theirs.status], path).toEqual([200, 200]);
      expect(hers.text, path).toContain('0199');
      expect(theirs.text, path).not.toContain('0199');
    }
    expect(await found(`Patient?_id=${child.id}&phone=555-0199`, minor)).toEqual([subject]);
    expect(await found(`Patient?_id=${child.id}&phone=555-0199`, parent)).toEqual([]);
    expect(await found(`Patient?_id=${child.id}&phone=555-0101`, parent)).toEqual([subject]);
    const told = (await server.get(`${subject}/$contact`, { as: parent })).body;
    expect(told.parameter).toContainEqual({ name: 'only', valueBoolean: false });
  });
});
