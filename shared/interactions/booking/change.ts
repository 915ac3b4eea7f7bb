import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { holdUntilUrl, rescheduleReasonUrl } from '../../scheduling/extensions.ts';
import { answerTo } from '../answers.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { parseBody } from '../parse-body.ts';
import { planUpdate } from '../plan-write.ts';
import { type ReadableRecord, recordToChange } from '../record-to-change.ts';
import { requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { open, requireAhead, taken, withoutExtension } from './book.ts';
import { asSupportWrites } from './by-support.ts';
import { cancelInput, rescheduleInput } from './input.ts';

/**
 * `POST Appointment/{id}/$reschedule`: moves an appointment for all who take part: all have the new time then and have given the old one back, or nothing has changed. Slots and periods of
 * participants were those of the old time.
 *
 * @throws RecordError `forbidden`; `not-found`; `invalid`; `conflict` (`time-taken`) with the nearest free times; `business-rule` as `$book`.
 */
export const reschedule: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'u');
  const { start, end, reason } = readInput(context, rescheduleInput);
  const current = await openOne(context, id, '$reschedule');
  requireKept(context, current.resource as Partial<fhir4.Appointment>);
  const {
    slot: _old,
    minutesDuration,
    ...rest
  } = withoutExtension(current.resource, rescheduleReasonUrl) as unknown as fhir4.Appointment;
  const marks = reason === undefined ? [] : [{ url: rescheduleReasonUrl, valueString: reason }];
  const extension = [...(rest.extension ?? []), ...marks];
  const minutes = (Date.parse(end) - Date.parse(start)) / 60_000;
  const moved = {
    ...rest,
    start,
    end,
    // It has no fractions.
    ...(minutesDuration === undefined || !Number.isInteger(minutes) ? {} : { minutesDuration: minutes }),
    participant: rest.participant.map(({ period: _then, ...each }) => each),
    ...(extension.length === 0 ? {} : { extension }),
  };
  const parsed = parseBody(context.recordType, moved);
  requireAhead(context, parsed.resource);
  return taken(context, await planUpdate(context, parsed, current));
};

/**
 * `POST Appointment/{id}/$cancel`: gives its time back.
 *
 * @throws RecordError `forbidden`; `not-found`; `business-rule` for what is over or cancelled.
 */
export const cancel: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'u');
  const { reason } = readInput(context, cancelInput);
  const current = await openOne(context, id, '$cancel');
  const resource = {
    ...current.resource,
    status: 'cancelled',
    ...(reason === undefined ? {} : { cancelationReason: { text: reason } }),
  } as Resource;
  const plan = asSupportWrites(context, await planUpdate(context, parseBody(context.recordType, resource), current));
  await save(context, [plan]);
  return answerTo(context, plan);
};

/** A hold that has lapsed would not have the time that it was moved to. */
const requireKept = ({ now }: RequestContext, { status, extension = [] }: Partial<fhir4.Appointment>): void => {
  const until = extension.find(({ url }) => url === holdUntilUrl)?.valueInstant;
  if (status !== 'pending' || until === undefined || Date.parse(until) > now) return;
  throw new RecordError('business-rule', 'This hold has lapsed: book or hold the other time anew', {
    reason: 'illegal-move',
    expression: 'Appointment.extension',
  });
};

const openOne = async (context: RequestContext, id: string, operation: string): Promise<ReadableRecord> => {
  const current = await recordToChange(context, id, operation);
  const { status = '' } = current.resource as { status?: string };
  if (open.has(status)) return current;
  throw new RecordError('business-rule', `This is ${status}: it is neither moved nor cancelled`, {
    reason: 'illegal-move',
    expression: 'Appointment.status',
  });
};
