import type { Resource } from '../../shared/fhir/resource.ts';
import { appointment } from '../../shared/record-types/appointment.ts';
import type { RecordType } from '../../shared/record-types/define-record-type.ts';
import { observation } from '../../shared/record-types/observation.ts';
import { patient } from '../../shared/record-types/patient.ts';
import { practitioner } from '../../shared/record-types/practitioner.ts';
import { practitionerRole } from '../../shared/record-types/practitioner-role.ts';
import { task } from '../../shared/record-types/task.ts';
import { everyRecord, indexChanges } from '../../shared/store/index-rows.ts';
import type { Row } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { recordRow } from '../../shared/store/rows.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { accessToken } from '../support/callers.ts';
import { localTableWithoutStream } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { rareCode } from '../support/large-chart.ts';
import { observationBody } from '../support/records.ts';
import { patientNumbered, sought } from './registry.ts';

// Worlds to search in. Their rows are those that requests would write, put without the requests: ten thousand patients in seconds.

const custodian = 'northside';
const day = 86_400_000;
/** The day that the front desk asks for. */
export const today = Date.UTC(2026, 10, 26);
/** As a search names a day. */
export const dayText = (days: number): string => new Date(today + days * day).toISOString().slice(0, 10);

/** A new record's row and all that lead to it. */
const rowsFor = (
  store: RecordStore,
  recordType: RecordType,
  resource: fhir4.Resource,
  chart?: string,
): { readonly reference: string; readonly rows: Row[] } => {
  const body = resource as unknown as Resource;
  const home = chart ?? store.ids.newChart();
  const place = chart === undefined ? '' : store.ids.newPlace(recordType.dateOf(body) ?? today);
  const id = store.ids.idAt(home, place);
  const { name: type } = recordType;
  const next = { type, chart: home, place, id, version: 1, updated: today, custodian, labels: [], resource: body };
  const { puts } = indexChanges(store, recordType, { next }, { next: [], previous: [] });
  return { reference: `${type}/${id}`, rows: [{ ...recordRow(next, store.ids) }, ...puts] };
};

/** Where searches are measured. */
export interface SearchWorld {
  readonly server: FhirServer;
  /** A physician's. */
  readonly token: string;
}

const emptyWorld = async (): Promise<SearchWorld> => ({
  server: await fhirServer(await localTableWithoutStream()),
  token: await accessToken({ role: 'physician' }),
});

/** One patient's chart. */
export interface ChartWorld extends SearchWorld {
  readonly observations: number;
  readonly chart: string;
}

/** The one who performs all Observations of a chart, or has all appointments that are asked for. */
const physicianNamed = (store: RecordStore, family: string) =>
  rowsFor(store, practitioner, {
    resourceType: 'Practitioner',
    name: [{ family }],
  } as fhir4.Practitioner);

/** One in a hundred has the rare code, and values are 60 to 159. */
const firstMinute = Date.UTC(2000, 0, 1);
const observationAt = (subject: string, performer: string, n: number, minutesApart: number): fhir4.Observation =>
  observationBody(subject, {
    ...(n % 100 === 0 ? { code: { coding: [{ system: 'http://loinc.org', code: rareCode }] } } : {}),
    effectiveDateTime: new Date(firstMinute + n * minutesApart * 60_000).toISOString(),
    valueQuantity: { value: 60 + (n % 100), unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
    performer: [{ reference: performer }],
  });

/** A chart with so many Observations, all performed by one practitioner, from the year 2000 on. @param observations - a multiple of 100. */
export const chartWorld = async (observations: number, minutesApart = 1): Promise<ChartWorld> => {
  const world = await emptyWorld();
  const { store } = world.server;
  const performer = physicianNamed(store, 'Performer');
  const chart = rowsFor(store, patient, patientNumbered(0));
  await writeRows(store, [...performer.rows, ...chart.rows]);
  const id = chart.reference.slice('Patient/'.length);
  for (let from = 0; from < observations; from += 5_000) {
    const numbers = Array.from({ length: Math.min(5_000, observations - from) }, (_, n) => from + n);
    const bodies = numbers.map((n) => observationAt(chart.reference, performer.reference, n, minutesApart));
    await writeRows(
      store,
      bodies.flatMap((body) => rowsFor(store, observation, body, id).rows),
    );
  }
  return { ...world, observations, chart: id };
};

/** What an organisation has, by its number of patients. */
export interface OrganizationWorld extends SearchWorld {
  readonly patients: number;
  /** Reference to one of ten practitioners who share appointments and tasks. */
  readonly practitioner: string;
}

const practitioners = 10;
/** Appointments are spread over so many days, today in their middle. */
export const daysOfAppointments = 20;
export const appointmentsADay = (patients: number): number => patients / 200;
/** The others have no Observation, nor rows by name, birth date, telephone and identifier: no search here reads those, and they are most of all. */
const isWhole = (number: number | undefined): boolean => number === undefined || number < 1_000;

/** So many patients, and whom the searches look for. @param patients - a multiple of 1,000. */
export const organizationWorld = async (patients: number): Promise<OrganizationWorld> => {
  const world = await emptyWorld();
  const { store } = world.server;
  const staff = Array.from({ length: practitioners }, (_, n) =>
    physicianNamed(store, `Staff${'abcdefghij'.charAt(n)}`),
  );
  const roles = staff.map(({ reference }) =>
    rowsFor(store, practitionerRole, {
      resourceType: 'PractitionerRole',
      practitioner: { reference },
    } as fhir4.PractitionerRole),
  );
  await writeRows(
    store,
    [...staff, ...roles].flatMap(({ rows }) => rows),
  );
  const names = staff.map(({ reference }) => reference);
  await writeRows(store, chartOf(store, sought, undefined, names));
  for (let from = 0; from < patients; from += 1_000) {
    const numbers = Array.from({ length: 1_000 }, (_, n) => from + n);
    await writeRows(
      store,
      numbers.flatMap((number) => chartOf(store, patientNumbered(number), number, names)),
    );
  }
  return { ...world, patients, practitioner: names[0] ?? '' };
};

/** A patient, the first thousand with an Observation; one in ten with an appointment, one in a hundred with a task. */
const chartOf = (
  store: RecordStore,
  body: fhir4.Patient,
  number: number | undefined,
  staff: readonly string[],
): Row[] => {
  const { reference, rows } = rowsFor(store, patient, body);
  const chart = reference.slice('Patient/'.length);
  const found: { readonly rows: Row[] }[] = [];
  if (isWhole(number)) found.push(rowsFor(store, observation, observationBody(reference), chart));
  if (number !== undefined && number % 10 === 0) {
    found.push(rowsFor(store, appointment, appointmentOf(reference, staff, number / 10), chart));
  }
  if (number !== undefined && number % 100 === 0) {
    const owner = { reference: staff[(number / 100) % staff.length] ?? '' };
    const work = { status: 'requested', intent: 'order', for: { reference }, owner } as const;
    found.push(rowsFor(store, task, { resourceType: 'Task', ...work }, chart));
  }
  const own = isWhole(number) ? rows : rows.filter(isListed);
  return [...own, ...found.flatMap((each) => each.rows)];
};

const isListed = ({ pk }: Row): boolean => pk.startsWith('C#') || pk.includes(`#${everyRecord}#`);

/** Day after day, then the same days with the next of the staff. */
const appointmentOf = (patientReference: string, staff: readonly string[], turn: number): fhir4.Appointment => {
  const start = today + ((turn % daysOfAppointments) - daysOfAppointments / 2) * day + (9 + (turn % 8)) * 3_600_000;
  const actor = staff[Math.floor(turn / daysOfAppointments) % staff.length] ?? '';
  return {
    resourceType: 'Appointment',
    status: 'booked',
    start: new Date(start).toISOString(),
    end: new Date(start + 1_800_000).toISOString(),
    participant: [
      { actor: { reference: patientReference }, status: 'accepted' },
      { actor: { reference: actor }, status: 'accepted' },
    ],
  };
};
