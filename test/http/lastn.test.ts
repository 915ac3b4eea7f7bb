import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import {
  create,
  elsewhere,
  entriesOf,
  expressionsIn,
  linkOf,
  matchesIn,
  observationBody,
  patientBody,
  referenceTo,
  type Stored,
} from '../support/records.ts';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
const loinc = 'http://loinc.org';
const category = (code: string): fhir4.CodeableConcept[] => [
  { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code }] },
];
/** Observes what the letters of `codes` stand for; `day` of May 2024. */
const observe = (of: { id: string }, codes: string, day: number, elements: Partial<fhir4.Observation> = {}) =>
  create(
    server,
    observationBody(`Patient/${of.id}`, {
      category: category('vital-signs'),
      code: { coding: [...codes].map((code) => ({ system: loinc, code })) },
      effectiveDateTime: `2024-05-${String(day).padStart(2, '0')}`,
      ...elements,
    }),
  );

beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
  for (const [codes, day] of [
    ['a', 1],
    ['a', 5],
    ['a', 3],
    ['b', 9],
    ['b', 2],
  ] as const) {
    await observe(patient, codes, day);
  }
  await observe(patient, 'c', 4, { category: category('laboratory') });
});

const lastn = async (query: string, as?: TestCaller): Promise<TestBody> => {
  const { status, body } = await server.get(`Observation/$lastn?${query}`, as ? { as } : {});
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};
/** What an answer holds: letters of the codes, and the day. */
const shown = (bundle: TestBody): string[] =>
  matchesIn(bundle).map((each) => {
    const { code, effectiveDateTime } = each as unknown as fhir4.Observation;
    const letters = (code.coding ?? []).map((coding) => coding.code).join('') || String(code.text);
    return `${letters}${Number(effectiveDateTime?.slice(8))}`;
  });

describe('Observation/$lastn', () => {
  it('answers with the newest of each code, the newest code first', async () => {
    const body = await lastn(`patient=${patient.id}&category=vital-signs`);

    expect(shown(body)).toEqual(['b9', 'a5']);
    expect(body).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 2 });
  });

  it('answers with so many as max says, each group from its newest on', async () => {
    expect(shown(await lastn(`patient=${patient.id}&category=vital-signs&max=2`))).toEqual(['b9', 'b2', 'a5', 'a3']);
    expect(shown(await lastn(`subject=Patient/${patient.id}&category=vital-signs&max=100`))).toHaveLength(5);
  });

  it('selects by code and by other parameters', async () => {
    expect(shown(await lastn(`patient=${patient.id}&code=a,c`))).toEqual(['a5', 'c4']);
    expect(shown(await lastn(`patient=${patient.id}&code=${loinc}|a&date=lt2024-05-05`))).toEqual(['a3']);
    expect(shown(await lastn(`patient=${patient.id}&combo-code=b`))).toEqual(['b9']);
    expect(shown(await lastn(`patient=${patient.id}&category=laboratory&status=final`))).toEqual(['c4']);
  });

  it('shows all that are as new as the last one', async () => {
    const other = await create(server, patientBody());
    for (const day of [7, 6, 6, 6, 5]) await observe(other, 'a', day);

    expect(shown(await lastn(`patient=${other.id}&code=a&max=2`))).toEqual(['a7', 'a6', 'a6', 'a6']);
  });

  it.each<[string, Partial<fhir4.Observation>[], number]>([
    ['three codes', ['a', 'b', 'c'].map((code) => ({ code: { coding: [{ system: loinc, code }] } })), 3],
    ['a translation of one', [['a'], ['b'], ['c', 'a']].map(codesOf), 2],
    ['a translation of both, which makes them one', [['a'], ['b'], ['a', 'b']].map(codesOf), 1],
    ['texts, to the letter', ['textM', 'Text', 't e x t'].map((text) => ({ code: { text } })), 3],
    ['the same text', ['text', 'text'].map((text) => ({ code: { text } })), 1],
    [
      'one code of two systems',
      [loinc, 'urn:oid:1.2.3'].map((system) => ({ code: { coding: [{ system, code: 'a' }] } })),
      2,
    ],
  ])('groups %s', async (_, observations, groups) => {
    const other = await create(server, patientBody());
    for (const elements of observations) await observe(other, '', 1, elements);

    // All are as old: a group shows all of its own.
    const all = await lastn(`patient=${other.id}&category=vital-signs`);
    await observe(other, '', 2, observations[0]);
    const newest = await lastn(`patient=${other.id}&category=vital-signs`);

    expect(shown(all)).toHaveLength(observations.length);
    // The first group shows its newest alone; the others are what they were.
    expect(shown(newest)[0]).toMatch(/2$/);
    expect(shown(newest).length === 1).toBe(groups === 1);
  });

  it('takes the end of a period, and puts last what has no time', async () => {
    const other = await create(server, patientBody());
    const times = [
      { effectiveDateTime: undefined, note: [{ text: 'none' }] },
      {
        effectiveDateTime: undefined,
        effectivePeriod: { start: '2024-01-01', end: '2024-05-09' },
        note: [{ text: 'period' }],
      },
      { effectiveDateTime: undefined, effectiveInstant: '2024-05-08T10:00:00Z', note: [{ text: 'instant' }] },
    ];
    for (const elements of times) await observe(other, 'a', 1, elements);

    const body = await lastn(`patient=${other.id}&code=a&max=3`);

    expect(matchesIn(body).map((each) => (each as unknown as fhir4.Observation).note?.[0]?.text)).toEqual([
      'period',
      'instant',
      'none',
    ]);
  });

  it('leaves out what was withdrawn unless that is asked for', async () => {
    const other = await create(server, patientBody());
    await observe(other, 'a', 3, { status: 'cancelled' });
    await observe(other, 'a', 2, { status: 'entered-in-error' });
    await observe(other, 'a', 1);

    expect(shown(await lastn(`patient=${other.id}&code=a`))).toEqual(['a1']);
    expect(shown(await lastn(`patient=${other.id}&code=a&status=final,entered-in-error`))).toEqual(['a2']);
    expect(shown(await lastn(`patient=${other.id}&code=a&status:not=entered-in-error`))).toEqual(['a3']);
  });

  it('answers with nothing where nothing matches, and where the caller may not see it', async () => {
    for (const body of [
      await lastn(`patient=${patient.id}&code=z`),
      await lastn(`patient=${patient.id}&code=a`, elsewhere),
      await lastn('patient=nobody&code=a'),
    ]) {
      expect([body.total, entriesOf(body)]).toEqual([0, []]);
    }
  });

  it('needs no name of a patient who signs in', async () => {
    const own: TestCaller = { role: 'patient', patient: patient.id };

    expect(shown(await lastn('category=vital-signs', own))).toEqual(['b9', 'a5']);
  });

  it('is sent by POST, too', async () => {
    const { status, body } = await server.post('Observation/$lastn', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'subject', valueReference: { reference: referenceTo(patient) } },
        { name: 'code', valueString: 'a' },
        { name: 'max', valuePositiveInt: 2 },
      ],
    });

    expect([status, shown(body)]).toEqual([200, ['a5', 'a3']]);
  });

  it.each([
    ['no patient', 'code=a', 'patient'],
    ['two patients', 'patient=a,b&code=a', 'patient'],
    ['a chain instead of a patient', 'patient.name=x&code=a', 'patient.name'],
    ['an identifier instead of a patient', 'patient:identifier=x|1&code=a', 'patient:identifier'],
    ['neither category nor code', 'patient=a&status=final', 'category'],
    ['max of none', 'patient=a&code=a&max=0', 'max'],
    ['max that is no number', 'patient=a&code=a&max=two', 'max'],
    ['two of max', 'patient=a&code=a&max=1&max=2', 'max'],
    ['an order', 'patient=a&code=a&_sort=date', '_sort'],
    ['a length of pages', 'patient=a&code=a&_count=3', '_count'],
    ['a broken date', 'patient=a&code=a&date=x', 'date'],
  ])('refuses %s', async (_, query, name) => {
    const { status, body } = await server.get(`Observation/$lastn?${query}`);

    expect([status, expressionsIn(body)]).toEqual([400, [name]]);
  });

  it('warns of a parameter that it does not know, or refuses it', async () => {
    const query = `patient=${patient.id}&code=a&wish=1`;
    const body = await lastn(query);
    const strict = await server.get(`Observation/$lastn?${query}`, { headers: { prefer: 'handling=strict' } });

    expect(JSON.stringify(entriesOf(body))).toContain('wish');
    expect(linkOf(body, 'self')).not.toContain('wish');
    expect(strict.status).toBe(400);
  });

  it('is refused to who may not search observations, and leaves a trace', async () => {
    const other = await create(server, patientBody());
    expect(
      (await server.get(`Observation/$lastn?patient=${other.id}&code=a`, { as: { role: 'frontdesk' } })).status,
    ).toBe(403);
    server.calls.reset();

    await lastn(`patient=${other.id}&code=a`);

    expect([...server.calls.names].sort()).toEqual(['PutItem', 'Query']);
  });
});

function codesOf(codes: string[]): Partial<fhir4.Observation> {
  return { code: { coding: codes.map((code) => ({ system: loinc, code })) } };
}
