import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { deploymentKeys } from './deployment-key.ts';
import { type ObjectStoreOptions, s3ObjectStore } from './object-store.ts';
import { RecordStore } from './record-store.ts';

/** The records of a table, and of the bucket that has its large bodies. Reads the deployment's key, once a process. */
export const openStore = async (
  client: DynamoDBDocumentClient,
  tableName: string,
  objects: ObjectStoreOptions,
): Promise<RecordStore> =>
  new RecordStore(client, tableName, await deploymentKeys(client, tableName), s3ObjectStore(client, objects));
