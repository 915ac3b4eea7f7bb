import type { DynamoDBStreamHandler } from 'aws-lambda';
import { fileByTime } from '../shared/changes/file-by-time.ts';
import { documentClient } from '../shared/store/document-client.ts';

// Made at the first event: a client looks for its configuration as soon as it is made.
let client: ReturnType<typeof documentClient> | undefined;

/** DynamoDB stream → what stands in order of time: the access log by organisation and day, and the feed of changes. */
export const handler = (async (event) => {
  const { TABLE_NAME: tableName } = process.env;
  if (!tableName) throw new Error('Missing in the environment: TABLE_NAME');
  client ??= documentClient();
  return fileByTime({ client, tableName }, event);
}) satisfies DynamoDBStreamHandler;
