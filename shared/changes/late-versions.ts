import { changeIn, type RowChange } from '../store/feed/change.ts';
import { rowChangesOf } from '../store/feed/version-rows.ts';
import type { RecordStore } from '../store/record-store.ts';

/**
 * Versions that were kept though they were never current: a laboratory's late message goes into the history, and a version behind it says again what the one before said, both at once
 * (laboratory/late-version.ts). The record's own row passes it by, so it is read where it lies. A call for each row that does so; none for the usual ones.
 *
 * @throws Error if it is not there, and its chart was not purged.
 */
export const lateVersionsIn = async (store: RecordStore, row: RowChange): Promise<RowChange[]> => {
  const change = changeIn(row);
  const { before } = row;
  if (!change || !before || before.tx !== undefined) return [];
  const count = change.version - before.version - 1;
  return count > 0
    ? rowChangesOf(
        store,
        Array.from({ length: count }, (_, n) => ({ ...change, version: before.version + 1 + n })),
      )
    : [];
};
