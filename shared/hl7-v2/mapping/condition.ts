import { conceptOf, first, personOf, type Row } from '../reading.ts';
import { dateTimeIn } from '../times.ts';

const status = 'http://terminology.hl7.org/CodeSystem/condition-ver-status';

/** https://terminology.hl7.org/CodeSystem-v2-0052.html */
const certainty: Readonly<Record<string, string>> = { A: 'provisional', W: 'provisional', F: 'confirmed' };

export const diagnosisRows: readonly Row[] = [
  {
    from: 'DG1-3',
    to: 'code',
    how: 'the diagnosis; with the visit it says which one is meant; in words by DG1-4, where it has none',
    value: (field, reading, group) => {
      const code = conceptOf(reading, field.first);
      const text = code?.text ?? group.first('DG1')?.field(4).part(1);
      return code && { ...code, ...(text ? { text } : {}) };
    },
  },
  {
    from: 'DG1-5',
    to: 'onset[x]',
    how: 'as exact as it was sent',
    value: first((reading, repetition) => ({ onsetDateTime: dateTimeIn(repetition, reading.sender.zone) })),
  },
  {
    from: 'DG1-6',
    to: 'verificationStatus',
    how: 'table 0052: F confirmed, A and W provisional',
    value: (field) => {
      const code = certainty[field.part(1)];
      return code && { coding: [{ system: status, code }] };
    },
  },
  { from: 'DG1-16', to: 'asserter', how: 'the first XCN', value: first(personOf) },
];
