import { RecordError } from '../../errors.ts';
import { information } from '../../fhir/operation-outcome.ts';
import { askRedrive } from '../../store/subscriptions/turns.ts';
import type { Interaction } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { requireTypeAccess } from '../require-access.ts';
import { eventNumber } from './event-number.ts';
import { redriveInput } from './input.ts';
import { lookAtSubscription } from './look.ts';

/**
 * `POST Subscription/{id}/$redrive`: has notifications sent again that were given up, under the numbers that they have; what may not be known any more is left out of them. It begins within a
 * minute, once the Subscription is active.
 *
 * @throws RecordError `business-rule` for one that sends nothing; as reading it.
 */
export const redrive: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'u');
  const { eventsSinceNumber } = readInput(context, redriveInput);
  const from = eventNumber('eventsSinceNumber', eventsSinceNumber) ?? 1;
  const { record, subscription } = await lookAtSubscription(context, id, '$redrive', 'u');
  if (subscription.status === 'off' || subscription.status === 'error')
    throw new RecordError('business-rule', 'The Subscription sends nothing: write it as requested first', {
      reason: 'subscription-not-active',
      expression: 'Subscription.status',
    });
  await askRedrive(context.store, { organization: record.custodian, id }, from);
  const message = `Notifications that were given up, from event ${from} on, are sent again within a minute`;
  return { statusCode: 200, resource: information('information', [{ message }]) };
};
