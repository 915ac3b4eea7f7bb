import { conceptOf, first, type Row } from '../reading.ts';
import { dateTimeIn } from '../times.ts';

/** https://terminology.hl7.org/CodeSystem-v2-0127.html */
const categories: Readonly<Record<string, string>> = {
  DA: 'medication',
  FA: 'food',
  MA: 'environment',
  EA: 'environment',
  AA: 'environment',
  PA: 'environment',
  LA: 'environment',
};

/** https://terminology.hl7.org/CodeSystem-v2-0128.html */
const criticalities: Readonly<Record<string, string>> = { SV: 'high', MO: 'low', MI: 'low', U: 'unable-to-assess' };

export const allergyRows: readonly Row[] = [
  {
    from: 'AL1-2',
    to: 'category',
    how: 'table 0127; what FHIR has no category for is left out',
    value: (field) => {
      const category = categories[field.part(1)];
      return category && [category];
    },
  },
  { from: 'AL1-3', to: 'code', how: 'what it is against; it says which allergy is meant', value: first(conceptOf) },
  {
    from: 'AL1-4',
    to: 'criticality',
    how: 'table 0128: SV high, MO and MI low, U unable-to-assess',
    value: (field) => criticalities[field.part(1)],
  },
  {
    from: 'AL1-5',
    to: 'reaction',
    how: 'each reaction, in words',
    value: (field) => field.repetitions.map((repetition) => ({ manifestation: [{ text: repetition.text }] })),
  },
  {
    from: 'AL1-6',
    to: 'onset[x]',
    how: 'when it was found out, as exact as it was sent',
    value: first((reading, repetition) => ({ onsetDateTime: dateTimeIn(repetition, reading.sender.zone) })),
  },
];
