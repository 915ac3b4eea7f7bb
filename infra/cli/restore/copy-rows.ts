import type { Keeping } from '../../../shared/store/keeping.ts';
import type { Row, RowKey } from '../../../shared/store/keys.ts';
import type { RecordStore } from '../../../shared/store/record-store.ts';
import { writeRows } from '../../../shared/store/write-rows.ts';
import type { ChangedRow } from './compare.ts';

/** What is written over the restored table. */
export interface RowWrites {
  readonly puts: readonly Row[];
  readonly removes: readonly RowKey[];
}

/**
 * What rows come to that are no record's: traces as the old table has them, and of what closes, the tighter one.
 *
 * @returns also what the old table no longer closes, and the restored one goes on closing: for people to look at.
 */
export const rowsToWrite = (changed: readonly ChangedRow[]): RowWrites & { readonly kept: readonly Row[] } => {
  const puts: Row[] = [];
  const removes: RowKey[] = [];
  const kept: Row[] = [];
  for (const { kind, old, restored } of changed) {
    if (kind.fate === 'tightened') {
      const tighter = tightest(old, restored);
      if (tighter === undefined) removes.push(...(restored ? [restored] : []));
      else if (tighter === restored) kept.push(restored);
      else puts.push(tighter);
    } else if (old) puts.push(old);
    else if (restored && kind.fate === 'as-at-end') removes.push(restored);
  }
  return { puts, removes, kept };
};

/** Writes rows as they are; again if need be. */
export const copyRows = ({ client, tableName }: RecordStore, { puts, removes }: RowWrites): Promise<void> =>
  writeRows({ client, tableName }, puts, removes);

/** Of two rows under one key, or one, what closes more. Undefined where nothing is to stand there. */
const tightest = (old: Row | undefined, restored: Row | undefined): Row | undefined => {
  const [one, other] = [old, restored].filter((row) => row !== undefined);
  const { pk = '', sk = '' } = one ?? {};
  if (sk === '!linked') return linksOf(old, restored);
  if (!one || !other) return one;
  if (sk === '!keeping') return (restored as unknown as Keeping).state === 'purged' ? restored : old;
  if (pk === '!denied') return Number(old?.['before'] ?? 0) >= Number(restored?.['before'] ?? 0) ? old : restored;
  return old;
};

/** The links that both tables have. */
const linksOf = (old: Row | undefined, restored: Row | undefined): Row | undefined => {
  if (!restored) return undefined;
  const before = restored['ids'] instanceof Set ? (restored['ids'] as Set<string>) : new Set<string>();
  const after = old?.['ids'] instanceof Set ? (old['ids'] as Set<string>) : new Set<string>();
  const both = new Set([...before].filter((id) => after.has(id)));
  if (both.size === before.size) return restored;
  return both.size === 0 ? undefined : { pk: restored.pk, sk: restored.sk, ids: both };
};
