import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { hl7, organizationsThere } from '../support/consents.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import { filingOf, fillerNumber, numbered, type Sent, told } from '../support/filings.ts';
import { create, patientBody, referenceTo, resourcesIn, type Stored } from '../support/records.ts';

// What becomes of results once they are filed: what they bear, what they call for, and where they stand.

const lab: TestCaller = { role: 'lab' };

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let subject: fhir4.Reference;

/** A review that is made once a filing has had the answers to so many queries, and before it reads any single row. */
const beside = new AsyncLocalStorage<{
  queries: number;
  readonly review: () => Promise<void>;
  readonly reviewed: PromiseWithResolvers<void>;
}>();

beforeAll(async () => {
  server = await fhirServer();
  server.store.client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const moment = beside.getStore();
        if (!moment || moment.queries === 0) return next(args);
        if (commandName.startsWith('Get')) await moment.reviewed.promise;
        const answer = await next(args);
        if (commandName.startsWith('Query') && --moment.queries === 0) {
          await beside.exit(moment.review);
          moment.reviewed.resolve();
        }
        return answer;
      },
    { step: 'initialize', name: 'beside', priority: 'high' },
  );
});
beforeEach(async () => {
  patient = await create(server, patientBody());
  subject = { reference: referenceTo(patient) };
});

const tasksOf = async (): Promise<fhir4.Task[]> =>
  resourcesIn((await server.get(`Task?patient=${patient.id}`)).body) as unknown as fhir4.Task[];
const codeOf = ({ code }: fhir4.Task) => code?.coding?.[0]?.code;
/** Of the patient of the test, unless it says otherwise. */
const filing = (sent: Sent) => filingOf({ about: { subject }, ...sent });
const post = (body: fhir4.Parameters) => server.post('DiagnosticReport/$file', body, { as: lab });
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
const resultsOf = async (name: string) => {
  const { result = [] } = await read<fhir4.DiagnosticReport>(name);
  return Promise.all(result.map(({ reference = '' }) => read<Stored<fhir4.Observation>>(reference)));
};
const corrected = { issued: '2026-11-20T12:00:00Z', status: 'corrected', resultStatus: 'corrected' } as const;
const called = (code: string): fhir4.CodeableConcept[] => [
  { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code }] },
];

describe('labels of what was filed', () => {
  const restricted = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
  const label = async (name: string) => {
    const { status, text } = await server.post(`${name}/$meta-add`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'meta', valueMeta: { security: [restricted] } }],
    });
    expect(status, text).toBe(200);
  };
  const labelsOf = async (report: string) => {
    const all = [await read<fhir4.DiagnosticReport>(report), ...(await resultsOf(report))];
    return all.map(({ meta }) => meta?.security);
  };

  it('stay whatever the laboratory sends next, and are borne by what that adds', async () => {
    const filler = fillerNumber();
    const { report } = await file({ filler });
    const [result] = await resultsOf(report);
    await label(report);
    await label(referenceTo(result as Stored<fhir4.Observation>));

    await file({ filler, ...corrected, values: { '2823-3': 4.2, '2951-2': 139 } });

    expect(await labelsOf(report)).toEqual([[restricted], [restricted], [restricted]]);

    await file({ filler, issued: '2026-11-20T09:00:00Z', values: { '2823-3': 4, '2075-0': 101 } });

    expect(await labelsOf(report)).toEqual([[restricted], [restricted], [restricted], [restricted]]);
  });

  it('of a signed report are borne by its addendum', async () => {
    const filler = fillerNumber();
    const { report } = await file({ filler });
    const practitioner = await create(server, { resourceType: 'Practitioner' }, { role: 'admin' });
    const pathologist = { role: 'lab', claims: { fhirUser: referenceTo(practitioner) } };
    await label(report);
    const signed = await server.post(`${report}/$sign`, { resourceType: 'Parameters' }, { as: pathologist });
    expect(signed.status, signed.text).toBe(200);

    const addendum = await file({ filler, ...corrected });

    expect(addendum.report).not.toBe(report);
    expect((await read<fhir4.DiagnosticReport>(addendum.report)).meta?.security).toEqual([restricted]);
  });
});

describe('what was filed and other organisations may not see', () => {
  const elsewhere: TestCaller = { role: 'physician', organization: 'lakeside' };
  const hiv = { system: `${hl7}v3-ActCode`, code: 'HIV' };
  let open: FhirServer;
  beforeAll(async () => {
    open = await fhirServer(undefined, { sharing: 'treatment' });
    await organizationsThere(open, ['northside', 'lakeside']);
  });
  const statusOf = async (path: string) => (await open.get(path, { as: elsewhere })).status;
  const sent = async (message: Sent) => {
    const { status, body, text } = await open.post('DiagnosticReport/$file', filing(message), { as: lab });
    expect([200, 201], text).toContain(status);
    const { report } = told(body);
    const { result = [] } = (await open.get(report, { as: lab })).body as unknown as fhir4.DiagnosticReport;
    return [report, ...result.map(({ reference = '' }) => reference)];
  };
  beforeEach(async () => {
    patient = await create(open, patientBody());
    subject = { reference: referenceTo(patient) };
    await create(open, {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject,
      performer: [{ reference: 'Organization/lakeside' }],
    });
    const period = { start: new Date().toISOString() };
    await create(
      open,
      { resourceType: 'Encounter', status: 'in-progress', class: { code: 'AMB' }, subject, period },
      elsewhere,
    );
  });

  it('is a result by its code, and its report where that says more than which results it has', async () => {
    const filler = fillerNumber();
    const values = { '7917-8': 1, '2951-2': 140 };
    const [report = '', antibodies = '', sodium = ''] = await sent({ filler, values });
    expect([await statusOf(report), await statusOf(antibodies), await statusOf(sodium)]).toEqual([200, 404, 200]);
    const { text } = await open.get(`Observation?patient=${patient.id}`, { as: elsewhere });
    expect([text.includes('2951-2'), text.includes('7917-8')]).toEqual([true, false]);

    await sent({ filler, values, ...corrected, elements: { conclusion: 'HIV antibodies found' } });

    expect([await statusOf(report), await statusOf(sodium)]).toEqual([404, 200]);
  });

  it('is a late message that bears a label, and nothing besides', async () => {
    const filler = fillerNumber();
    const [report = '', result = ''] = await sent({ filler });
    const labelled = { meta: { security: [hiv] } };
    await sent({
      filler,
      issued: '2026-11-20T09:00:00Z',
      values: { '2823-3': 9 },
      elements: labelled,
      result: labelled,
    });

    for (const name of [report, result])
      expect([await statusOf(name), await statusOf(`${name}/_history/2`)]).toEqual([200, 404]);
    const { text } = await open.get(`${result}/_history`, { as: elsewhere });
    expect([text.includes('"value":4.1'), text.includes('"value":9')]).toEqual([true, false]);
  });
});

describe('a critical result that is filed', () => {
  it('is news by the time of its report, however long ago its specimen was taken', async () => {
    const taken = { effectiveDateTime: new Date(Date.now() - 45 * 86_400_000).toISOString() };
    const culture = { elements: taken, result: { ...taken, interpretation: called('AA') } };
    await file({ filler: fillerNumber(), ...culture, issued: new Date(Date.now() - 40 * 86_400_000).toISOString() });
    expect(await tasksOf()).toEqual([]);

    await file({ filler: fillerNumber(), ...culture, issued: new Date().toISOString() });

    expect((await tasksOf()).map(codeOf).sort()).toEqual(['critical-result', 'read-report']);
  });

  it.each<[string, Sent['result']]>([
    ['its flag in words', { interpretation: [{ text: 'Critically high' }] }],
    ['a component', { component: [{ code: { text: 'Potassium' }, interpretation: called('HH') }] }],
    ['its value', { valueQuantity: { value: 7.9, system: 'http://unitsofmeasure.org', code: 'mmol/L' } }],
  ])('and waits for its patient is resolved first of all: by %s', async (_, result = {}) => {
    const waiting = await file({ filler: fillerNumber(), about: {}, result });

    const inbox = resourcesIn(await read('Task/$inbox?_count=100')) as unknown as fhir4.Task[];
    expect(inbox.find(({ focus }) => focus?.reference === waiting.report)?.priority).toBe('stat');
  });
});

describe('specimens of one accession', () => {
  const tube = (id: string, elements: Partial<fhir4.Specimen> = {}) => ({
    name: 'specimen',
    resource: {
      resourceType: 'Specimen' as const,
      id,
      accessionIdentifier: { system: 'http://concord.test/accession', value: 'A-1' },
      ...elements,
    },
  });
  const named = (value: string) => ({ identifier: [{ system: 'http://concord.test/tube', value }] });

  it.each([
    ['with identifiers of their own', [tube('s1', named('T-1')), tube('s2', named('T-2'))]],
    ['without', [tube('s1'), tube('s2')]],
  ])('are filed each for itself, %s, and found again', async (_, tubes) => {
    const filler = fillerNumber();
    const filed = async (sent: Partial<Sent>) => {
      const body = filing({ filler, ...sent });
      const { status, body: answer, text } = await post({ ...body, parameter: [...(body.parameter ?? []), ...tubes] });
      expect([200, 201], text).toContain(status);
      return (await read<fhir4.DiagnosticReport>(told(answer).report)).specimen;
    };

    const first = await filed({});

    expect(new Set(first?.map(({ reference }) => reference)).size).toBe(2);
    expect(await filed(corrected)).toEqual(first);
  });
});

describe('a report that is known', () => {
  const sentAs = async (filler: string, elements: Partial<fhir4.DiagnosticReport> = {}) => {
    const [report, ...results] = (filing({ filler }).parameter ?? []).map(({ resource }) => resource);
    const stored = [];
    for (const each of results) stored.push(await create(server, { ...each, subject } as fhir4.Observation, lab));
    const result = stored.map((each) => ({ reference: referenceTo(each) }));
    return create(server, { ...report, ...elements, subject, result } as fhir4.DiagnosticReport, lab);
  };
  const valuesOf = async (report: string) => (await resultsOf(report)).map(({ valueQuantity }) => valueQuantity?.value);
  const observations = async () =>
    resourcesIn((await server.get(`Observation?patient=${patient.id}`)).body) as unknown as fhir4.Observation[];

  const review = async (report: string, as: TestCaller) => {
    const { status, text } = await server.post(`${report}/$review`, { resourceType: 'Parameters' }, { as });
    expect(status, text).toBe(201);
  };

  it('is corrected, reviews of it included, in two sequential calls', async () => {
    const reader = await create(server, { resourceType: 'Practitioner' }, { role: 'admin' });
    const as = { role: 'physician', claims: { fhirUser: referenceTo(reader) } };
    const filler = fillerNumber();
    const { report } = await file({ filler });
    await review(report, as);
    server.calls.reset();

    await file({ filler, ...corrected, values: { '2823-3': 4.4 } });

    expect(server.calls.sequential()).toBe(2);
    const again = (await tasksOf()).find((each) => codeOf(each) === 'review-result');
    expect(again).toMatchObject({ status: 'requested', owner: { reference: referenceTo(reader) } });
  });

  it('is not corrected behind the back of who reviews it between two reads of the filing', async () => {
    const reader = await create(server, { resourceType: 'Practitioner' }, { role: 'admin' });
    const as = { role: 'physician', claims: { fhirUser: referenceTo(reader) } };
    const filler = fillerNumber();
    const { report } = await file({ filler });

    // Orders, tasks and reports were read before the review; all single rows are read after it.
    const moment = { queries: 3, review: () => review(report, as), reviewed: Promise.withResolvers<void>() };
    await beside.run(moment, () => file({ filler, ...corrected, values: { '2823-3': 4.4 } }));

    expect(moment.queries).toBe(0);
    const again = (await tasksOf()).find(({ status, owner }) => status === 'requested' && owner !== undefined);
    expect(again).toMatchObject({ focus: { reference: report }, owner: { reference: referenceTo(reader) } });
  });

  it('and critical, by its order, is filed in two sequential calls', async () => {
    const order = {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject,
      identifier: [numbered('PLAC', 'P-9')],
    } as fhir4.ServiceRequest;
    await create(server, order);
    server.calls.reset();

    await file({
      filler: fillerNumber(),
      placer: 'P-9',
      issued: new Date().toISOString(),
      result: { interpretation: called('HH') },
    });

    expect(server.calls.sequential()).toBe(2);
    expect((await tasksOf()).map(codeOf)).toContain('critical-result');
  });

  it('though nobody has filed it is revised with its results, and not doubled', async () => {
    const filler = fillerNumber();
    const written = await sentAs(filler);

    const next = await file({ filler, ...corrected, values: { '2823-3': 4.2, '2951-2': 139 } });

    expect(next).toMatchObject({ outcome: 'revised', report: referenceTo(written) });
    expect(await valuesOf(next.report)).toEqual([4.2, 139]);
    expect(await file({ filler, issued: '2026-11-20T11:00:00Z' })).toMatchObject({ outcome: 'late' });
    expect((await observations()).length).toBe(2);
    expect(await valuesOf(next.report)).toEqual([4.2, 139]);
  });

  it('though nobody has filed it is not taken back by an older message', async () => {
    const filler = fillerNumber();
    const written = await sentAs(filler);

    const late = await file({ filler, status: 'preliminary', issued: '2026-11-20T12:00:00Z', values: { '2823-3': 9 } });

    expect(late).toMatchObject({ outcome: 'late', report: referenceTo(written) });
    expect(await valuesOf(late.report)).toEqual([4.1]);
  });

  it('under an id of its sender is found each time', async () => {
    const filler = fillerNumber();
    const { id, meta: _meta, ...written } = await sentAs(filler);
    const chosen = { ...written, id: `report-${filler}`, identifier: [numbered('FILL', `${filler}-b`)] };
    expect((await server.put(`DiagnosticReport/${chosen.id}`, chosen as unknown as TestBody, { as: lab })).status).toBe(
      201,
    );

    for (const hour of [11, 12])
      expect(await file({ filler: `${filler}-b`, issued: `2026-11-20T${hour}:00:00Z` })).toMatchObject({
        outcome: 'revised',
        report: `DiagnosticReport/${chosen.id}`,
      });
    expect(id).not.toBe(chosen.id);
  });

  it('and was refiled goes on where it belongs, and waits where the laboratory errs once more', async () => {
    const filler = fillerNumber();
    // Without an order it calls for a Task, which would keep it where it is.
    const { report } = await file({ filler, status: 'preliminary' });
    const right = await create(server, patientBody());
    const names = [report, ...(await resultsOf(report)).map(referenceTo)];
    const refiled = await server.post('$refile', {
      resourceType: 'Parameters',
      parameter: [
        ...names.map((reference) => ({ name: 'record', valueReference: { reference } })),
        { name: 'patient', valueReference: { reference: referenceTo(right) } },
        { name: 'reason', valueString: 'It was filed for a namesake' },
      ],
    });
    expect(refiled.status, refiled.text).toBe(200);

    expect(await file({ filler, ...corrected })).toMatchObject({ outcome: 'unfiled', reason: 'other-patient' });
    const next = await file({
      filler,
      ...corrected,
      about: { subject: { reference: referenceTo(right) } },
      values: { '2823-3': 5 },
    });

    expect(next.outcome).toBe('revised');
    expect(refiled.text).toContain(next.report);
    expect(await valuesOf(next.report)).toEqual([5]);
  });
});
