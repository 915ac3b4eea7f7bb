import type { DynamoDBStreamHandler } from 'aws-lambda';
import { indexByDay } from '../shared/audit/index-by-day.ts';
import { documentClient } from '../shared/store/document-client.ts';

const table = documentClient();

/** DynamoDB stream → access log by organisation and day. */
export const handler = (async (event) => {
  const { TABLE_NAME } = process.env;
  if (!TABLE_NAME) throw new Error('Missing in the environment: TABLE_NAME');
  return indexByDay(table, TABLE_NAME, event);
}) satisfies DynamoDBStreamHandler;
