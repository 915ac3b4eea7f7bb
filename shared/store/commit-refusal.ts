import { RecordError } from '../errors.ts';
import type { TakenTime } from './calendar.ts';
import type { ExistenceCheck, RecordWrite, UniqueChange } from './commit.ts';
import type { RowKey } from './keys.ts';
import type { RecordRow } from './rows.ts';
import type { Action } from './transact.ts';

/** The refusal of a writer that was so slow that others have given up its work. */
export const tookTooLong = () =>
  new RecordError('conflict', 'The write took too long and was given up; nothing was written');

/** Which condition of a commit did not hold. */
export type Refusal =
  | { readonly kind: 'version'; readonly write: RecordWrite }
  /** The version to be deleted is the current one, but others have referred to it since it was read. */
  | { readonly kind: 'referred'; readonly write: RecordWrite }
  | { readonly kind: 'missing'; readonly check: ExistenceCheck }
  /** It is there, and bears the label that it must be without. */
  | { readonly kind: 'labelled'; readonly name: string }
  /** It is there, and has another version than it was looked at in. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'unique'; readonly change: UniqueChange }
  | { readonly kind: 'claimed'; readonly key: RowKey }
  | { readonly kind: 'taken'; readonly time: TakenTime };

/** Nothing was written, because these conditions did not hold. */
export class CommitRefused extends Error {
  override readonly name = 'CommitRefused';
  readonly refusals: readonly Refusal[];
  constructor(refusals: readonly Refusal[]) {
    super('A condition of the write did not hold');
    this.refusals = refusals;
  }
}

/**
 * What it means if a condition does not hold, told by the row as it was then; undefined if the same is worth another try. Throws what
 * is not to be told as a refusal.
 */
export type Meaning = (row: RecordRow | undefined) => Refusal | undefined;

/** One action of a transaction, and what it means if its condition does not hold. */
export interface Step {
  readonly action: Action;
  readonly refusal?: Meaning;
}
