import { createHash } from 'node:crypto';
import { isDirectory } from '../../record-types/subjects.ts';
import { fromBase32, toBase32 } from '../base32.ts';
import { network, type RowKey } from '../keys.ts';
import { Layouts } from '../layouts.ts';
import type { RecordChange } from './change.ts';
import { feedPartition, feedPrefix } from './feed-keys.ts';
import { changesPacked, groupsIn, type Packed, packed } from './packed-changes.ts';

/**
 * Partitions of a feed. Changes of a chart lie in one of them. Packed, a partition takes some 50,000 changes a second. A reader reads all, so a
 * release that is to write more of them follows one that reads them.
 */
export const feedShards = 4;

/** A row holds changes of one such stretch of time, in milliseconds, so that a reader knows how far behind its key they may lie. */
const stretchMs = 60_000;

/** Changes a row at most: some 1.6 KB. */
const changesPerRow = 100;

/** Some changes of one feed and partition. */
export interface FeedRow extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: number;
  /** Whose records they are, in the feed of the network. Elsewhere the partition says it. */
  readonly custodian?: string;
  readonly changes: Packed;
}

/** Ten letters that sort as times do. Milliseconds since 1970; a time beyond what fits is the last one. */
export const timeText = (time: number): string => {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(Math.min(Math.max(Math.floor(time), 0), 2 ** 48 - 1), 0, 6);
  return toBase32(bytes);
};
const timeLetters = 10;

/** The time of a sort key, of a position, or of what begins like one. */
export const timeIn = (text: string): string => text.slice(0, timeLetters);

/** A change's place among all changes: later ones sort behind earlier ones, and what is told twice has one place. */
export const positionOf = ({ updated, type, chart, place, version }: RecordChange): string =>
  [timeText(updated), type, chart, place, String(version).padStart(10, '0')].join('#');

/** Behind all changes of this time. */
export const endOf = (time: string): string => `${time}~`;

/** The last sort key of a row that may hold changes before a position. */
export const lastRowBefore = (position: string): string => {
  const time = Buffer.from(fromBase32(timeIn(position)) ?? []).readUIntBE(0, 6);
  return endOf(timeText(Math.floor(time / stretchMs) * stretchMs + stretchMs - 1));
};

/** Whose feed tells of a record: that of the organisation that keeps it; of what everybody may read, the network's. */
export const feedOf = ({ type, custodian }: Pick<RecordChange, 'type' | 'custodian'>): string =>
  isDirectory(type) ? network : custodian;

const shardOf = (chart: string): number => createHash('sha256').update(chart).digest().readUInt8(0) % feedShards;

/** The partition that tells of a change. */
export const feedPartitionOf = (change: RecordChange): string => feedPartition(feedOf(change), shardOf(change.chart));

/**
 * Rows that tell of these changes, as few as there can be. The same changes make the same rows; other portions of them make other rows, and who
 * reads both finds each change once, by its position.
 */
export const feedRows = (changes: readonly RecordChange[]): FeedRow[] =>
  [...Map.groupBy(changes, rowGroup).values()].flatMap((together) => {
    const sorted = together.toSorted((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1));
    return Array.from({ length: Math.ceil(sorted.length / changesPerRow) }, (_, n) =>
      feedRow(sorted.slice(n * changesPerRow, (n + 1) * changesPerRow)),
    );
  });

const rowGroup = (change: RecordChange): string =>
  [feedOf(change), change.custodian, shardOf(change.chart), Math.floor(change.updated / stretchMs)].join('\n');

/** @param changes - at least one, the last one the newest. */
const feedRow = (changes: readonly RecordChange[]): FeedRow => {
  const newest = changes.at(-1);
  if (!newest) throw new Error('A row tells of a change');
  const json = groupsIn(changes);
  const digest = createHash('sha256').update(json).digest().subarray(0, 8);
  const owner = feedOf(newest);
  return {
    pk: feedPartition(owner, shardOf(newest.chart)),
    sk: `${timeText(newest.updated)}#${toBase32(digest)}`,
    layout: 1,
    ...(owner === newest.custodian ? {} : { custodian: newest.custodian }),
    changes: packed(json),
  };
};

/** In whose feed a row stands. */
export const feedOwner = ({ pk }: FeedRow): string => pk.slice(feedPrefix.length, pk.lastIndexOf('#'));

const ofGroups = (row: FeedRow): RecordChange[] => changesPacked(row.changes, row.custodian ?? feedOwner(row));

/** What a row of the feed tells of. */
export const feedLayouts = /* @__PURE__ */ new Layouts<(row: FeedRow) => RecordChange[]>('feed', { 1: ofGroups });

/**
 * The changes that a row tells of, in no order.
 *
 * @throws WrittenByNewerRelease.
 */
export const changesOf = (row: FeedRow): RecordChange[] => feedLayouts.reader(row.layout)(row);
