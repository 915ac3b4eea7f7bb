import type { Access } from '../audit/audit-trail.ts';
import { RecordError } from '../errors.ts';
import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import { actorsOf } from '../record-types/schedule-rules.ts';
import { bookedAhead } from '../scheduling/booked-ahead.ts';
import { united, without } from '../scheduling/span.ts';
import {
  type ActorTime,
  type CalendarChange,
  type CalendarWork,
  dayCount,
  readCalendars,
  type WantedTime,
} from '../store/calendar.ts';
import {
  bookingsAmong,
  lookAtPatients,
  requireAlive,
  requireTimely,
  visitsUnseen,
  warnOfOverlaps,
} from './bookings.ts';
import type { RequestContext } from './context.ts';
import { chartsOf } from './locate.ts';
import type { PlannedWrite } from './plan-write.ts';

/** Days of actors on which one record may hold time: a year of one, some weeks of ten. */
const mostDays = 400;
/** The same for all records of one request: each day is a row to be read and written. */
const mostDaysTogether = 2_000;

/** Of a request, what decides on time. */
export interface Asked extends Pick<RequestContext, 'now' | 'store'> {
  readonly request: Pick<RequestContext['request'], 'baseUrl'>;
}

/** Of a write, what decides on time. */
type Timed = Pick<PlannedWrite, 'recordType' | 'next' | 'previous' | 'calendars'>;

/** What the time of records comes to in their commit. */
export interface TimeWork {
  /** What changes in the calendars of actors; undefined if nothing. */
  readonly calendar: CalendarWork | undefined;
  /** Accesses besides: what the writer is told of others. */
  readonly told: readonly Access[];
}

/**
 * What writes of a request change in the calendars of actors, once the rules of time are kept (bookings.ts). What is booked ahead costs calls beside one another, for calendars and patients; else
 * calendars are read by the commit. A Slot costs a call for its Schedule.
 *
 * @throws RecordError `business-rule`, `too-costly`.
 */
export const calendarWork = async (
  context: Omit<RequestContext, 'recordType'>,
  plans: readonly PlannedWrite[],
): Promise<TimeWork> => {
  const { store, now } = context;
  requireTimely(context, plans);
  const calendar = await offeredAfterwards(context, await timeChanged(context, plans));
  const bookings = bookingsAmong(plans, now);
  const unseen = visitsUnseen(bookings);
  const readAhead = async () => {
    if (!calendar || unseen.length === 0) return calendar;
    const takes = calendar.changes.flatMap((change) => change.takes);
    return { ...calendar, known: await readCalendars(store, takes, calendar.known) };
  };
  const [seen, known] = await Promise.all([lookAtPatients(store, unseen), readAhead()]);
  requireAlive(bookings, plans, seen);
  return { told: await warnOfOverlaps(context, bookings, plans, seen), calendar: known };
};

/** What becomes free is offered to who waits for it. Whether anybody does is looked up while the rest is done. */
const offeredAfterwards = async (
  context: Omit<RequestContext, 'recordType'>,
  calendar: CalendarWork | undefined,
): Promise<CalendarWork | undefined> =>
  calendar?.freed
    ? { ...calendar, afterwards: (await import('./waiting.lazy.ts')).offering(context, calendar.freed) }
    : calendar;

/** What writes change in the calendars of actors, whoever asks for it; undefined if nothing. */
export const timeChanged = async (context: Asked, plans: readonly Timed[]): Promise<CalendarWork | undefined> => {
  const actorsOfSchedules = await schedulesNamed(context, plans);
  const changed = plans.flatMap((plan) => {
    const change = changeBy({ ...context, actorsOfSchedules }, plan);
    return change ? [{ change, custodian: plan.next.custodian }] : [];
  });
  const changes = changed.map(({ change }) => change);
  if (changes.length === 0) return undefined;
  const freed = changed.flatMap(({ change, custodian }) => freedBy(change).map((time) => ({ ...time, custodian })));
  if (changes.reduce((sum, { takes, gives }) => sum + dayCount(takes) + dayCount(gives), 0) > mostDaysTogether) {
    throw new RecordError('too-costly', `A bundle changes the time of ${mostDaysTogether} days of actors at most`, {
      expression: 'Bundle.entry',
    });
  }
  const known = plans.flatMap(({ calendars }) => calendars ?? []);
  return {
    now: context.now,
    changes,
    ...(freed.length === 0 ? {} : { freed }),
    known: {
      days: new Map(known.flatMap(({ days }) => [...days])),
      schedules: new Map(known.flatMap(({ schedules }) => [...schedules])),
    },
  };
};

interface Ahead extends Pick<Asked, 'request' | 'now'> {
  /** Whose time the Slots of a Schedule (`Schedule/id`) hold. */
  readonly actorsOfSchedules: ReadonlyMap<string, readonly string[]>;
}

/** Actors of the Schedules whose Slots hold time, by `Schedule/id`: as the same writes have them, else as they are. One call. */
const schedulesNamed = async (
  { request: { baseUrl }, store, now }: Asked,
  plans: readonly Timed[],
): Promise<Map<string, readonly string[]>> => {
  const ids = plans.flatMap(({ recordType, next, previous }) =>
    [next.resource, previous?.resource].flatMap((resource) =>
      ((resource && recordType.heldTime?.(resource)) ?? []).flatMap(({ actor, as, to }) => {
        const parsed = as && to > now ? parseReference(actor, baseUrl) : undefined;
        return parsed?.kind === 'record' ? [parsed.id] : [];
      }),
    ),
  );
  const written = plans.flatMap(({ next }) => (next.type === 'Schedule' ? [next] : []));
  const others = new Set(ids.filter((id) => !written.some((schedule) => schedule.id === id)));
  const read =
    others.size === 0
      ? []
      : await store.readMany([...others].map((id) => ({ type: 'Schedule', chart: id, place: '' })));
  return new Map([...written, ...read].map(({ id, resource }) => [`Schedule/${id}`, actorsOf(resource, baseUrl)]));
};

/** A record that keeps its time leaves the calendars alone: most updates are of its state. */
const changeBy = (context: Ahead, { recordType, next, previous }: Timed): CalendarChange | undefined => {
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

/** What an owner gives back and does not take again. */
const freedBy = ({ gives, takes }: CalendarChange): ActorTime[] =>
  gives.flatMap(({ actor, from, to }) => {
    const kept = takes.filter((time) => time.actor === actor);
    return without([{ from, to }], united(kept)).map((span) => ({ actor, ...span }));
  });

const namesOf = (times: readonly WantedTime[]): string =>
  times
    .map(({ actor, from, to, services = [], slots = [], as, until }) =>
      JSON.stringify([actor, from, to, services, slots, as, until]),
    )
    .sort()
    .join('\n');

/** The time that a record holds. What is over is a fact, and no longer anybody's to refuse: the past is imported as it was. */
const timeAhead = (
  { request: { baseUrl }, now, actorsOfSchedules }: Ahead,
  recordType: RecordType,
  resource: Resource | undefined,
): WantedTime[] => {
  if (!resource || !recordType.heldTime) return [];
  return recordType.heldTime(resource).flatMap(({ actor, expression, slots = [], ...held }) => {
    const parsed = parseReference(actor, baseUrl);
    // An actor of another server has its calendar there. A hold that has lapsed holds nothing.
    if (parsed.kind !== 'record' || Math.min(held.to, held.until ?? held.to) <= now) return [];
    const name = `${parsed.type}/${parsed.id}`;
    const ownSlots = slots.flatMap((slot) => {
      const at = parseReference(slot, baseUrl);
      return at.kind === 'record' ? [`${at.type}/${at.id}`] : [];
    });
    const actors = held.as ? (actorsOfSchedules.get(name) ?? []) : [name];
    return actors.map((each) => ({ ...held, actor: each, slots: ownSlots, label: expression }));
  });
};

/** What decides on the time that a record will hold, read before it is known whether that is new. Not for a Slot: its Schedule tells whose it is. */
export const calendarsAhead = async (
  context: Asked & Pick<RequestContext, 'recordType'>,
  resource: Resource,
): Promise<CalendarWork['known']> => {
  const times = timeAhead({ ...context, actorsOfSchedules: new Map() }, context.recordType, resource);
  return times.length === 0 || dayCount(times) > mostDays ? undefined : readCalendars(context.store, times);
};

/** The same, and what is to be known of the patients for whom it is. */
export const bookingAhead = async (context: RequestContext, resource: Resource): Promise<PlannedWrite['calendars']> => {
  const { recordType, store, now } = context;
  const charts = bookedAhead(resource, now) === '' ? [] : await chartsOf(context, recordType.patientsOf(resource));
  if (charts.length === 0) return calendarsAhead(context, resource);
  const [calendars = { days: new Map(), schedules: new Map() }, patients] = await Promise.all([
    calendarsAhead(context, resource),
    lookAtPatients(
      store,
      charts.map((chart) => ({ chart, resource })),
    ),
  ]);
  return { ...calendars, patients };
};
