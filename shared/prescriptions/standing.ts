import type { Resource } from '../fhir/resource.ts';
import type { Interval } from '../search/date-range.ts';
import { markOf, signaturesOf, takenUrl } from '../signing/signature.ts';
import { isOrder } from './orders.ts';

/** A version of an order, and since when it is the current one, in milliseconds since 1970. */
export interface OrderVersion {
  readonly resource: Resource | undefined;
  readonly updated: number;
}

/** How an order stood at some time. */
export type Standing =
  | 'in-force'
  /** In force elsewhere, and signed by nobody here. */
  | 'unsigned'
  /** Before the first version that is kept here: nobody can tell. */
  | 'not-known'
  | 'deleted'
  | 'no-order'
  | 'not-to-be-given'
  | 'draft'
  | 'on-hold'
  | 'completed'
  | 'stopped'
  | 'cancelled'
  | 'entered-in-error';

/** What may be given and supplied, as far as the order's standing goes. */
export const isOpen = (standing: Standing): boolean =>
  standing === 'in-force' || standing === 'unsigned' || standing === 'not-known';

/**
 * How an order stood at a time, by its versions. What was known later counts for nothing: a dose of ten o'clock is right though the order was stopped at twelve. One that was entered in error was so from the beginning.
 *
 * @param versions - the newest first; as far back as the one that was current then, or all.
 * @param at - milliseconds since 1970.
 */
export const standingAt = (versions: readonly OrderVersion[], at: number): Standing => {
  if (versions[0]?.resource?.['status'] === 'entered-in-error') return 'entered-in-error';
  const then = versions.find(({ updated }) => updated <= at);
  if (!then) return 'not-known';
  const order = then.resource;
  if (!order) return 'deleted';
  if (order['status'] === 'entered-in-error') return 'entered-in-error';
  if (!isOrder(order)) return 'no-order';
  if (order['doNotPerform'] === true) return 'not-to-be-given';
  const { status } = order as unknown as fhir4.MedicationRequest;
  // Who answers for one that was taken down is known, and asked to sign it.
  const isOurs = signaturesOf(order).length > 0 || markOf(order, takenUrl) !== undefined;
  if (status === 'active' || status === 'unknown') return isOurs ? 'in-force' : 'unsigned';
  return status;
};

/** How an order stood within a time that is not told exactly, as a date is not: for the better, since what was given at some hour of the day may have been so while it was in force. */
export const standingWithin = (versions: readonly OrderVersion[], { start, end }: Interval): Standing => {
  const since = versions.filter(({ updated }) => updated > start && updated < end).map(({ updated }) => updated);
  const then = [start, ...since].map((at) => standingAt(versions, at));
  return then.find((each) => each === 'in-force') ?? then.find(isOpen) ?? standingAt(versions, start);
};

/** Whether versions from the newest on reach back to a time, so that no earlier one is needed. */
export const reachesBack = (versions: readonly OrderVersion[], at: number): boolean =>
  versions[0]?.resource?.['status'] === 'entered-in-error' || versions.some(({ updated }) => updated <= at);
