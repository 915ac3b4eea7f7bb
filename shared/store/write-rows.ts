import { BatchWriteCommand, type BatchWriteCommandInput, type BatchWriteCommandOutput } from '@aws-sdk/lib-dynamodb';
import { backOff } from './back-off.ts';
import { mayRepeat } from './failure.ts';
import { inParallel } from './in-parallel.ts';
import type { Row, RowKey } from './keys.ts';
import type { RecordStore } from './record-store.ts';

const concurrency = 16;

/** Whatever has a client and knows its table. */
export type Table = Pick<RecordStore, 'client' | 'tableName'>;

type Request = NonNullable<BatchWriteCommandInput['RequestItems']>[string][number];

/**
 * Puts and deletes without a condition, 25 a call. What a busy table left over, and what was not answered, is sent again: only for rows
 * that may be written twice.
 *
 * @param proceed - called before each call; throws to stop.
 * @throws RecordError `throttled`; whatever the calls or `proceed` throw. Some of the rows may be written then.
 */
export const writeRows = async (
  store: Table,
  puts: readonly Row[],
  removes: readonly RowKey[] = [],
  proceed: () => void = () => {},
): Promise<void> => {
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
    let unanswered: Error | undefined;
    for (let attempt = 0; ; attempt++) {
      proceed();
      const { requests, because } = await leftOver(store, rest);
      if (requests.length === 0) return;
      rest = requests;
      if (because !== 'busy') unanswered = because;
      await backOff(attempt, unanswered ?? 'busy');
    }
  });
};

const leftOver = async (
  { client, tableName }: Table,
  requests: Request[],
): Promise<{ requests: Request[]; because: 'busy' | Error }> => {
  try {
    const answer: BatchWriteCommandOutput = await client.send(
      new BatchWriteCommand({ RequestItems: { [tableName]: requests } }),
    );
    return { requests: answer.UnprocessedItems?.[tableName] ?? [], because: 'busy' };
  } catch (error) {
    return { requests, because: mayRepeat(error) };
  }
};
