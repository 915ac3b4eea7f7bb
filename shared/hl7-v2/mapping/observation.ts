import { parseJson, withSpellingOf } from '../../fhir/json.ts';
import type { Field, Repetition } from '../message.ts';
import {
  byTable,
  conceptOf,
  directoryReference,
  each,
  first,
  type Group,
  numberOf,
  personOf,
  type Reading,
  type Row,
} from '../reading.ts';
import { dateTimeOf } from '../times.ts';
import { Unfit } from '../unfit.ts';

/** https://terminology.hl7.org/CodeSystem-v2-0085.html */
export const resultStates: Readonly<Record<string, fhir4.Observation['status']>> = {
  C: 'corrected',
  D: 'entered-in-error',
  F: 'final',
  I: 'registered',
  O: 'registered',
  P: 'preliminary',
  R: 'preliminary',
  S: 'preliminary',
  U: 'final',
  W: 'entered-in-error',
  X: 'cancelled',
};

/** A number of HL7 as one of JSON, with its digits as they were sent; undefined for what is none. */
const digitsOf = (text: string): string | undefined => {
  const [, sign = '', whole = '', part = ''] = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === '' && part === '') return undefined;
  return `${sign === '-' ? '-' : ''}${whole.replace(/^0+(?=\d)/, '') || '0'}${part === '' ? '' : `.${part}`}`;
};

/** What is measured, in the unit of OBX-6, which is never made another one. */
const quantityOf = (text: string, unit: Repetition | undefined, reading: Reading): fhir4.Quantity | undefined => {
  const digits = digitsOf(text);
  if (digits === undefined) return undefined;
  const number = parseJson(`{"value":${digits}}`) as { value: number };
  const concept = unit && conceptOf(reading, unit);
  const coding = concept?.coding?.find(({ system }) => system === 'http://unitsofmeasure.org') ?? concept?.coding?.[0];
  const said = unit?.part(1) || concept?.text;
  return withSpellingOf(
    {
      ...number,
      ...(said ? { unit: said } : {}),
      ...(coding ? { system: coding.system, code: coding.code } : {}),
    } as fhir4.Quantity,
    number,
  );
};

const comparators: Readonly<Record<string, fhir4.Quantity['comparator']>> = {
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

/** SN: a number that is compared, a range, a ratio; any other in words. */
const structured = (value: Repetition, unit: Repetition | undefined, reading: Reading): object => {
  const [comparator = '', one = '', sign = '', other = ''] = [1, 2, 3, 4].map((component) => value.part(component));
  const [low, high] = [one, other].map((text) => quantityOf(text, unit, reading));
  const words = { valueString: [comparator, one, sign, other].join('') };
  if (low && sign === '' && other === '') {
    if (comparator === '' || comparator === '=') return { valueQuantity: low };
    const compared = comparators[comparator];
    return compared ? { valueQuantity: withSpellingOf({ ...low, comparator: compared }, low) } : words;
  }
  if (!low || !high || comparator !== '') return words;
  if (sign === '-') return { valueRange: { low, high } };
  return sign === ':' || sign === '/' ? { valueRatio: { numerator: low, denominator: high } } : words;
};

const timeOf = (text: string, at: string): string => {
  const [, hour, minute = '00', second = '00'] =
    /^([01]\d|2[0-3])([0-5]\d)?([0-5]\d)?(?:\.\d+)?(?:[+-]\d{4})?$/.exec(text) ?? [];
  if (hour === undefined) throw new Unfit('field-form', 'This is no time', at);
  return `${hour}:${minute}:${second}`;
};

const words = (field: Field): string => field.repetitions.map(({ text }) => text).join('\n');

/** Types of OBX-2 → `value[x]`. */
const valueOf = (field: Field, reading: Reading, group: Group): object | undefined => {
  const obx = group.first('OBX');
  const unit = obx?.field(6).first;
  const type = obx?.field(2).part(1) ?? '';
  switch (type) {
    case 'NM': {
      const valueQuantity = quantityOf(field.part(1), unit, reading);
      // What a laboratory writes there is never refused.
      return valueQuantity ? { valueQuantity } : { valueString: words(field) };
    }
    case 'SN':
      return structured(field.first, unit, reading);
    case 'CE':
    case 'CF':
    case 'CNE':
    case 'CWE':
    case 'IS':
    case 'ID': {
      const valueCodeableConcept = conceptOf(reading, field.first);
      return valueCodeableConcept && { valueCodeableConcept };
    }
    case 'DT':
    case 'DTM':
    case 'TS':
      return { valueDateTime: dateTimeOf(field.part(1), field.at, reading.sender.zone) };
    case 'TM':
      return { valueTime: timeOf(field.part(1), field.at) };
    case 'ED':
    case 'RP':
      throw new Unfit('code-unknown', 'Content of this type is read of ED in base 64 alone', 'OBX-2');
    default:
      return { valueString: words(field) };
  }
};

/** A range as the laboratory has it: its words, and its bounds where these are two numbers. */
const rangeOf = (field: Field, reading: Reading, group: Group): object[] => {
  const text = words(field);
  const [, low, high] = /^(-?[\d.]+)\s*-\s*(-?[\d.]+)$/.exec(text) ?? [];
  const unit = group.first('OBX')?.field(6).first;
  const bound = (name: string, number: string | undefined) => {
    const quantity = number === undefined ? undefined : quantityOf(number, unit, reading);
    return quantity ? { [name]: quantity } : {};
  };
  return [{ ...bound('low', low), ...bound('high', high), text }];
};

const interpretation = 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation';

export const resultRows: readonly Row[] = [
  { from: 'OBX-3', to: 'code', how: 'what was observed', value: first(conceptOf) },
  { from: 'OBX-11', to: 'status', how: 'table 0085', value: (field) => byTable(resultStates, field.first) },
  {
    from: 'OBX-5',
    to: 'value[x]',
    how: 'by OBX-2: NM a quantity, its digits as sent; SN one that is compared, a range or a ratio; CE, CWE, CNE, IS, ID a concept; DT, TS, DTM a time; TM a time of day; any other words. ED goes with the report',
    value: valueOf,
  },
  { from: 'OBX-7', to: 'referenceRange', how: 'its words, and its bounds where these are two numbers', value: rangeOf },
  {
    from: 'OBX-8',
    to: 'interpretation',
    how: 'each flag of table 0078',
    value: each((_, repetition) => {
      const code = repetition.part(1);
      return /^[A-Z<>]{1,6}$/.test(code)
        ? { coding: [{ system: interpretation, code }] }
        : { text: repetition.part(2) || code };
    }),
  },
  {
    from: 'OBX-14',
    to: 'effective[x]',
    how: 'as exact as it was sent; without it OBR-7',
    always: true,
    value: (field, reading, group) => {
      const obr = group.first('OBR')?.field(7).part(1) ?? '';
      const [text, at] = field.part(1) === '' ? [obr, 'OBR-7'] : [field.part(1), field.at];
      return text === '' ? undefined : { effectiveDateTime: dateTimeOf(text, at, reading.sender.zone) };
    },
  },
  { from: 'OBX-16', to: 'performer', how: 'each XCN', value: each(personOf) },
  { from: 'OBX-17', to: 'method', how: 'the first', value: first(conceptOf) },
  { from: 'OBX-20', to: 'bodySite', how: 'the first', value: first(conceptOf) },
  {
    from: 'OBX-21',
    to: 'identifier',
    how: 'the number of the result, if its authority is known',
    value: (field, reading) => {
      const number = numberOf(reading, field.first, 'filler');
      return number?.system === undefined ? undefined : [number];
    },
  },
  {
    from: 'NTE-3',
    to: 'note',
    how: 'of each NTE behind the OBX',
    value: (_, __, group) => group.all('NTE').map((segment) => ({ text: words(segment.field(3)) })),
  },
];

/** Reports, with what they need besides. https://terminology.hl7.org/CodeSystem-v2-0123.html */
export const reportStates: Readonly<Record<string, fhir4.DiagnosticReport['status']>> = {
  A: 'partial',
  C: 'corrected',
  F: 'final',
  I: 'registered',
  M: 'corrected',
  N: 'registered',
  O: 'registered',
  P: 'preliminary',
  R: 'preliminary',
  S: 'registered',
  X: 'cancelled',
};

export const reportRows: readonly Row[] = [
  { from: 'OBR-4', to: 'code', how: 'what was examined', value: first(conceptOf) },
  { from: 'OBR-25', to: 'status', how: 'table 0123', value: (field) => byTable(reportStates, field.first) },
  {
    from: 'OBR-7',
    to: 'effective[x]',
    how: 'as exact as it was sent',
    value: first((reading, repetition) => {
      const text = repetition.part(1);
      return text === '' ? undefined : { effectiveDateTime: dateTimeOf(text, repetition.at, reading.sender.zone) };
    }),
  },
  {
    from: 'OBR-24',
    to: 'category',
    how: 'table 0074',
    value: (field) => [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0074', code: field.part(1) }] }],
  },
  {
    from: 'OBR-32',
    to: 'resultsInterpreter',
    how: 'the first, of its first component',
    value: (field, reading) => {
      const [value, family, given] = [1, 2, 3].map((part) => field.part(1, part));
      const system = reading.sender.numbers.get('person');
      const person = directoryReference(
        'Practitioner',
        value === '' || system === undefined ? undefined : { system, value: value ?? '' },
        [given, family].filter(Boolean).join(' '),
      );
      return person && [person];
    },
  },
];

export const specimenRows: readonly Row[] = [
  { from: 'SPM-4', to: 'type', how: 'what it is of', value: first(conceptOf) },
  {
    from: 'SPM-17',
    to: 'collection.collectedDateTime',
    how: 'when it was taken, component 1',
    value: first((reading, repetition) => dateTimeOf(repetition.part(1), repetition.at, reading.sender.zone)),
  },
  { from: 'SPM-8', to: 'collection.bodySite', how: 'the first', value: first(conceptOf) },
  {
    from: 'SPM-18',
    to: 'receivedTime',
    how: 'as exact as it was sent',
    value: first((reading, repetition) => dateTimeOf(repetition.part(1), repetition.at, reading.sender.zone)),
  },
  {
    from: 'SPM-21',
    to: 'status',
    how: 'why it was rejected: unsatisfactory',
    value: () => 'unsatisfactory',
  },
  {
    from: 'SPM-21',
    to: 'condition',
    how: 'each reason',
    value: each(conceptOf),
  },
];
