import { isNarrowed } from '../access/decide.ts';
import type { Address } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';

/**
 * One version of a record, whose decision is still to be made; undefined if there is none, or if the current version is not to be seen: what a
 * record says now decides about what it said before, too. One call; one more where a decision depends on what records say.
 *
 * @param may - the decision about a version.
 */
export const versionOf = async (
  context: RequestContext,
  address: Address,
  version: number,
  may: (record: StoredRecord) => boolean,
): Promise<StoredRecord | undefined> => {
  const asked = await context.store.readVersion(address, version);
  await context.sharing.lookUp([asked ?? address]);
  return asked && (await isCurrentSeen(context, asked, may)) ? asked : undefined;
};

/**
 * What a record says now; of a Binary that is deleted, what it said last, for that tells what it is under. One call more for such a one. Undefined if it
 * cannot be told.
 */
export const lastSaid = async (
  { store }: Pick<RequestContext, 'store'>,
  current: StoredRecord,
): Promise<StoredRecord | undefined> =>
  current.type === 'Binary' && !current.resource ? store.readVersion(current, current.version - 1) : current;

/** Whether what a record says decides about it, so that its versions may differ: where scopes are narrowed, or a Consent shares some of its chart. */
export const isDecidedByContent = (
  { asking, recordType, sharing }: RequestContext,
  { chart }: Pick<Address, 'chart'>,
): boolean => sharing.of(chart) !== undefined || isNarrowed(asking.caller, 'r', recordType.name);

/** Whether the current version of the record of this one may be seen, as far as that may differ. */
export const isCurrentSeen = async (
  context: RequestContext,
  version: StoredRecord,
  may: (record: StoredRecord) => boolean,
): Promise<boolean> => {
  const current = isDecidedByContent(context, version) ? await context.store.read(version) : version;
  return current !== undefined && (current === version || may(current));
};
