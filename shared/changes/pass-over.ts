import { log } from '../log.ts';
import type { RecordChange } from '../store/feed/change.ts';
import { notePassedOver } from '../store/feed/passed-over.ts';
import type { Table } from '../store/write-rows.ts';

/**
 * Passes over changes that an organisation was told of and that cannot be read now: each is counted, and noted until it can be told again (retell.ts).
 *
 * @returns what readableNow takes.
 */
export const passingOver =
  (table: Table, organization: string) =>
  async (change: RecordChange, error: unknown): Promise<void> => {
    log.fault('a version that was told cannot be read, and is passed over', error);
    log.count('ChangesUnpublished');
    await notePassedOver(table, { organization, change });
  };
