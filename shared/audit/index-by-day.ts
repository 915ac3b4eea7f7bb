import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { inParallel } from '../store/in-parallel.ts';
import { putOnce } from '../store/put-once.ts';
import { auditPointer, type StoredAuditRow } from './audit-row.ts';

/** A row in a chart's own log; what is filed by day has a day in its key. */
const inChartLog = ({ pk }: Partial<StoredAuditRow>): boolean => pk !== undefined && /^A#[^#]+$/.test(pk);

/** Rows that are filed at once. One after the other, a shard would file some 200 accesses a second, and each request is one. */
const concurrency = 16;

/**
 * Files each new row of a chart's access log by organisation and day too, so that a privacy officer can read a day. Repeating a
 * batch changes nothing. Where one could not be filed, nothing more is begun, and all from the first such one on come again.
 */
export const indexByDay = async (
  client: DynamoDBDocumentClient,
  TableName: string,
  { Records }: DynamoDBStreamEvent,
): Promise<DynamoDBBatchResponse> => {
  const pointers = Records.flatMap(({ eventName, dynamodb }, index) => {
    if (eventName !== 'INSERT' || !dynamodb?.NewImage) return [];
    const row = unmarshall(dynamodb.NewImage as Record<string, AttributeValue>) as StoredAuditRow;
    const Item = inChartLog(row) ? auditPointer(row) : undefined;
    return Item ? [{ Item, index }] : [];
  });
  let failed = Number.POSITIVE_INFINITY;
  await inParallel(concurrency, pointers, async ({ Item, index }) => {
    try {
      await putOnce({ client, tableName: TableName }, Item);
    } catch (error) {
      failed = Math.min(failed, index);
      throw error;
    }
  }).catch(() => undefined);
  const itemIdentifier = Records[failed]?.dynamodb?.SequenceNumber ?? '';
  return { batchItemFailures: failed < Number.POSITIVE_INFINITY ? [{ itemIdentifier }] : [] };
};
