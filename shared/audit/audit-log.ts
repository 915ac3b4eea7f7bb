import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Basis } from '../access/question.ts';
import { auditDayPartition, auditKey, auditPartition, type RowKey } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { AuditedAccess } from './audit-event.ts';
import { type AuditEntry, chartOf, copiedEntry, emergency, entryOf, type StoredAuditRow } from './audit-row.ts';
import { basisAmong, followingKeys, followsAnother, refusedKey } from './following-rows.ts';

/** A page of a log, newest first, and the sort key behind which the next one begins. */
export interface AuditPage {
  readonly accesses: readonly Omit<AuditedAccess, 'patient'>[];
  readonly next: string | undefined;
}

/** Rows a page at most. A refusal is a row of its own, so a page may show fewer accesses. */
const rowsPerPage = 200;

/** Records that the rows of a page name at most, but for a row that names more: each is looked up before it is told of. */
const namesPerPage = 1_000;

/** How many accesses, at least one, name no more than that. */
const tellable = (entries: readonly AuditEntry[]): number => {
  let names = 0;
  const past = entries.findIndex(({ what }, index) => {
    names += what.length;
    return index > 0 && names > namesPerPage;
  });
  return past < 0 ? entries.length : past;
};

const pageOf = async (
  store: RecordStore,
  partition: string,
  after: string | undefined,
  entriesOf: (rows: readonly StoredAuditRow[]) => Promise<AuditEntry[]>,
): Promise<AuditPage> => {
  const { Items = [], LastEvaluatedKey } = await store.client.send(
    new QueryCommand({
      TableName: store.tableName,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': partition },
      ScanIndexForward: false,
      Limit: rowsPerPage,
      ...(after === undefined ? {} : { ExclusiveStartKey: { pk: partition, sk: after } }),
    }),
  );
  const rows = Items as StoredAuditRow[];
  // What is said of an access stands before it here. A page that ended between them would show the access on the next one as if that had not been said.
  while (LastEvaluatedKey && rows.length > 1 && followsAnother(rows.at(-1) as StoredAuditRow)) rows.pop();
  const said = new Set(rows.filter(followsAnother).map(({ sk }) => sk));
  const all = rows.filter((row) => !followsAnother(row));
  const entries = await entriesOf(all);
  const accesses = all.slice(0, tellable(entries));
  return {
    accesses: accesses.map((row, index) => ({
      id: store.ids.idAt(chartOf(row), row.sk),
      entry: withBasis(entries[index] as AuditEntry, basisAmong(row, said)),
      refused: said.has(refusedKey(row).sk),
    })),
    next: accesses.length < all.length ? accesses.at(-1)?.sk : LastEvaluatedKey && rows.at(-1)?.sk,
  };
};

/** An access with the right by which it was permitted, where a row behind it tells of that. */
export const withBasis = (entry: AuditEntry, basis: Basis | undefined): AuditEntry =>
  basis === undefined ? entry : { ...entry, ...(basis === 'break-glass' ? emergency : { basis }) };

/** What the rows say that stand by day: in themselves, or in the rows of the charts' logs that they lead to. */
const entriesByDay = async (store: RecordStore, rows: readonly StoredAuditRow[]): Promise<AuditEntry[]> => {
  const name = ({ pk, sk }: RowKey) => `${pk}\n${sk}`;
  const target = ({ log = '', sk }: StoredAuditRow): RowKey => ({ pk: log, sk });
  const copies = rows.map(copiedEntry);
  const pointers = rows.filter((_, index) => copies[index] === undefined);
  const found = (await store.getMany(pointers.map(target))) as StoredAuditRow[];
  const logged = new Map(found.map((row) => [name(row), row]));
  return rows.map((row, index) => {
    const copy = copies[index];
    if (copy) return copy;
    const access = logged.get(name(target(row)));
    // Rows of the log are never removed. One that was is not passed over in silence.
    if (!access) throw new Error('The access log has lost a row');
    return entryOf(access, store.ids);
  });
};

/** What was done with a chart, newest first. One Query a page. */
export const chartLog = (store: RecordStore, chart: string, after: string | undefined): Promise<AuditPage> =>
  pageOf(store, auditPartition(chart), after, async (rows) => rows.map((row) => entryOf(row, store.ids)));

/**
 * What the people of an organisation did on a day, newest first. The stream consumer files it, so the last seconds may be missing.
 * One Query a page, then up to two BatchGets at once for the rows that it leads to.
 *
 * @param day - in UTC, as `2026-11-24`.
 */
export const dayLog = (
  store: RecordStore,
  organization: string,
  day: string,
  after: string | undefined,
): Promise<AuditPage> =>
  pageOf(store, auditDayPartition(organization, day), after, (rows) => entriesByDay(store, rows));

/** One access by the id of its AuditEvent; undefined if there is none. */
export const loggedAccess = async (
  store: RecordStore,
  id: string,
): Promise<Omit<AuditedAccess, 'patient'> | undefined> => {
  const decoded = store.ids.decode(id);
  if (!decoded || decoded.place === '') return undefined;
  const key = auditKey(decoded.chart, decoded.place);
  const rows = (await store.getMany([key, ...followingKeys(key)])) as StoredAuditRow[];
  const row = rows.find(({ sk }) => sk === key.sk);
  const said = new Set(rows.map(({ sk }) => sk));
  return (
    row && {
      id,
      entry: withBasis(entryOf(row, store.ids), basisAmong(key, said)),
      refused: said.has(refusedKey(key).sk),
    }
  );
};
