import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, type BatchGetCommandOutput, DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { log } from '../log.ts';
import { recordKey } from '../store/keys.ts';
import type { Table } from '../store/write-rows.ts';
import { chartOf, interactionOf, type StoredAuditRow, showing } from './audit-row.ts';
import { disclosureRow } from './disclosure-rows.ts';
import { isRefusal } from './following-rows.ts';

/** Who keeps which chart never changes, so it is asked once a process, for so many charts. */
const mostKept = 10_000;
const kept = new WeakMap<Table['client'], Map<string, string>>();

/** Charts that are asked for with one call. */
const askedAtOnce = 100;
const tries = 5;

const inChartLog = /^A#[^#]+$/;

/**
 * Files what other organisations saw of the charts, so that a patient is told of it without a look at all that the own staff did. Repeating a batch changes
 * nothing.
 */
export const indexDisclosures = async (
  table: Table,
  { Records }: DynamoDBStreamEvent,
): Promise<DynamoDBBatchResponse> => {
  let first: string | undefined;
  try {
    const shown: StoredAuditRow[] = [];
    for (const { eventName, dynamodb } of Records) {
      if (eventName !== 'INSERT' || !dynamodb?.NewImage || !inChartLog.test(dynamodb.NewImage['pk']?.S ?? '')) continue;
      first ??= dynamodb.SequenceNumber;
      const row = unmarshall(dynamodb.NewImage as Record<string, AttributeValue>) as StoredAuditRow;
      if (row.organization === undefined) continue;
      // An event is JSON: bytes come as text in base 64.
      const bytes = dynamodb.NewImage['entry']?.B;
      const read = bytes === undefined ? row : { ...row, entry: Buffer.from(bytes, 'base64') };
      if (isRefusal(row) || showing.has(interactionOf(read))) shown.push(row);
    }
    await file(table, shown);
  } catch (error) {
    log.fault('disclosures cannot be filed', error);
    return { batchItemFailures: [{ itemIdentifier: first ?? '' }] };
  }
  return { batchItemFailures: [] };
};

const file = async (table: Table, rows: readonly StoredAuditRow[]): Promise<void> => {
  const { client, tableName: TableName } = table;
  const custodians = await custodiansOf(table, [...new Set(rows.map(chartOf))]);
  for (const row of rows) {
    const chart = chartOf(row);
    const custodian = custodians.get(chart);
    if (custodian === undefined || custodian === row.organization) continue;
    const [place = ''] = row.sk.split('!');
    const filed = disclosureRow(chart, place, place);
    // A refusal stands behind its access in the stream, too: nothing was shown.
    if (isRefusal(row)) await client.send(new DeleteCommand({ TableName, Key: { pk: filed.pk, sk: filed.sk } }));
    else await client.send(new PutCommand({ TableName, Item: filed }));
  }
};

/** Which organisations keep the patients that these charts are of; what is no patient's is left out. */
const custodiansOf = async (
  { client, tableName }: Table,
  charts: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const known = kept.get(client) ?? new Map<string, string>();
  if (known.size > mostKept) known.clear();
  kept.set(client, known);
  const unknown = charts.filter((chart) => !known.has(chart));
  for (let at = 0; at < unknown.length; at += askedAtOnce) {
    let keys = unknown
      .slice(at, at + askedAtOnce)
      .map((chart): Record<string, unknown> => ({ ...recordKey({ type: 'Patient', chart, place: '' }) }));
    for (let attempt = 0; keys.length > 0; attempt++) {
      if (attempt === tries) throw new Error('The table is too busy to tell who keeps the charts'); // the batch comes again
      const { Responses, UnprocessedKeys }: BatchGetCommandOutput = await client.send(
        new BatchGetCommand({
          RequestItems: {
            [tableName]: { Keys: keys, ConsistentRead: true, ProjectionExpression: 'pk, custodian' },
          },
        }),
      );
      for (const { pk, custodian } of Responses?.[tableName] ?? []) known.set(String(pk).slice(2), String(custodian));
      keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
    }
  }
  return known;
};
