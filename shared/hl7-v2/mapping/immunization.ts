import { conceptOf, directoryReference, each, first, numberOf, personOf, type Row } from '../reading.ts';
import { dateOf, dateTimeIn } from '../times.ts';

/** https://terminology.hl7.org/CodeSystem-v2-0322.html */
const completions: Readonly<Record<string, fhir4.Immunization['status']>> = {
  CP: 'completed',
  PA: 'completed',
  RE: 'not-done',
  NA: 'not-done',
};

export const immunizationRows: readonly Row[] = [
  {
    from: 'RXA-21',
    to: 'status',
    how: 'D: entered-in-error',
    value: (field) => (field.part(1) === 'D' ? 'entered-in-error' : undefined),
  },
  {
    from: 'RXA-20',
    to: 'status',
    how: 'table 0322: CP, PA completed; RE, NA not-done; completed, if it says nothing',
    always: true,
    value: (field) => completions[field.part(1) || 'CP'],
  },
  { from: 'RXA-5', to: 'vaccineCode', how: 'the vaccine', value: first(conceptOf) },
  {
    from: 'RXA-3',
    to: 'occurrence[x]',
    how: 'when it was given, as exact as it was sent',
    value: first((reading, repetition) => ({ occurrenceDateTime: dateTimeIn(repetition, reading.sender.zone) })),
  },
  {
    from: 'RXA-6',
    to: 'doseQuantity',
    how: 'with the unit of RXA-7; 999 says that it is not known',
    value: (field, reading, group) => {
      const amount = field.part(1);
      if (amount === '999' || !/^\d+(?:\.\d+)?$/.test(amount)) return undefined;
      const unit = group.first('RXA')?.field(7).first;
      const concept = unit && conceptOf(reading, unit);
      const coding = concept?.coding?.[0];
      const said = coding?.display ?? concept?.text ?? coding?.code;
      return {
        value: Number(amount),
        ...(said === undefined ? {} : { unit: said }),
        ...(coding ? { system: coding.system, code: coding.code } : {}),
      };
    },
  },
  {
    from: 'RXA-9',
    to: 'primarySource',
    how: '00 of NIP001: given here, so true; any other: told of by others, so false',
    value: (field) => field.part(1) === '00',
  },
  {
    from: 'RXA-10',
    to: 'performer',
    how: 'each XCN',
    value: each((reading, repetition) => {
      const actor = personOf(reading, repetition);
      return actor && { actor };
    }),
  },
  { from: 'RXA-15', to: 'lotNumber', how: 'the first', value: (field) => field.part(1) },
  { from: 'RXA-16', to: 'expirationDate', how: 'the day alone', value: (field) => dateOf(field.part(1), field.at) },
  {
    from: 'RXA-17',
    to: 'manufacturer',
    how: 'in words',
    value: (field) => directoryReference('Organization', undefined, field.part(2) || field.part(1)),
  },
  { from: 'RXA-18', to: 'statusReason', how: 'why it was not given', value: first(conceptOf) },
  { from: 'RXR-1', to: 'route', how: 'how it was given', value: first(conceptOf) },
  { from: 'RXR-2', to: 'site', how: 'where in the body', value: first(conceptOf) },
  {
    from: 'ORC-3',
    to: 'identifier',
    how: "the filler's number, else that of the placer; without one the vaccine and its day say which is meant",
    value: (field, reading) => {
      const number = numberOf(reading, field.first, 'filler');
      return number?.system === undefined ? undefined : [number];
    },
  },
];
