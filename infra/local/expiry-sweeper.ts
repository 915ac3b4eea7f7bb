import { setTimeout as delay } from 'node:timers/promises';
import { DeleteItemCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { log } from '../../shared/log.ts';
import { timeToLiveAttribute } from '../../shared/store/table.ts';

export interface ExpirySweeperOptions {
  readonly endpoint: string;
  readonly tableName: string;
  /** Milliseconds between two sweeps. The service promises days; a quarter of an hour lets a person see it happen. */
  readonly everyMs?: number;
}

/** Pause after each megabyte, in milliseconds, so that a sweep does not slow requests down. */
const pauseMs = 25;

/**
 * Deletes the rows whose time is up, as DynamoDB's time to live does and the embedded store does not.
 *
 * @param now - seconds since 1970.
 * @returns the number of rows deleted.
 */
export const sweepExpired = async (
  client: DynamoDBClient,
  tableName: string,
  now: number,
  signal?: AbortSignal,
): Promise<number> => {
  const expired = {
    ExpressionAttributeNames: { '#expires': timeToLiveAttribute },
    ExpressionAttributeValues: { ':now': { N: String(now) } },
  };
  let deleted = 0;
  let from: ScanCommand['input']['ExclusiveStartKey'];
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new ScanCommand({
        TableName: tableName,
        FilterExpression: '#expires <= :now',
        ProjectionExpression: 'pk, sk',
        ExclusiveStartKey: from,
        ...expired,
      }),
    );
    for (const { pk, sk } of Items) {
      if (!pk || !sk) continue;
      // The row may have been given more time since it was read.
      const removed = await client
        .send(
          new DeleteItemCommand({
            TableName: tableName,
            Key: { pk, sk },
            ConditionExpression: '#expires <= :now',
            ...expired,
          }),
        )
        .then(() => 1, ifChanged);
      deleted += removed;
    }
    from = LastEvaluatedKey;
    if (from) await delay(pauseMs, undefined, { ref: false });
  } while (from && !signal?.aborted);
  return deleted;
};

const ifChanged = (error: unknown): 0 => {
  if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return 0;
  throw error;
};

/** Sweeps again and again until it is stopped. */
export const startExpirySweeper = ({ endpoint, tableName, everyMs = 15 * 60_000 }: ExpirySweeperOptions) => {
  const client = new DynamoDBClient({ endpoint });
  const stopping = new AbortController();
  const run = async () => {
    while (!stopping.signal.aborted) {
      await delay(everyMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await sweepExpired(client, tableName, Math.floor(Date.now() / 1_000), stopping.signal).catch((error: unknown) =>
        log.fault('rows past their time could not be removed', error),
      );
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      client.destroy();
      await running;
    },
  };
};
