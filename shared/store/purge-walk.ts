import { listPartition } from './index-rows.ts';
import { network, purgeWalkKey, type RowKey } from './keys.ts';
import { Layouts } from './layouts.ts';
import type { RecordStore } from './record-store.ts';
import { rowsBetween } from './rows-between.ts';
import { writeRows } from './write-rows.ts';

/** How far the walk through all organisations has come that looks for charts whose time is over. */
export interface PurgeWalk {
  /** Id of the Organization whose patients are walked. */
  readonly organization: string;
  /** Behind whom to go on; at the first if undefined. */
  readonly after: string | undefined;
}

export interface PurgeWalkRow extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
  readonly organization: string;
  readonly after?: string;
}

export const purgeWalkLayouts = /* @__PURE__ */ new Layouts<(row: PurgeWalkRow) => PurgeWalk>('purgeWalk', {
  1: ({ organization, after }) => ({ organization, after }),
});

export const purgeWalkRow = ({ organization, after }: PurgeWalk): PurgeWalkRow => ({
  ...purgeWalkKey,
  layout: 1,
  organization,
  ...(after === undefined ? {} : { after }),
});

/** Where the walk goes on; undefined where a new one begins. */
export const purgeWalkOf = async (store: RecordStore): Promise<PurgeWalk | undefined> => {
  const [row] = (await store.getMany([purgeWalkKey])) as PurgeWalkRow[];
  return row && purgeWalkLayouts.reader(row.layout)(row);
};

/** Keeps where the walk goes on, or that it has come to its end. */
export const keepPurgeWalk = (store: RecordStore, walk: PurgeWalk | undefined): Promise<void> =>
  walk ? writeRows(store, [purgeWalkRow(walk)], []) : writeRows(store, [], [purgeWalkKey]);

/** The organisation of the directory that comes next, in the order of ids. Whoever keeps patients is one of them. */
export const organizationBehind = async (store: RecordStore, id: string | undefined): Promise<string | undefined> => {
  const pk = listPartition(network, 'Organization');
  const { rows } = await rowsBetween(store, { pk, from: '!', to: '~', after: id, limit: 1 });
  return rows[0]?.sk;
};
