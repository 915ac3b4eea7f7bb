import { RecordError } from '../errors.ts';
import { actionsOf, type Commit, type ExistenceCheck, mostActions, mostBytes, type RecordWrite } from './commit.ts';
import { countsReferences } from './commit-conditions.ts';
import { mayClose } from './directives.ts';
import { chartKey, type Row } from './keys.ts';
import type { RecordStore } from './record-store.ts';
import { bodyOf, labelBytes, type RecordRow, recordRow } from './rows.ts';

/** A record's next version; `puts` without the hints. */
export interface StagedWrite extends RecordWrite {
  readonly row: RecordRow;
  /** A create under a random id of ours: nobody else can write its row, nor the rows that bear its id. */
  readonly fresh: boolean;
}

/** A commit that DynamoDB does not take at once, by when its parts are written. */
export interface Division {
  /** Staged before it is decided, and shown afterwards. */
  readonly staged: Pick<Commit, 'unique' | 'claims' | 'log'> & { readonly writes: readonly StagedWrite[] };
  /**
   * Rows that lead to a fresh record and repeat nothing of it, put before it is decided. Whoever follows one asks the record, so it does no
   * harm there; so it takes 1 unit, and 2 in a transaction.
   */
  readonly hints: readonly Row[];
  /** Records referred to that are held from the staging until all of it is shown. */
  readonly held: readonly ExistenceCheck[];
  /** Checked just before it is decided. */
  readonly before: readonly ExistenceCheck[];
  /** Written and checked by the transaction that decides. */
  readonly deciding: Commit;
}

/**
 * Divides a commit. The transaction that decides has room for 95 actions beside the marker. In this order:
 *
 * - Consents that may close something: whoever reads what they close asks no marker, so it must be closed as soon as it is decided;
 * - checks of what counts its references, for whoever deletes a record counts on seeing what refers to it. What exceeds the room is held
 *   until the records that refer to it are there; so is what lies in a chart where a staged record's pointer comes only afterwards;
 * - long rows of the access log: in the redo log they would be written and deleted once more. Short ones take 1 unit there, and 2 here;
 * - records that are dearer to stage: those with an earlier version, with rows that repeat them, under an id that a client chose;
 * - other records, which take 2 units either way, but calls of their own when they are staged;
 * - checks of entries of the directory, which are hardly ever deleted. The rest of them is checked just before.
 *
 * @throws RecordError `too-large` if it has not room for all such Consents.
 */
export const divide = (store: RecordStore, work: Commit): Division => {
  let [actions, bytes] = [mostActions - 1, mostBytes];
  const fits = (neededActions: number, neededBytes: number): boolean => {
    const room = neededActions <= actions && neededBytes <= bytes;
    if (room) [actions, bytes] = [actions - neededActions, bytes - neededBytes];
    return room;
  };
  const writes = work.writes.map((write) => withoutHints(store, write));
  const closing = writes.filter(mayClose);
  if (!closing.every((write) => fits(...sizeOf(write)))) throw tooManyConsents();
  const counting = work.checks.filter(countsReferences);
  const counted = new Set(counting.filter(() => fits(1, checkBytes)));
  const log = new Set(work.log.filter((row) => bytesOf(row) > shortLogRow && fits(1, bytesOf(row))));

  const dear = writes.filter(({ fresh, puts }) => !fresh || puts.length > 0);
  const plain = writes.filter(({ fresh, puts }) => fresh && puts.length === 0);
  const direct = new Set(closing);
  for (const write of [...dear, ...plain]) if (!direct.has(write) && fits(...sizeOf(write))) direct.add(write);
  const staged = writes.filter((write) => !direct.has(write));

  const others = work.checks.filter((check) => !countsReferences(check));
  const checked = new Set(others.filter(() => fits(1, checkBytes)));
  const pointed = new Set(staged.flatMap(pointedCharts));
  const isHeld = (check: ExistenceCheck) => !counted.has(check) || pointed.has(chartKey(check.address.chart));
  return {
    staged: { writes: staged, unique: work.unique, claims: work.claims, log: work.log.filter((row) => !log.has(row)) },
    hints: writes.flatMap(({ fresh }, index) => (fresh ? (work.writes[index]?.puts ?? []).filter(isHint) : [])),
    held: counting.filter(isHeld),
    before: others.filter((check) => !checked.has(check)),
    deciding: {
      ...nothing,
      writes: [...direct],
      checks: [...counting.filter((check) => !isHeld(check)), ...checked],
      log: [...log],
      upload: work.upload,
    },
  };
};

const tooManyConsents = (): RecordError =>
  new RecordError('too-large', 'A large transaction changes a few Consents at most; send some of them by themselves', {
    reason: 'too-many-consents',
  });

const nothing: Commit = { writes: [], checks: [], unique: [], claims: [], log: [] };

const withoutHints = ({ ids }: RecordStore, write: RecordWrite): StagedWrite => {
  const { next, previous, puts } = write;
  const fresh = !previous && ids.decode(next.id) !== undefined;
  // Packed once: compression is most of what a large bundle costs in CPU.
  const row = recordRow(next, ids);
  return { ...write, row, fresh, puts: fresh ? puts.filter((put) => !isHint(put)) : puts };
};

/** Charts other than its own where a staged record is pointed to only when it is shown. In its own, its row is there before. */
const pointedCharts = ({ next, puts }: StagedWrite): string[] =>
  puts.map(({ pk }) => pk).filter((pk) => pk !== chartKey(next.chart));

const isHint = ({ version }: Row): boolean => version === undefined;

const shortLogRow = 500;

const bytesOf = (row: Row): number =>
  Object.values(row).reduce<number>(
    (sum, value) => sum + (value instanceof Uint8Array ? value.length : (JSON.stringify(value)?.length ?? 0)),
    0,
  );

// Upper estimates of what the service counts beside bodies: keys and names; a row that repeats a record has a body of 1 KB at most.
const checkBytes = 500;
const rowBytes = 2_500;

/** How much room a write takes, its earlier version included. */
const sizeOf = (write: StagedWrite): [actions: number, bytes: number] => {
  const actions = actionsOf({ ...nothing, writes: [write] });
  const versions = [write.next, write.previous].flatMap((version) => version ?? []);
  const bytes = versions.map((version) => (bodyOf(version)?.length ?? 0) + labelBytes(version));
  return [actions, bytes.reduce((sum, each) => sum + each, actions * rowBytes)];
};
