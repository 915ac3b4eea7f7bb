import { type Policy, usualPolicy } from '../../access/policy.ts';
import { log } from '../../log.ts';
import { programmesAmong, readDenials } from '../../store/denylist.ts';
import { documentClient } from '../../store/document-client.ts';
import { openStore } from '../../store/open-store.ts';
import { purgeByPolicy } from './by-policy.ts';

/** A handler that ends charts whose time is over, where the network's policy says that nobody needs to say so of each. */
export const purgeOnSchedule = () => {
  let client: ReturnType<typeof documentClient> | undefined;
  return async (): Promise<void> => {
    const { TABLE_NAME: tableName, BUCKET_NAME: bucket, POLICY = '{}' } = process.env;
    if (!tableName || !bucket) throw new Error('Missing in the environment: TABLE_NAME, BUCKET_NAME');
    const policy: Policy = { ...usualPolicy, ...(JSON.parse(POLICY) as Partial<Policy>) };
    if (policy.purges !== 'automatic') return;
    client ??= documentClient();
    const store = await openStore(client, tableName, { bucket });
    const programmes = programmesAmong(await readDenials(client, tableName));
    const count = await purgeByPolicy(store, { policy, programmes, now: Date.now() });
    if (count > 0) log.info('purged charts whose time was over', { count });
  };
};
