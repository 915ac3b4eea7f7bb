import { type Policy, usualPolicy } from '../access/policy.ts';
import { programmesAmong, readDenials } from '../store/denylist.ts';
import { documentClient } from '../store/document-client.ts';
import { openStore } from '../store/open-store.ts';
import { kmsSecretsKey } from '../store/secrets-key.ts';
import { openSecrets } from '../subscriptions/secrets.ts';
import { furtherHostsFrom } from '../webhooks/further-hosts.ts';
import { posterTo } from '../webhooks/post.ts';
import { deliver } from './deliver.ts';
import type { Delivery } from './delivery.ts';
import { setStatus } from './set-status.ts';
import { wakeMessage, wakeQueue } from './wake-queue.ts';

/** A turn ends after so long, in milliseconds, and asks for another one: the function has a minute. */
const turnMs = 20_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** What delivery works with, by the environment of its function. */
const deliveryFrom = async (client: ReturnType<typeof documentClient>, environment: Environment): Promise<Delivery> => {
  const { TABLE_NAME: tableName, BUCKET_NAME: bucket, WAKE_QUEUE_URL: queueUrl, SECRETS_KEY_ID: keyId } = environment;
  if (!tableName || !bucket || !queueUrl || !keyId)
    throw new Error('Missing in the environment: TABLE_NAME, BUCKET_NAME, WAKE_QUEUE_URL, SECRETS_KEY_ID');
  const { POLICY = '{}', WEBHOOK_HOSTS } = environment;
  const policy: Policy = { ...usualPolicy, ...(JSON.parse(POLICY) as Partial<Policy>) };
  const store = await openStore(client, tableName, { bucket });
  const key = kmsSecretsKey(client, { keyId });
  const programmes = async () => programmesAmong(await readDenials(client, tableName));
  return {
    store,
    policy,
    programmes,
    post: posterTo({ furtherHosts: furtherHostsFrom(WEBHOOK_HOSTS) }),
    openSecrets: ({ id, secrets }) => openSecrets(key, id, secrets),
    wake: wakeQueue(client, { queueUrl }),
    setStatus: async (settings, status, error) =>
      setStatus({ store, policy, programmes: await programmes(), now: Date.now() }, settings, status, error),
    now: Date.now,
    random: Math.random,
    turnMs,
  };
};

/** A handler that gives the Subscriptions of messages their turns, one after the other: its mapping hands it one at a time. */
export const deliverOnWake = () => {
  let client: ReturnType<typeof documentClient> | undefined;
  return async ({ Records }: { readonly Records: readonly { readonly body: string }[] }): Promise<void> => {
    client ??= documentClient();
    const delivery = await deliveryFrom(client, process.env);
    for (const { body } of Records) await deliver(delivery, wakeMessage.parse(JSON.parse(body)));
  };
};
