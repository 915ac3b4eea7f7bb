import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { holdable } from '../../record-types/appointment-time.ts';
import {
  type FreeTime,
  type FreeTimes,
  freeTimes,
  mostDaysSearched,
  type NeededActor,
  type Preferences,
} from '../../scheduling/free-times.ts';
import { limitsOf, longestBufferMs, ruleFor } from '../../scheduling/limits.ts';
import { openTimes, startsBySlots } from '../../scheduling/open-times.ts';
import { openingHours } from '../../scheduling/opening-hours.ts';
import { type ReadSchedule, readSchedule } from '../../scheduling/schedule.ts';
import { serves } from '../../scheduling/services.ts';
import { isOpenBySlots, type OpenSlot, openSlots } from '../../scheduling/slot-times.ts';
import { type Span, united, without } from '../../scheduling/span.ts';
import type { ActorSchedule } from '../../store/actor-schedule-rows.ts';
import { schedulesOf } from '../../store/actor-schedules.ts';
import { busyTime, type DayRow, type KnownCalendars, readCalendars, rowName } from '../../store/calendar.ts';
import { inParallel } from '../../store/in-parallel.ts';
import { dayKey } from '../../store/keys.ts';
import { slotsOf } from '../../store/schedule-slots.ts';
import type { RequestContext } from '../context.ts';
import { locateAll } from '../locate.ts';
import { referenceError } from '../plan-write.ts';

/** Actors of one search: each costs as many rows as there are days. */
export const mostActors = 10;
const dayMs = 24 * 3_600_000;
/** What nobody has said: how long it takes, and how far starts are apart. */
const usualMinutes = 30;
const usualGrain = 15;
const defaultZone = 'UTC';

/** Whose hours count, though nobody has the time of a service itself. */
const withHours: ReadonlySet<string> = new Set([...holdable, 'HealthcareService']);

/** What is looked for. */
export interface Wish extends Span {
  /** References to those who are to come, and to the places. Patients are always there. */
  readonly actors: readonly string[];
  /** As `servicesOf` names them. */
  readonly services: readonly string[];
  /** As long as Schedules say, if absent. */
  readonly minutes?: number | undefined;
  /** What would suit best. */
  readonly preferred?: Preferences | undefined;
  /** Behind which of the times to begin. */
  readonly behind?: Pick<FreeTime, 'missed' | 'from'> | undefined;
  /** How many times are wanted. */
  readonly count: number;
}

/** What was found, and the free Slots of the actors in all of the time that was searched. */
export interface FoundTimes extends FreeTimes {
  readonly slots: readonly OpenSlot[];
}

/** What was read of actors and their time. */
export interface ActorsRead {
  /** Records of actors by `Type/id`; of positions, if that was asked for, those of the people who have them, too. */
  readonly records: ReadonlyMap<string, Resource>;
  /** Schedules by actor. */
  readonly schedules: ReadonlyMap<string, readonly ActorSchedule[]>;
  /** The same with what they say, by `Schedule/id`. */
  readonly offered: ReadonlyMap<string, Offered>;
  readonly days: KnownCalendars['days'];
}

/**
 * Times at which all actors are there and free, the earliest first: as Schedules, own hours and bookings of this moment tell it. Two calls one after another, beside one another for all actors.
 *
 * @throws RecordError `invalid` for an actor that is not there; `too-costly` for too many actors or days.
 */
export const freeTimesFor = async (context: RequestContext, wish: Wish): Promise<FoundTimes> =>
  freeTimesOf(context, await readActors(context, wish), wish);

/**
 * What decides on free times of actors.
 *
 * @param people - whether the people who have a position are wanted, too.
 * @throws RecordError as `freeTimesFor`.
 */
export const readActors = async (
  context: RequestContext,
  { actors, services, from, to }: Pick<Wish, 'actors' | 'services' | keyof Span>,
  people = false,
): Promise<ActorsRead> => {
  const { store } = context;
  const named = namesOf(context, actors);
  if (named.length > mostActors)
    throw new RecordError('too-costly', `Free times are looked for of ${mostActors} actors at most`, {
      expression: 'actor',
    });
  requireFewDays({ from, to });
  const [schedules, own] = await Promise.all([schedulesOf(store, named), recordsOf(context, named)]);
  if (named.some((actor) => !own.has(actor))) throw referenceError([{ expression: 'actor' }]);
  const range = { from, to };
  const ids = [...new Set([...schedules.values()].flat().map(({ id }) => `Schedule/${id}`))];
  const positions = people ? [...own.values()].flatMap((record) => personIn(context, record) ?? []) : [];
  const [written, persons, slots, calendars] = await Promise.all([
    recordsOf(context, ids),
    recordsOf(
      context,
      positions.filter((name) => !own.has(name)),
    ),
    slotsOfAll(context, ids, range),
    readCalendars(
      store,
      named.filter((actor) => holdable.has(typeIn(actor))).map((actor) => ({ actor, ...range })),
      { days: new Map(), schedules },
    ),
  ]);
  const offered = ([name, resource]: readonly [string, Resource]): readonly [string, Offered] => {
    const { within, latest } = slots.get(name) ?? { within: [], latest: [] };
    const schedule = readSchedule(resource);
    const bySlots = !schedule.hours.weekly && isOpenBySlots([...within, ...latest]);
    return [name, { ...schedule, slots: bySlots ? openSlots(within, services) : undefined }];
  };
  return {
    records: new Map([...own, ...persons]),
    schedules,
    offered: new Map([...written].map(offered)),
    days: calendars.days,
  };
};

/** Times at which all actors of a wish are there and free, by what was read of them and perhaps of others. */
export const freeTimesOf = (context: RequestContext, read: ActorsRead, wish: Wish): FoundTimes => {
  const { services, from, to, count, preferred, behind } = wish;
  const range = { from, to };
  const named = namesOf(context, wish.actors);
  const schedulesFor = (actor: string): Offered[] =>
    (read.schedules.get(actor) ?? []).flatMap(({ id }) => read.offered.get(`Schedule/${id}`) ?? []);
  const all = named.flatMap(schedulesFor).filter(({ active }) => active);
  const rules = all.flatMap((schedule) =>
    serves(schedule.services, services) ? (ruleFor(schedule.rules, services) ?? []) : [],
  );
  const grains = rules.flatMap(({ grain }) => grain ?? []);
  const zone = all[0]?.hours.zone ?? defaultZone;
  const needed = named.map((actor): NeededActor => {
    const record = read.records.get(actor);
    const limits = limitsOf(read.schedules.get(actor) ?? [], { ...range, services });
    const { taken, closed } = busyTime(daysOf(read.days, actor, range), context.now);
    const barred = closed.map((span) => ({ from: span.from - limits.after, to: span.to + limits.before }));
    const open = openTimes(schedulesFor(actor), record && openingHours(record, zone), services, range);
    const starts = startsBySlots(schedulesFor(actor), services);
    return { open: without(united(open), united(barred)), taken, limits, starts };
  });
  const slots = all.flatMap((schedule) => (serves(schedule.services, services) ? (schedule.slots ?? []) : []));
  const shortest = Math.min(...slots.map((slot) => (slot.to - slot.from) / 60_000));
  const usual = slots.length === 0 ? usualMinutes : shortest;
  const found = freeTimes({
    ...range,
    actors: needed,
    minutes: wish.minutes ?? (Math.max(0, ...rules.map(({ minutes = 0 }) => minutes)) || usual),
    grain: grains.length === 0 ? usualGrain : grains.reduce(leastCommon),
    zone,
    preferred,
    behind,
    count,
  });
  return { ...found, slots };
};

/** It refuses the search before anything is read. */
const requireFewDays = ({ from, to }: Span): void => {
  if (to - from > mostDaysSearched * dayMs)
    freeTimes({ from, to, actors: [], minutes: 1, grain: usualGrain, zone: defaultZone, count: 1 });
};

const namesOf = (context: RequestContext, actors: readonly string[]): string[] => [
  ...new Set(actors.flatMap((actor) => nameIn(context, actor))),
];

/** Records of an actor, and of who has the position, if that was read. */
export const recordsOfActor = (context: RequestContext, { records }: ActorsRead, reference: string): Resource[] =>
  namesOf(context, [reference]).flatMap((name) => {
    const own = records.get(name);
    const person = own && personIn(context, own);
    return [own, person === undefined ? undefined : records.get(person)].filter((record) => record !== undefined);
  });

/** Who has a position, as `Practitioner/id`. */
const personIn = ({ request }: Pick<RequestContext, 'request'>, record: Resource): string | undefined => {
  const { practitioner } = record as Partial<fhir4.PractitionerRole>;
  const parsed = parseReference(practitioner?.reference ?? '', request.baseUrl);
  return parsed.kind === 'record' && parsed.type === 'Practitioner' ? `Practitioner/${parsed.id}` : undefined;
};

/** A Schedule with what its Slots leave open. */
type Offered = ReadSchedule & { readonly slots: readonly OpenSlot[] | undefined };

/** Slots by Schedule (`Schedule/id`): as these are not known to have hours before they are read, all are asked for theirs beside it. */
const slotsOfAll = async ({ store }: RequestContext, schedules: readonly string[], range: Span) =>
  new Map(
    await inParallel(schedulesAtOnce, schedules, async (name) => [name, await slotsOf(store, name, range)] as const),
  );
const schedulesAtOnce = 16;

const typeIn = (name: string): string => name.slice(0, name.indexOf('/'));

/** `Type/id` of whose hours count; none for others. */
const nameIn = ({ request }: RequestContext, reference: string): string[] => {
  const parsed = parseReference(reference, request.baseUrl);
  return parsed.kind === 'record' && withHours.has(parsed.type) ? [`${parsed.type}/${parsed.id}`] : [];
};

/** Records of the directory by `Type/id`, without those that are not there. */
const recordsOf = async (context: RequestContext, names: readonly string[]): Promise<Map<string, Resource>> => {
  const addresses = await Promise.all(
    [...Map.groupBy(names, typeIn)].map(([type, of]) =>
      locateAll(
        context,
        type,
        of.map((name) => name.slice(type.length + 1)),
      ),
    ),
  );
  const records = await context.store.readMany(addresses.flat());
  return new Map(records.flatMap(({ type, id, resource }) => (resource ? [[`${type}/${id}`, resource] as const] : [])));
};

/** Days of an actor among those that were read. What a transaction under way would take counts as taken. */
const daysOf = (days: KnownCalendars['days'], actor: string, { from, to }: Span) => {
  const found: { readonly midnight: number; readonly row: DayRow | undefined }[] = [];
  const last = to + longestBufferMs;
  for (let midnight = Math.floor((from - longestBufferMs) / dayMs) * dayMs; midnight < last; midnight += dayMs) {
    const row = days.get(rowName(dayKey(actor, new Date(midnight).toISOString().slice(0, 10))));
    found.push({ midnight, row: row?.intent ? { ...row, ...row.intent.takes } : row });
  }
  return found;
};

/** The least multiple of both: starts that suit both Schedules. */
const leastCommon = (a: number, b: number): number => {
  let [large, small] = [a, b];
  while (small > 0) [large, small] = [small, large % small];
  return (a / large) * b;
};
