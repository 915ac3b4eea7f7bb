import { randomUUID } from 'node:crypto';
import { auditRow } from '../../../shared/audit/audit-row.ts';
import { logNameOf } from '../../../shared/audit/log-name.ts';
import { withSpellingOf } from '../../../shared/fhir/json.ts';
import type { Resource } from '../../../shared/fhir/resource.ts';
import { furtherCharts } from '../../../shared/interactions/plan-write.ts';
import { headsOwnChart } from '../../../shared/record-types/homes.ts';
import { recordTypes } from '../../../shared/record-types/index.ts';
import { type SearchTypes, searchTypes } from '../../../shared/record-types/search-types.ts';
import { commit, type RecordWrite } from '../../../shared/store/commit.ts';
import { inParallel } from '../../../shared/store/in-parallel.ts';
import { indexChanges } from '../../../shared/store/index-rows.ts';
import {
  type Address,
  auditKey,
  chartKey,
  historyKey,
  historyPrefix,
  locatorKey,
  type Row,
} from '../../../shared/store/keys.ts';
import type { RecordStore } from '../../../shared/store/record-store.ts';
import { addressOf, asHistory, type RecordRow, type StoredRecord } from '../../../shared/store/rows.ts';
import { rowsBetween } from '../../../shared/store/rows-between.ts';
import { worklistChanges } from '../../../shared/store/worklist-rows.ts';
import { writeRows } from '../../../shared/store/write-rows.ts';
import { CommandFailed } from '../command.ts';
import type { Compared } from './compare.ts';
import type { DecidedRecord } from './decide-records.ts';

/** The two tables, and what a restore says of itself. */
export interface Restoring extends Compared {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** FHIR base URL of the deployment: references by address lead into it. */
  readonly baseUrl: string;
  /** As the access log names who restores. */
  readonly operator: string;
}

/** Records that are written beside one another. */
const atOnce = 16;

/** Takes records as the old table has them. Nobody is told: of these versions the old table's feed has told. */
export const takeRecords = async (restoring: Restoring, decided: readonly DecidedRecord[]): Promise<void> => {
  const types = await searchTypes();
  await inParallel(atOnce, decided, (each) => takeRecord(restoring, types, each));
};

const takeRecord = async ({ old, restored, baseUrl }: Restoring, types: SearchTypes, decided: DecidedRecord) => {
  const { address, previous } = await startOf(restored, decided);
  const [next] = await old.recordsIn([{ row: settled(decided.old), at: address }]);
  if (!next) throw new Error('A record is not there');
  const recordType = typeOf(types, address.type);
  const context = { store: restored, known: new Map<string, Address>(), request: { baseUrl }, recordType };
  await copyVersions(old, restored, address, previous?.version ?? 0, next.version);
  const write = { next, previous };
  const further = await furtherCharts(context, address, next.resource, previous?.resource);
  const changes = [indexChanges(restored, recordType, write, further), listed(restored, write)];
  await commitRecord(restored, {
    ...write,
    puts: changes.flatMap(({ puts }) => puts),
    removes: changes.flatMap(({ removes }) => removes),
  });
};

/**
 * Puts records back to what they said, and ends those that were made later: each in a version behind all that there were, so that no number stands for two things, and whoever follows
 * changes is told. What closes a record at the end closes it still. Each has its entry in the access log.
 */
export const putBackRecords = async (restoring: Restoring, decided: readonly DecidedRecord[]): Promise<void> => {
  const types = await searchTypes();
  const request = randomUUID();
  await inParallel(atOnce, decided, (each) => putBackRecord(restoring, types, each, request));
};

const putBackRecord = async (restoring: Restoring, types: SearchTypes, decided: DecidedRecord, request: string) => {
  const { old, restored, now } = restoring;
  const { address, previous } = await startOf(restored, decided);
  const last = settled(decided.old);
  await copyVersions(old, restored, address, previous?.version ?? 0, last.version);
  await writeRows(restored, [{ ...asHistory(last, address) }]);
  const closed = closedLike(previous?.resource, previous?.labels ?? [], [...(last.labels ?? [])]);
  const { originators, notes, withheld, misfiled } = last;
  const next: StoredRecord = {
    ...address,
    id: previous?.id ?? last.id ?? restored.ids.idAt(address.chart, address.place),
    custodian: last.custodian,
    ...(previous?.shown === undefined ? {} : { shown: previous.shown }),
    ...(previous?.originators ? { originators: previous.originators } : {}),
    ...(previous?.notes ? { notes: previous.notes } : {}),
    ...(previous?.withheld ? { withheld: previous.withheld } : {}),
    ...(originators ? { originators: [...originators] } : {}),
    ...(notes ? { notes } : {}),
    ...(withheld ? { withheld } : {}),
    ...(misfiled || previous?.misfiled ? { misfiled: true } : {}),
    version: last.version + 1,
    updated: Math.max(now, last.updated + 1),
    ...closed,
  };
  const write = { next, previous };
  // What it says is what the rows say that lead to it; only copies of the record among them change.
  const { puts } = previous
    ? indexChanges(restored, typeOf(types, address.type), write, { next: [], previous: [] })
    : { puts: [] };
  await commitRecord(restored, { ...write, puts, removes: [] }, [accessRow(restoring, next, previous, request)]);
};

/** A resource and its labels, with all labels that it bore at the end. */
const closedLike = (
  resource: Resource | undefined,
  labels: readonly string[],
  later: readonly string[],
): Pick<StoredRecord, 'resource' | 'labels'> => {
  const added = later.filter((label) => !labels.includes(label));
  if (!resource || added.length === 0) return { resource, labels: resource ? labels : later };
  const security = added.map((label) => {
    const [system = '', code = ''] = label.split('|');
    return { ...(system === '' ? {} : { system }), code };
  });
  const meta = { ...resource.meta, security: [...(resource.meta?.security ?? []), ...security] };
  return { resource: withSpellingOf({ ...resource, meta }, resource), labels: [...labels, ...added] };
};

const accessRow = (
  { restored, now, at, operator }: Restoring,
  { type, id, chart, version, custodian, resource }: StoredRecord,
  previous: StoredRecord | undefined,
  request: string,
): Row =>
  auditRow(restored.ids, auditKey(logNameOf(restored, chart), restored.ids.newPlace(now)), {
    at: now,
    interaction: resource || previous ? 'update' : 'delete',
    what: [`${type}/${id}/_history/${version}`],
    subject: operator,
    name: operator,
    client: 'concord-admin',
    fhirUser: `Organization/${custodian}`,
    roles: [],
    organization: custodian,
    request,
    reason: `The records were restored to ${new Date(at).toISOString()}`,
  });

/** Where a record is, and what the restored table has of it. */
const startOf = async (restored: RecordStore, { old, restored: row }: DecidedRecord) => {
  const address = addressOf(old);
  if (!address) throw new Error('This is no row of a record');
  const [previous] = row ? await restored.recordsIn([{ row, at: address }]) : [];
  return { address, previous };
};

const settled = (row: RecordRow): RecordRow => {
  if (row.tx === undefined && row.intent === undefined) return row;
  throw new CommandFailed(
    'A transaction is under way in the old table: close the door, and wait until the sweeper has settled it',
  );
};

/** Copies the versions between two from history to history, as they lie. */
const copyVersions = async (old: RecordStore, restored: RecordStore, at: Address, from: number, to: number) => {
  let after: string | undefined;
  do {
    const range = { pk: chartKey(at.chart), from: historyKey(at, from + 1).sk, to: historyKey(at, to - 1).sk, after };
    if (to - from < 2 || !range.from.startsWith(historyPrefix(at))) return;
    const { rows, next } = await rowsBetween(old, range);
    await writeRows(restored, rows);
    after = next;
  } while (after !== undefined);
};

/** The locator first: an id that a client chose never leads to two places. */
const commitRecord = async (restored: RecordStore, write: RecordWrite, log: readonly Row[] = []): Promise<void> => {
  const { type, id, chart, place } = write.next;
  const chosen = restored.ids.decode(id) === undefined && !headsOwnChart(type);
  if (chosen && !write.previous) await writeRows(restored, [{ ...locatorKey(type, id), chart, place }]);
  await commit(restored, { writes: [write], checks: [], unique: [], log, claims: [] });
};

const listed = (restored: RecordStore, write: Pick<RecordWrite, 'next' | 'previous'>) => {
  const lists = recordTypes.find(({ name }) => name === write.next.type)?.worklists;
  return lists ? worklistChanges(restored, lists, write) : { puts: [], removes: [] };
};

const typeOf = (types: SearchTypes, name: string) => {
  const type = types.get(name);
  if (type) return type;
  throw new Error(`There is no type ${name}`);
};
