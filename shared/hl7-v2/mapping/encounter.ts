import {
  conceptOf,
  directoryReference,
  each,
  first,
  identifierOf,
  personOf,
  placeOf,
  type Row,
  tableConcept,
} from '../reading.ts';
import { dateTimeIn } from '../times.ts';

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

/** https://terminology.hl7.org/CodeSystem-v2-0004.html → https://terminology.hl7.org/ValueSet-v3-ActEncounterCode.html */
export const visitClasses: Readonly<Record<string, string>> = {
  E: 'EMER',
  I: 'IMP',
  O: 'AMB',
  P: 'PRENC',
  R: 'AMB',
  B: 'IMP',
};

/** What an event says of the state of a visit; what is not named says nothing of it. */
export const visitStates: Readonly<Record<string, fhir4.Encounter['status']>> = {
  A01: 'in-progress',
  A04: 'in-progress',
  A03: 'finished',
};

const participationType = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';

const participants = (code: string) =>
  each((reading, repetition): fhir4.EncounterParticipant | undefined => {
    const individual = personOf(reading, repetition);
    return individual && { type: [{ coding: [{ system: participationType, code }] }], individual };
  });

export const encounterRows: readonly Row[] = [
  {
    from: 'PV1-2',
    to: 'class',
    how: 'table 0004, by the codes of FHIR; any other by its own',
    value: (field) => {
      const code = field.part(1);
      const own = visitClasses[code];
      return own === undefined
        ? { system: 'http://terminology.hl7.org/CodeSystem/v2-0004', code }
        : { system: actCode, code: own };
    },
  },
  {
    from: 'PV1-3',
    to: 'location',
    how: 'the place where the patient is, by its number in the directory',
    value: first((reading, repetition) => {
      const location = placeOf(reading, repetition);
      return location && [{ location, status: 'active' }];
    }),
  },
  { from: 'PV1-7', to: 'participant', how: 'each XCN; ATND', parts: ['ATND'], value: participants('ATND') },
  { from: 'PV1-8', to: 'participant', how: 'each XCN; REF', parts: ['REF'], value: participants('REF') },
  { from: 'PV1-9', to: 'participant', how: 'each XCN; CON', parts: ['CON'], value: participants('CON') },
  { from: 'PV1-17', to: 'participant', how: 'each XCN; ADM', parts: ['ADM'], value: participants('ADM') },
  { from: 'PV1-10', to: 'serviceType', how: 'table 0069', value: (field) => tableConcept(field.first, '0069') },
  {
    from: 'PV1-14',
    to: 'hospitalization.admitSource',
    how: 'table 0023',
    value: (field) => tableConcept(field.first, '0023'),
  },
  {
    from: 'PV1-36',
    to: 'hospitalization.dischargeDisposition',
    how: 'table 0112',
    value: (field) => tableConcept(field.first, '0112'),
  },
  {
    from: 'PV1-44',
    to: 'period.start',
    how: 'as exact as it was sent',
    value: first((reading, repetition) => dateTimeIn(repetition, reading.sender.zone)),
  },
  {
    from: 'PV1-45',
    to: 'period.end',
    how: 'as exact as it was sent',
    value: first((reading, repetition) => dateTimeIn(repetition, reading.sender.zone)),
  },
  { from: 'PV2-3', to: 'reasonCode', how: 'why the patient is admitted', value: each(conceptOf) },
  {
    from: 'PV1-19',
    to: 'identifier',
    how: 'the number of the visit; without it no visit is written',
    value: (field, reading) => {
      const [visit] = each(identifierOf)(field, reading) ?? [];
      const system = visit?.system ?? reading.sender.numbers.get('visit');
      return visit && [{ ...visit, ...(system === undefined ? {} : { system }) }];
    },
  },
  {
    from: 'PV1-39',
    to: 'serviceProvider',
    how: 'the facility, in words',
    value: (field) => directoryReference('Organization', undefined, field.part(1)),
  },
];
