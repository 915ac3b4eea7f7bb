import { isSupport } from '../../access/support.ts';
import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { holdUntilUrl, waitlistOfferUrl } from '../../scheduling/extensions.ts';
import { answerTo } from '../answers.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { parseBody } from '../parse-body.ts';
import { newPlace, type PlannedWrite, planCreate, planUpdate } from '../plan-write.ts';
import { recordToChange } from '../record-to-change.ts';
import { requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { asSupportWrites, requireBookableBySupport, requireGivenBySupport } from './by-support.ts';
import { bookInput, holdInput } from './input.ts';
import { withNearest } from './nearest.ts';

/** How long a time is kept if nobody says it, and at most. */
const usualHoldMs = 10 * 60_000;
const longestHoldMs = 24 * 3_600_000;

/** What can be confirmed, moved and cancelled. */
export const open: ReadonlySet<string> = new Set(['proposed', 'pending', 'booked', 'waitlist']);

/**
 * `POST Appointment/$book`: books a time for all who take part, or confirms an appointment that is there, by its id. All actors have the time then, or none. A look beside one another, and one transaction.
 *
 * @throws RecordError `forbidden`; `invalid`; `not-found` for an id that is none; `conflict` (`time-taken`) with the nearest free times; `business-rule` for what is over, a patient who has died, and
 *   what cannot be confirmed any more.
 */
export const book: Interaction = async (context) => {
  requireTypeAccess(context, 'c');
  const { appointment } = readInput(context, bookInput);
  if (typeof appointment.id === 'string') return confirmed(context, appointment.id);
  requireGivenBySupport(context, appointment);
  return created(context, asBooked(appointment));
};

/**
 * `POST Appointment/$hold`: keeps a time for all who take part until `expires`, ten minutes if that is not said. Then it is free again by itself; `$book` with its id confirms it.
 *
 * @throws RecordError as `$book`.
 */
export const hold: Interaction = async (context) => {
  requireTypeAccess(context, 'c');
  const { now } = context;
  const { appointment, expires } = readInput(context, holdInput);
  requireGivenBySupport(context, appointment);
  const until = expires === undefined ? now + usualHoldMs : Date.parse(expires);
  if (!(until > now && until <= now + longestHoldMs))
    throw new RecordError('invalid', 'A hold ends within a day from now', { expression: 'expires' });
  const { extension = [], ...rest } = withoutExtension(appointment, holdUntilUrl);
  const mark: fhir4.Extension = { url: holdUntilUrl, valueInstant: new Date(until).toISOString() };
  return created(context, { ...rest, status: 'pending', extension: [...extension, mark] } as Resource);
};

const created = async (context: RequestContext, appointment: Resource): Promise<Answer> => {
  const parsed = parseBody(context.recordType, appointment);
  requireAhead(context, parsed.resource);
  return taken(context, await planCreate(context, parsed, await newPlace(context, parsed.resource)));
};

const confirmed = async (context: RequestContext, id: string): Promise<Answer> => {
  requireTypeAccess(context, 'u');
  const current = await recordToChange(context, id, '$book');
  const { status } = current.resource as { status?: string };
  if (status === undefined || !open.has(status))
    throw new RecordError('business-rule', `What is ${status} is not booked: make another appointment`, {
      reason: 'illegal-move',
      expression: 'Appointment.status',
    });
  const parsed = parseBody(context.recordType, asBooked(current.resource));
  requireAhead(context, parsed.resource);
  return taken(context, await planUpdate(context, parsed, current));
};

type Extended = Resource & { readonly extension?: readonly fhir4.Extension[] };

/** FHIR's JSON knows no empty arrays. */
export const withoutExtension = (resource: Resource, url: string): Extended => {
  const { extension, ...rest } = resource as Extended;
  // What is no list is refused with the rest of the resource.
  if (!Array.isArray(extension)) return resource;
  const others = extension.filter((each: fhir4.Extension | null) => each?.url !== url);
  return (others.length === 0 ? rest : { ...rest, extension: others }) as Extended;
};

/** Whoever has not answered has the time, too: that is what a booking says. */
const asBooked = (unbooked: Resource): Resource => {
  const appointment = withoutExtension(withoutExtension(unbooked, holdUntilUrl), waitlistOfferUrl);
  const { participant } = appointment as Partial<fhir4.Appointment>;
  if (!Array.isArray(participant)) return { ...appointment, status: 'booked' };
  return {
    ...appointment,
    status: 'booked',
    participant: participant.map((each: Partial<fhir4.AppointmentParticipant> | null) =>
      each && (each.status ?? 'needs-action') === 'needs-action' ? { ...each, status: 'accepted' } : each,
    ),
  };
};

export const requireAhead = ({ now }: RequestContext, resource: Resource): void => {
  const { end } = resource as Partial<fhir4.Appointment>;
  if (end !== undefined && Date.parse(end) > now) return;
  throw new RecordError('business-rule', 'What is over is not booked: record the visit', {
    reason: 'booking-over',
    expression: 'Appointment.end',
  });
};

/** Takes the time of an appointment with the write of it. What support staff may book is looked at beside the calendars. */
export const taken = async (context: RequestContext, plan: PlannedWrite): Promise<Answer> => {
  const { resource } = plan.next;
  if (!resource) throw new Error('Nothing is booked');
  const written = isSupport(context.asking.caller)
    ? { ...asSupportWrites(context, plan), calendars: await seenBySupport(context, plan, resource) }
    : plan;
  await withNearest(context, resource, () => save(context, [written]));
  return answerTo(context, written);
};

const seenBySupport = async (context: RequestContext, plan: PlannedWrite, resource: Resource) => {
  const { bookingAhead } = await import('../calendar-changes.lazy.ts');
  const [calendars] = await Promise.all([bookingAhead(context, resource), requireBookableBySupport(context, plan)]);
  return calendars;
};
