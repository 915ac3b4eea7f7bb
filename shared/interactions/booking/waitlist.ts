import { RecordError } from '../../errors.ts';
import { information } from '../../fhir/operation-outcome.ts';
import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { appointmentTime, holdable } from '../../record-types/appointment-time.ts';
import { offerIn, waitingOn } from '../../scheduling/waiting.ts';
import type { FreedTime } from '../../store/calendar.ts';
import { answerTo } from '../answers.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { parseBody } from '../parse-body.ts';
import { planUpdate } from '../plan-write.ts';
import { recordToChange } from '../record-to-change.ts';
import { requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { asSupportWrites } from './by-support.ts';
import { mostActors } from './free.ts';
import { declineInput, offerInput } from './input.ts';

/**
 * `POST Appointment/$offer`: offers what is free of the time of these actors to the next who waits for it. For time that has become free otherwise than by an appointment, and for an offer that has lapsed.
 *
 * @returns the appointment that is offered a time now; an OperationOutcome, if nobody waits whom it suits.
 * @throws RecordError `forbidden`; `invalid`.
 */
export const offerTime: Interaction = async (context) => {
  requireTypeAccess(context, 'c');
  requireTypeAccess(context, 'u');
  const { actor, start, end } = readInput(context, offerInput);
  const { organization } = context.asking.caller;
  const actors = actor.map(({ reference = '' }) => actorIn(context, reference));
  if (organization === undefined || actors.length === 0 || actors.length > mostActors)
    throw new RecordError('invalid', `Time of one to ${mostActors} people, rooms or devices is offered`, {
      expression: 'actor',
    });
  const [from, to] = [Date.parse(start), Date.parse(end)];
  if (!(from < to)) throw new RecordError('invalid', 'A time ends after it begins', { expression: 'end' });
  const freed = actors.map((each): FreedTime => ({ actor: each, from, to, custodian: organization }));
  const { offerNext } = await import('../waiting.lazy.ts');
  return (
    (await offerNext(context, freed)) ?? {
      statusCode: 200,
      resource: information('information', [{ message: 'Nobody waits whom this time suits' }]),
    }
  );
};

const actorIn = (context: RequestContext, reference: string): string => {
  const parsed = parseReference(reference, context.request.baseUrl);
  if (parsed.kind === 'record' && holdable.has(parsed.type)) return `${parsed.type}/${parsed.id}`;
  throw new RecordError('invalid', 'Whose time is offered is a person, position, room or device', {
    expression: 'actor',
  });
};

/**
 * `POST Appointment/{id}/$decline`: a time that was offered to somebody who waits does not suit, or nobody answered until it lapsed. They wait on for other times, or leave the list; the time is offered to the next.
 *
 * @throws RecordError `forbidden`; `not-found`; `business-rule` for what is no offer.
 */
export const decline: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'u');
  const { leave, reason } = readInput(context, declineInput);
  const current = await recordToChange(context, id, '$decline');
  const { resource, custodian } = current;
  const was = offerIn(resource);
  if (!was)
    throw new RecordError('business-rule', 'Nothing is offered here to whoever waits', {
      reason: 'illegal-move',
      expression: 'Appointment.status',
    });
  const next = leave ? leaving(resource, reason) : waitingOn(resource);
  const plan = asSupportWrites(context, await planUpdate(context, parseBody(context.recordType, next), current));
  await save(context, [plan]);
  // What has lapsed was free before, so that nothing gives it back.
  if (was.until <= context.now) await offerLapsed(context, resource, custodian);
  return answerTo(context, plan);
};

const leaving = (resource: Resource, reason: string | undefined): Resource =>
  ({
    ...resource,
    status: 'cancelled',
    ...(reason === undefined ? {} : { cancelationReason: { text: reason } }),
  }) as Resource;

const offerLapsed = async (context: RequestContext, resource: Resource, custodian: string): Promise<void> => {
  const { offering } = await import('../waiting.lazy.ts');
  const times = appointmentTime(resource).map(
    ({ actor, from, to }): FreedTime => ({ actor: actorIn(context, actor), from, to, custodian }),
  );
  await offering(context, times)();
};
