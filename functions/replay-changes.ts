import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { SQSHandler } from 'aws-lambda';
import { type Policy, usualPolicy } from '../shared/access/policy.ts';
import { replayChanges } from '../shared/changes/replay.ts';
import { programmesAmong, readDenials } from '../shared/store/denylist.ts';
import { documentClient } from '../shared/store/document-client.ts';
import { openStore } from '../shared/store/open-store.ts';

// Made at the first event: a client looks for its configuration as soon as it is made.
const clients = () => ({ bus: new EventBridgeClient({}), table: documentClient() });
let made: ReturnType<typeof clients> | undefined;

/** Events that an archive plays again → those that are still permitted, on the bus anew. */
export const handler = (async (event) => {
  const { TABLE_NAME, BUCKET_NAME, EVENT_BUS_NAME, POLICY = '{}' } = process.env;
  if (!TABLE_NAME || !BUCKET_NAME || !EVENT_BUS_NAME)
    throw new Error('Missing in the environment: TABLE_NAME, BUCKET_NAME, EVENT_BUS_NAME');
  made ??= clients();
  const { bus, table } = made;
  const store = await openStore(table, TABLE_NAME, { bucket: BUCKET_NAME });
  const programmes = programmesAmong(await readDenials(table, TABLE_NAME));
  const policy: Policy = { ...usualPolicy, ...(JSON.parse(POLICY) as Partial<Policy>) };
  return replayChanges({ bus, busName: EVENT_BUS_NAME, store, policy, programmes, now: Date.now() }, event);
}) satisfies SQSHandler;
