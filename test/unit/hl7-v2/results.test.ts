import { describe, expect, it } from 'vitest';
import { stringifyJson } from '../../../shared/fhir/json.ts';
import { reportsOf } from '../../../shared/hl7-v2/mapping/reports.ts';
import { Message } from '../../../shared/hl7-v2/message.ts';
import { senderIn } from '../../../shared/hl7-v2/sender.ts';
import { senderEndpoint } from '../../support/hl7-v2.ts';
import { segment } from '../../support/hl7-v2-generator.ts';

const header = 'MSH|^~\\&|APP|FAC|||20260301120000||ORU^R01|1|P|2.5.1';
const obr = segment('OBR', {
  1: '1',
  2: 'O-1',
  3: 'R-1',
  4: '24323-8^CMP^LN',
  7: '20260301090000',
  22: '20260301100000',
  25: 'F',
});
const obx = (type: string, value: string, fields: Readonly<Record<number, string>> = {}) =>
  segment('OBX', { 1: '1', 2: type, 3: '2345-7^Glucose^LN', 5: value, 6: 'mg/dL^^UCUM', 11: 'F', ...fields });

const reports = (...segments: string[]) =>
  reportsOf({
    message: new Message([header, ...segments].map((line) => `${line}\r`).join('')),
    sender: senderIn(senderEndpoint(), 'APP|FAC'),
    event: 'R01',
    happened: '',
  });
const only = (...segments: string[]) => reports(obr, ...segments)[0];

const unit = { unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL' };

describe('results of an ORU', () => {
  it.each<[string, string, object]>([
    ['NM', '5.4', { valueQuantity: { value: 5.4, ...unit } }],
    ['NM', '+.5', { valueQuantity: { value: 0.5, ...unit } }],
    ['NM', 'haemolysed', { valueString: 'haemolysed' }],
    ['SN', '>^100', { valueQuantity: { value: 100, comparator: '>', ...unit } }],
    ['SN', '^100^-^200', { valueRange: { low: { value: 100, ...unit }, high: { value: 200, ...unit } } }],
    ['SN', '^1^:^128', { valueRatio: { numerator: { value: 1, ...unit }, denominator: { value: 128, ...unit } } }],
    ['SN', '^2^+', { valueString: '2+' }],
    ['ST', 'a\\T\\b', { valueString: 'a&b' }],
    ['TX', 'one~two', { valueString: 'one\ntwo' }],
    ['FT', 'one\\.br\\two', { valueString: 'one\ntwo' }],
    [
      'CWE',
      '260385009^Negative^SCT',
      {
        valueCodeableConcept: {
          coding: [{ system: 'http://snomed.info/sct', code: '260385009', display: 'Negative' }],
          text: 'Negative',
        },
      },
    ],
    ['DT', '20260301', { valueDateTime: '2026-03-01' }],
    ['TM', '0930', { valueTime: '09:30:00' }],
  ])('read %s %j', (type, value, expected) => {
    expect(only(obx(type, value))?.results).toMatchObject([expected]);
  });

  it('keep the digits of a number, the range in its words and each flag', () => {
    const results = only(obx('NM', '102.50', { 7: '70-99', 8: 'H~A' }), obx('NM', '1', { 7: '< 5' }))?.results ?? [];

    expect(stringifyJson(results)).toContain('"value":102.50');
    expect(results).toMatchObject([
      {
        referenceRange: [{ low: { value: 70 }, high: { value: 99 }, text: '70-99' }],
        interpretation: [{ coding: [{ code: 'H' }] }, { coding: [{ code: 'A' }] }],
      },
      { referenceRange: [{ text: '< 5' }] },
    ]);
    expect(results[1]).not.toHaveProperty('referenceRange[0].high');
  });

  it('belong to the report before them, with its specimens and its notes', () => {
    const found = reports(
      obr,
      'NTE|1||Of all',
      obx('NM', '1'),
      'NTE|1||Of one',
      'SPM|1|^S-1||119297000^Blood^SCT',
      obr.replace('R-1', 'R-2'),
      obx('NM', '2'),
    );

    expect(found).toMatchObject([
      {
        report: {
          status: 'final',
          issued: '2026-03-01T15:00:00.000Z',
          conclusion: 'Of all',
          identifier: [{ value: 'O-1' }, { value: 'R-1' }],
        },
        results: [{ note: [{ text: 'Of one' }], specimen: { reference: '#specimen-1' } }],
        specimens: [{ id: 'specimen-1', identifier: [{ value: 'S-1' }] }],
      },
      {
        report: { identifier: [{ value: 'O-1' }, { value: 'R-2' }] },
        results: [{ valueQuantity: { value: 2 } }],
        specimens: [],
      },
    ]);
  });

  it('keep a document with the report, and refuse a pointer to one', () => {
    expect(only(obx('ED', '^TEXT^PDF^Base64^QUJD'))).toMatchObject({
      report: { presentedForm: [{ contentType: 'application/pdf', data: 'QUJD' }] },
      results: [],
    });
    expect(() => only(obx('RP', 'https://elsewhere.example'))).toThrow('Content of this type');
    expect(() => only(obx('NM', '1', { 11: 'Q' }))).toThrow('no such code');
    expect(() => reports(segment('OBR', { 1: '1', 4: 'X' }))).toThrow("filler's number");
  });
});
