import { isNarrowed } from '../access/rules/scope.ts';
import type { Address } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';

/** What is asked for of a record, whose decision is still to be made. */
export interface Found {
  readonly asked: StoredRecord | undefined;
  /** What the record said last, which decides about what it said before, too; `asked` itself where that cannot differ. Undefined if it cannot be told. */
  readonly last: StoredRecord | undefined;
}

/** The current version of a record. One call; one more for a Binary that is deleted. */
export const currentOf = async (context: RequestContext, address: Address): Promise<Found> => {
  const asked = await context.sharing.read(address);
  return { asked, last: asked && (await lastSaid(context, asked)) };
};

/** One version of a record. One call; one more where a decision depends on what records say, for a Binary beside it. */
export const versionOf = async (context: RequestContext, address: Address, version: number): Promise<Found> => {
  const { recordType, sharing, store } = context;
  const [asked, current] = await Promise.all([
    store.readVersion(address, version),
    recordType.name === 'Binary' ? store.read(address) : undefined,
  ]);
  await sharing.lookUp([asked ?? address]);
  return { asked, last: asked && (await (current ? lastSaid(context, current) : lastOf(context, asked))) };
};

/** What the record of this version said last, as far as that may differ. */
export const lastOf = async (context: RequestContext, version: StoredRecord): Promise<StoredRecord | undefined> => {
  const current = isDecidedByContent(context, version) ? await context.store.read(version) : version;
  if (current && current !== version) await context.sharing.lookUp([current]);
  return current && lastSaid(context, current);
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

/**
 * Whether what a record says decides about it, so that its versions may differ: where scopes are narrowed, or a Consent shares some of its chart, something is kept from a proxy, and for a
 * Binary, which says what it is under.
 */
export const isDecidedByContent = (
  { asking, recordType, sharing }: RequestContext,
  { chart }: Pick<Address, 'chart'>,
): boolean =>
  recordType.name === 'Binary' ||
  sharing.ofChart(chart) !== undefined ||
  asking.proxy?.conceals === true ||
  isNarrowed(asking.caller, 'r', recordType.name);
