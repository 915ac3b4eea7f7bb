import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { answerTo, written } from '../answers.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { parseBody } from '../parse-body.ts';
import { planUpdate } from '../plan-write.ts';
import { recordToChange } from '../record-to-change.ts';
import { requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { checkInInput, noShowInput } from './input.ts';
import { withNearest } from './nearest.ts';

/** https://hl7.org/fhir/R4/valueset-appointmentstatus.html */
const present: readonly string[] = ['arrived', 'checked-in'];

/**
 * `POST Appointment/{id}/$check-in`: the patient is there, and has been seen to, or (`status` is `arrived`) waits for that. Who was missed and comes after all has the time again, if nobody else has it by then.
 *
 * @throws RecordError `forbidden`; `not-found`; `invalid`; `business-rule` for what was not booked; `conflict` (`time-taken`) with the nearest free times.
 */
export const checkIn: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'u');
  const { status = 'checked-in' } = readInput(context, checkInInput);
  if (!present.includes(status))
    throw new RecordError('invalid', `Who comes is ${present.join(' or ')}`, { expression: 'status' });
  return changed(context, id, '$check-in', ({ cancelationReason: _missed, ...rest }) => ({ ...rest, status }));
};

/**
 * `POST Appointment/{id}/$no-show`: nobody came, and what is left of the time is free.
 *
 * @throws RecordError `forbidden`; `not-found`; `business-rule` before its start, and for what was not booked.
 */
export const noShow: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'u');
  const { reason } = readInput(context, noShowInput);
  return changed(context, id, '$no-show', (rest) => ({
    ...rest,
    status: 'noshow',
    ...(reason === undefined ? {} : { cancelationReason: { text: reason } }),
  }));
};

/** What is in that state already stays as it is: a button that is pressed twice changes nothing. */
const changed = async (
  context: RequestContext,
  id: string,
  operation: string,
  change: (resource: Resource) => object,
): Promise<Answer> => {
  const current = await recordToChange(context, id, operation);
  const resource = change(current.resource) as Resource;
  if (resource['status'] === current.resource['status']) return written(context, current, 200);
  const plan = await planUpdate(context, parseBody(context.recordType, resource), current);
  await withNearest(context, resource, () => save(context, [plan]));
  return answerTo(context, plan);
};
