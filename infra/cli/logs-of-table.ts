import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { auditPartition } from '../../shared/store/keys.ts';
import type { Table } from '../../shared/store/write-rows.ts';

/** All logs that have a row or a chain, each once, by reading the keys of the whole table. For whoever verifies; no function may do it. */
export async function* logsOf({ client, tableName }: Table): AsyncGenerator<string> {
  const seen = new Set<string>();
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page = await client.send(
      new ScanCommand({
        TableName: tableName,
        ConsistentRead: true,
        FilterExpression: 'begins_with(pk, :log)',
        ExpressionAttributeValues: { ':log': auditPartition('') },
        ProjectionExpression: 'pk',
        ...(ExclusiveStartKey ? { ExclusiveStartKey } : {}),
      }),
    );
    for (const { pk } of page.Items ?? []) {
      const log = /^A#([^#]+)(?:#chain)?$/.exec(String(pk))?.[1];
      if (log === undefined || seen.has(log)) continue;
      seen.add(log);
      yield log;
    }
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
}
