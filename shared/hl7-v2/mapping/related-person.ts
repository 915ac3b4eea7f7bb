import { addressOf, byTable, contactOf, each, nameOf, type Row, tableConcept } from '../reading.ts';
import { dateOf } from '../times.ts';
import { administrativeSex } from './patient.ts';

const roleCode = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';

/** https://terminology.hl7.org/CodeSystem-v2-0063.html → https://terminology.hl7.org/CodeSystem-v3-RoleCode.html */
const relationships: Readonly<Record<string, string>> = {
  MTH: 'MTH',
  FTH: 'FTH',
  PAR: 'PRN',
  SPO: 'SPS',
  CHD: 'CHILD',
  SIB: 'SIB',
  BRO: 'BRO',
  SIS: 'SIS',
  GRP: 'GRPRN',
  GRD: 'GUARD',
  FND: 'FRND',
  DOM: 'DOMPART',
};

export const relatedPersonRows: readonly Row[] = [
  { from: 'NK1-2', to: 'name', how: 'each XPN; with NK1-3 it says who is meant', value: each(nameOf) },
  {
    from: 'NK1-3',
    to: 'relationship',
    how: 'table 0063, by the codes of FHIR; any other by its own',
    value: (field) => {
      const code = relationships[field.part(1)];
      return code === undefined ? [tableConcept(field.first, '0063')] : [{ coding: [{ system: roleCode, code }] }];
    },
  },
  { from: 'NK1-4', to: 'address', how: 'each XAD', value: each(addressOf) },
  {
    from: 'NK1-5',
    to: 'telecom',
    how: 'each XTN; use home, or mobile',
    parts: ['home'],
    value: each((_, repetition) => contactOf(repetition, 'home')),
  },
  {
    from: 'NK1-6',
    to: 'telecom',
    how: 'each XTN; use work',
    parts: ['work'],
    value: each((_, repetition) => contactOf(repetition, 'work')),
  },
  { from: 'NK1-8', to: 'period.start', how: 'the day alone', value: (field) => dateOf(field.part(1), field.at) },
  { from: 'NK1-9', to: 'period.end', how: 'the day alone', value: (field) => dateOf(field.part(1), field.at) },
  { from: 'NK1-15', to: 'gender', how: 'table 0001', value: (field) => byTable(administrativeSex, field.first) },
  { from: 'NK1-16', to: 'birthDate', how: 'the day alone', value: (field) => dateOf(field.part(1), field.at) },
];
