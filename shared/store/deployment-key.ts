import { hkdfSync, randomBytes } from 'node:crypto';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { deploymentKeyKey } from './keys.ts';

/** Keys that this deployment derives from its one secret, each for one purpose. All 32 bytes. */
export interface DeploymentKeys {
  /** Encrypts the part of an id that holds its place. Changing it would change every id. */
  readonly ids: Buffer;
  /** Seals the positions inside `next` links. */
  readonly pages: Buffer;
  /** Hashes what would otherwise show in a key: identifiers, birth dates, telephone numbers. */
  readonly index: Buffer;
}

const loading = new WeakMap<DynamoDBDocumentClient, Map<string, Promise<DeploymentKeys>>>();

/**
 * The keys of a deployment, read once a process and made by whoever comes first.
 *
 * The secret lives in the table that it serves: it keeps clients from forging ids and cursors and keeps dates out of ids. It
 * does not protect the table, whose own KMS key does. So a restored or replicated table keeps its ids without another secret.
 */
export const deploymentKeys = (client: DynamoDBDocumentClient, tableName: string): Promise<DeploymentKeys> => {
  const ofClient = loading.get(client) ?? new Map<string, Promise<DeploymentKeys>>();
  loading.set(client, ofClient);
  const known = ofClient.get(tableName);
  if (known) return known;
  const keys = readOrCreate(client, tableName);
  ofClient.set(tableName, keys);
  keys.catch(() => ofClient.delete(tableName)); // a failed read must not fail every later request
  return keys;
};

const readOrCreate = async (client: DynamoDBDocumentClient, TableName: string): Promise<DeploymentKeys> => {
  const read = async () =>
    (await client.send(new GetCommand({ TableName, Key: deploymentKeyKey, ConsistentRead: true }))).Item?.secret as
      | Uint8Array
      | undefined;
  const secret = (await read()) ?? (await create(client, TableName)) ?? (await read());
  if (!secret) throw new Error('The table holds no deployment key and none could be written');
  return deriveKeys(secret);
};

const create = async (client: DynamoDBDocumentClient, TableName: string) => {
  const secret = randomBytes(32);
  try {
    await client.send(
      new PutCommand({
        TableName,
        Item: { ...deploymentKeyKey, secret },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
    return secret;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return undefined; // another was first
    throw error;
  }
};

/** Derives the purposes' keys from the secret (HKDF, RFC 5869). */
export const deriveKeys = (secret: Uint8Array): DeploymentKeys => {
  const key = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, '', `concord/${purpose}/1`, 32));
  return { ids: key('ids'), pages: key('pages'), index: key('index') };
};
