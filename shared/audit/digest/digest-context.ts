import { documentClient } from '../../store/document-client.ts';
import { lockedObjects } from '../../store/locked-objects.ts';
import { kmsMacKey } from './mac-key.ts';
import type { DigestContext } from './write-digests.ts';

/** Table, bucket and key that the environment names: TABLE_NAME, DIGEST_BUCKET_NAME, DIGEST_KEY_ID. @throws Error if it does not. */
export const digestContext = (environment: NodeJS.ProcessEnv): DigestContext => {
  const { TABLE_NAME: tableName, DIGEST_BUCKET_NAME: bucket, DIGEST_KEY_ID: keyId } = environment;
  if (!tableName || !bucket || !keyId)
    throw new Error('Missing in the environment: TABLE_NAME, DIGEST_BUCKET_NAME, DIGEST_KEY_ID');
  const client = documentClient();
  return {
    table: { client, tableName },
    digests: lockedObjects(client, { bucket }),
    key: kmsMacKey(client, { keyId }),
  };
};
