import { documentClient } from '../../shared/store/document-client.ts';
import { openStore } from '../../shared/store/open-store.ts';
import { sweepTransactions } from '../../shared/store/settle-transaction.ts';
import { sweepUploads } from '../../shared/store/sweep-uploads.ts';

/**
 * Finishes or aborts the staged transactions of an earlier run that was killed, and removes bodies whose commit never came. Only for a store that this run has for itself: then their
 * writers are gone, so nobody need wait for the deadlines, and what they held can be written at once.
 *
 * @returns how many transactions there were.
 */
export const settleLeftBehind = async (tableName: string, bucket: string): Promise<number> => {
  const client = documentClient();
  try {
    const store = await openStore(client, tableName, { bucket });
    const settled = await sweepTransactions(store, Number.POSITIVE_INFINITY);
    await sweepUploads(store, Number.POSITIVE_INFINITY);
    return settled;
  } finally {
    client.destroy();
  }
};
