import { type Table, writeRows } from '../write-rows.ts';
import type { RecordChange } from './change.ts';
import { feedRows } from './feed-rows.ts';

/**
 * Files changes in the feed. Doing it again, in whatever portions, changes nothing for a reader.
 *
 * @throws if the table did not take all of them.
 */
export const writeFeed = (table: Table, changes: readonly RecordChange[]): Promise<void> =>
  writeRows(table, feedRows(changes));
