import {
  conceptOf,
  directoryReference,
  first,
  type Group,
  numberOf,
  personOf,
  placeOf,
  type Reading,
  type Row,
} from '../reading.ts';
import { instantOf } from '../times.ts';
import { Unfit } from '../unfit.ts';

/** What an event says of the state of an appointment. */
export const appointmentStates: Readonly<Record<string, fhir4.Appointment['status']>> = {
  S12: 'booked',
  S13: 'booked',
  S14: 'booked',
  S15: 'cancelled',
  S17: 'entered-in-error',
  S26: 'noshow',
};

const minutesOf: Readonly<Record<string, number>> = { S: 1 / 60, SEC: 1 / 60, M: 1, MIN: 1, H: 60, HR: 60 };

const instantText = (text: string, at: string, { sender }: Reading): string =>
  new Date(instantOf(text, at, sender.zone)).toISOString();

/** How long it takes, in minutes: SCH-9 and SCH-10. */
const minutesIn = (group: Group): number | undefined => {
  const sch = group.first('SCH');
  const [length, unit] = [sch?.field(9).part(1) ?? '', sch?.field(10).part(1) ?? ''];
  if (length === '') return undefined;
  const factor = minutesOf[unit === '' ? 'MIN' : unit.toUpperCase()];
  if (!/^\d{1,5}$/.test(length) || factor === undefined)
    throw new Unfit('field-form', 'This is no length of time', 'SCH-9');
  return Math.ceil(Number(length) * factor);
};

const participant = (type: string, actor: fhir4.Reference | undefined, status = 'accepted') =>
  actor && {
    type: [{ coding: [{ system: 'https://concord.example/fhir/CodeSystem/hl7-v2-resource', code: type }] }],
    actor,
    status,
  };

export const appointmentRows: readonly Row[] = [
  {
    from: 'SCH-2',
    to: 'identifier',
    how: "the filler's number; without it that of the placer, SCH-1",
    always: true,
    value: (_, reading, group) => appointmentNumbers(reading, group),
  },
  {
    from: 'SCH-11',
    to: 'start',
    how: 'component 4',
    value: (field, reading) => (field.part(4) === '' ? undefined : instantText(field.part(4), field.at, reading)),
  },
  {
    from: 'SCH-11',
    to: 'end',
    how: 'component 5; without it as long after component 4 as SCH-9 says',
    value: (field, reading, group) => {
      if (field.part(5) !== '') return instantText(field.part(5), field.at, reading);
      const minutes = minutesIn(group);
      if (field.part(4) === '' || minutes === undefined) return undefined;
      return new Date(instantOf(field.part(4), field.at, reading.sender.zone) + minutes * 60_000).toISOString();
    },
  },
  { from: 'SCH-9', to: 'minutesDuration', how: 'by the unit of SCH-10', value: (_, __, group) => minutesIn(group) },
  { from: 'SCH-8', to: 'appointmentType', how: 'the kind of appointment', value: first(conceptOf) },
  {
    from: 'SCH-7',
    to: 'reasonCode',
    how: 'why it is made',
    value: first((reading, repetition) => {
      const reason = conceptOf(reading, repetition);
      return reason && [reason];
    }),
  },
  {
    from: 'SCH-6',
    to: 'cancelationReason',
    how: 'why it was cancelled, of S15, S17 and S26',
    value: (field, reading) => (/^S(?:15|17|26)$/.test(reading.event) ? conceptOf(reading, field.first) : undefined),
  },
  {
    from: 'AIS-3',
    to: 'serviceType',
    how: 'what is done',
    value: first((reading, repetition) => {
      const service = conceptOf(reading, repetition);
      return service && [service];
    }),
  },
  {
    from: 'AIP-3',
    to: 'participant',
    how: 'who is there, by the number in the directory; of each AIP',
    parts: ['AIP'],
    value: (_, reading, group) =>
      group.all('AIP').flatMap((segment) => participant('AIP', personOf(reading, segment.field(3).first)) ?? []),
  },
  {
    from: 'AIL-3',
    to: 'participant',
    how: 'where it is, by the number in the directory; of each AIL',
    parts: ['AIL'],
    value: (_, reading, group) =>
      group.all('AIL').flatMap((segment) => participant('AIL', placeOf(reading, segment.field(3).first)) ?? []),
  },
  {
    from: 'AIG-3',
    to: 'participant',
    how: 'a device or another resource, by the number in the directory; of each AIG',
    parts: ['AIG'],
    value: (_, reading, group) =>
      group.all('AIG').flatMap((segment) => {
        const { first: resource } = segment.field(3);
        const system = reading.sender.authorities.get(resource.part(3));
        const identifier = system === undefined ? undefined : { system, value: resource.part(1) };
        return participant('AIG', directoryReference('Device', identifier, resource.part(2) || resource.part(1))) ?? [];
      }),
  },
  {
    from: 'PID-3',
    to: 'participant',
    how: 'the patient',
    parts: ['PID'],
    value: () => [participant('PID', { reference: 'hl7-v2:patient' })],
  },
];

/** The numbers of an appointment, the one that names it first. */
export const appointmentNumbers = (reading: Reading, group: Group): fhir4.Identifier[] | undefined => {
  const sch = group.first('SCH');
  const numbers = [2, 1].flatMap((number) =>
    sch ? (numberOf(reading, sch.field(number).first, 'appointment') ?? []) : [],
  );
  return numbers.length === 0 ? undefined : numbers.slice(0, 1);
};
