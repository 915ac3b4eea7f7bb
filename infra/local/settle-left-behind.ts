import { deploymentKeys } from '../../shared/store/deployment-key.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { RecordStore } from '../../shared/store/record-store.ts';
import { sweepTransactions } from '../../shared/store/settle-transaction.ts';

/**
 * Finishes or aborts the staged transactions of an earlier run that was killed. Only for a store that this run has for itself: then their
 * writers are gone, so nobody need wait for the deadlines, and what they held can be written at once.
 *
 * @returns how many there were.
 */
export const settleLeftBehind = async (tableName: string): Promise<number> => {
  const client = documentClient();
  try {
    const store = new RecordStore(client, tableName, await deploymentKeys(client, tableName));
    return await sweepTransactions(store, Number.POSITIVE_INFINITY);
  } finally {
    client.destroy();
  }
};
