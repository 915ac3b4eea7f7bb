import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { auditDayPartition } from '../store/keys.ts';
import type { AuditRow } from './audit-trail.ts';

/** A row in a chart's own log; the copies by day have a day in their key. */
const inChartLog = (row: Partial<AuditRow>): row is AuditRow =>
  row.pk !== undefined && /^A#[^#]+$/.test(row.pk) && row.organization !== undefined && row.at !== undefined;

/**
 * Files each new row of a chart's access log by organisation and day too, so that a privacy officer can read a day. Repeating a
 * batch changes nothing.
 */
export const indexByDay = async (
  client: DynamoDBDocumentClient,
  TableName: string,
  { Records }: DynamoDBStreamEvent,
): Promise<DynamoDBBatchResponse> => {
  for (const { eventName, dynamodb } of Records) {
    if (eventName !== 'INSERT' || !dynamodb?.NewImage) continue;
    const row = unmarshall(dynamodb.NewImage as Record<string, AttributeValue>) as Partial<AuditRow>;
    if (!inChartLog(row)) continue;
    const day = new Date(row.at).toISOString().slice(0, 10);
    const Item = { ...row, pk: auditDayPartition(row.organization ?? '', day), log: row.pk };
    try {
      await client.send(new PutCommand({ TableName, Item }));
    } catch {
      return { batchItemFailures: [{ itemIdentifier: dynamodb.SequenceNumber ?? '' }] };
    }
  }
  return { batchItemFailures: [] };
};
