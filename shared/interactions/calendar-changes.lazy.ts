import { RecordError } from '../errors.ts';
import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import { type CalendarChange, type CalendarWork, dayCount, readDays, type WantedTime } from '../store/calendar.ts';
import type { RequestContext } from './context.ts';
import type { PlannedWrite } from './plan-write.ts';

/** Days of actors on which one record may hold time: a year of one, some weeks of ten. */
const mostDays = 400;
/** The same for all records of one request: each day is a row to be read and written. */
const mostDaysTogether = 2_000;

/** What writes change in the calendars of actors; undefined if nothing. */
export const calendarWork = (
  context: Pick<RequestContext, 'request' | 'now'>,
  plans: readonly PlannedWrite[],
): CalendarWork | undefined => {
  const changes = plans.flatMap((plan) => changeBy(context, plan) ?? []);
  if (changes.length === 0) return undefined;
  if (changes.reduce((sum, { takes, gives }) => sum + dayCount(takes) + dayCount(gives), 0) > mostDaysTogether) {
    throw new RecordError('too-costly', `A bundle changes the time of ${mostDaysTogether} days of actors at most`, {
      expression: 'Bundle.entry',
    });
  }
  return { now: context.now, changes, known: new Map(plans.flatMap(({ days }) => [...(days ?? [])])) };
};

/** A record that keeps its time leaves the calendars alone: most updates are of its state. */
const changeBy = (
  context: Pick<RequestContext, 'request' | 'now'>,
  { recordType, next, previous }: PlannedWrite,
): CalendarChange | undefined => {
  const takes = timeAhead(context, recordType, next.resource);
  const gives = timeAhead(context, recordType, previous?.resource);
  if (namesOf(takes) === namesOf(gives)) return undefined;
  if (dayCount(takes) > mostDays) {
    throw new RecordError('business-rule', `A record holds time on ${mostDays} days of actors at most`, {
      reason: 'booking-too-long',
      expression: recordType.name,
    });
  }
  return { owner: `${next.type}/${next.id}`, takes, gives };
};

const namesOf = (times: readonly WantedTime[]): string =>
  times
    .map(({ actor, from, to }) => `${actor} ${from} ${to}`)
    .sort()
    .join('\n');

/** The time that a record holds. What is over is a fact, and no longer anybody's to refuse: the past is imported as it was. */
const timeAhead = (
  { request, now }: Pick<RequestContext, 'request' | 'now'>,
  recordType: RecordType,
  resource: Resource | undefined,
): WantedTime[] => {
  if (!resource || !recordType.heldTime) return [];
  return recordType.heldTime(resource).flatMap(({ actor, from, to, expression }) => {
    const parsed = parseReference(actor, request.baseUrl);
    // An actor of another server has its calendar there.
    return parsed.kind === 'record' && to > now
      ? [{ actor: `${parsed.type}/${parsed.id}`, from, to, label: expression }]
      : [];
  });
};

/** Days of the actors whose time a record will hold, read before it is known whether that is new. */
export const daysAhead = async (context: RequestContext, resource: Resource): Promise<PlannedWrite['days']> => {
  const times = timeAhead(context, context.recordType, resource);
  return times.length === 0 || dayCount(times) > mostDays ? undefined : readDays(context.store, times);
};
