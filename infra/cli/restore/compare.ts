import type { Row, RowKey } from '../../../shared/store/keys.ts';
import type { RecordStore } from '../../../shared/store/record-store.ts';
import type { RecordRow } from '../../../shared/store/rows.ts';
import { CommandFailed } from '../command.ts';
import { kindOf, type RowKind } from './row-kinds.ts';
import { isSame, nameOf, rowsAt, scanTable } from './tables.ts';

/** A record that has another version at the end than at the moment. */
export interface ChangedRecord {
  /** Its row in the old table. */
  readonly old: RecordRow;
  /** In the restored one; undefined where it was made later. */
  readonly restored: RecordRow | undefined;
}

/** A row of the old table that the restored one lacks or has otherwise, or one that the old table has no more. */
export interface ChangedRow {
  readonly kind: RowKind;
  readonly old: Row | undefined;
  readonly restored: Row | undefined;
}

/** In what two tables differ, as far as it matters for a restore. */
export interface Differences {
  readonly records: readonly ChangedRecord[];
  /** All others, but for those that a record leads to. */
  readonly rows: readonly ChangedRow[];
}

/** Two tables to compare. */
export interface Compared {
  readonly old: RecordStore;
  readonly restored: RecordStore;
  /** To which moment it was restored, in milliseconds since 1970. */
  readonly at: number;
  /** Parts in which each is read; the usual ones if absent. */
  readonly segments?: number;
}

/** A row is in a table so long behind the time that it tells, in milliseconds, or never: staged transactions are settled within minutes. */
export const writtenWithinMs = 15 * 60_000;
/** The stream keeps what is to be written behind it for a day, and what was caught up is a day older at most. */
const behindStreamMs = 48 * 3_600_000;

/** How far back it is looked for rows of a kind. */
const reach = ({ fate }: RowKind): number => (fate === 'record' ? writtenWithinMs : behindStreamMs);

/**
 * Compares the old table with the restored one. Reads all of both, and of the restored one once more what may differ: some ten minutes for 100 GB.
 *
 * @throws CommandFailed where a row is of no kind that this release knows, or the two are tables of different deployments.
 */
export const compareTables = async ({ old, restored, at, segments }: Compared): Promise<Differences> => {
  if (!old.keys.ids.equals(restored.keys.ids))
    throw new CommandFailed(
      `${restored.tableName} was not restored from ${old.tableName}: their deployment keys differ`,
    );
  const records: ChangedRecord[] = [];
  const rows: ChangedRow[] = [];
  await scanTable(
    old,
    async (page) => {
      const asked = page.flatMap((row) => {
        const kind = known(row);
        return mayDiffer(kind, row, at) ? [{ kind, row }] : [];
      });
      const found = await rowsAt(
        restored,
        asked.map(({ row }) => row),
      );
      for (const { kind, row } of asked) {
        const other = found.get(nameOf(row));
        if (isSame(row, other)) continue;
        if (kind.fate === 'record')
          records.push({ old: row as unknown as RecordRow, restored: other as RecordRow | undefined });
        else rows.push({ kind, old: row, restored: other });
      }
    },
    segments,
  );
  await scanTable(
    restored,
    async (page) => {
      const asked = page.flatMap((row) => {
        const kind = known(row);
        return kind.fate === 'as-at-end' || kind.fate === 'tightened' ? [{ kind, row }] : [];
      });
      const found = await rowsAt(
        old,
        asked.map(({ row }) => row),
      );
      for (const { kind, row } of asked)
        if (!found.has(nameOf(row))) rows.push({ kind, old: undefined, restored: row });
    },
    segments,
  );
  return { records, rows };
};

const known = (row: Row): RowKind => {
  const kind = kindOf(row);
  if (kind) return kind;
  throw new CommandFailed(
    `A row of the table is of a kind that this release does not know: its keys begin with ${beginning(row)}. Use the release that wrote it.`,
  );
};

/** As much of a key as shows nobody. */
const beginning = ({ pk, sk }: RowKey): string => `${pk.slice(0, 2)} and ${sk.slice(0, 1)}`;

const mayDiffer = (kind: RowKind, row: Row, at: number): boolean => {
  if (kind.fate === 'left' || kind.fate === 'beside') return false;
  if (isOver(row)) return false;
  return kind.writtenAt === undefined || kind.writtenAt(row) >= at - reach(kind);
};

/** What DynamoDB is about to remove. */
const isOver = ({ expires }: Row): boolean => typeof expires === 'number' && expires * 1_000 < Date.now();
