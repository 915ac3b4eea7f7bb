import type { Door, Presence, ProgrammeVisit, Referral, Visit } from '../access/door.ts';
import { part2Label } from '../access/labels.ts';
import type { RecordWrite } from './commit.ts';
import type { RowChanges } from './directive-rows.ts';
import { presenceKey, programmeVisitKey, type Row, type RowKey, referralKey, visitKey } from './keys.ts';
import { Layouts } from './layouts.ts';
import type { StoredRecord } from './rows.ts';

/** What opens a chart beside Consents. Says the version of its record, so it is shown with it, never before. */
export interface DoorRow extends RowKey, Pick<StoredRecord, 'version'> {
  readonly layout: number;
  /** JSON. */
  readonly door: string;
}

/** What such a row says. */
export const doorLayouts = /* @__PURE__ */ new Layouts<(row: DoorRow) => Door>('door', {
  1: ({ door }) => JSON.parse(door) as Door,
  2: ({ door }) => JSON.parse(door) as Door,
  3: ({ door }) => JSON.parse(door) as Door,
});

/** 3 where it closes, and 2 where it says which visit answers which referral, so that a release that does not ask for that refuses the row. */
const layoutOf = (door: Door): number =>
  door.kind === 'programme-visit'
    ? 3
    : ('names' in door && door.names !== undefined) ||
        ('begins' in door && door.begins !== undefined) ||
        ('basedOn' in door && door.basedOn !== undefined) ||
        ('began' in door && door.began !== undefined) ||
        'emergency' in door
      ? 2
      : 1;

export const doorRow = (key: RowKey, version: number, door: Door): DoorRow & Row => ({
  ...key,
  layout: layoutOf(door),
  version,
  door: JSON.stringify(door),
});

type Write = Pick<RecordWrite, 'next' | 'previous'>;

/**
 * How the referral that a record is changes with it.
 *
 * @param before - what its previous version was; undefined for nothing, as it mostly is: then nothing is to be removed.
 */
export const referralChanges = (
  { next }: Write,
  door: Referral | undefined,
  before: Referral | undefined,
): RowChanges => ({
  puts: door ? [doorRow(referralKey(next), next.version, door)] : [],
  removes: before && !door ? [referralKey(next)] : [],
});

/** How the visit that a record tells of changes with it, in a chart that `keeper` keeps. That its organisation is present there stays. */
export const visitChanges = ({ next }: Write, door: Visit | undefined, keeper: string): RowChanges => {
  const presence: Presence = { kind: 'presence', organization: next.custodian, keeper };
  return {
    puts: [
      doorRow(presenceKey(next.chart, next.custodian), 1, presence),
      ...(door ? [doorRow(visitKey(next), next.version, door)] : []),
    ],
    removes: door ? [] : [visitKey(next)],
  };
};

/** How it changes with a visit that what names it is a substance-use programme's. What is written later asks the visit itself, so most visits have no such row. */
export const programmeVisitChanges = ({ next, previous }: Write): RowChanges => {
  const [was, is] = [previous, next].map((version) => version?.labels.includes(part2Label) ?? false);
  const door: ProgrammeVisit = { kind: 'programme-visit', visit: `${next.type}/${next.id}` };
  return {
    puts: previous && is && !was ? [doorRow(programmeVisitKey(next), next.version, door)] : [],
    removes: was && !is ? [programmeVisitKey(next)] : [],
  };
};
