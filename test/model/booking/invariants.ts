import type { RecordStore } from '../../../shared/store/record-store.ts';
import { addressOf, type RecordRow, recordFrom } from '../../../shared/store/rows.ts';
import { collide, versionOf, type Wanted } from '../../support/booking-rush/diary.ts';
import type { Work } from './client.ts';
import type { Invariants, Moment } from './explore.ts';
import type { Item, Table } from './table.ts';

/** An Appointment as it lies in the table, and the time that it holds. */
interface Stored {
  readonly id: string;
  readonly version: number;
  readonly holds: (Wanted & { readonly until?: number | undefined }) | undefined;
}

const dayMs = 24 * 3_600_000;

/**
 * What booking promises, seen from the records alone and not from the calendars that guard them.
 *
 * @param wanted - what each client wants, for the reason of a refusal.
 */
export const invariantsOf = (
  { ids }: Pick<RecordStore, 'ids'>,
  works: readonly Work[],
  wanted: readonly (Wanted | undefined)[],
): Invariants => {
  const read = new WeakMap<Item, Stored>();
  const storedIn = (table: Table): Stored[] =>
    [...table.values()].flatMap((item) => {
      if (!String(item.pk).startsWith('C#') || !String(item.sk).startsWith('Appointment#')) return [];
      const known = read.get(item) ?? stored(item, ids);
      read.set(item, known);
      return [known];
    });
  const busyAt = (table: Table, now: number) =>
    storedIn(table).flatMap(({ id, holds }) =>
      holds && (holds.until ?? Number.POSITIVE_INFINITY) > now ? [{ id, ...holds }] : [],
    );

  const always = ({ table, clock }: Moment): string | undefined => {
    const busy = busyAt(table, clock);
    if (busy.some((a, index) => busy.slice(index + 1).some((b) => collide(a, b)))) return 'nobody is booked twice';
    const held = busy.flatMap(({ actors, from, to }) =>
      actors.map((actor) => `${actor} ${from % dayMs}-${to % dayMs}`),
    );
    return held.sort().join() === piecesIn(table, clock).sort().join() ? undefined : 'calendars say what records hold';
  };
  const atRest = ({ table, ends }: Moment): string | undefined => {
    if (ends.some((end) => end === undefined)) return 'every client ends';
    const there = new Map(storedIn(table).map((each) => [each.id, each.version]));
    const changes = Map.groupBy(works.keys(), (client) => works[client]?.record.id ?? '');
    for (const [id, clients] of changes) {
      const done = clients.filter((client) => ends[client] === 'done').length;
      const isNew = clients.some((client) => !works[client]?.change);
      if ((there.get(id) ?? 0) !== done + (isNew ? 0 : 1)) return 'what is acknowledged is there, and nothing else';
    }
    return undefined;
  };
  const isTaken = (table: Table, client: number, now: number): boolean => {
    const time = wanted[client];
    return busyAt(table, now).some(
      ({ id, ...other }) => time && id !== works[client]?.record.id && collide(other, time),
    );
  };
  return { always, atRest, isTaken };
};

const stored = (item: Item, ids: RecordStore['ids']): Stored => {
  const row = item as unknown as RecordRow;
  const address = addressOf(row);
  const record = address && recordFrom(row, address, ids);
  if (!record?.resource) throw new Error('A row of no Appointment');
  const { id, version, resource } = record;
  const { holds } = versionOf(resource as unknown as fhir4.Appointment, { sent: 0, answered: 0 });
  return { id, version, holds };
};

/** What calendars say of whose time is taken. */
const piecesIn = (table: Table, clock: number): string[] =>
  [...table.values()].flatMap((item) => {
    const [, actor = ''] = /^S#(.+)#[\d-]{10}$/.exec(String(item.pk)) ?? [];
    const pieces = Object.entries(item).flatMap(([name, value]) =>
      name.startsWith('@') ? (value as [from: number, to: number, until?: number][]) : [],
    );
    return pieces.flatMap(([from, to, until = Number.POSITIVE_INFINITY]) =>
      actor !== '' && until > clock ? [`${actor} ${from}-${to}`] : [],
    );
  });
