import { writeFileSync } from 'node:fs';
import { operationOf, showing } from '../../../shared/audit/audit-row.ts';
import { linkedWith } from '../../../shared/store/chart-links.ts';
import { inParallel } from '../../../shared/store/in-parallel.ts';
import { openStore } from '../../../shared/store/open-store.ts';
import type { RecordStore } from '../../../shared/store/record-store.ts';
import { CommandFailed } from '../command.ts';
import { type ChartPatient, nameOf, patientsOf } from './chart-patients.ts';
import { csvOf } from './csv.ts';
import {
  accessesOfChart,
  accessesOfOrganization,
  isBy,
  type LoggedAccess,
  namesOf,
  requireSome,
} from './logged-accesses.ts';
import { reasonOf, reportClient, traceReport } from './own-trace.ts';
import { tableOf } from './text-table.ts';
import { type ChartTies, directoryRecord, likeness, type Sign, tiesOf } from './ties.ts';
import { dayMs, type Span, spanOf } from './times.ts';
import { defineVerb, Misunderstood, type Report, requireNoWords } from './verb.ts';

/** How far back a report looks where nothing says so: as far as a privacy officer's own search does. */
const usualDays = 31;
const chartsAtOnce = 4;

/** What one person did with one patient's chart. */
interface Visit {
  readonly patient: ChartPatient;
  readonly accesses: readonly LoggedAccess[];
  readonly signs: readonly Sign[];
}

/** `snooping`: who looked at a chart, or at which charts somebody looked, and what makes one ask why. */
export const snooping = defineVerb({
  name: 'snooping',
  summary: 'Who looked at a chart, or which charts somebody looked at, and what is odd about it',
  synopsis: '(--patient ID | --user NAME --organization ID) --reason WORDS [--from T] [--to T] [--csv FILE]',
  explained: [
    '--patient ID    everybody who looked at this chart, and at those that are merged with it',
    '--user NAME     all charts that somebody looked at: the name to sign in with, the sub or Practitioner/ID',
    '--organization ID  for which they did',
    '--reason WORDS  why it is asked; the log of each chart keeps it, with who asked',
    `--from T, --to T  such as 2026-11-27T08:00Z or a day; the last ${usualDays} days, if absent`,
    '--csv FILE      writes each access into a file, too',
  ].join('\n'),
  effect: 'reads',
  options: {
    patient: { type: 'string' },
    user: { type: 'string' },
    organization: { type: 'string' },
    reason: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    csv: { type: 'string' },
  },
  understand: ({ values, positionals }, now) => {
    requireNoWords(positionals);
    const { patient, user, organization, reason, from, to, csv } = values;
    const span = spanOf(from, to, now - usualDays * dayMs, now);
    const task = { reason: reasonOf(reason), span, csv };
    if (patient !== undefined && user === undefined && organization === undefined) return { ...task, patient };
    if (user !== undefined && organization !== undefined && patient === undefined)
      return { ...task, user, organization };
    throw new Misunderstood('Give --patient, or --user and --organization');
  },
  run: async (task, { place, operator, now }): Promise<Report> => {
    const at = await place();
    const { table, objects } = at;
    const store = await openStore(table.client, table.tableName, objects);
    const accesses =
      'patient' in task
        ? await ofPatient(store, task.patient, task.span)
        : await ofUser(store, await namesOf(at, task.user), task.organization, task.span);
    const patients = await patientsOf(store, new Set(accesses.map(({ chart }) => chart)));
    const looked = [...patients.values()].map(({ chart, id, custodian }) => ({ chart, patient: id, custodian }));
    await traceReport(store, await operator(), { operation: '$snooping-report', reason: task.reason, now }, looked);
    const visits = await visitsIn(store, accesses, patients);
    if (task.csv !== undefined) writeFileSync(task.csv, csvOfVisits(visits), { mode: 0o600 });
    return report(visits, task.csv);
  },
});

const ofPatient = async (store: RecordStore, id: string, span: Span): Promise<LoggedAccess[]> => {
  const chart = (await store.locate('Patient', id, false))?.chart;
  if (chart === undefined) throw new CommandFailed(`There is no Patient/${id}`);
  const linked = (await linkedWith(store, chart)).map((each) => each.chart);
  const found: LoggedAccess[] = [];
  for (const each of new Set([chart, ...linked]))
    for await (const access of accessesOfChart(store, each, span)) found.push(access);
  return found;
};

const ofUser = async (
  store: RecordStore,
  names: readonly string[],
  organization: string,
  span: Span,
): Promise<LoggedAccess[]> => {
  const found: LoggedAccess[] = [];
  for await (const access of accessesOfOrganization(store, organization, span))
    if (isBy(access, names)) found.push(access);
  requireSome(found.length, organization);
  return found;
};

/** What each person did with each chart, the oddest first. */
const visitsIn = async (
  store: RecordStore,
  accesses: readonly LoggedAccess[],
  patients: ReadonlyMap<string, ChartPatient>,
): Promise<Visit[]> => {
  const groups = new Map<string, LoggedAccess[]>();
  for (const access of accesses) {
    // What a report of this kind left behind is no visit, and a patient's own are the patient's business.
    if (!patients.has(access.chart) || access.entry.client === reportClient || access.entry.roles.includes('patient'))
      continue;
    const key = `${access.chart}\n${access.entry.subject}`;
    groups.set(key, [...(groups.get(key) ?? []), access]);
  }
  const charts = [...new Set([...groups.values()].flatMap(([first]) => first?.chart ?? []))];
  const ties = new Map(
    await inParallel(chartsAtOnce, charts, async (chart) => [chart, await tiesOf(store, [chart])] as const),
  );
  const people = new Map<string, Promise<unknown>>();
  const personOf = (reference: string): Promise<unknown> => {
    const [type = '', id = ''] = reference.split('/');
    const known = people.get(reference) ?? directoryRecord(store, type, id);
    people.set(reference, known);
    return known;
  };
  const visits = await inParallel(chartsAtOnce, [...groups.values()], async (group): Promise<Visit[]> => {
    const [first] = group;
    const patient = first && patients.get(first.chart);
    if (!first || !patient) return [];
    const viewer = first.entry.fhirUser.startsWith('Practitioner/') ? await personOf(first.entry.fhirUser) : undefined;
    return [{ patient, accesses: group, signs: signsOf(group, patient, viewer, ties.get(first.chart)) }];
  });
  return visits.flat().toSorted((a, b) => weigh(b) - weigh(a) || latest(b) - latest(a));
};

const latest = ({ accesses }: Visit): number => accesses[0]?.entry.at ?? 0;

const weights: Readonly<Record<Sign, number>> = {
  'own chart': 8,
  'same surname': 4,
  'same address': 4,
  'nothing ties them to the patient': 2,
  'broke the glass': 1,
};
const weigh = ({ signs }: Visit): number => signs.reduce((sum, sign) => sum + weights[sign], 0);

/** What is odd about somebody's visit of a chart. An application is tied by what it is for, and has no life beside it. Pure. */
export const signsOf = (
  accesses: readonly LoggedAccess[],
  { patient }: Pick<ChartPatient, 'patient'>,
  viewer: unknown,
  ties: ChartTies | undefined,
): Sign[] => {
  const [first] = accesses;
  if (!first || first.entry.roles.includes('system')) return [];
  const wrote = accesses.some(({ entry, refused }) => !refused && !showing.has(entry.interaction));
  const named = ties?.named.has(first.entry.fhirUser) ?? false;
  const emergency = accesses.some(({ entry }) => entry.basis === 'break-glass' || entry.purpose === 'BTG');
  return [
    ...(patient && viewer ? likeness(viewer as fhir4.Practitioner, patient) : []),
    ...(named || wrote ? [] : (['nothing ties them to the patient'] as const)),
    ...(emergency ? (['broke the glass'] as const) : []),
  ];
};

const seconds = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');

const summary = ({ patient, accesses, signs }: Visit) => {
  const times = accesses.map(({ entry }) => entry.at);
  const { name = '', roles = [], organization = '', fhirUser = '', subject = '' } = accesses[0]?.entry ?? {};
  return {
    patient: `Patient/${patient.id}`,
    patientName: nameOf(patient.patient?.name),
    user: name,
    subject,
    fhirUser,
    roles,
    organization,
    accesses: accesses.length,
    refused: accesses.filter(({ refused }) => refused).length,
    first: seconds(Math.min(...times)),
    last: seconds(Math.max(...times)),
    signs,
  };
};

const report = (visits: readonly Visit[], csv: string | undefined): Report => {
  const all = visits.map(summary);
  const odd = all.filter(({ signs }) => signs.length > 0).length;
  const rows = all.map((each) => [
    each.user,
    each.roles.join(' '),
    each.organization,
    each.patient,
    each.patientName,
    `${each.accesses}${each.refused > 0 ? ` (${each.refused} refused)` : ''}`,
    each.last,
    each.signs.join(', '),
  ]);
  return {
    text: [
      tableOf(['user', 'role', 'organisation', 'chart', 'patient', 'accesses', 'last', 'why to ask'], rows),
      '',
      `${all.length} people and charts, ${odd} of them with a sign that calls for a question. A sign proves nothing: who covers for a colleague is named nowhere.`,
      ...(csv === undefined ? [] : [`Each access is in ${csv}`]),
    ].join('\n'),
    data: { visits: all },
  };
};

const csvHeads = [
  'time',
  'user',
  'sub',
  'record of the user',
  'roles',
  'organisation',
  'application',
  'patient',
  'patient name',
  'did',
  'records',
  'query',
  'right',
  'purpose',
  'refused',
  'why to ask',
  'request',
  'AuditEvent',
];

const csvOfVisits = (visits: readonly Visit[]): string =>
  csvOf(
    csvHeads,
    visits.flatMap(({ patient, accesses, signs }) =>
      accesses.map(({ id, entry, refused }) => [
        new Date(entry.at).toISOString(),
        entry.name,
        entry.subject,
        entry.fhirUser,
        entry.roles.join(' '),
        entry.organization ?? '',
        entry.client,
        `Patient/${patient.id}`,
        nameOf(patient.patient?.name),
        operationOf(entry) ?? entry.interaction,
        entry.what.join(' '),
        entry.query ?? '',
        entry.basis ?? '',
        entry.purpose ?? '',
        refused || entry.outcome !== undefined ? 'yes' : '',
        signs.join(', '),
        entry.request,
        id,
      ]),
    ),
  );
