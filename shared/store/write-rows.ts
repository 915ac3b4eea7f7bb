import { BatchWriteCommand, type BatchWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { backOff } from './back-off.ts';
import { inParallel } from './in-parallel.ts';
import type { Row, RowKey } from './keys.ts';
import type { RecordStore } from './record-store.ts';

const concurrency = 16;

/** Puts and deletes without a condition, 25 a call; what a busy table left over is sent again. */
export const writeRows = async (
  store: RecordStore,
  puts: readonly Row[],
  removes: readonly RowKey[] = [],
): Promise<void> => {
  type Request = NonNullable<BatchWriteCommandInput['RequestItems']>[string][number];
  const requests: Request[] = [
    ...puts.map((Item) => ({ PutRequest: { Item } })),
    ...removes.map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } })),
  ];
  const batches: Request[][] = [];
  let bytes = 0;
  for (const request of requests) {
    const size = JSON.stringify(request).length; // an upper estimate: a batch takes 25 rows and 16 MB
    const last = batches.at(-1);
    if (last && last.length < 25 && bytes + size < 8_000_000) last.push(request);
    else batches.push([request]);
    bytes = last === batches.at(-1) ? bytes + size : size;
  }
  await inParallel(concurrency, batches, async (batch) => {
    let rest = batch;
    for (let attempt = 0; rest.length > 0; attempt++) {
      if (attempt > 0) await backOff(attempt - 1);
      const { UnprocessedItems } = await store.client.send(
        new BatchWriteCommand({ RequestItems: { [store.tableName]: rest } }),
      );
      rest = UnprocessedItems?.[store.tableName] ?? [];
    }
  });
};
