import { gzipSync } from 'node:zlib';
import { BatchGetCommand, DeleteCommand, type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';

/** What the receiving side keeps: of each record the highest version, and which events it has seen. */
export interface Copies {
  /** Whether there is nothing to do for a notice: its event was seen, or what it tells of is here, or a later version. */
  readonly knows: (notice: { eventId: string; name: string; version: number }) => Promise<boolean>;
  /** Keeps a version unless a later one is here. */
  readonly keep: (record: { name: string; version: number; resource: unknown }) => Promise<void>;
  readonly forget: (name: string) => Promise<void>;
  readonly noteSeen: (eventId: string) => Promise<void>;
}

/** The one key of the table, and what DynamoDB removes rows by. */
export const copiesTable = { key: 'name', timeToLive: 'expires' } as const;

/** Events are remembered for longer than Concord's archive may keep any. */
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
            ProjectionExpression: '#name, #version',
            ExpressionAttributeNames: { '#name': 'name', '#version': 'version' },
          },
        },
      }),
    );
    const rows = (Responses?.[TableName] ?? []) as { name: string; version?: number }[];
    return rows.some((row) => row.name === eventKey(eventId) || (row.version ?? 0) >= version);
  },
  keep: async ({ name, version, resource }) => {
    const body = gzipSync(JSON.stringify(resource));
    const put = new PutCommand({
      TableName,
      Item: { name, version, ...(body.length > mostBytes ? {} : { body }) },
      ConditionExpression: 'attribute_not_exists(#name) OR #version < :version',
      ExpressionAttributeNames: { '#name': 'name', '#version': 'version' },
      ExpressionAttributeValues: { ':version': version },
    });
    await client.send(put).catch((error: unknown) => {
      if (!(error instanceof Error && error.name === 'ConditionalCheckFailedException')) throw error;
    });
  },
  forget: async (name) => {
    await client.send(new DeleteCommand({ TableName, Key: { name } }));
  },
  noteSeen: async (eventId) => {
    const expires = Math.floor(now() / 1_000) + rememberedSeconds;
    await client.send(new PutCommand({ TableName, Item: { name: eventKey(eventId), expires } }));
  },
});
