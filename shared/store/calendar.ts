import { createHash } from 'node:crypto';
import { type BookingRules, type Limits, limitsOf, longestBufferMs } from '../scheduling/limits.ts';
import { type Span, united, without } from '../scheduling/span.ts';
import { schedulesOf } from './actor-schedules.ts';
import { toBase32 } from './base32.ts';
import { dayKey, type RowKey } from './keys.ts';
import { Layouts } from './layouts.ts';
import type { RecordStore } from './record-store.ts';

// Who has the time of whom. Each actor has a row for each day of UTC on which somebody has it, and each who has it an attribute there,
// named after its owner: a list of pieces of the day. Whether time is free is decided in memory, to the millisecond, from a row that was
// read; that nobody has taken anything in the same quarters of an hour since is a condition of the transaction that writes the record.
// So two who want the same time at once cannot both have it, and two who want other quarters do not stand in each other's way. (Cells
// of five minutes, each a condition, would need no read. But an expression has 300 operators, so a morning would be the most that
// can be booked; and 9:03 to 9:07 would keep 9:07 to 9:10 from others.)
//
// Time is given back without a look: an owner's attribute is removed, and nobody else's. A hold that has lapsed is passed over by whoever
// reads it; if another has the time by then, that is another attribute.
//
// How many may have an actor at once, and what is held before and behind a booking, is said by the actor's Schedules. They are read beside the
// days, and what is held lies in the pieces. A booking and the Slots that it names are one: neither stands against the other.

/** Time of one actor. */
export interface ActorTime {
  /** `Type/id` of the person, place or thing. */
  readonly actor: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  /** The first millisecond that is free again. */
  readonly to: number;
}

/** Time that somebody is to have. */
export interface WantedTime extends ActorTime {
  /** When it lapses by itself, in milliseconds since 1970; never, if absent. */
  readonly until?: number | undefined;
  /** What it is for, as `servicesOf` names it. */
  readonly services?: readonly string[] | undefined;
  /** Whether somebody who may has decided that it goes beyond the actor's limits. */
  readonly beyondLimits?: boolean | undefined;
  /** Slots (`Slot/id`) whose time it has: they and it are one booking. */
  readonly slots?: readonly string[] | undefined;
  /** For the time of a Slot: whether bookings that name it have it, or nobody. */
  readonly as?: 'slot' | 'closed' | undefined;
  /** Names what asks for it, for the refusal. */
  readonly label: string;
}

/** What one owner gives back and takes. On every day of an actor that either names, it has what it takes and nothing else afterwards. */
export interface CalendarChange {
  /** `Type/id` of the record that has the time; the same commit writes it. */
  readonly owner: string;
  readonly gives: readonly ActorTime[];
  readonly takes: readonly WantedTime[];
}

/** Changes of calendars in one commit. */
export interface CalendarWork {
  /** Holds that end by then have lapsed. Milliseconds since 1970. */
  readonly now: number;
  readonly changes: readonly CalendarChange[];
  readonly known?: KnownCalendars | undefined;
  /** What is given back and not taken again by the same record, for those who wait for it. */
  readonly freed?: readonly FreedTime[];
  /** What is done with it once the commit has given it back: it does not fail. */
  readonly afterwards?: () => Promise<void>;
}

/** Time of an actor that a record of this organisation has given back. */
export interface FreedTime extends ActorTime {
  readonly custodian: string;
}

/** What was read of calendars. */
export interface KnownCalendars {
  /** By `rowName`; undefined for one that is not there. */
  readonly days: ReadonlyMap<string, DayRow | undefined>;
  /** By actor. */
  readonly schedules: ReadonlyMap<string, readonly BookingRules[]>;
}

/** Time that cannot be had, because others have it. */
export interface TakenTime extends ActorTime {
  readonly owner: string;
  readonly label: string;
}

/** A piece of a day in milliseconds since its midnight, when it lapses, and the Slots with which it is one, or that nobody may have it. */
export type Piece = readonly [from: number, to: number, until?: number, slots?: readonly string[]];
export type Pieces = readonly Piece[];

/** What a staged transaction will make of a day, once committed. */
export interface DayIntent {
  readonly tx: string;
  readonly gives: readonly string[];
  readonly takes: Readonly<Record<string, Pieces>>;
}

/** Who has an actor on a day. */
export interface DayRow extends RowKey {
  readonly layout: number;
  /** When DynamoDB removes it, in seconds since 1970. */
  readonly expires: number;
  readonly intent?: DayIntent;
  /** Pieces by owner. */
  readonly [owner: `@${string}`]: Pieces;
  /** How often time was taken in a quarter of an hour, by its number in the day. */
  readonly [quarter: `q${number}`]: number;
}

const layout = 1;
/** Stands for the moment at which it lapses in a piece that never does, where more stands behind that. The last that a date can tell. */
const never = 8_640_000_000_000_000;
/** Stands for the Slots in a piece that nobody else may have, whatever the limits. */
const closed: readonly string[] = ['!'];

/** What stands in a day: pieces by owner's attribute, and how often each quarter was taken. */
interface Day {
  readonly owners: Map<string, Pieces>;
  readonly quarters: Map<string, number>;
}

/** How a day's row is read. */
export const calendarLayouts = /* @__PURE__ */ new Layouts<(row: DayRow) => Day>('calendar', {
  1: (row) => {
    const attributes = Object.entries(row) as [string, unknown][];
    return {
      owners: new Map(attributes.filter(([name]) => name.startsWith('@')) as [string, Pieces][]),
      quarters: new Map(attributes.filter(([name]) => /^q\d+$/.test(name)) as [string, number][]),
    };
  },
});

/** @throws WrittenByNewerRelease. */
export const dayFrom = (row: DayRow | undefined): Day =>
  row ? calendarLayouts.reader(row.layout)(row) : { owners: new Map(), quarters: new Map() };

const dayMs = 24 * 3_600_000;
const quarterMs = 15 * 60_000;
/** Days are kept for so long when they are over. Nothing asks for them then: only what ends in the future is booked. */
const keptMs = 7 * dayMs;
/** Pieces that a day takes at most: some 70 KB, which each write of the row costs anew. */
const mostPieces = 2_000;

/** An owner's attribute. Hashed, so that it is short and shows no record. */
const ownerName = (owner: string): `@${string}` =>
  `@${toBase32(createHash('sha256').update(owner).digest().subarray(0, 10))}`;

/** A quarter's attribute. */
const quarterNames = (pieces: Pieces): string[] => [
  ...new Set(
    pieces.flatMap(([from, to]) => {
      const first = Math.floor(from / quarterMs);
      const count = Math.floor((to - 1) / quarterMs) - first + 1;
      return Array.from({ length: count }, (_, index) => `q${first + index}`);
    }),
  ),
];

export const rowName = ({ pk, sk }: RowKey): string => `${pk}\n${sk}`;

/** A piece of one day that an owner is to have. */
interface Want {
  readonly owner: string;
  readonly name: string;
  readonly piece: Piece;
  /** How many may have the actor then, it among them. */
  readonly most: number;
  readonly label: string;
}

/** What a commit changes in one row. */
export interface DayChange {
  readonly key: RowKey;
  readonly actor: string;
  readonly midnight: number;
  /** Attributes of all owners that give or take. */
  readonly names: Set<string>;
  readonly wants: Want[];
}

/** The days of UTC that time touches, with the part of each. */
const daysIn = ({ from, to }: ActorTime): { midnight: number; piece: Piece }[] => {
  const days = [];
  for (let midnight = Math.floor(from / dayMs) * dayMs; midnight < to; midnight += dayMs)
    days.push({ midnight, piece: [Math.max(from - midnight, 0), Math.min(to - midnight, dayMs)] as const });
  return days;
};

/** Time with the longest buffers that it may have. */
const widest = ({ actor, from, to }: ActorTime): ActorTime => ({
  actor,
  from: from - longestBufferMs,
  to: to + longestBufferMs,
});

/** How many rows time touches at most, without a look at each, and without its buffers. */
export const dayCount = (times: readonly ActorTime[]): number =>
  times.reduce((sum, { from, to }) => sum + Math.floor((to - 1) / dayMs) - Math.floor(from / dayMs) + 1, 0);

/**
 * Days that time may touch with its buffers, and the Schedules of its actors. One call a hundred days and one for each actor, beside one another.
 *
 * @param times - of no more than some hundred days.
 */
export const readCalendars = async (
  store: RecordStore,
  times: readonly ActorTime[],
  known?: KnownCalendars,
): Promise<KnownCalendars> => {
  const keys = times.flatMap((time) => daysIn(widest(time)).map(({ midnight }) => keyOf(time.actor, midnight)));
  const unseen = new Map(keys.map((key) => [rowName(key), key]));
  for (const name of known?.days.keys() ?? []) unseen.delete(name);
  const actors = new Set(times.flatMap(({ actor }) => (known?.schedules.has(actor) ? [] : [actor])));
  const [days, schedules] = await Promise.all([readRows(store, [...unseen.values()]), schedulesOf(store, [...actors])]);
  return {
    days: new Map([...(known?.days ?? []), ...days]),
    schedules: new Map([...(known?.schedules ?? []), ...schedules]),
  };
};

/** Rows by name; undefined for one that is not there. */
export const readRows = async (
  store: RecordStore,
  keys: readonly RowKey[],
): Promise<Map<string, DayRow | undefined>> => {
  const rows = keys.length === 0 ? [] : ((await store.getMany(keys)) as DayRow[]);
  const found = new Map(rows.map((row) => [rowName(row), row]));
  return new Map(keys.map((key) => [rowName(key), found.get(rowName(key))]));
};

const keyOf = (actor: string, midnight: number): RowKey => dayKey(actor, new Date(midnight).toISOString().slice(0, 10));

/**
 * What a commit changes, day by day.
 *
 * @param schedules - of all actors of whom time is wanted.
 */
export const changesByDay = (
  changes: readonly CalendarChange[],
  schedules: KnownCalendars['schedules'] = new Map(),
): DayChange[] => {
  const days = new Map<string, DayChange>();
  const day = (actor: string, midnight: number): DayChange => {
    const key = keyOf(actor, midnight);
    const known = days.get(rowName(key)) ?? { key, actor, midnight, names: new Set(), wants: [] };
    days.set(rowName(key), known);
    return known;
  };
  for (const { owner, gives, takes } of changes) {
    const name = ownerName(owner);
    // With whatever buffers it was taken: those of today may be others.
    for (const time of gives)
      for (const { midnight } of daysIn(widest(time))) day(time.actor, midnight).names.add(name);
    for (const time of takes) {
      const { actor, label } = time;
      const { most, before, after } = limitsFor(time, schedules.get(actor) ?? []);
      for (const { midnight, piece } of daysIn({ actor, from: time.from - before, to: time.to + after })) {
        const { names, wants } = day(actor, midnight);
        names.add(name);
        wants.push({ owner, name, piece: markedPiece(piece, time, name), most, label });
      }
    }
  }
  return [...days.values()];
};

/** What time of an actor has to keep to. A Slot is as long as it says. */
const limitsFor = (time: WantedTime, schedules: readonly BookingRules[]): Limits => {
  const { from, to, services = [], beyondLimits, as } = time;
  const { most, before, after } = limitsOf(schedules, { from, to, services });
  if (as === 'closed') return { most: 1, before: 0, after: 0 };
  return { most: beyondLimits ? Infinity : most, ...(as === 'slot' ? { before: 0, after: 0 } : { before, after }) };
};

const markedPiece = ([from, to]: Piece, { until, slots = [], as }: WantedTime, name: string): Piece => {
  const marks = as === 'closed' ? closed : [...slots.map(ownerName), ...(as === 'slot' ? [name] : [])];
  if (marks.length > 0) return [from, to, until ?? never, marks];
  return until === undefined ? [from, to] : [from, to, until];
};

/** A piece, and the attribute of its owner. */
interface Had {
  readonly name: string;
  readonly piece: Piece;
}

/**
 * What stands against a change of a day. Whoever gives or takes gives first, so that owners of one commit may change places.
 *
 * @param now - milliseconds since 1970.
 */
export const takenBy = ({ actor, midnight, names, wants }: DayChange, { owners }: Day, now: number): TakenTime[] => {
  const present = [...owners].filter(([name, pieces]) => !names.has(name) && !isLapsed(pieces, now));
  const had: Had[] = present.flatMap(([name, pieces]) => pieces.map((piece) => ({ name, piece })));
  const taken: TakenTime[] = [];
  for (const { owner, name, piece, most, label } of wants) {
    const wanted = { name, piece };
    const rivals = had.filter(
      (other) =>
        other.name !== name && overlap(other.piece, piece) && !isSlotOf(other, wanted) && !isSlotOf(wanted, other),
    );
    const full = had.length >= mostPieces ? piece : fullPart(rivals, piece, most);
    if (full) taken.push({ owner, label, actor, from: midnight + full[0], to: midnight + full[1] });
    else had.push(wanted);
  }
  return taken;
};

/** Whether one is a Slot to be had by bookings that name it, and the other is such a booking. */
const isSlotOf = ({ name, piece: [, , , marks = []] }: Had, { piece: [, , , named = []] }: Had): boolean =>
  marks.includes(name) && named.includes(name);

/** Those who have an actor, without Slots that another of them has: it is one booking. */
const apart = (had: readonly Had[]): Had[] =>
  had.filter((slot) => !had.some((other) => other !== slot && isSlotOf(slot, other)));

const isClosed = ({ piece: [, , , marks] }: Had): boolean => marks?.[0] === closed[0];

const overlap = (a: Piece, b: Piece): boolean => a[0] < b[1] && b[0] < a[1];

/** Whether nothing is left of what an owner had. */
const isLapsed = (pieces: Pieces, now: number): boolean =>
  pieces.every(([, , until = Number.POSITIVE_INFINITY]) => until <= now);

/** Owners whose holds have all lapsed, but those of the change. */
export const lapsedOwners = ({ names }: DayChange, { owners }: Day, now: number): [name: string, pieces: Pieces][] =>
  [...owners].filter(([name, pieces]) => !names.has(name) && isLapsed(pieces, now));

/** The first part of a piece in which as many have the actor as may, or it is closed. */
const fullPart = (rivals: readonly Had[], [from, to]: Piece, most: number): Piece | undefined => {
  if (most === Infinity) return undefined;
  const starts = rivals.map(({ piece }) => Math.max(piece[0], from)).sort((a, b) => a - b);
  for (const start of starts) {
    const present = rivals.filter(({ piece }) => piece[0] <= start && start < piece[1]);
    if (apart(present).length >= most || present.some(isClosed))
      return [start, Math.min(to, ...present.map(({ piece }) => piece[1]))];
  }
  return undefined;
};

/** Time of an actor that is not free. */
export interface BusyTime {
  /** Of each booking, with its buffers. */
  readonly taken: readonly Span[];
  /** In which nobody may have the actor. */
  readonly closed: readonly Span[];
}

/**
 * Time of an actor that others have, as rows of days tell it.
 *
 * @param days - the row and the midnight, in milliseconds since 1970, of each.
 * @param now - holds that end by then have lapsed.
 */
export const busyTime = (
  days: readonly { readonly midnight: number; readonly row: DayRow | undefined }[],
  now: number,
): BusyTime => {
  const each = days.map(({ midnight, row }) => {
    const had: Had[] = [...dayFrom(row).owners].flatMap(([name, pieces]) =>
      isLapsed(pieces, now) ? [] : pieces.map((piece) => ({ name, piece })),
    );
    const spanOf = ({ piece: [from, to] }: Had): Span => ({ from: midnight + from, to: midnight + to });
    // A Slot counts for itself only where no booking has it.
    const besidesBookings = (one: Had) =>
      without([spanOf(one)], united(had.filter((other) => other !== one && isSlotOf(one, other)).map(spanOf)));
    return {
      taken: had.filter((one) => !isClosed(one)).flatMap(besidesBookings),
      closed: had.filter(isClosed).map(spanOf),
    };
  });
  return { taken: each.flatMap(({ taken }) => taken), closed: each.flatMap((day) => day.closed) };
};

/** What every day's row says of itself. */
export const dayBasics = ({ midnight }: DayChange): Pick<DayRow, 'layout' | 'expires'> => ({
  layout,
  expires: Math.ceil((midnight + dayMs + keptMs) / 1_000),
});

/** Pieces that a change puts into a day, by owner's attribute, and the quarters in which they lie. */
export const newPieces = ({
  wants,
}: DayChange): { readonly owners: Map<string, Pieces>; readonly quarters: string[] } => ({
  owners: new Map(
    [...Map.groupBy(wants, ({ name }) => name)].map(([name, group]) => [name, group.map(({ piece }) => piece)]),
  ),
  quarters: quarterNames(wants.map(({ piece }) => piece)),
});

/** A change as a staged transaction notes it on the row until it is settled. */
export const dayIntent = (day: DayChange, tx: string): DayIntent => ({
  tx,
  gives: [...day.names],
  takes: Object.fromEntries(newPieces(day).owners),
});

/** The row that a committed intent makes of the one that it is on; undefined if the transaction has none there. */
export const settledDay = (row: DayRow, tx: string): DayRow | undefined => {
  const { pk, sk, expires, intent } = row;
  if (intent?.tx !== tx) return undefined;
  const { owners, quarters } = dayFrom(row);
  for (const name of intent.gives) owners.delete(name);
  for (const name of quarterNames(Object.values(intent.takes).flat()))
    quarters.set(name, (quarters.get(name) ?? 0) + 1);
  return { pk, sk, layout, expires, ...Object.fromEntries([...quarters, ...owners]), ...intent.takes };
};
