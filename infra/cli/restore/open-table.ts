import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { deploymentKeys } from '../../../shared/store/deployment-key.ts';
import { deploymentKeyKey } from '../../../shared/store/keys.ts';
import { s3ObjectStore } from '../../../shared/store/object-store.ts';
import { RecordStore } from '../../../shared/store/record-store.ts';
import type { Place } from '../admin/place.ts';
import { CommandFailed } from '../command.ts';

/**
 * Opens a table of a deployment, with the deployment's bodies. A table without the deployment's key is left as it is: whoever opens one makes a key in it.
 *
 * @throws CommandFailed where there is no such table, or it is none of Concord's.
 */
export const openTable = async (
  { table: { client }, objects }: Pick<Place, 'table' | 'objects'>,
  tableName: string,
): Promise<RecordStore> => {
  const get = new GetCommand({ TableName: tableName, Key: deploymentKeyKey, ConsistentRead: true });
  const { Item } = await client.send(get).catch((error: Error) => {
    throw new CommandFailed(`The table ${tableName} cannot be read: ${error.message}`);
  });
  if (!Item) throw new CommandFailed(`The table ${tableName} has no deployment key: it is none of Concord's, or empty`);
  return new RecordStore(client, tableName, await deploymentKeys(client, tableName), s3ObjectStore(client, objects));
};
