import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { DynamoDBStreamHandler } from 'aws-lambda';
import { publishChanges } from '../shared/changes/publish.ts';
import { deploymentKeys } from '../shared/store/deployment-key.ts';
import { documentClient } from '../shared/store/document-client.ts';
import { IdCodec } from '../shared/store/ids.ts';

// Made at the first event: a client looks for its configuration as soon as it is made.
const clients = () => ({ bus: new EventBridgeClient({}), table: documentClient() });
let made: ReturnType<typeof clients> | undefined;

/** DynamoDB stream → EventBridge: tells that records changed. The stream is the outbox, so no change is lost between the two. */
export const handler = (async (event) => {
  const { TABLE_NAME, EVENT_BUS_NAME } = process.env;
  if (!TABLE_NAME || !EVENT_BUS_NAME) throw new Error('Missing in the environment: TABLE_NAME, EVENT_BUS_NAME');
  made ??= clients();
  const { bus, table } = made;
  const { ids } = await deploymentKeys(table, TABLE_NAME);
  return publishChanges({ bus, busName: EVENT_BUS_NAME, ids: new IdCodec(ids) }, event);
}) satisfies DynamoDBStreamHandler;
