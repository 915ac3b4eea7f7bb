import { type LinkRow, linkIn } from '../../../shared/audit/chain/link.ts';
import { soughtDays } from '../../../shared/audit/held/file-held.ts';
import { timeOfPlace } from '../../../shared/store/ids.ts';
import type { Row } from '../../../shared/store/keys.ts';
import { addressOf, isPointer } from '../../../shared/store/rows.ts';

// What a table that was restored to a moment takes over from the one that went on. Three sentences decide it: who may see what is as it was at the end; what was
// done and told is as it was at the end; what charts say is as it was at that moment.

/**
 * What becomes of a kind of row.
 *
 * - `record`: put back to what it said, or taken whole where it says who may see what (records.ts).
 * - `beside`: leads to a record, so it changes with that alone.
 * - `taken`: what the old table has is put where the restored one lacks it or has something else. Nothing is removed.
 * - `as-at-end`: besides, what the old table has no more is removed.
 * - `tightened`: of both tables what closes more (closing.ts).
 * - `left`: the restored table's own.
 */
export type Fate = 'record' | 'beside' | 'taken' | 'as-at-end' | 'tightened' | 'left';

/** One kind of row of the table. */
export interface RowKind {
  /** As docs/store.md has it. */
  readonly name: string;
  readonly is: (row: Row) => boolean;
  readonly fate: Fate;
  /** Why. */
  readonly because: string;
  /** When a row was written, in milliseconds since 1970, where its key or contents say so: what is older than the restore looks back is the same in both tables. */
  readonly writtenAt?: (row: Row) => number;
}

const under =
  (prefix: string) =>
  ({ pk }: Row) =>
    pk.startsWith(prefix);
const inChart =
  (prefix: string) =>
  ({ pk, sk }: Row) =>
    pk.startsWith('C#') && sk.startsWith(prefix);
const parts = ({ pk }: Row): number => pk.split('#').length;
const timeIn = (place: string): number => timeOfPlace(place.replace(/!.*/, ''));

/** Until when it may have been filed what the table could not take at its time: the row itself, and those that are made of it. */
const filedUpTo = (place: string): number => timeIn(place) + soughtDays * 86_400_000;

/** The first that a row is of. A row of none stops a restore: a release that does not know it cannot say what becomes of it. */
export const rowKinds: readonly RowKind[] = [
  {
    name: 'earlier version',
    is: inChart('~H#'),
    fate: 'beside',
    because:
      'versions that were made later stay in the history of their record, so that no number is given twice and nobody loses what was written',
  },
  {
    name: 'directive, door',
    is: inChart('!access#'),
    fate: 'as-at-end',
    because: 'what opens a chart, and what closes it, is the patient’s last word',
  },
  {
    name: 'proxy, emancipation',
    is: inChart('!proxy'),
    fate: 'as-at-end',
    because: 'who may act for a patient is known from the last that was said of it',
  },
  {
    name: 'links',
    is: inChart('!linked'),
    fate: 'tightened',
    because: 'charts that were found to be two people’s are not shown as one again; what was linked later is listed',
  },
  {
    name: 'sign of a link',
    is: (row) => inChart('')(row) && row.sk.endsWith('#~'),
    fate: 'beside',
    because: 'it says only that it is worth looking; the row of links decides',
  },
  {
    name: 'pointer, mention, what lasts, no date',
    is: (row) => inChart('')(row) && (isPointer(row) || row.sk.includes('#~~')),
    fate: 'beside',
    because: 'it goes by what its record says',
  },
  {
    name: 'record',
    is: (row) => addressOf(row) !== undefined,
    fate: 'record',
    because: 'what it says is what it said; its labels and seals are never fewer than at the end',
    writtenAt: ({ updated }) => Number(updated),
  },
  { name: 'registry, worklist', is: under('X#'), fate: 'beside', because: 'it goes by what its record says' },
  {
    name: 'guard',
    is: (row) => under('U#')(row) && row.sk === 'G',
    fate: 'left',
    because: 'what was created later under its condition is no more, so it may be created again',
  },
  { name: 'bearer', is: under('U#'), fate: 'beside', because: 'it goes by what its record says' },
  {
    name: 'locator',
    is: under('L#'),
    fate: 'beside',
    because: 'an id that a client chose later stays taken by the record that is deleted under it',
  },
  {
    name: 'transaction, redo log, unfinished',
    is: (row) => under('T#')(row) || under('T~')(row),
    fate: 'left',
    because:
      'what was under way at the moment is settled in the restored table; in the old one nothing may be under way',
  },
  {
    name: 'upload',
    is: under('O~'),
    fate: 'as-at-end',
    because:
      'the sweeper removes the objects that it names, and of those that were under way at the moment later versions name some',
  },
  {
    name: 'chain of a log',
    is: ({ pk }) => pk.startsWith('A#') && pk.endsWith('#chain'),
    fate: 'taken',
    because: 'digests know its end',
    writtenAt: (row) => linkIn(row as LinkRow).at * 1_000,
  },
  {
    name: 'access',
    is: under('A#'),
    fate: 'taken',
    because: 'who has looked has looked',
    writtenAt: ({ pk, sk, held }) => (held === undefined && !pk.includes('#', 2) ? timeIn(sk) : filedUpTo(sk)),
  },
  {
    name: 'logs of a day',
    is: under('A~'),
    fate: 'taken',
    because: 'the digest of the day finds by it what was chained',
    writtenAt: ({ pk }) => Date.parse(pk.slice(2, 12)) + 86_400_000,
  },
  {
    name: 'keeping',
    is: (row) => under('D#')(row) && row.sk === '!keeping',
    fate: 'tightened',
    because: 'a chart that was held stays held, one that was purged stays purged; a hold that was released is listed',
  },
  {
    name: 'suspension',
    is: (row) => under('D#')(row) && row.sk.startsWith('!suspended#'),
    fate: 'taken',
    because: 'what an authority has forbidden to tell stays untold until its day',
  },
  {
    name: 'call',
    is: (row) => under('D#')(row) && row.sk === '!call',
    fate: 'left',
    because: 'it was over in minutes',
  },
  {
    name: 'delegation',
    is: (row) => under('D#')(row) && parts(row) > 2,
    fate: 'as-at-end',
    because: 'who acts for an organisation is known from the last that its administrator said',
  },
  {
    name: 'disclosure',
    is: under('D#'),
    fate: 'taken',
    because: 'what was disclosed was disclosed',
    writtenAt: ({ log }) => filedUpTo(String(log)),
  },
  { name: 'walk of purges', is: ({ pk }) => pk === 'P!walk', fate: 'left', because: 'it goes round anyway' },
  { name: 'purge', is: ({ pk }) => pk === 'P!', fate: 'taken', because: 'rows of a purged chart go' },
  {
    name: 'calendar, actor’s Schedule',
    is: under('S#'),
    fate: 'left',
    because: 'it goes by the Appointments, Slots and Schedules that there were',
  },
  {
    name: 'reminder, reminded to',
    is: (row) => under('N#')(row) || row.pk === 'N!',
    fate: 'taken',
    because: 'who was reminded is not reminded again',
  },
  {
    name: 'denied tokens, programmes',
    is: ({ pk }) => pk === '!denied',
    fate: 'tightened',
    because: 'whoever was signed out stays so, and what was a programme stays one',
  },
  {
    name: 'application',
    is: ({ pk }) => pk === '!applications',
    fate: 'as-at-end',
    because: 'one that was revoked stays so, and one that was entered goes on',
  },
  { name: 'deployment key', is: ({ pk }) => pk === '!deployment', fate: 'left', because: 'it has to be the same' },
  { name: 'who listens', is: ({ pk }) => pk === '!listeners', fate: 'taken', because: 'they go on listening' },
  {
    name: 'feed',
    is: under('F#'),
    fate: 'taken',
    because: 'what was told was told; its versions are in the histories',
  },
  { name: 'sequence', is: under('Q#'), fate: 'taken', because: 'no number is told twice, and every cursor goes on' },
  { name: 'told sights', is: under('V#'), fate: 'taken', because: 'losses are told to whoever was told of a sight' },
  {
    name: 'beat, beats come through',
    is: (row) => under('F~')(row) || (row.pk === 'F!' && row.sk === 'beats'),
    fate: 'taken',
    because: 'the next beat follows the last one that came through',
  },
  {
    name: 'gap, parked chart, passed over, walk of the feed',
    is: (row) => row.pk === 'F!' || row.pk === 'F!later' || row.pk === 'F!walk',
    fate: 'as-at-end',
    because: 'what is still to be told is known from the end',
  },
  {
    name: 'Subscription, its delivery',
    is: under('W!'),
    fate: 'as-at-end',
    because: 'one that was ended is not served again, and a delivery goes on where it was',
  },
  {
    name: 'notification',
    is: under('W#'),
    fate: 'taken',
    because: 'numbers of events are never given twice',
  },
  { name: 'attempt', is: under('E#'), fate: 'taken', because: 'who has had theirs waits' },
  {
    name: 'request',
    is: under('I#'),
    fate: 'left',
    because: 'what a later request wrote is put back, so whoever repeats it has to be heard and not answered as before',
  },
];

/** The kind of a row; undefined for one that no release up to this one writes. */
export const kindOf = (row: Row): RowKind | undefined => rowKinds.find(({ is }) => is(row));
