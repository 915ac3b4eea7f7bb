import { createHash } from 'node:crypto';
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
  /** How many may have the actor at once; one, if absent. */
  readonly capacity?: number | undefined;
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
  /** Rows of days that were read already; undefined for one that is not there. By `rowName`. */
  readonly known?: ReadonlyMap<string, DayRow | undefined> | undefined;
}

/** Time that cannot be had, because others have it. */
export interface TakenTime extends ActorTime {
  readonly owner: string;
  readonly label: string;
}

/** A piece of a day in milliseconds since its midnight, and when it lapses. */
export type Piece = readonly [from: number, to: number, until?: number];
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

/** What stands in a day: pieces by owner's attribute, and how often each quarter was taken. */
interface Day {
  readonly owners: Map<string, Pieces>;
  readonly quarters: Map<string, number>;
}

/** How a day's row is read. */
export const calendarLayouts = new Layouts<(row: DayRow) => Day>('calendar', {
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
  readonly capacity: number;
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

/** How many rows time touches at most, without a look at each. */
export const dayCount = (times: readonly ActorTime[]): number =>
  times.reduce((sum, { from, to }) => sum + Math.floor((to - 1) / dayMs) - Math.floor(from / dayMs) + 1, 0);

/**
 * Rows of the days that time touches, as `CalendarWork.known` takes them. One call a hundred.
 *
 * @param times - of no more than some hundred days.
 */
export const readDays = (store: RecordStore, times: readonly ActorTime[]): Promise<Map<string, DayRow | undefined>> =>
  readRows(
    store,
    times.flatMap((time) => daysIn(time).map(({ midnight }) => keyOf(time.actor, midnight))),
  );

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

/** What a commit changes, day by day. */
export const changesByDay = (changes: readonly CalendarChange[]): DayChange[] => {
  const days = new Map<string, DayChange>();
  const day = (actor: string, midnight: number): DayChange => {
    const key = keyOf(actor, midnight);
    const known = days.get(rowName(key)) ?? { key, actor, midnight, names: new Set(), wants: [] };
    days.set(rowName(key), known);
    return known;
  };
  for (const { owner, gives, takes } of changes) {
    const name = ownerName(owner);
    for (const time of gives) for (const { midnight } of daysIn(time)) day(time.actor, midnight).names.add(name);
    for (const time of takes) {
      const { actor, until, capacity = 1, label } = time;
      for (const {
        midnight,
        piece: [from, to],
      } of daysIn(time)) {
        const { names, wants } = day(actor, midnight);
        names.add(name);
        wants.push({ owner, name, piece: until === undefined ? [from, to] : [from, to, until], capacity, label });
      }
    }
  }
  return [...days.values()];
};

/**
 * What stands against a change of a day. Whoever gives or takes gives first, so that owners of one commit may change places.
 *
 * @param now - milliseconds since 1970.
 */
export const takenBy = ({ actor, midnight, names, wants }: DayChange, { owners }: Day, now: number): TakenTime[] => {
  const present = [...owners].filter(([name, pieces]) => !names.has(name) && !isLapsed(pieces, now));
  const had = present.flatMap(([name, pieces]) => pieces.map((piece) => ({ name, piece })));
  const taken: TakenTime[] = [];
  for (const { owner, name, piece, capacity, label } of wants) {
    const rivals = had.flatMap((other) => (other.name !== name && overlap(other.piece, piece) ? [other.piece] : []));
    const full = had.length >= mostPieces ? piece : fullPart(rivals, piece, capacity);
    if (full) taken.push({ owner, label, actor, from: midnight + full[0], to: midnight + full[1] });
    else had.push({ name, piece });
  }
  return taken;
};

const overlap = (a: Piece, b: Piece): boolean => a[0] < b[1] && b[0] < a[1];

/** Whether nothing is left of what an owner had. */
const isLapsed = (pieces: Pieces, now: number): boolean =>
  pieces.every(([, , until = Number.POSITIVE_INFINITY]) => until <= now);

/** Owners whose holds have all lapsed, but those of the change. */
export const lapsedOwners = ({ names }: DayChange, { owners }: Day, now: number): [name: string, pieces: Pieces][] =>
  [...owners].filter(([name, pieces]) => !names.has(name) && isLapsed(pieces, now));

/** The first part of a piece in which as many have the actor as may. */
const fullPart = (rivals: Pieces, [from, to]: Piece, capacity: number): Piece | undefined => {
  const starts = rivals.map((rival) => Math.max(rival[0], from)).sort((a, b) => a - b);
  for (const start of starts) {
    const present = rivals.filter((rival) => rival[0] <= start && start < rival[1]);
    if (present.length >= capacity) return [start, Math.min(to, ...present.map((rival) => rival[1]))];
  }
  return undefined;
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
