import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { log } from '../../log.ts';
import { appointment } from '../../record-types/appointment.ts';
import { servicesOf } from '../../scheduling/services.ts';
import { type Span, united, without } from '../../scheduling/span.ts';
import { isWaiting, offered, passedIn, waitedFor, wishesOf } from '../../scheduling/waiting.ts';
import type { FreedTime } from '../../store/calendar.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { answerTo } from '../answers.ts';
import { freeTimesFor } from '../booking/free.ts';
import { isSameTime, lookAtPatients } from '../bookings.ts';
import type { Answer, RequestContext } from '../context.ts';
import { systemOf } from '../own-system.ts';
import { type PlannedWrite, planUpdate } from '../plan-write.ts';
import { save } from '../save.ts';
import { lineFor, type Waited, whoWaits } from './line.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** An offer is kept for a day at most, and for half of the time that is left until it begins. What begins so soon that nobody could be asked is offered to nobody. */
const longestOfferMs = 24 * 60 * minuteMs;
const shortestOfferMs = 10 * minuteMs;
/** Times that one request offers, and pieces of freed time that it looks at. Each look for free time is two calls. */
const mostOffers = 5;
const mostFreed = 10;
const mostLooks = 20;
/** Free times that are looked at to find one in what has become free. */
const mostTimes = 100;

/** Rules about what is asked for are for writes by hand. */
const { requireChange: _byHand, ...byServer } = appointment;

type Context = Omit<RequestContext, 'recordType'>;

/**
 * Offers time that becomes free to those who wait for it: looks whether anybody does, beside whatever frees the time.
 *
 * @returns what makes the offers, once it is free. It does not fail: the time is free, offered or not. That an offer could not be made is in the log.
 */
export const offering = (context: Context, freed: readonly FreedTime[]): (() => Promise<void>) => {
  const looking = looked(context, freed).then(
    (found) => ({ found }),
    (error: unknown) => ({ error }),
  );
  return async () => {
    try {
      const result = await looking;
      if ('error' in result) throw result.error;
      for (const each of result.found) await offerTo(context, each);
    } catch (error) {
      if (error instanceof RecordError) log.warn('freed time was not offered', { errorKind: error.kind });
      else log.fault('freed time was not offered', error);
    }
  };
};

/**
 * Offers free time of actors to the next who waits for it, now.
 *
 * @returns what the offer is answered with; undefined if nobody waits whom it suits.
 */
export const offerNext = async (context: Context, freed: readonly FreedTime[]): Promise<Answer | undefined> => {
  for (const each of await looked(context, freed)) {
    const [plan] = await offerTo(context, each, { most: 1, once: context.once });
    if (plan) return answerTo(context, plan);
  }
  return undefined;
};

/** Time of one organisation for which somebody waits. */
interface WaitedTime {
  readonly custodian: string;
  readonly times: readonly FreedTime[];
  readonly waited: Waited;
}

const looked = async ({ store, now }: Context, freed: readonly FreedTime[]): Promise<WaitedTime[]> => {
  const soonest = now + 2 * shortestOfferMs;
  const ahead = freed
    .map((time) => ({ ...time, from: Math.max(time.from, soonest) }))
    .flatMap(dayByDay)
    .slice(0, mostFreed);
  const each = await Promise.all(
    [...Map.groupBy(ahead, ({ custodian }) => custodian)].map(async ([custodian, times]) => ({
      custodian,
      times,
      waited: await whoWaits(store.whole, custodian, times),
    })),
  );
  return each.filter(({ waited }) => waited.services || waited.actors.length > 0);
};

/** Who waits is listed by days. */
const dayByDay = ({ from, to, ...time }: FreedTime): FreedTime[] => {
  const days: FreedTime[] = [];
  for (let at = from; at < to && days.length < mostFreed; ) {
    const end = Math.min(to, (Math.floor(at / dayMs) + 1) * dayMs);
    days.push({ ...time, from: at, to: end });
    at = end;
  }
  return days;
};

/** As the organisation's own system, and as a request of its own. */
const ownContext = (context: Context, custodian: string, once?: RequestContext['once']): RequestContext => {
  const { saying: _saying, unseen: _unseen, hidesParameter: _hides, ...rest } = context;
  return {
    ...rest,
    once,
    recordType: byServer,
    asking: systemOf(context, custodian),
    store: context.store.whole,
    request: { ...context.request, ifMatch: undefined },
    known: new Map(),
  };
};

const offerTo = async (
  context: Context,
  { custodian, times, waited }: WaitedTime,
  { most = mostOffers, once }: { readonly most?: number; readonly once?: RequestContext['once'] } = {},
): Promise<PlannedWrite[]> => {
  const own = ownContext(context, custodian, once);
  const left = new Map(
    [...Map.groupBy(times, ({ actor }) => actor)].map(([actor, spans]) => [actor, united(spans)] as const),
  );
  const made: PlannedWrite[] = [];
  let looks = 0;
  for await (const { record, actors } of lineFor(own.store, custodian, times, waited)) {
    const { resource } = record;
    if (!resource || record.custodian !== custodian || !isWaiting(resource, own.now)) continue;
    for (const { actor, span } of suiting(resource, actors, left)) {
      if (looks++ === mostLooks) return made;
      const given = await offeredTo(own, record, resource, { actor, span });
      if (!given) continue;
      made.push(given.plan);
      // Whoever takes part besides has no more time then, either.
      for (const each of [actor, ...waitedFor(resource)]) left.set(each, without(left.get(each) ?? [], [given.time]));
      break;
    }
    if (made.length === most || [...left.values()].every(({ length }) => length === 0)) break;
  }
  return made;
};

/** What is left of the time of these actors when somebody who waits could come. */
const suiting = (
  resource: Resource,
  actors: readonly string[],
  left: ReadonlyMap<string, readonly Span[]>,
): { readonly actor: string; readonly span: Span }[] => {
  const wishes = wishesOf(resource);
  return actors.flatMap((actor) =>
    (left.get(actor) ?? []).flatMap((span) =>
      wishes.some(({ from, to }) => from < span.to && span.from < to) ? [{ actor, span }] : [],
    ),
  );
};

/**
 * Offers somebody the first time that suits in what has become free, in which all take part who are waited for; else one that lies in it in part, where there is free time beside it, too.
 *
 * @returns undefined if there is none, or others were faster.
 */
const offeredTo = async (
  context: RequestContext,
  record: StoredRecord,
  resource: Resource,
  { actor, span }: { readonly actor: string; readonly span: Span },
): Promise<{ readonly plan: PlannedWrite; readonly time: Span } | undefined> => {
  try {
    const time = await timeFor(context, resource, actor, span);
    if (!time) return undefined;
    const until = context.now + Math.min(longestOfferMs, Math.floor((time.from - context.now) / 2));
    const added = waitedFor(resource).length === 0 ? actor : undefined;
    const next = offered(resource, time, until, added);
    const { dead, others } = await lookAtPatients(context.store, visitsOf(record, next));
    const isElsewhere = [...others.values()].flat().some((other) => isSameTime(other, next, context.now));
    if (isElsewhere) return undefined;
    const planned = await planUpdate(context, { resource: next, warnings: [] }, record);
    const calendars = { days: new Map(), schedules: new Map(), patients: { dead, others: new Map() } };
    // Whom it names was named by who waits, or has the time.
    const plan = { ...planned, checks: [], calendars };
    await save(context, [plan]);
    return { plan, time };
  } catch (error) {
    // Others were faster, or it names somebody who is not there any more: the next in line may do better.
    if (error instanceof RecordError) return undefined;
    throw error;
  }
};

/** The patient in whose chart it is. What has no patient is in a chart of its own. */
const visitsOf = ({ chart, place }: StoredRecord, resource: Resource) => (place === '' ? [] : [{ chart, resource }]);

const timeFor = async (
  context: RequestContext,
  resource: Resource,
  actor: string,
  span: Span,
): Promise<Span | undefined> => {
  const { minutesDuration, serviceType } = resource as Partial<fhir4.Appointment>;
  const minutes = minutesDuration === undefined ? undefined : Number(minutesDuration);
  const around = (minutes ?? 0) * minuteMs;
  const passed = passedIn(resource);
  for (const wish of wishesOf(resource)) {
    const from = Math.max(span.from - around, context.now + 2 * shortestOfferMs, wish.from);
    const to = Math.min(span.to + around, wish.to);
    if (from >= to) continue;
    const { times } = await freeTimesFor(context, {
      actors: [...new Set([...waitedFor(resource), actor])],
      services: servicesOf(serviceType),
      minutes,
      from,
      to,
      count: mostTimes,
    });
    const suitable = times.filter((time) => meets(time, span) && !passed.some((other) => meets(time, other)));
    const found = suitable.find((time) => span.from <= time.from && time.to <= span.to) ?? suitable[0];
    if (found) return found;
  }
  return undefined;
};

const meets = (a: Span, b: Span): boolean => a.from < b.to && b.from < a.to;
