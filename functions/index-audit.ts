import type { DynamoDBStreamHandler } from 'aws-lambda';
import { indexByDay } from '../shared/audit/index-by-day.ts';
import { documentClient } from '../shared/store/document-client.ts';

// Made at the first event: a client looks for its configuration as soon as it is made.
let table: ReturnType<typeof documentClient> | undefined;

/** DynamoDB stream → access log by organisation and day. */
export const handler = (async (event) => {
  const { TABLE_NAME } = process.env;
  if (!TABLE_NAME) throw new Error('Missing in the environment: TABLE_NAME');
  table ??= documentClient();
  return indexByDay(table, TABLE_NAME, event);
}) satisfies DynamoDBStreamHandler;
