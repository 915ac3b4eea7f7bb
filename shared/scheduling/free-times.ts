import { RecordError } from '../errors.ts';
import { type Weekday, weekdays } from './hours.ts';
import type { Limits } from './limits.ts';
import { type Span, shared, united, without } from './span.ts';
import { clockSpans } from './wall-clock.ts';

/** Whoever is to come, or what is needed. */
export interface NeededActor {
  /** When the actor is there at all: in any order. */
  readonly open: readonly Span[];
  /** Time that others have, with its buffers; as often as there are others. */
  readonly taken: readonly Span[];
  /** What a booking has to keep to. */
  readonly limits: Limits;
  /** The only moments at which it may begin; on the grain, if absent. */
  readonly starts?: ReadonlySet<number> | undefined;
}

/** What is looked for: time at which all actors can be had. */
export interface Search extends Span {
  readonly actors: readonly NeededActor[];
  /** How long it takes. */
  readonly minutes: number;
  /** Minutes from one start to the next, counted from midnight on the wall; divides the day. */
  readonly grain: number;
  /** The zone whose clock starts and preferences are by. */
  readonly zone: string;
  /** What would suit best. It orders what is found, and leaves nothing out. */
  readonly preferred?: Preferences | undefined;
  /** Behind which of the times to begin, in the order in which they come. */
  readonly behind?: Pick<FreeTime, 'missed' | 'from'> | undefined;
  /** How many to give. */
  readonly count: number;
}

/** Parts of a day on the wall, by the hour of the start: before noon, before six in the evening, later. */
export const partsOfDay = ['morning', 'afternoon', 'evening'] as const;
export type PartOfDay = (typeof partsOfDay)[number];

/** What somebody would like; any day or any part, if empty. */
export interface Preferences {
  readonly days: readonly Weekday[];
  readonly parts: readonly PartOfDay[];
}

/** A time at which all can be had. */
export interface FreeTime extends Span {
  /** How many of the preferences it does not meet. */
  readonly missed: number;
}

/** What was found. */
export interface FreeTimes {
  readonly times: readonly FreeTime[];
  /** Whether there are more behind these. */
  readonly more: boolean;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Days that one search looks through: two months. */
export const mostDaysSearched = 62;

/**
 * Times at which all actors are there and can be had, with what has to be free before and behind: those first that suit best, then the earliest. The
 * time itself lies within the hours of all; buffers may reach beyond them.
 *
 * @throws RecordError `too-costly` for a search over more than `mostDaysSearched` days.
 */
export const freeTimes = (search: Search): FreeTimes => {
  const { from, to, minutes, preferred, behind, count, zone } = search;
  if (to - from > mostDaysSearched * dayMs) {
    throw new RecordError('too-costly', `Free times are looked for within ${mostDaysSearched} days`, {
      reason: 'too-many-days',
      expression: 'end',
    });
  }
  const length = minutes * minuteMs;
  const found: FreeTime[] = [];
  // Starts come in order, so each is looked up by going on: to ask a zone's clock takes some 4 µs, for ninety thousand of them.
  const clock = preferred ? clockSpans(zone, { from, to }) : [];
  let piece = 0;
  for (const start of startsOf(search)) {
    while (start >= (clock[piece]?.to ?? Infinity)) piece++;
    const wall = start + (clock[piece]?.ahead ?? 0);
    const time = { from: start, to: start + length, missed: preferred ? missedBy(wall, preferred) : 0 };
    if (!behind || inOrder(behind, time) < 0) found.push(time);
    if (!preferred && found.length > count) break;
  }
  const ranked = preferred ? found.sort(inOrder) : found;
  return { times: ranked.slice(0, count), more: ranked.length > count };
};

/** Best first; among those that suit as well, the earliest. */
export const inOrder = (a: Pick<FreeTime, 'missed' | 'from'>, b: Pick<FreeTime, 'missed' | 'from'>): number =>
  a.missed - b.missed || a.from - b.from;

/** Starts on the grain, or where somebody's time begins alone; the earliest first. */
const startsOf = function* ({ from, to, actors, minutes, grain, zone }: Search): Generator<number> {
  const length = minutes * minuteMs;
  const every = actors.reduce<Span[]>(
    (left, actor) => shared(left, startsFor(actor, length)),
    united([{ from, to: to - length + 1 }]),
  );
  const [first, last] = [every[0], every.at(-1)];
  if (!first || !last) return;
  const [some, ...others] = actors.flatMap(({ starts }) => starts ?? []);
  if (some) {
    for (const at of [...some].sort((a, b) => a - b))
      if (others.every((starts) => starts.has(at)) && every.some((span) => span.from <= at && at < span.to)) yield at;
    return;
  }
  const step = grain * minuteMs;
  for (const clock of clockSpans(zone, { from: first.from, to: last.to })) {
    for (const span of shared(every, [clock])) {
      const { ahead } = clock;
      for (let at = Math.ceil((span.from + ahead) / step) * step - ahead; at < span.to; at += step) yield at;
    }
  }
};

/** When something of this length may start, as far as one actor is concerned. */
const startsFor = ({ open, taken, limits }: NeededActor, length: number): Span[] => {
  const { most, before, after } = limits;
  const whole = united(open).map(({ from, to }) => ({ from, to: to - length + 1 }));
  // It would touch a time that is full, or its buffers would.
  const barred = fullTimes(taken, most).map(({ from, to }) => ({ from: from - length - after + 1, to: to + before }));
  return without(united(whole), united(barred));
};

/** Time in which as many have an actor as may. */
const fullTimes = (taken: readonly Span[], most: number): Span[] => {
  const edges = taken
    .filter(({ from, to }) => from < to)
    .flatMap(({ from, to }) => [
      { at: from, by: 1 },
      { at: to, by: -1 },
    ])
    .sort((a, b) => a.at - b.at || a.by - b.by);
  const full: Span[] = [];
  let present = 0;
  let since: number | undefined = most <= 0 ? -Infinity : undefined;
  for (const { at, by } of edges) {
    present += by;
    if (present >= most) since ??= at;
    else if (since !== undefined) {
      full.push({ from: since, to: at });
      since = undefined;
    }
  }
  return since === undefined ? full : [...full, { from: since, to: Infinity }];
};

/** @param wall - what the clock shows, as the milliseconds since 1970 at which it shows the same in UTC. */
const missedBy = (wall: number, { days, parts }: Preferences): number => {
  const day = weekdays[new Date(wall).getUTCDay()] as Weekday;
  const hour = Math.floor((wall % dayMs) / hourMs);
  const part = hour < 12 ? 'morning' : hour < 18 ? 'afternoon' : 'evening';
  return (days.length > 0 && !days.includes(day) ? 1 : 0) + (parts.length > 0 && !parts.includes(part) ? 1 : 0);
};
