import { RecordError } from '../errors.ts';
import { isMissedEarly } from '../scheduling/no-show.ts';
import type { RequestContext } from './context.ts';
import type { PlannedWrite } from './plan-write.ts';

/** What stands against an appointment because of the time that it is. */
class BookingRefused extends RecordError<'business-rule'> {
  /** `Type/id` of the record. */
  readonly owner: string;
  constructor({ next: { type, id } }: PlannedWrite, reason: 'not-begun', element: string, message: string) {
    super('business-rule', message, { reason, expression: `${type}.${element}` });
    this.owner = `${type}/${id}`;
  }
}

/**
 * Requires of appointments among these writes that nobody is missed before the time. An organisation's own system tells what happened elsewhere.
 *
 * @throws RecordError `business-rule`.
 */
export const requireTimely = (
  { asking, now }: Pick<RequestContext, 'asking' | 'now'>,
  plans: readonly PlannedWrite[],
): void => {
  if (asking.caller.roles.includes('system')) return;
  const early = plans.find(
    ({ next, previous }) => next.type === 'Appointment' && isMissedEarly(previous?.resource, next.resource, now),
  );
  if (early) throw new BookingRefused(early, 'not-begun', 'status', 'Nobody is missed before the time has begun');
};
