import type { Action } from '../../access/scopes.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { type StoredSubscription, subscriptionOf } from '../../store/subscriptions/read-subscriptions.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { lookAt } from '../look-at.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from '../require-access.ts';

/** A Subscription, with what is stored beside it. */
export interface Looked {
  readonly record: StoredRecord;
  readonly subscription: fhir4.Subscription;
  readonly stored: StoredSubscription;
}

/**
 * Reads a Subscription for an operation on it, with its trace, and what is stored beside it: two calls in sequence, and the trace beside the first.
 *
 * @param action - what the operation needs the right to.
 * @throws RecordError `forbidden`, `not-found`, `deleted`.
 */
export const lookAtSubscription = async (
  context: RequestContext,
  id: string,
  operation: '$status' | '$events' | '$redrive',
  action: Action,
): Promise<Looked> => {
  requireTypeAccess(context, action);
  const address = await locate(context, 'Subscription', id);
  if (!address) throw notFound(context);
  const name = `Subscription/${id}`;
  const look = {
    interaction: 'operation',
    what: [name],
    query: `${name}/${operation}`,
    may: (last: StoredRecord) => mayAccess(context, action, last),
  } as const;
  const found = await lookAt(context, address, look, (each) => void requireReadable(context, each));
  const record = requireReadable(context, found);
  const stored = await subscriptionOf(context.store, { organization: record.custodian, id });
  return { record, subscription: record.resource as unknown as fhir4.Subscription, stored };
};
