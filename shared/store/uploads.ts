import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { bodyReference, referenceTo } from './body.ts';
import type { Commit } from './commit.ts';
import { type Step, tookTooLong } from './commit-refusal.ts';
import { inParallel } from './in-parallel.ts';
import { type RowKey, uploadKey } from './keys.ts';
import { bodiesAtOnce, largestInRow, objectKey } from './large-bodies.ts';
import type { RecordStore } from './record-store.ts';
import { bodyOf, type StoredRecord, withBody } from './rows.ts';

// Large bodies are uploaded before the commit that names them. So that a crash in between leaves no object that nobody knows of, a row
// tells of the upload first, and the commit itself removes that row, under the condition that it is there. Hence: as long as the row
// stands, its objects are named by nothing that anybody can see; once it is gone, they are named, or gone too. The sweeper marks the row before it
// removes the objects, so a commit that comes later than the sweeper is refused.

/** An upload is given up this long after it was begun. The sweeper waits longer. */
const uploadWithinMs = 10 * 60_000;

/**
 * Uploads what is too large for a row of this commit. Each time anew and under new names, so that no two commits share an object.
 * Costs nothing where all bodies fit their rows.
 *
 * @returns the commit with its bodies there, which tells of the upload.
 * @throws RecordError `throttled`, or `conflict` if it took too long; ObjectStoreError.
 */
export const uploadLargeBodies = async (store: RecordStore, work: Commit): Promise<Commit> => {
  const objects = new Map<StoredRecord, { key: string; bytes: Uint8Array; reference: Uint8Array }>();
  for (const { next } of work.writes) {
    const bytes = bodyOf(next);
    if (!bytes || bytes.length <= largestInRow) continue;
    const reference = referenceTo(bytes, next.chart);
    const key = objectKey(store.ids, next, next.version, bodyReference(reference)?.name ?? '');
    objects.set(next, { key, bytes, reference });
  }
  if (objects.size === 0) return work;
  const at = Date.now();
  const keys = [...objects.values()].map(({ key }) => key);
  const upload = await beginUpload(store, keys, at);
  await inParallel(bodiesAtOnce, [...objects.values()], ({ key, bytes }) =>
    store.objects.put(key, bytes, at + uploadWithinMs),
  );
  const writes = work.writes.map((write) => {
    const object = objects.get(write.next);
    return object ? { ...write, next: withBody(write.next, object.reference) } : write;
  });
  return { ...work, writes, upload };
};

/**
 * Notes objects down that are about to be written.
 *
 * @param at - now, in milliseconds since 1970.
 * @returns the row that the commit which names them removes.
 */
export const beginUpload = async (store: RecordStore, keys: readonly string[], at: number): Promise<RowKey> => {
  const upload = uploadKey(store.ids.newPlace(at));
  await store.client.send(new PutCommand({ TableName: store.tableName, Item: { ...upload, at, keys } }));
  return upload;
};

/** The part of the deciding transaction that makes the objects part of the table. */
export const uploadStep = (TableName: string, { pk, sk }: RowKey): Step => ({
  action: {
    Delete: {
      TableName,
      Key: { pk, sk },
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(swept)',
    },
  },
  refusal: () => {
    throw tookTooLong();
  },
});
