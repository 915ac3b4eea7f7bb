import { gzipSync } from 'node:zlib';
import { BatchGetCommand, type DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';

/** What the receiving side keeps: of each record the highest version, and which events it has seen. */
export interface Copies {
  /** Whether there is nothing to do for a notice: its event was seen, or what it tells of is here, or a later version. */
  readonly knows: (notice: { eventId: string; name: string; version: number }) => Promise<boolean>;
  /** Keeps a version unless a later one is here, or was forgotten. */
  readonly keep: (record: { name: string; version: number; resource: unknown }) => Promise<void>;
  /** Forgets the record, whatever version is here, and remembers that up to this one it is gone: an answer that was under way does not bring an earlier one back. */
  readonly forget: (record: { name: string; version: number }) => Promise<void>;
  readonly noteSeen: (eventId: string) => Promise<void>;
}

/** The one key of the table, and what DynamoDB removes rows by. */
export const copiesTable = { key: 'name', timeToLive: 'expires' } as const;

/** Events, and versions that are gone, are remembered for longer than Concord's archive may keep any. */
const rememberedSeconds = 100 * 86_400;
/** What a row holds of a record, in compressed bytes; of a larger one it is only known that it is there. */
const mostBytes = 350_000;

const eventKey = (eventId: string) => `event ${eventId}`;

/** Copies in a table of the own account. A condition decides which version stays, so that two notices at once do no harm. */
export const copiesIn = (client: DynamoDBDocumentClient, TableName: string, now = Date.now): Copies => ({
  knows: async ({ eventId, name, version }) => {
    const Keys = [{ name: eventKey(eventId) }, { name }];
    const { Responses } = await client.send(
      new BatchGetCommand({
        RequestItems: {
          [TableName]: {
            Keys,
            ConsistentRead: true,
            ProjectionExpression: '#name, #version, gone',
            ExpressionAttributeNames: { '#name': 'name', '#version': 'version' },
          },
        },
      }),
    );
    const rows = (Responses?.[TableName] ?? []) as { name: string; version?: number; gone?: true }[];
    // What is gone is asked for again: it may have become readable.
    return rows.some((row) => row.name === eventKey(eventId) || (!row.gone && (row.version ?? 0) >= version));
  },
  keep: async ({ name, version, resource }) => {
    const body = gzipSync(JSON.stringify(resource));
    const put = new PutCommand({
      TableName,
      Item: { name, version, ...(body.length > mostBytes ? {} : { body }) },
      ConditionExpression:
        'attribute_not_exists(#name) OR #version < :version OR (#version = :version AND attribute_exists(gone))',
      ExpressionAttributeNames: { '#name': 'name', '#version': 'version' },
      ExpressionAttributeValues: { ':version': version },
    });
    await met(client.send(put));
  },
  forget: async ({ name, version }) => {
    const update = { TableName, Key: { name } };
    const values = { ':gone': true, ':expires': expiresAt(now()) };
    const upToThis = new UpdateCommand({
      ...update,
      UpdateExpression: 'SET gone = :gone, expires = :expires, #version = :version REMOVE body',
      ConditionExpression: 'attribute_not_exists(#version) OR #version < :version',
      ExpressionAttributeNames: { '#version': 'version' },
      ExpressionAttributeValues: { ...values, ':version': version },
    });
    if (await met(client.send(upToThis))) return;
    // A later version is here, and is not to be read any more either.
    await client.send(
      new UpdateCommand({
        ...update,
        UpdateExpression: 'SET gone = :gone, expires = :expires REMOVE body',
        ExpressionAttributeValues: values,
      }),
    );
  },
  noteSeen: async (eventId) => {
    const Item = { name: eventKey(eventId), expires: expiresAt(now()) };
    await client.send(new PutCommand({ TableName, Item }));
  },
});

const expiresAt = (now: number): number => Math.floor(now / 1_000) + rememberedSeconds;

/** Whether the condition of a write was met, and so the write made. */
const met = async (writing: Promise<unknown>): Promise<boolean> => {
  try {
    await writing;
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
};
