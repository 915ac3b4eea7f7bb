import type { Filing } from '../../laboratory/filing.ts';
import type { Message } from '../message.ts';
import {
  cellsOf,
  conceptOf,
  type Group,
  groupOf,
  identifierOf,
  keyMadeOf,
  numberOf,
  type Reading,
  type Row,
  requiredPart,
  systemOfAuthority,
} from '../reading.ts';
import { type Cell, partitions, type Told } from '../told.ts';
import { Unfit } from '../unfit.ts';
import { allergyRows } from './allergy-intolerance.ts';
import { appointmentNumbers, appointmentRows, appointmentStates } from './appointment.ts';
import { diagnosisRows } from './condition.ts';
import { coverageRows } from './coverage.ts';
import { encounterRows, visitStates } from './encounter.ts';
import { immunizationRows } from './immunization.ts';
import { reportRows, resultRows, specimenRows } from './observation.ts';
import { patientRows } from './patient.ts';
import { relatedPersonRows } from './related-person.ts';
import { reportsOf } from './reports.ts';
import { orderNumbers, orderRows } from './service-request.ts';

/** Stands in references for the patient, and for the visit, of a message until their ids are known. */
export const thePatient = 'hl7-v2:patient';
export const theVisit = 'hl7-v2:visit';

/** The tables, by what they are of. */
export const tables: Readonly<Record<string, readonly Row[]>> = {
  Patient: patientRows,
  Encounter: encounterRows,
  RelatedPerson: relatedPersonRows,
  AllergyIntolerance: allergyRows,
  Condition: diagnosisRows,
  Coverage: coverageRows,
  ServiceRequest: orderRows,
  Appointment: appointmentRows,
  Immunization: immunizationRows,
  DiagnosticReport: reportRows,
  Observation: resultRows,
  Specimen: specimenRows,
};

/** Messages that are taken: type → events. */
export const served: Readonly<Record<string, readonly string[]>> = {
  ADT: ['A01', 'A03', 'A04', 'A08', 'A40'],
  ORM: ['O01'],
  ORU: ['R01'],
  SIU: Object.keys(appointmentStates),
  VXU: ['V04'],
};

/** Records that a message may tell of, and reports with their results: far more than a hospital sends, and no more than one request may write. */
const mostRecords = 200;
const mostReports = 20;
const mostResults = 1_000;

/** Segments of a message: what has more is not looked at any further. */
const mostSegments = 20_000;

/** What a message says of records. */
export interface Content {
  /** The identifier that names the patient. */
  readonly patient: Told;
  /** What a message says of the patient that does not tell of patients: it is compared, and not written. */
  readonly described?: readonly Cell[];
  /** Whether a patient who is not there is made. */
  readonly mayCreatePatient: boolean;
  readonly others: readonly Told[];
  /** Reports of a laboratory, which are filed by its own rules. */
  readonly reports?: readonly Omit<Filing, 'patient'>[];
  /** The identifier of the record that the patient's is to stand for, too. */
  readonly replaces?: Told['key'];
}

const subject = { reference: thePatient };
const encounter = { reference: theVisit };

/**
 * Which patient a message is of: the first identifier by an authority that names patients.
 *
 * @throws Unfit `patient-unidentified`.
 */
export const patientKey = (reading: Reading, message: Message, segment = 'PID', field = 3): Told['key'] => {
  const { sender } = reading;
  if ((message.first(segment)?.field(field).repetitions ?? []).length === 0)
    throw new Unfit('field-missing', 'No patient is named', `${segment}-${field}`);
  for (const repetition of message.first(segment)?.field(field).repetitions ?? []) {
    const named =
      sender.patientAuthorities.has(repetition.part(4)) || sender.patientAuthorities.has(repetition.part(4, 2));
    const system = named ? systemOfAuthority(reading, repetition, 4) : undefined;
    if (system !== undefined) return { system, value: requiredPart(repetition.part(1), repetition.at) };
  }
  throw new Unfit(
    'patient-unidentified',
    'No identifier is of an authority that names patients',
    `${segment}-${field}`,
  );
};

const rowsFor = (type: string, group: Group, reading: Reading): Cell[] =>
  cellsOf(tables[type] ?? [], group, reading, (element) => partitions[`${type}.${element}`]);

const identifierFrom = ({ system, value }: Told['key']) => [{ system, value }];

/**
 * What a message says.
 *
 * @throws Unfit for what it lacks, and for fields that are not of their type.
 */
export const contentOf = (reading: Reading): Content => {
  const tooMuch = new Unfit('not-filed', 'A message tells of too much to be filed at once', 'MSH-9', 'too-costly');
  if (reading.message.segments.length > mostSegments) throw tooMuch;
  const content = said(reading);
  const results = (content.reports ?? []).reduce(
    (sum, report) => sum + report.results.length + report.specimens.length,
    0,
  );
  if (content.others.length > mostRecords || (content.reports ?? []).length > mostReports || results > mostResults)
    throw tooMuch;
  return content;
};

const said = (reading: Reading): Content => {
  const { message } = reading;
  const type = message.part('MSH', 9);
  const key = patientKey(reading, message);
  const whole = groupOf(message.segments);
  const patient: Told = {
    type: 'Patient',
    key,
    cells: rowsFor('Patient', whole, reading),
    initially: { identifier: identifierFrom(key), active: true },
  };
  if (reading.event === 'A40')
    return {
      patient: { ...patient, cells: [] },
      mayCreatePatient: false,
      others: [],
      replaces: patientKey(reading, message, 'MRG', 1),
    };
  const chart = `${key.system}|${key.value}`;
  if (type === 'ADT') return { patient, mayCreatePatient: true, others: ofVisit(reading, whole, chart) };
  if (type === 'ORU') return { patient, mayCreatePatient: false, others: [], reports: reportsOf(reading) };
  const others =
    type === 'SIU'
      ? [appointmentTold(reading, whole)]
      : type === 'ORM'
        ? ordersTold(reading)
        : vaccinesTold(reading, chart);
  return { patient: { ...patient, cells: [] }, described: patient.cells, mayCreatePatient: false, others };
};

const ofVisit = (reading: Reading, whole: Group, chart: string): Told[] => {
  const visit = visitTold(reading, whole);
  const number = visit ? `${visit.key.system}|${visit.key.value}` : '';
  const each = (name: string, told: (group: Group) => Told) =>
    whole.all(name).map((segment) => told(groupOf([segment])));
  return [
    ...(visit ? [visit] : []),
    ...each('NK1', (group) => {
      const [name, relationship] = [group.first('NK1')?.field(2).first, group.first('NK1')?.field(3).part(1) ?? ''];
      const who = [1, 2].map((component) => (name?.part(component) ?? '').toUpperCase());
      requiredPart(who.join(''), 'NK1-2');
      const key = keyMadeOf(reading, 'related-person', chart, ...who, relationship);
      return {
        type: 'RelatedPerson',
        key,
        cells: rowsFor('RelatedPerson', group, reading),
        initially: { identifier: identifierFrom(key), patient: subject, active: true },
      };
    }),
    ...each('AL1', (group) => {
      const key = keyMadeOf(reading, 'allergy', chart, conceptKey(reading, group, 'AL1'));
      return {
        type: 'AllergyIntolerance',
        key,
        cells: rowsFor('AllergyIntolerance', group, reading),
        initially: {
          identifier: identifierFrom(key),
          patient: subject,
          clinicalStatus: {
            coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
          },
          verificationStatus: {
            coding: [
              { system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification', code: 'unconfirmed' },
            ],
          },
        },
      };
    }),
    ...each('DG1', (group) => {
      const key = keyMadeOf(reading, 'diagnosis', chart, number, conceptKey(reading, group, 'DG1'));
      return {
        type: 'Condition',
        key,
        cells: rowsFor('Condition', group, reading),
        initially: {
          identifier: identifierFrom(key),
          subject,
          ...(visit ? { encounter } : {}),
          category: [
            {
              coding: [
                { system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'encounter-diagnosis' },
              ],
            },
          ],
          clinicalStatus: {
            coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
          },
        },
      };
    }),
    ...each('IN1', (group) => {
      const part = (field: number) => group.first('IN1')?.field(field).part(1) ?? '';
      const key = keyMadeOf(reading, 'coverage', chart, part(2), part(4), part(36));
      return {
        type: 'Coverage',
        key,
        cells: rowsFor('Coverage', group, reading),
        initially: { identifier: identifierFrom(key), status: 'active', beneficiary: subject },
      };
    }),
  ];
};

/** What is coded, for a key: code and system, else the words. */
const conceptKey = (reading: Reading, group: Group, name: string): string => {
  const field = group.first(name)?.field(3);
  const concept = field && conceptOf(reading, field.first);
  const [coding] = concept?.coding ?? [];
  return requiredPart(coding ? `${coding.system}|${coding.code}` : (concept?.text ?? '').toUpperCase(), `${name}-3`);
};

const visitTold = (reading: Reading, whole: Group): Told | undefined => {
  const number = whole.first('PV1')?.field(19).first;
  const told = number && number.part(1) !== '' ? identifierOf(reading, number) : undefined;
  if (!told) return undefined;
  const system = told.system ?? reading.sender.numbers.get('visit');
  if (system === undefined)
    throw new Unfit('sender-configuration', 'It is not said by whom visits are numbered', 'PV1-19');
  const { event, happened } = reading;
  const status = visitStates[event];
  const cells = rowsFor('Encounter', whole, reading);
  const says = (slot: string) => cells.some((cell) => cell.slot === slot);
  return {
    type: 'Encounter',
    key: { system, value: told.value ?? '' },
    cells: [
      ...cells,
      ...(status ? [{ slot: 'status', value: status }] : []),
      ...(status === 'in-progress' && !says('period.start') ? [{ slot: 'period.start', value: happened }] : []),
      // Who is admitted again has not left.
      ...(status !== undefined && !says('period.end')
        ? [{ slot: 'period.end', value: status === 'finished' ? happened : undefined }]
        : []),
    ],
    initially: { subject, status: 'unknown' },
  };
};

const appointmentTold = (reading: Reading, whole: Group): Told => {
  const [number] = appointmentNumbers(reading, whole) ?? [];
  if (!number) throw new Unfit('field-missing', 'The appointment has no number', 'SCH-2');
  if (number.system === undefined)
    throw new Unfit('sender-configuration', 'It is not said by whom appointments are numbered', 'SCH-2');
  return {
    type: 'Appointment',
    key: { system: number.system, value: number.value ?? '' },
    cells: [...rowsFor('Appointment', whole, reading), { slot: 'status', value: appointmentStates[reading.event] }],
    initially: {},
  };
};

const ordersTold = (reading: Reading): Told[] => {
  const groups = reading.message.groups('ORC').map(groupOf);
  if (groups.length === 0) throw new Unfit('field-missing', 'There is no order in it', 'ORC-1');
  return groups.map((group): Told => {
    const number = orderNumbers(reading, group).find(({ system }) => system !== undefined);
    if (!number)
      throw new Unfit('field-missing', 'The order has no number, or nobody has said by whom it is numbered', 'ORC-2');
    const notes = group.all('NTE').map((segment) => ({
      text: segment
        .field(3)
        .repetitions.map(({ text }) => text)
        .join('\n'),
    }));
    return {
      type: 'ServiceRequest',
      key: { system: number.system ?? '', value: number.value ?? '' },
      cells: [
        ...rowsFor('ServiceRequest', group, reading),
        ...(notes.length > 0 ? [{ slot: 'note', value: notes.filter(({ text }) => text !== '') }] : []),
      ],
      initially: { subject, status: 'unknown', intent: 'order' },
    };
  });
};

const vaccinesTold = (reading: Reading, chart: string): Told[] => {
  const { message } = reading;
  const begins = message.all('ORC').length > 0 ? 'ORC' : 'RXA';
  const groups = message
    .groups(begins)
    .map(groupOf)
    .filter((group) => group.first('RXA'));
  if (groups.length === 0) throw new Unfit('field-missing', 'There is no vaccination in it', 'RXA-5');
  return groups.map((group): Told => {
    const orc = group.first('ORC');
    const number = [3, 2]
      .flatMap((field) =>
        orc ? (numberOf(reading, orc.field(field).first, field === 3 ? 'filler' : 'placer') ?? []) : [],
      )
      .find(({ system }) => system !== undefined);
    const rxa = group.first('RXA');
    const vaccine = rxa && conceptOf(reading, rxa.field(5).first);
    const facts = [vaccine?.coding?.[0]?.code ?? vaccine?.text ?? '', (rxa?.field(3).part(1) ?? '').slice(0, 8)];
    requiredPart(facts[0] ?? '', 'RXA-5');
    const key = number
      ? { system: number.system ?? '', value: number.value ?? '' }
      : keyMadeOf(reading, 'vaccination', chart, ...facts);
    return {
      type: 'Immunization',
      key,
      cells: rowsFor('Immunization', group, reading).filter(({ slot }) => slot !== 'identifier'),
      initially: { identifier: identifierFrom(key), patient: subject },
    };
  });
};
