import { writeFileSync } from 'node:fs';
import { showing } from '../../../shared/audit/audit-row.ts';
import { openStore } from '../../../shared/store/open-store.ts';
import { type ChartPatient, nameOf, patientsOf } from './chart-patients.ts';
import { csvOf } from './csv.ts';
import { accessesOfOrganization, isBy, type LoggedAccess, namesOf, requireSome } from './logged-accesses.ts';
import { type NotifiedPatient, noticesDue } from './notices-due.ts';
import { reasonOf, reportClient, traceReport } from './own-trace.ts';
import { tableOf } from './text-table.ts';
import { dayOf, momentOf, spanOf } from './times.ts';
import { defineVerb, Misunderstood, needed, type Report, requireNoWords } from './verb.ts';

/** A chart that somebody reached who should not have. */
interface Reached {
  readonly patient: ChartPatient;
  readonly accesses: readonly LoggedAccess[];
}

/** `breach`: which charts a user, an application or a partner reached within a time, whom to notify and until when. */
export const breach = defineVerb({
  name: 'breach',
  summary: 'Which charts a user, an application or a partner reached, whom to notify and until when',
  synopsis:
    '--organization ID (--user NAME | --application CLIENT | --everybody) --from T [--to T] [--discovered DAY] --reason WORDS [--csv FILE]',
  explained: [
    '--organization ID  of whose people, applications or systems it is',
    '--user NAME     somebody: the name to sign in with, the sub or Practitioner/ID',
    '--application CLIENT  all that came by this application',
    '--everybody     all that this organisation did: a partner whose systems are in other hands',
    '--from T, --to T  such as 2026-11-27T08:00Z or a day; to now, if absent',
    '--discovered DAY  when the breach was known, from which days count; today, if absent',
    '--reason WORDS  why it is asked; the log of each chart keeps it, with who asked',
    '--csv FILE      writes whom to notify into a file, too',
  ].join('\n'),
  effect: 'reads',
  options: {
    organization: { type: 'string' },
    user: { type: 'string' },
    application: { type: 'string' },
    everybody: { type: 'boolean' },
    from: { type: 'string' },
    to: { type: 'string' },
    discovered: { type: 'string' },
    reason: { type: 'string' },
    csv: { type: 'string' },
  },
  understand: ({ values, positionals }, now) => {
    requireNoWords(positionals);
    const { user, application, everybody, discovered } = values;
    const named = [user, application, everybody].filter((each) => each !== undefined);
    if (named.length !== 1) throw new Misunderstood('Give one of --user, --application and --everybody');
    needed(values.from, 'from');
    return {
      organization: needed(values.organization, 'organization'),
      user,
      application,
      span: spanOf(values.from, values.to, 0, now),
      discovered: discovered === undefined ? now : momentOf(discovered, 'discovered'),
      reason: reasonOf(values.reason),
      csv: values.csv,
    };
  },
  run: async (task, { place, operator, now }): Promise<Report> => {
    const { organization, user, application, span, discovered, reason, csv } = task;
    const at = await place();
    const { table, objects } = at;
    const names = user === undefined ? undefined : await namesOf(at, user);
    const isMeant = (access: LoggedAccess) =>
      names ? isBy(access, names) : application === undefined || access.entry.client === application;
    const store = await openStore(table.client, table.tableName, objects);
    const byChart = new Map<string, LoggedAccess[]>();
    let meant = 0;
    for await (const access of accessesOfOrganization(store, organization, span)) {
      if (access.entry.client === reportClient || !isMeant(access)) continue;
      meant++;
      if (access.refused || access.entry.outcome !== undefined) continue;
      byChart.set(access.chart, [...(byChart.get(access.chart) ?? []), access]);
    }
    requireSome(meant, organization);
    const patients = await patientsOf(store, byChart.keys());
    const looked = [...patients.values()].map(({ chart, id, custodian }) => ({ chart, patient: id, custodian }));
    await traceReport(store, await operator(), { operation: '$breach-report', reason, now }, looked);
    const reached = [...patients.values()].map((patient) => ({ patient, accesses: byChart.get(patient.chart) ?? [] }));
    const notified = reached.map(notifiedOf);
    if (csv !== undefined) writeFileSync(csv, csvOfPatients(notified), { mode: 0o600 });
    return report(notified, discovered, csv);
  },
});

interface Notified extends NotifiedPatient {
  readonly patient: string;
  readonly custodian: string;
  readonly name: string;
  readonly birthDate: string;
  readonly address: string;
  readonly language: string;
  readonly contacts: string;
  readonly deceased: boolean;
  readonly seen: number;
  readonly changed: number;
  readonly first: string;
  readonly last: string;
  readonly kinds: readonly string[];
  readonly labels: readonly string[];
}

const notifiedOf = ({ patient: { id, custodian, patient }, accesses }: Reached): Notified => {
  const times = accesses.map(({ entry }) => entry.at);
  const current = (patient?.address ?? []).filter(({ use, period }) => use !== 'old' && period?.end === undefined);
  const home = current.find(({ use }) => use === 'home') ?? current[0];
  const showed = accesses.filter(({ entry }) => showing.has(entry.interaction));
  return {
    patient: `Patient/${id}`,
    custodian,
    name: nameOf(patient?.name),
    birthDate: patient?.birthDate ?? '',
    address: addressIn(home),
    state: home?.state,
    language: patient?.communication?.find(({ preferred }) => preferred)?.language.coding?.[0]?.code ?? '',
    contacts: (patient?.contact ?? []).map(({ name }) => nameOf(name && [name])).join('; '),
    deceased: patient?.deceasedDateTime !== undefined || patient?.deceasedBoolean === true,
    seen: showed.length,
    changed: accesses.length - showed.length,
    first: new Date(Math.min(...times)).toISOString(),
    last: new Date(Math.max(...times)).toISOString(),
    kinds: distinct(accesses.flatMap(({ entry }) => entry.what.map((reference) => reference.split('/')[0] ?? ''))),
    labels: distinct(accesses.flatMap(({ entry }) => entry.labels ?? []).map((label) => label.split('|').at(-1) ?? '')),
  };
};

const distinct = (values: readonly string[]): string[] =>
  [...new Set(values)].filter((value) => value !== '').toSorted();

const addressIn = (address: fhir4.Address | undefined): string =>
  address?.text ??
  [...(address?.line ?? []), address?.city, address?.state, address?.postalCode, address?.country]
    .filter((part) => part !== undefined)
    .join(', ');

const report = (notified: readonly Notified[], discovered: number, csv: string | undefined): Report => {
  const due = noticesDue(notified, discovered);
  const rows = notified.map((each) => [
    each.patient,
    each.name,
    each.custodian,
    String(each.seen),
    String(each.changed),
    each.last.slice(0, 16),
    [...each.kinds, ...each.labels.map((label) => `[${label}]`)].join(' '),
  ]);
  const changed = notified.filter((each) => each.changed > 0).length;
  return {
    text: [
      tableOf(['chart', 'patient', 'kept by', 'shown', 'changed', 'last', 'what'], rows),
      '',
      `${notified.length} patients. ${changed === 0 ? 'No chart was changed.' : `${changed} charts were changed: what was written there is to be looked at.`}`,
      ...(due.length === 0
        ? ['Nobody is to be told.']
        : [
            `Discovered ${dayOf(discovered)}. Unless a risk assessment finds a low probability of compromise (45 CFR 164.402(2)):`,
            ...due.map(({ words, until }) => `  by ${until}  ${words}`),
          ]),
      ...(csv === undefined ? [] : [`Whom to notify is in ${csv}`]),
    ].join('\n'),
    data: { discovered: dayOf(discovered), patients: notified, due },
  };
};

const heads = [
  'patient',
  'name',
  'birth date',
  'address',
  'state',
  'language',
  'deceased',
  'contacts',
  'kept by',
  'shown',
  'changed',
  'first',
  'last',
  'kinds',
  'labels',
];

const csvOfPatients = (notified: readonly Notified[]): string =>
  csvOf(
    heads,
    notified.map((each) => [
      each.patient,
      each.name,
      each.birthDate,
      each.address,
      each.state ?? '',
      each.language,
      each.deceased ? 'yes' : '',
      each.contacts,
      each.custodian,
      String(each.seen),
      String(each.changed),
      each.first,
      each.last,
      each.kinds.join(' '),
      each.labels.join(' '),
    ]),
  );
