import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { lockedObjects } from '../../store/locked-objects.ts';
import type { AuditRow } from '../audit-row.ts';
import { heldObject, newHeldKey } from './held-access.ts';

/**
 * Keeps a row of the access log in the bucket of digests: the environment names it, DIGEST_BUCKET_NAME. The row is durable there, and locked, before this returns.
 *
 * @param why - what kept it from the table.
 * @throws why, if the bucket would not help: what is wrong with the row itself is wrong with it there, too. RecordError `throttled` or ObjectStoreError, if the bucket does not take it.
 */
export const hold = async (client: DynamoDBDocumentClient, row: AuditRow, why: unknown): Promise<void> => {
  const { DIGEST_BUCKET_NAME: bucket } = process.env;
  if (!bucket || (why instanceof Error && why.name === 'ValidationException')) throw why;
  await lockedObjects(client, { bucket }).putOnce(newHeldKey(Date.now()), heldObject(row));
};
