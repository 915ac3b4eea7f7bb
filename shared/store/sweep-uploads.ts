import { DeleteCommand, QueryCommand, type QueryCommandOutput, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { inParallel } from './in-parallel.ts';
import { type RowKey, uploadPartition } from './keys.ts';
import { bodiesAtOnce } from './large-bodies.ts';
import type { RecordStore } from './record-store.ts';

/**
 * Age at which an upload is swept, in milliseconds. Its writer begins no request ten minutes after it began, and S3 takes none that was
 * signed 15 minutes ago, so nothing arrives behind the sweeper.
 */
const sweptAfterMs = 60 * 60_000;

/**
 * Removes objects that were uploaded for a commit which never happened. Harmless beside writers at work: one that is slower than the
 * sweeper finds its upload marked and is refused.
 *
 * @param now - uploads begun within the hour before are left to their writers. Milliseconds since 1970; infinite where no writer can be
 * left.
 * @returns how many objects were removed.
 */
export const sweepUploads = async (store: RecordStore, now = Date.now()): Promise<number> => {
  const before = store.ids.newPlace(now - sweptAfterMs);
  let removed = 0;
  await inParallel(4, [...'0123456789abcdefghijklmnopqrstuv'], async (letter) => {
    for await (const upload of uploadsBefore(store, letter, before)) {
      if (!(await mark(store, upload))) continue;
      await inParallel(bodiesAtOnce, upload.keys, (key) => store.objects.delete(key));
      await store.client.send(new DeleteCommand({ TableName: store.tableName, Key: { pk: upload.pk, sk: upload.sk } }));
      removed += upload.keys.length;
    }
  });
  return removed;
};

interface UploadRow extends RowKey {
  readonly keys: readonly string[];
}

async function* uploadsBefore(store: RecordStore, letter: string, before: string): AsyncGenerator<UploadRow> {
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page: QueryCommandOutput = await store.client.send(
      new QueryCommand({
        TableName: store.tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND sk < :before',
        ExpressionAttributeValues: { ':pk': uploadPartition(letter), ':before': before },
        ExclusiveStartKey,
      }),
    );
    yield* (page.Items ?? []) as UploadRow[];
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
}

/** From here on no commit can name the objects. False if one did before, or is about to: then the next run sees. */
const mark = async (store: RecordStore, { pk, sk }: RowKey): Promise<boolean> => {
  try {
    await store.client.send(
      new UpdateCommand({
        TableName: store.tableName,
        Key: { pk, sk },
        UpdateExpression: 'SET swept = :now',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':now': Date.now() },
      }),
    );
    return true;
  } catch (error) {
    const faster = ['ConditionalCheckFailedException', 'TransactionConflictException'];
    if (error instanceof Error && faster.includes(error.name)) return false;
    throw error;
  }
};
