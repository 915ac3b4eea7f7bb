import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { create, elsewhere, expressionsIn, patientBody, type Stored } from '../support/records.ts';

// Results: trends, and what a result calls for.

const ucum = 'http://unitsofmeasure.org';
const loinc = (code: string): fhir4.CodeableConcept => ({ coding: [{ system: 'http://loinc.org', code }] });

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

type Part = fhir4.ParametersParameter;
const partsOf = (body: unknown): Part[] => (body as fhir4.Parameters).parameter ?? [];
const partIn = (parts: readonly Part[] | undefined, name: string) => parts?.find((each) => each.name === name);

const potassium = (value: number, unit = 'mmol/L'): Partial<fhir4.Observation> => ({
  code: loinc('2823-3'),
  valueQuantity: { value, unit, system: ucum, code: unit },
});

const observe = (patient: { readonly id: string }, elements: Partial<fhir4.Observation>, as?: TestCaller) =>
  create(
    server,
    {
      resourceType: 'Observation',
      status: 'final',
      code: loinc('2823-3'),
      subject: { reference: `Patient/${patient.id}` },
      effectiveDateTime: '2024-05-06',
      ...elements,
    } as fhir4.Observation,
    as,
  );

describe('Observation/$series', () => {
  let patient: Stored<fhir4.Patient>;
  beforeAll(async () => {
    patient = await create(server, patientBody());
    await observe(patient, { ...potassium(4.1), effectiveDateTime: '2024-05-03' });
    await observe(patient, { ...potassium(3_900, 'umol/L'), effectiveDateTime: '2024-05-01', status: 'corrected' });
    await observe(patient, { ...potassium(9), effectiveDateTime: '2024-05-02', status: 'entered-in-error' });
    await observe(patient, { ...potassium(5, 'mg'), effectiveDateTime: '2024-05-04', status: 'preliminary' });
    await observe(patient, { code: loinc('2951-2'), valueQuantity: { value: 140, system: ucum, code: 'mmol/L' } });
  });
  const ask = (query: string, as?: TestCaller) => server.get(`Observation/$series?${query}`, as ? { as } : {});
  const told = (body: unknown): string[] =>
    partsOf(body).flatMap(({ name, part }) =>
      name === 'point'
        ? [
            `${partIn(part, 'time')?.valueDateTime} ${partIn(part, 'value')?.valueQuantity?.value ?? partIn(part, 'because')?.valueCode} ${partIn(part, 'original')?.valueQuantity?.value}${partIn(part, 'corrected') ? ' corrected' : ''}`,
          ]
        : [],
    );

  it('tells all values of a code in one unit, by one Query, with its trace', async () => {
    server.calls.reset();
    const { status, body } = await ask(`patient=${patient.id}&code=http://loinc.org|2823-3&unit=mmol/L`);
    const calls = [...server.calls.names].sort();

    expect([status, told(body)]).toEqual([
      200,
      ['2024-05-01 3.9 3900 corrected', '2024-05-03 4.1 4.1', '2024-05-04 other-unit 5'],
    ]);
    expect(partIn(partsOf(body), 'unit')?.valueString).toBe('mmol/L');
    expect(calls).toEqual(['PutItem', 'Query']);
  });

  it('goes by dates, and by the unit of the newest', async () => {
    const { body } = await ask(`patient=${patient.id}&code=2823-3&start=2024-05-01&end=2024-05-03`);

    expect(told(body)).toEqual(['2024-05-01 3.9 3900 corrected', '2024-05-03 4.1 4.1']);
  });

  it('shows a patient their own, and nobody what they may not see', async () => {
    const own: TestCaller = { role: 'patient', patient: patient.id };

    expect(told((await ask('code=2823-3', own)).body)).toHaveLength(3);
    expect(told((await ask(`patient=${patient.id}&code=2823-3`, elsewhere)).body)).toEqual([]);
    expect((await ask(`patient=${patient.id}&code=2823-3`, { role: 'frontdesk' })).status).toBe(403);
  });

  it.each([
    ['no patient', 'code=2823-3', 'patient'],
    ['two patients', 'patient=a,b&code=2823-3', 'patient'],
    ['no code', 'patient=a', 'code'],
    ['what is no unit', 'patient=a&code=2823-3&unit=cups', 'unit'],
    ['what is no date', 'patient=a&code=2823-3&start=May', 'start'],
    ['anything else', 'patient=a&code=2823-3&status=final', 'status'],
  ])('refuses %s', async (_, query, name) => {
    const { status, body } = await ask(query);

    expect([status, expressionsIn(body)]).toEqual([400, [name]]);
  });
});
