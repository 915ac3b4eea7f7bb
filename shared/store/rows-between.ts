import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Row } from './keys.ts';
import type { RecordStore } from './record-store.ts';

/** Rows of one partition between two sort keys, both included. */
export interface RowRange {
  readonly pk: string;
  readonly from: string;
  readonly to: string;
  readonly newestFirst?: boolean;
  /** Sort key behind which to begin. */
  readonly after?: string | undefined;
  /** A page also ends at 1 MB. */
  readonly limit?: number;
}

/** A page of rows, and the sort key behind which the next one begins. One Query, strongly consistent. */
export const rowsBetween = async (
  { client, tableName }: Pick<RecordStore, 'client' | 'tableName'>,
  { pk, from, to, newestFirst = false, after, limit }: RowRange,
): Promise<{ readonly rows: readonly Row[]; readonly next: string | undefined }> => {
  const { Items = [], LastEvaluatedKey } = await client.send(
    new QueryCommand({
      TableName: tableName,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
      ExpressionAttributeValues: { ':pk': pk, ':from': from, ':to': to },
      ScanIndexForward: !newestFirst,
      ...(limit === undefined ? {} : { Limit: limit }),
      ...(after === undefined ? {} : { ExclusiveStartKey: { pk, sk: after } }),
    }),
  );
  return { rows: Items as Row[], next: LastEvaluatedKey?.['sk'] as string | undefined };
};
