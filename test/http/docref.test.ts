import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  create,
  elsewhere,
  entriesOf,
  expressionsIn,
  matchesIn,
  patientBody,
  referenceTo,
  type Stored,
} from '../support/records.ts';

const loinc = 'http://loinc.org';
const summaryCode = '34133-9';
const noteCode = '11506-3';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
/** By what each is about. */
const documents: Record<string, string> = {};

const documentBody = (code: string, date: string, elements: Partial<fhir4.DocumentReference> = {}) =>
  ({
    resourceType: 'DocumentReference',
    status: 'current',
    type: { coding: [{ system: loinc, code }] },
    subject: { reference: referenceTo(patient) },
    date,
    content: [{ attachment: { title: 'note' } }],
    ...elements,
  }) satisfies fhir4.DocumentReference;

beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
  const format = { system: 'urn:hl7-org:sdwg', code: 'urn:hl7-org:sdwg:ccda-structuredBody:2.1' };
  const all: Record<string, fhir4.DocumentReference> = {
    summary2022: documentBody(summaryCode, '2022-01-10T10:00:00Z'),
    summary2024: documentBody(summaryCode, '2024-01-10T10:00:00Z', {
      content: [{ attachment: { title: 'x' }, format }],
    }),
    summaryOld: documentBody(summaryCode, '2025-01-10T10:00:00Z', { status: 'superseded' }),
    note2023: documentBody(noteCode, '2023-06-01T10:00:00Z'),
    // Written late about care of long ago.
    noteLate: documentBody(noteCode, '2024-06-01T10:00:00Z', {
      context: { period: { start: '2019-03-01T08:00:00Z', end: '2019-03-02T08:00:00Z' } },
    }),
    untyped: { ...documentBody(noteCode, '2023-07-01T10:00:00Z'), type: { text: 'letter' } },
  };
  for (const [name, body] of Object.entries(all)) documents[name] = referenceTo(await create(server, body));
});

const docref = async (query: string, as?: TestCaller): Promise<TestBody> => {
  const { status, body } = await server.get(
    `DocumentReference/$docref?patient=${patient.id}${query}`,
    as ? { as } : {},
  );
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};
/** Which documents an answer shows, in its order. */
const shown = (bundle: TestBody): string[] => {
  const names = new Map(Object.entries(documents).map(([name, reference]) => [reference, name]));
  return matchesIn(bundle).map((each) => names.get(referenceTo(each)) ?? '?');
};

describe('DocumentReference/$docref', () => {
  it('shows the most recent summary where nothing else is asked for', async () => {
    const body = await docref('');

    expect(shown(body)).toEqual(['summary2024']);
    expect(body).toMatchObject({ type: 'searchset', total: 1 });
  });

  it('shows the most recent of each type that is asked for', async () => {
    expect(shown(await docref(`&type=${loinc}|${noteCode}`))).toEqual(['noteLate']);
    expect(shown(await docref(`&type=${noteCode}&type=${loinc}|${summaryCode}`))).toEqual(['noteLate', 'summary2024']);
    expect(shown(await docref('&type=http://other.example|11506-3'))).toEqual([]);
    expect(shown(await docref(`&start=2020&type=${loinc}|`))).not.toContain('untyped');
  });

  it('shows what is about care of a time, of all types', async () => {
    expect(shown(await docref('&start=2023-01-01'))).toEqual(['summary2024', 'untyped', 'note2023']);
    expect(shown(await docref('&end=2022-12-31'))).toEqual(['noteLate', 'summary2022']);
    expect(shown(await docref('&start=2019-03-02&end=2019-03-02'))).toEqual(['noteLate']);
    expect(shown(await docref('&start=2023-06-01T10:00:00Z&end=2023-06-01T10:00:00Z'))).toEqual(['note2023']);
  });

  it('shows what is about care of a time, of one type', async () => {
    expect(shown(await docref(`&start=2020&type=${summaryCode}`))).toEqual(['summary2024', 'summary2022']);
  });

  it('leaves out what is superseded', async () => {
    expect(shown(await docref(`&start=2025-01-01&type=${summaryCode}`))).toEqual([]);
  });

  it('shows nothing that would be made on demand', async () => {
    expect(shown(await docref('&on-demand=true'))).toEqual([]);
    expect(shown(await docref('&on-demand=false'))).toEqual(['summary2024']);
  });

  it('selects by profile, which is the format of a document', async () => {
    const known = encodeURIComponent('urn:hl7-org:sdwg:ccda-structuredBody:2.1');

    expect(shown(await docref(`&start=2020&profile=${known}`))).toEqual(['summary2024']);
    expect(shown(await docref('&start=2020&profile=http://x.example/p'))).toEqual([]);
  });

  it('is sent by POST, too', async () => {
    const { status, body } = await server.post('DocumentReference/$docref', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'patient', valueId: patient.id },
        { name: 'type', valueCoding: { system: loinc, code: noteCode } },
        { name: 'start', valueDateTime: '2023' },
      ],
    });

    expect([status, shown(body)]).toEqual([200, ['note2023']]);
  });

  it('answers with nothing about a patient who is not there, or is another organisation’s', async () => {
    const nobody = await server.get('DocumentReference/$docref?patient=nobody');
    const theirs = await docref('', elsewhere);

    for (const body of [nobody.body, theirs]) expect([body.total, entriesOf(body)]).toEqual([0, []]);
  });

  it('shows patients their own documents, and front desk none', async () => {
    const own = await docref('', { role: 'patient', patient: patient.id });
    const frontdesk = await server.get(`DocumentReference/$docref?patient=${patient.id}`, {
      as: { role: 'frontdesk' },
    });

    expect(shown(own)).toEqual(['summary2024']);
    expect(frontdesk.status).toBe(403);
  });

  it.each([
    ['no patient', '', 'patient'],
    ['a patient that is no id', 'patient=Patient/1', 'patient'],
    ['a time that is none', 'patient=1&start=soon', 'start'],
    ['an end before the start', 'patient=1&start=2024&end=2023', 'end'],
    ['two starts', 'patient=1&start=2024&start=2023', 'start'],
    ['half a wish', 'patient=1&on-demand=maybe', 'on-demand'],
    ['what it does not have', 'patient=1&status=current', 'status'],
  ])('refuses %s', async (_, query, name) => {
    const { status, body } = await server.get(`DocumentReference/$docref?${query}`);

    expect([status, expressionsIn(body)]).toEqual([400, [name]]);
  });

  it('costs one Query and leaves its trace beside it', async () => {
    server.calls.reset();

    await docref('');

    expect([...server.calls.names].sort()).toEqual(['PutItem', 'Query']);
    expect(server.calls.sequential()).toBe(1);
  });
});
