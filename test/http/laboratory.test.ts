import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import { filingOf, fillerNumber, numbered, type Sent, told } from '../support/filings.ts';
import { create, patientBody, referenceTo, resourcesIn, type Stored } from '../support/records.ts';

// What a laboratory tells: specimens of no use, and reports that come in any order, twice, and about nobody knows whom.

const lab: TestCaller = { role: 'lab' };

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let subject: fhir4.Reference;

beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  patient = await create(server, patientBody());
  subject = { reference: referenceTo(patient) };
});

const orderBody = (elements: Partial<fhir4.ServiceRequest> = {}): fhir4.ServiceRequest => ({
  resourceType: 'ServiceRequest',
  status: 'active',
  intent: 'order',
  subject,
  ...elements,
});
const put = (record: fhir4.Resource, change: object, as: TestCaller = lab) =>
  server.put(referenceTo(record as Stored<fhir4.Resource>), { ...record, ...change } as unknown as TestBody, { as });
const tasksOf = async (): Promise<fhir4.Task[]> =>
  resourcesIn((await server.get(`Task?patient=${patient.id}`)).body) as unknown as fhir4.Task[];
const codeOf = ({ code }: fhir4.Task) => code?.coding?.[0]?.code;

describe('a specimen', () => {
  const reason = {
    extension: [
      {
        url: 'http://hl7.org/fhir/StructureDefinition/event-statusReason',
        valueCodeableConcept: { text: 'The tubes were mixed up' },
      },
    ],
  };
  const specimenBody = (elements: Partial<fhir4.Specimen> = {}): fhir4.Specimen => ({
    resourceType: 'Specimen',
    status: 'available',
    subject,
    ...elements,
  });

  it('that is of no use is taken again, for each order that it was taken for', async () => {
    const requester = {
      reference: referenceTo(await create(server, { resourceType: 'Practitioner' }, { role: 'admin' })),
    };
    const orders = [
      await create(server, orderBody({ requester, priority: 'stat' })),
      await create(server, orderBody()),
    ] as const;
    const request = orders.map((order) => ({ reference: referenceTo(order) }));
    const specimen = await create(server, specimenBody({ request }), lab);
    const [first] = orders;
    const named = await put(first, { specimen: [{ reference: referenceTo(specimen) }] }, { role: 'physician' });
    expect(named.status).toBe(200);

    expect((await put(specimen, { status: 'unsatisfactory' })).status).toBe(200);

    const tasks = await tasksOf();
    expect(tasks.map(codeOf)).toEqual(['recollect-specimen', 'recollect-specimen']);
    const urgent = tasks.find(({ basedOn }) => basedOn?.[0]?.reference === referenceTo(first)) as fhir4.Task;
    expect(urgent).toMatchObject({
      status: 'requested',
      priority: 'stat',
      focus: { reference: referenceTo(specimen) },
      for: subject,
      requester,
      performerType: [{ coding: [{ code: '106292003' }] }],
    });
    expect(Date.parse(urgent.restriction?.period?.end ?? '') - Date.parse(urgent.authoredOn ?? '')).toBe(3_600_000);
    expect((await server.get(referenceTo(first))).body).not.toHaveProperty('specimen');

    expect((await put(specimen, { status: 'available', ...reason })).status).toBe(200);

    expect((await tasksOf()).map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
  });

  it('that was of no use from the first calls for another one, unless that was long ago', async () => {
    await create(server, specimenBody({ status: 'unsatisfactory', receivedTime: '2020-05-06T07:08:09Z' }), lab);
    expect(await tasksOf()).toEqual([]);

    const { id } = await create(server, specimenBody({ status: 'unsatisfactory' }), lab);

    expect(await tasksOf()).toMatchObject([{ focus: { reference: `Specimen/${id}` } }]);
  });
});

/** Of the patient of the test, unless it says otherwise. */
const filing = (sent: Sent) => filingOf({ about: { subject }, ...sent });
const post = (body: fhir4.Parameters, as: TestCaller = lab, headers: Readonly<Record<string, string>> = {}) =>
  server.post('DiagnosticReport/$file', body, { as, headers });
const file = async (sent: Sent) => {
  const { status, body, text } = await post(filing(sent));
  expect([200, 201, 202], text).toContain(status);
  return told(body);
};
const read = async <T>(name: string): Promise<T> => {
  const { status, body, text } = await server.get(name, { as: lab });
  expect(status, text).toBe(200);
  return body as unknown as T;
};
const readReport = (name: string) => read<fhir4.DiagnosticReport>(name);
const resultsOf = async (name: string) => {
  const { result = [] } = await readReport(name);
  return Promise.all(result.map(({ reference = '' }) => read<fhir4.Observation>(reference)));
};
const valuesOf = async (name: string) =>
  (await resultsOf(name)).map(({ code, valueQuantity, status }) => [
    code.coding?.[0]?.code,
    valueQuantity?.value,
    status,
  ]);

describe('a report', () => {
  it('is filed with its order, which is done by it, in two sequential calls', async () => {
    const practitioner = await create(server, { resourceType: 'Practitioner' }, { role: 'admin' });
    const order = await create(
      server,
      orderBody({ identifier: [numbered('PLAC', 'P-1')], requester: { reference: referenceTo(practitioner) } }),
    );
    const filler = fillerNumber();
    server.calls.reset();

    const { status, body, text } = await post(
      filing({ filler, placer: 'P-1', values: { '2823-3': 4.1, '2951-2': 140 } }),
    );

    expect(status, text).toBe(201);
    expect(server.calls.sequential()).toBe(2);
    const { outcome, report, order: found } = told(body);
    expect([outcome, found]).toEqual(['filed', referenceTo(order)]);
    expect(await readReport(report)).toMatchObject({ subject, basedOn: [{ reference: referenceTo(order) }] });
    expect(await valuesOf(report)).toEqual([
      ['2823-3', 4.1, 'final'],
      ['2951-2', 140, 'final'],
    ]);
    expect(await read<fhir4.ServiceRequest>(referenceTo(order))).toMatchObject({ status: 'completed' });
    expect((await tasksOf()).map(codeOf)).toEqual(['read-answer']);
  });

  it('that is final now is revised in two sequential calls', async () => {
    const filler = fillerNumber();
    const first = await file({ filler, status: 'preliminary' });
    server.calls.reset();

    const second = await file({ filler, issued: '2026-11-20T11:00:00Z' });

    expect(server.calls.sequential()).toBe(2);
    expect(second).toMatchObject({ outcome: 'revised', report: first.report });
    expect(await readReport(first.report)).toMatchObject({ status: 'final', meta: { versionId: '2' } });
    expect(await valuesOf(first.report)).toEqual([['2823-3', 4.1, 'final']]);
  });

  it('finds its order by the number of the filler, and none where several bear a number', async () => {
    const filler = fillerNumber();
    const order = await create(server, orderBody({ identifier: [numbered('FILL', filler)] }));
    expect((await file({ filler, placer: 'P-unknown' })).order).toBe(referenceTo(order));

    const twin = orderBody({ identifier: [numbered('PLAC', 'P-2')] });
    await create(server, twin);
    await create(server, twin);
    const { body } = await post(filing({ filler: fillerNumber(), placer: 'P-2' }));
    expect([told(body).outcome, told(body).order]).toEqual(['filed', undefined]);
    expect(JSON.stringify(body)).toContain('Several orders bear the number');
  });

  it('without an order is filed, and read by somebody once it is done, unless that was long ago', async () => {
    const filler = fillerNumber();
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
    await file({ filler: fillerNumber(), issued: hoursAgo(31 * 24) });
    await file({ filler, status: 'preliminary', issued: hoursAgo(3) });
    expect(await tasksOf()).toEqual([]);
    const { report } = await file({ filler, issued: hoursAgo(2) });
    await file({ filler, issued: hoursAgo(1), status: 'corrected', resultStatus: 'corrected' });

    expect(await tasksOf()).toMatchObject([{ focus: { reference: report }, for: subject }]);
  });

  it('that comes twice changes nothing', async () => {
    const sent = { filler: fillerNumber() };
    const { report } = await file(sent);
    const before = [await readReport(report), await resultsOf(report), (await tasksOf()).length];
    server.calls.reset();

    expect(await file(sent)).toMatchObject({ outcome: 'repeated', report });

    expect(server.calls.names).not.toContain('TransactWriteItems');
    expect([await readReport(report), await resultsOf(report), (await tasksOf()).length]).toEqual(before);
  });

  it('that comes late is kept in the history, and is never current', async () => {
    const filler = fillerNumber();
    const old = { filler, issued: '2026-11-20T09:00:00Z', values: { '2823-3': 9.9, '2951-2': 139 } };
    const { report } = await file({ filler });

    expect(await file(old)).toMatchObject({ outcome: 'late', report });
    expect(await file(old)).toMatchObject({ outcome: 'repeated', report });

    expect(await valuesOf(report)).toEqual([
      ['2823-3', 4.1, 'final'],
      // Nothing newer tells of it.
      ['2951-2', 139, 'final'],
    ]);
    expect((await readReport(report)).meta).toMatchObject({ versionId: '3' });
    const history = resourcesIn(await read(`${report}/_history`)) as unknown as fhir4.DiagnosticReport[];
    expect(history.map(({ issued, meta }) => [meta?.versionId, issued, meta?.tag?.[0]?.code])).toEqual([
      ['3', '2026-11-20T10:00:00Z', undefined],
      ['2', '2026-11-20T09:00:00Z', 'late'],
      ['1', '2026-11-20T10:00:00Z', undefined],
    ]);
    const [potassium] = (await readReport(report)).result ?? [];
    const values = resourcesIn(await read(`${potassium?.reference}/_history`)) as unknown as fhir4.Observation[];
    expect(values.map(({ valueQuantity }) => valueQuantity?.value)).toEqual([4.1, 9.9, 4.1]);
  });

  it('is not preliminary again, whatever the laboratory says when', async () => {
    const filler = fillerNumber();
    const { report } = await file({ filler });

    const later = { filler, issued: '2026-11-20T12:00:00Z', status: 'preliminary' as const, values: { '2823-3': 1 } };
    expect((await file(later)).outcome).toBe('late');

    expect((await readReport(report)).status).toBe('final');
    expect(await valuesOf(report)).toEqual([['2823-3', 4.1, 'final']]);
  });

  it('ends in the same state in whatever order its messages come, and however often', async () => {
    const messages: Omit<Sent, 'filler'>[] = [
      { status: 'preliminary', issued: '2026-11-20T09:00:00Z', values: { '2823-3': 4, '2951-2': 138 } },
      { status: 'final', issued: '2026-11-20T10:00:00Z', values: { '2823-3': 4.1 } },
      { status: 'corrected', resultStatus: 'corrected', issued: '2026-11-20T10:00:00Z', values: { '2823-3': 4.3 } },
      { status: 'final', issued: '2026-11-20T10:00:00Z', values: { '2823-3': 4.2, '2075-0': 101 } },
    ];
    const orders = [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 2, 3, 1, 0],
      [1, 3, 0, 2, 3],
    ];
    const ends = [];
    for (const order of orders) {
      const filler = fillerNumber();
      let report = '';
      for (const index of order) report = (await file({ filler, ...messages[index] })).report;
      const { status, issued } = await readReport(report);
      ends.push([status, issued, (await valuesOf(report)).map(String).sort()]);
    }

    expect(new Set(ends.map((end) => JSON.stringify(end))).size).toBe(1);
    expect(ends[0]).toEqual([
      'corrected',
      '2026-11-20T10:00:00Z',
      ['2075-0,101,final', '2823-3,4.3,corrected', '2951-2,138,preliminary'],
    ]);
  });

  it('of which two messages come at once is one report', async () => {
    const filler = fillerNumber();
    const times = [9, 10, 11, 12].map((hour) => `2026-11-20T${String(hour).padStart(2, '0')}:00:00Z`);

    const answers = await Promise.all(
      times.map((issued, index) => file({ filler, issued, values: { '2823-3': index } })),
    );

    expect(new Set(answers.map(({ report }) => report)).size).toBe(1);
    const [{ report } = { report: '' }] = answers;
    expect(await readReport(report)).toMatchObject({ issued: times[3] });
    expect(await valuesOf(report)).toEqual([['2823-3', 3, 'final']]);
  });

  it('keeps range, flag, unit and decimals as the laboratory has them', async () => {
    const body = JSON.stringify(
      filing({
        filler: fillerNumber(),
        result: {
          interpretation: [{ coding: [{ system: 'http://concord.test/flags', code: 'H!' }] }],
          referenceRange: [{ text: 'as ever' }],
        },
      }),
    ).replace('"value":4.1,"unit":"mmol/L"', '"value":4.10,"unit":"mmols"');
    const { status, body: answer, text } = await server.post('DiagnosticReport/$file', body, { as: lab });
    expect(status, text).toBe(201);
    const { result = [] } = await readReport(told(answer).report);
    const stored = await server.get(result[0]?.reference ?? '', { as: lab });
    expect(stored.text).toContain('"value":4.10,"unit":"mmols"');
    expect(stored.body).toMatchObject({
      interpretation: [{ coding: [{ code: 'H!' }] }],
      referenceRange: [{ text: 'as ever' }],
    });
  });

  it('brings its specimens, and one of no use calls for another', async () => {
    const order = await create(server, orderBody({ identifier: [numbered('PLAC', 'P-3')] }));
    const specimen: fhir4.Specimen = {
      resourceType: 'Specimen',
      id: 's1',
      status: 'unsatisfactory',
      accessionIdentifier: { system: 'http://concord.test/tube', value: fillerNumber() },
      request: [{ reference: referenceTo(order) }],
    };
    const { report } = await file({
      filler: fillerNumber(),
      placer: 'P-3',
      status: 'registered',
      specimen,
      result: { specimen: { reference: '#s1' } },
    });

    const { specimen: [named] = [] } = await readReport(report);
    const [result] = await resultsOf(report);
    expect(result?.specimen?.reference).toBe(named?.reference);
    expect(await tasksOf()).toMatchObject([{ code: { coding: [{ code: 'recollect-specimen' }] }, focus: named }]);
  });

  it('with more results than a transaction holds is filed, revised and kept late as a whole', async () => {
    const filler = fillerNumber();
    const values = (from: number) => Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`${n}-0`, from + n]));

    const { report } = await file({ filler, values: values(0) });
    expect((await file({ filler, issued: '2026-11-20T12:00:00Z', values: values(1_000) })).outcome).toBe('revised');
    expect((await file({ filler, issued: '2026-11-20T11:00:00Z', values: values(500) })).outcome).toBe('late');

    const { result = [], meta } = await readReport(report);
    expect([result.length, meta?.versionId]).toEqual([60, '4']);
    const history = resourcesIn(await read(`${result[7]?.reference}/_history`)) as unknown as fhir4.Observation[];
    expect(history.map(({ valueQuantity }) => valueQuantity?.value)).toEqual([1_007, 507, 1_007, 7]);
  });

  it('that is signed stays as it is, and what comes after it is an addendum', async () => {
    const filler = fillerNumber();
    const { report } = await file({ filler });
    const practitioner = await create(server, { resourceType: 'Practitioner' }, { role: 'admin' });
    const pathologist = { role: 'lab', claims: { fhirUser: referenceTo(practitioner) } };
    const signed = await server.post(`${report}/$sign`, { resourceType: 'Parameters' }, { as: pathologist });
    expect(signed.status, signed.text).toBe(200);

    const next = {
      filler,
      issued: '2026-11-20T12:00:00Z',
      status: 'corrected' as const,
      resultStatus: 'corrected' as const,
    };
    const later = await file({ ...next, values: { '2823-3': 4.4 } });

    expect(later.report).not.toBe(report);
    expect(await readReport(later.report)).toMatchObject({
      extension: [{ url: expect.stringContaining('addendumOf'), valueReference: { reference: report } }],
    });
    expect((await readReport(report)).status).toBe('final');
    expect(await file({ ...next, values: { '2823-3': 4.4 } })).toMatchObject({
      outcome: 'repeated',
      report: later.report,
    });
    expect(await file({ filler })).toMatchObject({ outcome: 'repeated', report: later.report });
  });

  it('of who was merged is filed where its number is', async () => {
    const filler = fillerNumber();
    const { report } = await file({ filler });
    const other = await create(server, patientBody());
    const merged = await server.post(`${referenceTo(other)}/$merge`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'source', valueReference: subject }],
    });
    expect(merged.status, merged.text).toBe(200);

    const about = { subject: { reference: referenceTo(other) } };
    expect(await file({ filler, about, issued: '2026-11-20T12:00:00Z' })).toMatchObject({ outcome: 'revised', report });
  });

  it('is found again where its date, and that of its results, was told otherwise', async () => {
    const filler = fillerNumber();
    const { report } = await file({ filler });
    const effectiveDateTime = '2026-11-19T07:00:00Z';
    const next = { filler, issued: '2026-11-20T12:00:00Z', elements: { effectiveDateTime }, values: { '2823-3': 4.4 } };

    expect(await file({ ...next, result: { effectiveDateTime } })).toMatchObject({ outcome: 'revised', report });

    expect(await valuesOf(report)).toEqual([['2823-3', 4.4, 'final']]);
  });

  it('goes through states at random as a table of its own says', async () => {
    const follows: Readonly<Record<string, string>> = {
      registered: 'partial preliminary final cancelled unknown',
      partial: 'preliminary final cancelled unknown',
      preliminary: 'final cancelled unknown',
      final: 'amended corrected appended',
      amended: 'corrected appended',
      corrected: 'amended appended',
      appended: 'amended corrected',
      cancelled: '',
      unknown: 'registered partial preliminary final amended corrected appended cancelled',
      'entered-in-error': '',
    };
    const states = Object.keys(follows);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...states), { minLength: 12, maxLength: 12 }), async (walk) => {
        const [first = 'registered', ...rest] = walk;
        const body = { resourceType: 'DiagnosticReport', status: first, code: { text: 'Blood count' }, subject };
        const report = await create(server, body as fhir4.DiagnosticReport, lab);
        let state = first;
        for (const next of rest) {
          const isLegal =
            next === state || next === 'entered-in-error' || follows[state]?.split(' ').includes(next) === true;
          const { status } = await put(report, { status: next });
          expect(status, `${state} → ${next}`).toBe(isLegal ? 200 : 422);
          if (isLegal) state = next;
        }
        expect((await readReport(referenceTo(report))).status).toBe(state);
      }),
      { numRuns: 10 },
    );
  });

  it('is filed by the laboratory and by applications alone', async () => {
    for (const role of ['physician', 'nurse', 'pharmacist', 'frontdesk', 'privacy', 'admin'])
      expect((await post(filing({ filler: fillerNumber() }), { role })).status).toBe(403);
    expect((await post(filing({ filler: fillerNumber() }), { role: 'system' })).status).toBe(201);
  });

  it('that lacks what tells it from others is refused, and says what it lacks', async () => {
    const lacking = async (sent: fhir4.Parameters) => {
      const { status, body } = await post(sent);
      return [status, (body as unknown as fhir4.OperationOutcome).issue[0]?.expression?.[0]];
    };
    const filler = fillerNumber();
    expect(await lacking(filing({ filler, elements: { identifier: [numbered('PLAC', 'P-4')] } }))).toEqual([
      400,
      'report.identifier',
    ]);
    expect(await lacking(filing({ filler, issued: undefined }))).toEqual([400, 'report.issued']);
  });
});

describe('a report of nobody knows whom', () => {
  const described = (elements: Partial<fhir4.Patient> = {}): fhir4.Patient => ({
    resourceType: 'Patient',
    name: [{ family: 'Okonkwo', given: ['Ife'] }],
    birthDate: '1971-05-06',
    ...elements,
  });
  const number = (value: string) => ({ identifier: [{ system: 'http://concord.test/mrn', value }] });
  const resolve = (report: string, whose: fhir4.Reference) =>
    server.post(
      `${report}/$resolve`,
      { resourceType: 'Parameters', parameter: [{ name: 'patient', valueReference: whose }] },
      { as: lab },
    );

  it('is filed where the match is certain', async () => {
    const mrn = fillerNumber();
    patient = await create(server, described(number(mrn)));

    const { outcome, report } = await file({ filler: fillerNumber(), about: { patient: described(number(mrn)) } });

    expect(outcome).toBe('filed');
    expect((await readReport(report)).subject).toEqual({ reference: referenceTo(patient) });
  });

  it('waits in no chart, once, and is filed as it came when somebody says whose it is', async () => {
    const sent = { filler: fillerNumber(), about: { patient: described({ birthDate: '1903-01-01' }) } };
    const waiting = await file(sent);
    expect(waiting).toMatchObject({ outcome: 'unfiled', reason: 'no-patient' });
    expect(await file(sent)).toMatchObject({ outcome: 'repeated', report: waiting.report });
    const { report } = await file({
      ...sent,
      about: { subject },
      issued: '2026-11-20T11:00:00Z',
      values: { '2823-3': 5 },
    });
    const inbox = resourcesIn(await read('Task/$inbox')) as unknown as fhir4.Task[];
    const task = inbox.find(({ focus }) => focus?.reference === waiting.report);
    expect([task?.code?.coding?.[0]?.code, task?.for, task?.priority]).toEqual(['resolve-report', undefined, 'urgent']);

    const resolved = await resolve(waiting.report, subject);

    expect(resolved.status, resolved.text).toBe(200);
    expect(told(resolved.body)).toMatchObject({ outcome: 'late', report });
    expect(await valuesOf(report)).toEqual([['2823-3', 5, 'final']]);
    expect(await readReport(waiting.report)).toMatchObject({ status: 'entered-in-error' });
    expect((await read<fhir4.Task>(`Task/${task?.id}`)).status).toBe('completed');
    expect(await file(sent)).toMatchObject({ outcome: 'unfiled' });
  });

  it('waits with what is critical by its value, where something is told of the patient', async () => {
    const about = { patient: described({ birthDate: '1904-01-01' }) };

    expect(await file({ filler: fillerNumber(), about, values: { '2823-3': 6.9 } })).toMatchObject({
      outcome: 'unfiled',
    });
  });

  it('waits with what is critical first of all, and what it bears is borne by all of it once it is filed', async () => {
    const restricted = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
    const waiting = await file({
      filler: fillerNumber(),
      about: {},
      result: {
        meta: { security: [restricted] },
        interpretation: [
          { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code: 'HH' }] },
        ],
      },
    });
    const inbox = resourcesIn(await read('Task/$inbox')) as unknown as fhir4.Task[];
    expect(inbox.find(({ focus }) => focus?.reference === waiting.report)?.priority).toBe('stat');
    expect((await readReport(waiting.report)).meta?.security).toEqual([restricted]);

    const { body } = await resolve(waiting.report, subject);

    const [result] = await resultsOf(told(body).report);
    expect(result?.meta?.security).toEqual([restricted]);
    const again = await resolve(waiting.report, subject);
    expect(again.status).toBe(422);
    expect(again.text).toContain('not-unfiled');
  });

  it('is not filed beside what its number has in another chart', async () => {
    const filler = fillerNumber();
    const waiting = await file({ filler, about: {} });
    await file({ filler, issued: '2026-11-20T11:00:00Z' });
    const other = await create(server, patientBody());

    const { status, text } = await resolve(waiting.report, { reference: referenceTo(other) });

    expect(status).toBe(422);
    expect(text).toContain('filed-elsewhere');
  });

  it('waits where its number is filed in another chart', async () => {
    const filler = fillerNumber();
    await file({ filler });
    const other = await create(server, patientBody());

    const about = { subject: { reference: referenceTo(other) } };
    expect(await file({ filler, about, issued: '2026-11-20T11:00:00Z' })).toMatchObject({
      outcome: 'unfiled',
      reason: 'other-patient',
    });
  });
});
