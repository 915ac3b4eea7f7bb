import { RecordError } from '../../errors.ts';
import { addressesIn } from '../../fhir/addresses.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import { searchTypes } from '../../record-types/search-types.ts';
import { keptUntil } from '../../retention/policy.ts';
import { dateInterval } from '../../search/date-range.ts';
import { timeOf } from '../../search/match/date.ts';
import type { RefusalCode } from '../../stable-codes.ts';
import { commit, type RecordWrite } from '../../store/commit.ts';
import { CommitRefused } from '../../store/commit-refusal.ts';
import { timeOfPlace } from '../../store/ids.ts';
import { indexChanges } from '../../store/index-rows.ts';
import { keepingOf, keepingRow } from '../../store/keeping.ts';
import { type Address, chartKey, purgeKey, type Row, recordRange } from '../../store/keys.ts';
import { addressOf, isPointer, type RecordRow, type StoredRecord, targetOf } from '../../store/rows.ts';
import { rowsBetween } from '../../store/rows-between.ts';
import { visibleRows } from '../../store/visibility.ts';
import { worklistChanges } from '../../store/worklist-rows.ts';
import { messageListsOf } from '../../work/message-lists.ts';
import { type Listed, taskListsOf } from '../../work/worklists.ts';
import type { Answer, RequestContext, Target } from '../context.ts';
import { locate, locateAll } from '../locate.ts';
import { furtherCharts } from '../plan-write.ts';
import { notFound } from '../require-access.ts';
import { byChart } from '../save.ts';
import { securityContextOf } from '../security-context.ts';
import { requireReason } from './officer.ts';

/** Records of a chart that are purged: more find no room in one transaction. */
const mostRecords = 4_000;

/**
 * `POST Patient/{id}/$purge`: ends a chart whose time is over. One transaction makes all of it invisible, at every door and for everybody, tells those who follow changes, and leaves
 * a tombstone; its rows, versions and bodies are removed by the sweeper from then on. The log stays, and tells of the purge. Asked again, it answers that it is done.
 *
 * @throws RecordError `forbidden`, `not-found`; `business-rule` `legal-hold`, `retention`, `linked-chart`, `others-records`, `shared-records`, `binary-without-context`; `too-costly`; `conflict` if
 *   somebody writes into the chart meanwhile: nothing was purged then.
 */
export const purgeChart = async (context: RequestContext, { id }: Target): Promise<Answer> => {
  const { reason } = requireReason(context, 'd');
  const { asking, store, audit, now } = context;
  const address = await locate(context, 'Patient', id);
  if (!address) throw notFound(context);
  const { chart } = address;
  // Before the rest: whatever refers to the patient later changes the row, which is a condition of the purge.
  const patient = await store.read(address);
  const keeping = (await keepingOf(store, [chart])).get(chart);
  if (keeping?.state === 'purged' && keeping.custodian === asking.caller.organization) return purged(keeping.at);
  if (!patient || patient.custodian !== asking.caller.organization) throw notFound(context);
  if (keeping) throw refused('legal-hold', 'A legal hold keeps this chart');
  const records = await recordsIn(context, patient);
  const until = await chartKeptUntil(context, records, patient);
  if (now < until) throw refused('retention', `The chart is kept until ${new Date(until).toISOString().slice(0, 10)}`);
  const writes = await Promise.all(records.map((record) => purgeOf(context, record)));
  const what = records.map(({ type, id: own }) => `${type}/${own}`);
  const query = `Patient/${id}/$purge?records=${records.length}`;
  // A Binary under a record of the chart has rows of its own.
  const charts = [...new Set(records.map((record) => record.chart))];
  const keepingOfAll = { state: 'purged', custodian: patient.custodian, at: now } as const;
  const log = [
    ...byChart(what.map((name) => ({ interaction: 'delete', chart, what: [name] }))),
    { interaction: 'operation' as const, chart, what: [`Patient/${id}`], query, records: { reason } },
  ];
  try {
    await commit(store, {
      writes,
      checks: [],
      unique: [],
      log: log.map((access) => audit.row(access)),
      claims: charts.flatMap((each) => [keepingRow(each, keepingOfAll), { ...purgeKey(each) }]),
    });
  } catch (error) {
    if (!(error instanceof CommitRefused)) throw error;
    throw new RecordError('conflict', 'The chart was changed at the same time; try again', {
      reason: 'concurrent-change',
    });
  }
  return purged(now);
};

const purged = (at: number): Answer => ({
  statusCode: 200,
  resource: {
    resourceType: 'Parameters',
    parameter: [{ name: 'purged', valueInstant: new Date(at).toISOString() }],
  },
});

/** All records that end with a chart: what is deleted among them, and the Binaries under them. @throws RecordError where it is not this organisation's alone. */
export const recordsIn = async (context: RequestContext, patient: StoredRecord): Promise<readonly StoredRecord[]> => [
  patient,
  ...(await othersIn(context, patient)),
];

const othersIn = async (context: RequestContext, patient: StoredRecord): Promise<StoredRecord[]> => {
  const { store } = context;
  const { chart, custodian } = patient;
  const rows: RecordRow[] = [];
  const contents: Address[] = [];
  let after: string | undefined;
  do {
    const page = await rowsBetween(store, { pk: chartKey(chart), ...recordRange, after });
    for (const row of page.rows as (Row & RecordRow)[]) {
      if (row['ids'] !== undefined) throw refused('linked-chart', 'The chart is linked with another one');
      if (isPointer(row)) {
        const target = targetOf(row);
        if (target.type === 'Binary') contents.push(target);
        else if (target.chart !== chart) throw shared();
        continue;
      }
      if (!addressOf(row) || row.version === undefined) continue;
      if (row.custodian !== custodian)
        throw refused('others-records', 'Other organisations keep records in this chart');
      rows.push(row);
    }
    if (rows.length + contents.length > mostRecords) throw tooLarge();
    after = page.next;
  } while (after !== undefined);
  const visible = await visibleRows(store.client, store.tableName, rows);
  const located = visible.flatMap((row) => {
    const at = addressOf(row);
    return at && !(at.type === patient.type && at.place === patient.place) ? [{ row, at }] : [];
  });
  const records = await store.recordsIn(located);
  return [...records, ...(await contentsOf(context, patient, [patient, ...records], contents))];
};

/**
 * The Binaries that end with the chart: those under the rights of one of its records. They are found by the reference to that record, and by the attachments that name them.
 *
 * @throws RecordError for one that stays readable behind the purge. Attachments of other charts may name it, and nothing tells.
 */
const contentsOf = async (
  context: RequestContext,
  { chart, custodian }: StoredRecord,
  records: readonly StoredRecord[],
  mentioned: readonly Address[],
): Promise<StoredRecord[]> => {
  const { store } = context;
  const names = new Set(records.flatMap(({ resource }) => addressesIn(resource).map(({ name }) => name)));
  const ids = [...names].filter((name) => name.startsWith('Binary/')).map((name) => name.slice('Binary/'.length));
  const addresses = [...mentioned, ...(await locateAll(context, 'Binary', ids))];
  const found = await store.readMany([...new Map(addresses.map((each) => [each.chart, each])).values()]);
  if (records.length + found.length > mostRecords) throw tooLarge();
  for (const binary of found) {
    const under = securityContextOf(context, binary.resource);
    if (under === undefined || under === 'not-understood')
      throw refused('binary-without-context', 'A Binary that the chart names would stay: give it a security context');
    const home = (await locate(context, under.type, under.id))?.chart;
    if (home !== chart || binary.custodian !== custodian) throw shared();
  }
  return found;
};

const tooLarge = () => new RecordError('too-costly', 'The chart is too large to be purged at once');

const shared = () => refused('shared-records', 'Records of other charts belong to this one, too, or refer to it');

/** Until when a chart is to be kept, in milliseconds since 1970, as far as these records of it tell. */
export const chartKeptUntil = async (
  { now, policy }: RequestContext,
  records: readonly StoredRecord[],
  { resource }: StoredRecord,
): Promise<number> => {
  const types = await searchTypes();
  const { birthDate } = (resource ?? {}) as { birthDate?: string };
  // A year or a month of birth may mean its last day.
  const born = birthDate === undefined ? undefined : dateInterval(birthDate)?.end;
  return keptUntil(
    records.map((record) => ({
      type: record.type,
      last: Math.max(record.updated, Math.min(lastTimeOf(record, types.get(record.type)), now)),
    })),
    born,
    policy.retention,
  );
};

/** States of what goes on, for which the end of a period is still to come. */
const underWay: ReadonlySet<unknown> = new Set([
  'active',
  'planned',
  'waitlist',
  'arrived',
  'triaged',
  'in-progress',
  'onleave',
  'onhold',
  'on-hold',
]);

/**
 * The end of the time that a record is about. Where that has no end, what is under way lasts for ever; of the rest nobody has said when it was over, and it counts from when it was
 * last written, or from its start if that is later.
 */
const lastTimeOf = ({ place, resource }: StoredRecord, type: SearchType | undefined): number => {
  const date = type?.boundedBy === undefined ? undefined : type.parameter(type.boundedBy);
  const { period, status } = (resource ?? {}) as { period?: unknown; status?: unknown };
  const values = [...(resource ? (date?.values(resource) ?? []) : []), { type: 'Period', value: period ?? {} }];
  const times = values.flatMap((value) => timeOf(value) ?? []);
  const known = times.map(({ start, end }) =>
    end === Number.POSITIVE_INFINITY && !underWay.has(status) ? start : end,
  );
  return Math.max(place === '' ? 0 : timeOfPlace(place), ...known);
};

/** The version behind which nothing of a record is to be seen, and what leads to it no more. */
const purgeOf = async (context: RequestContext, previous: StoredRecord): Promise<RecordWrite> => {
  const next: StoredRecord = {
    ...previous,
    version: previous.version + 1,
    updated: Math.max(context.now, previous.updated + 1),
    resource: undefined,
    shown: undefined,
    purged: true,
  };
  const recordType = (await searchTypes()).get(previous.type);
  if (!recordType) throw new Error('A record is of a type that there is not');
  const further = await furtherCharts({ ...context, recordType }, previous, undefined, previous.resource);
  const write = { next, previous };
  const { puts, removes } = indexChanges(context.store, recordType, write, further);
  const listed = worklistChanges(context.store, listsOf, write);
  return { ...write, puts, removes: [...removes, ...listed.removes] };
};

/** Of the types that a purge finds without their definitions, these stand in lists of work. */
const listsOf = (record: StoredRecord): readonly Listed[] => {
  if (record.type === 'Task') return taskListsOf(record);
  return record.type === 'Communication' ? messageListsOf(record) : [];
};

const refused = (reason: RefusalCode<'business-rule'>, message: string) =>
  new RecordError('business-rule', message, { reason });
