import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { auditDayPartition, auditKey, auditPartition } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { AuditedAccess } from './audit-event.ts';
import { type AuditRow, refusedKey } from './audit-trail.ts';

/** A page of a log, newest first, and the sort key behind which the next one begins. */
export interface AuditPage {
  readonly accesses: readonly Omit<AuditedAccess, 'patient'>[];
  readonly next: string | undefined;
}

/** Rows a page at most. A refusal is a row of its own, so a page may show fewer accesses. */
const rowsPerPage = 200;

const pageOf = async (store: RecordStore, partition: string, after: string | undefined): Promise<AuditPage> => {
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
  const rows = Items as (AuditRow & { log?: string })[];
  const refused = new Set(rows.filter(isRefusal).map(({ sk }) => sk));
  const accesses = rows
    .filter((row) => !isRefusal(row))
    .map((row) => ({ id: idOf(store, row), row, refused: refused.has(refusedKey(row).sk) }));
  return { accesses, next: LastEvaluatedKey?.sk as string | undefined };
};

const isRefusal = ({ sk }: { sk: string }) => sk.endsWith('!refused');

/** A copy filed by day names the log that it is a copy of. */
const idOf = (store: RecordStore, { pk, sk, log }: AuditRow & { log?: string }) =>
  store.ids.idAt((log ?? pk).slice('A#'.length), sk);

/** What was done with a chart, newest first. One Query a page. */
export const chartLog = (store: RecordStore, chart: string, after: string | undefined): Promise<AuditPage> =>
  pageOf(store, auditPartition(chart), after);

/**
 * What the people of an organisation did on a day, newest first. The stream consumer files it, so the last seconds may be missing.
 *
 * @param day - in UTC, as `2026-11-24`.
 */
export const dayLog = (
  store: RecordStore,
  organization: string,
  day: string,
  after: string | undefined,
): Promise<AuditPage> => pageOf(store, auditDayPartition(organization, day), after);

/** One access by the id of its AuditEvent; undefined if there is none. */
export const loggedAccess = async (
  store: RecordStore,
  id: string,
): Promise<Omit<AuditedAccess, 'patient'> | undefined> => {
  const decoded = store.ids.decode(id);
  if (!decoded || decoded.place === '') return undefined;
  const key = auditKey(decoded.chart, decoded.place);
  const get = async (Key: { pk: string; sk: string }) =>
    (await store.client.send(new GetCommand({ TableName: store.tableName, Key, ConsistentRead: true }))).Item;
  const [row, refusal] = await Promise.all([get(key), get(refusedKey(key))]);
  return row && { id, row: row as unknown as AuditRow, refused: refusal !== undefined };
};
