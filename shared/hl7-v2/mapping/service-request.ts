import { conceptOf, first, type Group, numberOf, personOf, type Reading, type Row } from '../reading.ts';
import { dateTimeIn } from '../times.ts';

/** https://terminology.hl7.org/CodeSystem-v2-0119.html */
export const orderControls: Readonly<Record<string, fhir4.ServiceRequest['status']>> = {
  NW: 'active',
  SN: 'active',
  RO: 'active',
  XO: 'active',
  RL: 'active',
  CA: 'revoked',
  OC: 'revoked',
  CR: 'revoked',
  DC: 'revoked',
  OD: 'revoked',
  HD: 'on-hold',
  OH: 'on-hold',
};

/** https://terminology.hl7.org/CodeSystem-v2-0485.html */
const priorities: Readonly<Record<string, fhir4.ServiceRequest['priority']>> = {
  S: 'stat',
  A: 'asap',
  R: 'routine',
  T: 'urgent',
};

/** The numbers of an order: the placer's and the filler's. */
export const orderNumbers = (reading: Reading, group: Group): fhir4.Identifier[] =>
  (
    [
      [2, 'placer', 'PLAC'],
      [3, 'filler', 'FILL'],
    ] as const
  ).flatMap(([number, of, code]) => {
    const found = ['ORC', 'OBR']
      .map((name) => group.first(name)?.field(number).first)
      .flatMap((repetition) => (repetition ? (numberOf(reading, repetition, of) ?? []) : []));
    const type = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code }] };
    return found.slice(0, 1).map((identifier) => ({ type, ...identifier }));
  });

export const orderRows: readonly Row[] = [
  {
    from: 'ORC-1',
    to: 'identifier',
    how: 'placer and filler number of ORC-2, ORC-3, else of OBR',
    value: (_, reading, group) => orderNumbers(reading, group),
  },
  {
    from: 'ORC-5',
    to: 'status',
    how: 'CM completed; otherwise ORC-1 tells',
    value: (field) => (field.part(1) === 'CM' ? 'completed' : undefined),
  },
  {
    from: 'ORC-1',
    to: 'status',
    how: 'table 0119: NW, SN, RO, XO, RL active; CA, OC, CR, DC, OD revoked; HD, OH on-hold',
    value: (field) => orderControls[field.part(1)],
  },
  { from: 'OBR-4', to: 'code', how: 'what is asked for', value: first(conceptOf) },
  {
    from: 'ORC-7',
    to: 'priority',
    how: 'table 0485, of component 6',
    value: (field) => priorities[field.part(6).slice(0, 1)],
  },
  {
    from: 'OBR-5',
    to: 'priority',
    how: 'table 0485, without ORC-7',
    value: (field) => priorities[field.part(1).slice(0, 1)],
  },
  {
    from: 'ORC-9',
    to: 'authoredOn',
    how: 'as exact as it was sent',
    value: first((reading, repetition) => dateTimeIn(repetition, reading.sender.zone)),
  },
  { from: 'ORC-12', to: 'requester', how: 'the first XCN', value: first(personOf) },
  { from: 'OBR-16', to: 'requester', how: 'the first XCN, without ORC-12', value: first(personOf) },
  {
    from: 'OBR-36',
    to: 'occurrence[x]',
    how: 'when it is to be done',
    value: first((reading, repetition) => ({ occurrenceDateTime: dateTimeIn(repetition, reading.sender.zone) })),
  },
  {
    from: 'OBR-31',
    to: 'reasonCode',
    how: 'the first reason',
    value: first((reading, repetition) => {
      const reason = conceptOf(reading, repetition);
      return reason && [reason];
    }),
  },
];
