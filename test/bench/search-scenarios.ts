import { rareCode } from '../support/large-chart.ts';
import { sought } from './registry.ts';
import type { Scenario } from './scenarios.ts';
import {
  appointmentsADay,
  type ChartWorld,
  daysOfAppointments,
  dayText,
  type OrganizationWorld,
  type SearchWorld,
} from './search-worlds.ts';

/** A search to measure in worlds of several sizes. */
export interface SearchScenario<W extends SearchWorld> {
  readonly name: string;
  readonly path: (world: W) => string;
  /** Entries that the answer must have there, so that a search that finds nothing is no measurement. */
  readonly entries: (world: W) => number;
}

export const scenarioIn = <W extends SearchWorld>(
  { name, path, entries }: SearchScenario<W>,
  world: W,
): Scenario<W> => ({
  name,
  prepare: ({ server, token }) => server.prepare('GET', path(world), { token }),
  status: 200,
  entries: entries(world),
  repeatable: true,
});

const page = 50;

const inChart = (
  name: string,
  query: string,
  entries: (observations: number) => number,
): SearchScenario<ChartWorld> => ({
  name,
  path: ({ chart }) => `Observation?patient=${chart}&${query}`,
  entries: ({ observations }) => entries(observations),
});

const upToAPage = (count: number): number => Math.min(page, count);
const rare = `code=${rareCode}`;
/** A hundred minutes of the first day, in all charts: one has the rare code. */
const oldMinutes = 'date=ge2000-01-01T00:00Z&date=lt2000-01-01T01:40Z';

/** Searches in a chart of 100 to 100,000 Observations. One in a hundred has the rare code; values are 60 to 159. */
export const chartSearches: readonly SearchScenario<ChartWorld>[] = [
  inChart('newest 50', '', upToAPage),
  inChart('by code and date', `${rare}&${oldMinutes}`, () => 1),
  inChart('since a date, all of it older', 'date=ge2024-01-01', () => 0),
  inChart('on a day long ago', oldMinutes, () => page),
  {
    name: 'on a day among the newest 500',
    path: ({ chart, observations }) => {
      const minute = (n: number) => new Date(Date.UTC(2000, 0, 1, 0, n)).toISOString();
      return `Observation?patient=${chart}&date=ge${minute(observations - 90)}&date=lt${minute(observations - 10)}`;
    },
    entries: () => page,
  },
  inChart('by value', 'value-quantity=gt158||/min', (count) => upToAPage(count / 100)),
  inChart('newest 50, sorted by date', '_sort=-date', upToAPage),
  inChart('counted', '_summary=count', () => 0),
  inChart('newest 50 with their performers', '_include=Observation:performer', (count) => upToAPage(count) + 1),
  inChart('newest 50 with what is derived from them', '_revinclude=DiagnosticReport:result', upToAPage),
  inChart('by performer’s name', `${rare}&performer:Practitioner.name=performer`, (count) => upToAPage(count / 100)),
  {
    name: 'newest 50 of a compartment',
    path: ({ chart }) => `Patient/${chart}/Observation`,
    entries: ({ observations }) => upToAPage(observations),
  },
  inChart('by what refers to them', `${rare}&_has:DiagnosticReport:result:status=final`, () => 0),
];

const across = (
  name: string,
  path: string | ((world: OrganizationWorld) => string),
  entries: number | ((patients: number) => number),
): SearchScenario<OrganizationWorld> => ({
  name,
  path: typeof path === 'string' ? () => path : path,
  entries: ({ patients }) => (typeof entries === 'number' ? entries : entries(patients)),
});

/** That no index serves the search. */
const warning = 1;

const [{ system, value }] = sought.identifier;
const [{ family }] = sought.name;
const onDay = (days: number) => `date=ge${dayText(days)}&date=lt${dayText(days + 1)}`;

/** Searches across the patients of an organisation, one of ten practitioners being asked for. The last ones have no index. */
export const organizationSearches: readonly SearchScenario<OrganizationWorld>[] = [
  across('patients by name', `Patient?name=${family}`, 1),
  across('patients by identifier', `Patient?identifier=${system}|${value}`, 1),
  across('patients by birth date and name', `Patient?birthdate=${sought.birthDate}&name=${family}`, 1),
  across('observations by name of patient', `Observation?patient.name=${family}`, 1),
  across('observations by identifier of patient', `Observation?patient.identifier=${system}|${value}`, 1),
  across('roles by name of practitioner', 'PractitionerRole?practitioner.name=staffa', 1),
  across('appointments of today', `Appointment?${onDay(0)}`, (patients) => upToAPage(appointmentsADay(patients))),
  across(
    'appointments of a practitioner today',
    ({ practitioner }) => `Appointment?actor=${practitioner}&${onDay(0)}`,
    (patients) => Math.ceil(appointmentsADay(patients) / 10),
  ),
  across(
    'appointments of a practitioner from today on',
    ({ practitioner }) => `Appointment?actor=${practitioner}&date=ge${dayText(0)}`,
    (patients) => upToAPage(Math.ceil(appointmentsADay(patients) / 10) * (daysOfAppointments / 2)),
  ),
  across(
    'tasks by owner',
    ({ practitioner }) => `Task?owner=${practitioner}`,
    (patients) => patients / 1_000,
  ),
  across('patients counted', 'Patient?_summary=count', warning),
  across('observations by code: a page of a walk', 'Observation?code=nobody-has-it', warning),
  across(
    'patients by an observation: a page of a walk',
    'Patient?_has:Observation:patient:code=nobody-has-it',
    warning,
  ),
];
