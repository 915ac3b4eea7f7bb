import {
  addressOf,
  byTable,
  contactOf,
  each,
  first,
  identifierOf,
  nameOf,
  type Row,
  tableConcept,
} from '../reading.ts';
import { dateOf, dateTimeIn } from '../times.ts';

/** Administrative sex is what wards and payers are told (docs/people.md), and nothing else is made of it. https://terminology.hl7.org/CodeSystem-v2-0001.html */
export const administrativeSex: Readonly<Record<string, fhir4.Patient['gender']>> = {
  F: 'female',
  M: 'male',
  O: 'other',
  A: 'other',
  X: 'other',
  U: 'unknown',
  N: 'unknown',
};

const yes: Readonly<Record<string, boolean>> = { Y: true, N: false };

/** https://terminology.hl7.org/CodeSystem-v2-0002.html → https://terminology.hl7.org/CodeSystem-v3-MaritalStatus.html */
const marital: Readonly<Record<string, string>> = {
  A: 'L',
  D: 'D',
  I: 'I',
  M: 'M',
  N: 'A',
  P: 'T',
  S: 'S',
  W: 'W',
};

export const patientRows: readonly Row[] = [
  { from: 'PID-3', to: 'identifier', how: 'each CX; the system by its authority', value: each(identifierOf) },
  { from: 'PID-5', to: 'name', how: 'each XPN; use by table 0200', value: each(nameOf) },
  { from: 'PID-7', to: 'birthDate', how: 'the day alone', value: (field) => dateOf(field.part(1), field.at) },
  { from: 'PID-8', to: 'gender', how: 'table 0001', value: (field) => byTable(administrativeSex, field.first) },
  { from: 'PID-11', to: 'address', how: 'each XAD', value: each(addressOf) },
  {
    from: 'PID-13',
    to: 'telecom',
    how: 'each XTN; use home, or mobile',
    parts: ['home'],
    value: each((_, repetition) => contactOf(repetition, 'home')),
  },
  {
    from: 'PID-14',
    to: 'telecom',
    how: 'each XTN; use work',
    parts: ['work'],
    value: each((_, repetition) => contactOf(repetition, 'work')),
  },
  {
    from: 'PID-15',
    to: 'communication',
    how: 'the language, preferred',
    value: (field) => {
      const code = field.part(1);
      const text = field.part(2);
      const language = {
        ...(/^[a-z]{2,3}(?:-\w+)*$/.test(code) ? { coding: [{ system: 'urn:ietf:bcp:47', code }] } : {}),
        text: text || code,
      };
      return [{ language, preferred: true }];
    },
  },
  {
    from: 'PID-16',
    to: 'maritalStatus',
    how: 'table 0002, by the codes of FHIR; any other by its own',
    value: (field) => {
      const code = marital[field.part(1)];
      return code === undefined
        ? tableConcept(field.first, '0002')
        : { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code }] };
    },
  },
  {
    from: 'PID-25',
    to: 'multipleBirth[x]',
    how: 'the number in order of birth',
    value: (field) => {
      const order = field.part(1);
      return /^\d{1,2}$/.test(order) ? { multipleBirthInteger: Number(order) } : undefined;
    },
  },
  {
    from: 'PID-24',
    to: 'multipleBirth[x]',
    how: 'yes or no, without PID-25',
    value: (field) => ({ multipleBirthBoolean: byTable(yes, field.first) }),
  },
  {
    from: 'PID-29',
    to: 'deceased[x]',
    how: 'the time of death',
    value: first((reading, repetition) => ({ deceasedDateTime: dateTimeIn(repetition, reading.sender.zone) })),
  },
  {
    from: 'PID-30',
    to: 'deceased[x]',
    how: 'yes or no, without PID-29',
    value: (field) => ({ deceasedBoolean: byTable(yes, field.first) }),
  },
];
