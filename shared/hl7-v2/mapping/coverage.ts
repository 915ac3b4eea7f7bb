import { conceptOf, directoryReference, first, identifierOf, type Row } from '../reading.ts';
import { dateOf } from '../times.ts';

/** https://terminology.hl7.org/CodeSystem-v2-0063.html → https://terminology.hl7.org/CodeSystem-subscriber-relationship.html */
const subscribers: Readonly<Record<string, string>> = {
  SEL: 'self',
  SPO: 'spouse',
  CHD: 'child',
  PAR: 'parent',
  OTH: 'other',
};

export const coverageRows: readonly Row[] = [
  {
    from: 'IN1-4',
    to: 'payor',
    how: 'the insurer, in words; with IN1-2 and IN1-36 it says which cover is meant',
    value: (field, reading, group) => {
      const company = group.first('IN1')?.field(3).first;
      const number = company?.part(1) ? identifierOf(reading, company) : undefined;
      const payor = directoryReference(
        'Organization',
        number?.system === undefined ? undefined : { system: number.system, value: number.value ?? '' },
        field.part(1),
      );
      return payor && [payor];
    },
  },
  {
    from: 'IN1-8',
    to: 'class',
    how: 'the group of the insured',
    value: (field) => [
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/coverage-class', code: 'group' }] },
        value: field.part(1),
      },
    ],
  },
  { from: 'IN1-12', to: 'period.start', how: 'the day alone', value: (field) => dateOf(field.part(1), field.at) },
  { from: 'IN1-13', to: 'period.end', how: 'the day alone', value: (field) => dateOf(field.part(1), field.at) },
  { from: 'IN1-15', to: 'type', how: 'the kind of plan', value: first(conceptOf) },
  {
    from: 'IN1-17',
    to: 'relationship',
    how: 'table 0063, by the codes of FHIR; any other in words',
    value: (field) => {
      const code = subscribers[field.part(1)];
      return code === undefined
        ? { text: field.part(2) || field.part(1) }
        : { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/subscriber-relationship', code }] };
    },
  },
  { from: 'IN1-36', to: 'subscriberId', how: 'the number of the policy', value: (field) => field.part(1) || undefined },
];
