import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { type Policy, usualPolicy } from '../access/policy.ts';
import { wakeQueue } from '../delivery/wake-queue.ts';
import { wakeSubscriptionsOf } from '../delivery/wake-subscriptions.ts';
import { programmesAmong, readDenials } from '../store/denylist.ts';
import { documentClient } from '../store/document-client.ts';
import { openStore } from '../store/open-store.ts';
import type { RecordStore } from '../store/record-store.ts';
import { openingsTold } from './openings.ts';
import type { Publisher } from './publish.ts';
import { recipientsOf, type Telling } from './recipients.ts';

// Made at the first event: a client looks for its configuration as soon as it is made.
const clients = () => ({ bus: new EventBridgeClient({}), client: documentClient() });
let made: ReturnType<typeof clients> | undefined;

/**
 * The publisher that a function's environment describes.
 *
 * @throws Error naming the variables that are missing.
 */
export const publisherFrom = async (env: Readonly<Record<string, string | undefined>>): Promise<Publisher> => {
  const { TABLE_NAME: tableName, BUCKET_NAME: bucket, EVENT_BUS_NAME: busName, POLICY = '{}', PARTNERS = '[]' } = env;
  const { WAKE_QUEUE_URL: queueUrl } = env;
  if (!tableName || !bucket || !busName || !queueUrl) {
    throw new Error('Missing in the environment: TABLE_NAME, BUCKET_NAME, EVENT_BUS_NAME, WAKE_QUEUE_URL');
  }
  made ??= clients();
  const { bus, client } = made;
  const store = await openStore(client, tableName, { bucket });
  const policy: Policy = { ...usualPolicy, ...(JSON.parse(POLICY) as Partial<Policy>) };
  const partners = JSON.parse(PARTNERS) as string[];
  return {
    bus,
    busName,
    store,
    ...tellingBy(store, { policy, partners }),
    wake: wakeSubscriptionsOf(store, wakeQueue(client, { queueUrl })),
  };
};

/** Who is told of changes, and of charts that are opened, with the network's programmes as they are by then: one Query more. */
export const tellingBy = (
  store: RecordStore,
  agreed: Pick<Telling, 'policy' | 'partners'>,
): Pick<Publisher, 'recipientsOf' | 'openingsTold'> => {
  const telling = async (): Promise<Telling> => {
    const programmes = programmesAmong(await readDenials(store.client, store.tableName));
    return { ...agreed, store, programmes, now: Date.now() };
  };
  return {
    recipientsOf: async (changes) => recipientsOf(await telling(), changes),
    openingsTold: async (...change) => openingsTold(await telling(), ...change),
  };
};
