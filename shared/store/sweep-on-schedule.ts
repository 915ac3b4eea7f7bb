import { log } from '../log.ts';
import { deploymentKeys } from './deployment-key.ts';
import { documentClient } from './document-client.ts';
import { RecordStore } from './record-store.ts';
import { sweepTransactions } from './settle-transaction.ts';

/** A handler that sweeps the table named by TABLE_NAME. What it cannot settle now, the next minute's run can. */
export const sweepOnSchedule = () => {
  // Made at the first run: a client looks for its configuration as soon as it is made.
  let client: ReturnType<typeof documentClient> | undefined;
  return async (): Promise<void> => {
    const tableName = process.env.TABLE_NAME;
    if (!tableName) throw new Error('Missing in the environment: TABLE_NAME');
    client ??= documentClient();
    const store = new RecordStore(client, tableName, await deploymentKeys(client, tableName));
    const count = await sweepTransactions(store);
    if (count > 0) log.warn('settled transactions that were left behind', { count });
  };
};
