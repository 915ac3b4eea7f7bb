import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { postEntry, transactionOf, urn, writtenIn } from '../support/bundles.ts';
import { type FhirServer, fhirServer, type TestResponse } from '../support/fhir-server.ts';
import {
  create,
  encounterBody,
  expressionsIn,
  identifierSystem,
  numberedPatient,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
} from '../support/records.ts';

// As many entries as the largest charts have that are loaded as one bundle, of several types, each referring to others.
const size = 3_500;
/** What a patient brings: the patient, two visits, a plan, and observations of the visits. */
const ofPatient = (number: string, count: number): fhir4.BundleEntry[] => {
  const [patient, first, second, plan] = [urn(), urn(), urn(), urn()];
  return [
    // Backwards: what refers to others comes before them.
    ...Array.from({ length: count - 4 }, (_, n) =>
      postEntry(
        observationBody(patient, {
          encounter: { reference: n % 2 === 0 ? first : second },
          basedOn: [{ reference: plan }],
          valueQuantity: { value: n, unit: '/min' },
        }),
      ),
    ),
    postEntry(
      {
        resourceType: 'CarePlan',
        status: 'active',
        intent: 'plan',
        subject: { reference: patient },
        encounter: { reference: second },
      },
      plan,
    ),
    postEntry(encounterBody(patient, { partOf: { reference: first } }), second),
    postEntry(encounterBody(patient), first),
    postEntry(numberedPatient(number), patient),
  ];
};

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

const send = (entries: readonly fhir4.BundleEntry[]): Promise<TestResponse> => {
  const body = gzipSync(JSON.stringify(transactionOf(...entries)));
  return server.request('POST', '', { body, headers: { 'content-encoding': 'gzip' } });
};

const patientsNumbered = async (number: string) =>
  resourcesIn((await server.get(`Patient?identifier=${identifierSystem}|${number}`)).body);

const countOf = async (query: string): Promise<number> =>
  Number((await server.get(`${query}&_summary=count`)).body.total);

describe(`a transaction of ${size} entries`, () => {
  it('writes all of one chart, with what its records refer to', async () => {
    const { status, body, text } = await send(ofPatient('one-chart', size));

    expect(status, text.slice(0, 500)).toBe(200);
    const paths = writtenIn(body);
    expect(new Set(paths).size).toBe(size);
    const [patient] = await patientsNumbered('one-chart');
    expect(await countOf(`Observation?patient=${patient?.id}`)).toBe(size - 4);
    const [first, second, plan] = [paths.at(-2), paths.at(-3), paths.at(-4)];
    expect((await server.get(paths[0] ?? '')).body).toMatchObject({
      subject: { reference: referenceTo(patient as never) },
      encounter: { reference: first },
      basedOn: [{ reference: plan }],
    });
    expect((await server.get(plan ?? '')).body.encounter?.reference).toBe(second);
  });

  it('writes all of seventy charts', async () => {
    const charts = Array.from({ length: 70 }, (_, n) => ofPatient(`chart-${n}`, size / 70));

    const { status, body, text } = await send(charts.flat());

    expect(status, text.slice(0, 500)).toBe(200);
    expect(new Set(writtenIn(body)).size).toBe(size);
    for (const n of [0, 35, 69]) {
      const [patient] = await patientsNumbered(`chart-${n}`);
      expect(await countOf(`Observation?patient=${patient?.id}`)).toBe(size / 70 - 4);
    }
  });

  it.each([
    ['a rule', size, async () => patientBody({ birthDate: 'soon' }), 'resource.birthDate'],
    // A third is many transactions, too, and what was staged is taken back row by row.
    [
      'a reference to what is deleted, as only the commit finds out',
      size / 3.5,
      async () => {
        const gone = await create(server, patientBody());
        await server.delete(pathOf(gone));
        return observationBody(referenceTo(gone));
      },
      'resource.subject.reference',
    ],
  ])('writes nothing where its last entry breaks %s, and names it', async (what, count, last, element) => {
    const number = `refused-${what.length}`;

    const { status, body } = await send([...ofPatient(number, count - 1), postEntry(await last())]);

    expect(status).toBe(400);
    expect(expressionsIn(body)).toEqual([`Bundle.entry[${count - 1}].${element}`]);
    expect(await patientsNumbered(number)).toEqual([]);
  });
});
