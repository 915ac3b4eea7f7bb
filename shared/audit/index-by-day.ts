import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { putOnce } from '../store/put-once.ts';
import { auditPointer, type StoredAuditRow } from './audit-row.ts';

/** A row in a chart's own log; what is filed by day has a day in its key. */
const inChartLog = ({ pk }: Partial<StoredAuditRow>): boolean => pk !== undefined && /^A#[^#]+$/.test(pk);

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
    const row = unmarshall(dynamodb.NewImage as Record<string, AttributeValue>) as StoredAuditRow;
    if (!inChartLog(row)) continue;
    try {
      const Item = auditPointer(row);
      if (Item) await putOnce({ client, tableName: TableName }, Item);
    } catch {
      return { batchItemFailures: [{ itemIdentifier: dynamodb.SequenceNumber ?? '' }] };
    }
  }
  return { batchItemFailures: [] };
};
