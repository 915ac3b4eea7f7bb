import { fileHeld } from '../shared/audit/held/file-held.ts';
import { log } from '../shared/log.ts';
import { documentClient } from '../shared/store/document-client.ts';
import { lockedObjects } from '../shared/store/locked-objects.ts';

/** Runs every five minutes: files the rows of the access log that the table could not take. */
export const handler = async (): Promise<void> => {
  const { TABLE_NAME: tableName, DIGEST_BUCKET_NAME: bucket } = process.env;
  if (!tableName || !bucket) throw new Error('Missing in the environment: TABLE_NAME, DIGEST_BUCKET_NAME');
  const client = documentClient();
  const count = await fileHeld({ client, tableName }, lockedObjects(client, { bucket }));
  if (count > 0) log.info('filed rows of the access log that were held', { count });
};
