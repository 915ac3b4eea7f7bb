import { createHash } from 'node:crypto';
import { toBase32 } from '../base32.ts';
import { type RowKey } from '../keys.ts';
import { Layouts } from '../layouts.ts';
import type { RecordChange } from './change.ts';
import { feedPartition, sequencePartition } from './feed-keys.ts';
import { changesOf, type FeedRow, positionOf } from './feed-rows.ts';
import { changesPacked, groupsIn, type Packed, packed } from './packed-changes.ts';

/** What an organisation, or the network, is told of at once. */
export interface Entries {
  /** Rows of its own feed, which lie in the table by now: all that stands in them. */
  readonly filed?: readonly FeedRow[];
  /** Changes of what others keep. */
  readonly changes?: readonly RecordChange[];
}

/** What a row of a sequence holds beside its key. */
export interface Sequenced {
  readonly layout: number;
  /** How many changes it tells of. */
  readonly n: number;
  /** Rows of the owner's feed that tell of them: shard and sort key of each, a space between two. The changes themselves stand there already. */
  readonly rows?: string;
  /** What others keep, by custodian. */
  readonly changes?: Readonly<Record<string, Packed>>;
}

/** One row of a sequence. */
export type SequenceRow = RowKey & Sequenced;

/** What a row of a sequence says. */
export interface SequenceEntry {
  /** How many changes it tells of. */
  readonly count: number;
  /** Where the rows of the feed lie that tell of some. */
  readonly filed: readonly RowKey[];
  /** The others, in no order. */
  readonly changes: readonly RecordChange[];
}

/** A row without its number. The same entries make the same row. */
export const sequenceRow = ({ filed = [], changes = [] }: Entries): Sequenced => {
  const rows = filed.map(({ pk, sk }) => `${pk.slice(pk.lastIndexOf('#') + 1)}${sk}`).toSorted();
  const custodians = [...Map.groupBy(changes.toSorted(byPosition), ({ custodian }) => custodian)].toSorted(
    ([a], [b]) => (a < b ? -1 : 1),
  );
  return {
    layout: 1,
    n: filed.reduce((sum, row) => sum + changesOf(row).length, changes.length),
    ...(rows.length === 0 ? {} : { rows: rows.join(' ') }),
    ...(custodians.length === 0
      ? {}
      : { changes: Object.fromEntries(custodians.map(([custodian, all]) => [custodian, packed(groupsIn(all))])) }),
  };
};

/** Versions of one record stand in their order: none is older than the one before it. */
export const byPosition = (a: RecordChange, b: RecordChange): number => (positionOf(a) < positionOf(b) ? -1 : 1);

const ofPointers = ({ pk, n, rows, changes = {} }: SequenceRow): SequenceEntry => ({
  count: n,
  filed: (rows?.split(' ') ?? []).map((row) => ({
    pk: feedPartition(pk.slice(sequencePartition('').length), Number(row.slice(0, 1))),
    sk: row.slice(1),
  })),
  changes: Object.entries(changes).flatMap(([custodian, those]) => changesPacked(those, custodian)),
});

/** What a row of a sequence tells of. */
export const sequenceLayouts = /* @__PURE__ */ new Layouts<(row: SequenceRow) => SequenceEntry>('sequence', {
  1: ofPointers,
});

/**
 * What a row says, without what stands in the feed.
 *
 * @throws WrittenByNewerRelease.
 */
export const entryOf = (row: SequenceRow): SequenceEntry => sequenceLayouts.reader(row.layout)(row);

export const numberOf = ({ sk }: RowKey): number => Number(sk);

/** Whether two rows say the same, whatever their numbers. */
export const saysTheSame = (a: Sequenced, b: Sequenced): boolean => digestOf(a).equals(digestOf(b));

/** Five letters that tell a row from another one of its number: after the table was restored, numbers are given out again. */
export const markOf = (row: SequenceRow): string => toBase32(digestOf(row).subarray(0, 3));

const digestOf = ({ rows = '', changes = {} }: Sequenced): Buffer => {
  const hash = createHash('sha256').update(rows);
  for (const custodian of Object.keys(changes).toSorted())
    hash.update(`\n${custodian}\n`).update(changes[custodian] ?? '');
  return hash.digest();
};
