import type { DynamoDBStreamHandler } from 'aws-lambda';
import { fileAccesses } from '../shared/audit/file-accesses.ts';
import { documentClient } from '../shared/store/document-client.ts';

// Made at the first event: a client looks for its configuration as soon as it is made.
let client: ReturnType<typeof documentClient> | undefined;

/** DynamoDB stream → the access log by organisation and day, what was disclosed of charts, and the chains of the logs. */
export const handler = (async (event) => {
  const { TABLE_NAME: tableName } = process.env;
  if (!tableName) throw new Error('Missing in the environment: TABLE_NAME');
  client ??= documentClient();
  return fileAccesses({ client, tableName }, event);
}) satisfies DynamoDBStreamHandler;
