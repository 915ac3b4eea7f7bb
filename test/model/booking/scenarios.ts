import { holdUntilUrl } from '../../../shared/scheduling/extensions.ts';
import type { StoredRecord } from '../../../shared/store/rows.ts';
import { timeOf, type Wanted } from '../../support/booking-rush/diary.ts';
import { newRecord } from '../../support/test-store.ts';
import { follow, storeOver, type Work } from './client.ts';
import { perform, type Table } from './table.ts';

const minuteMs = 60_000;
const day = Date.UTC(2026, 10, 24);
/** When all begins, and when holds of the scenarios have lapsed. */
export const [now, later] = [Date.UTC(2026, 10, 23, 8), Date.UTC(2026, 10, 23, 9)];
const until = new Date(Date.UTC(2026, 10, 23, 8, 30)).toISOString();

const store = storeOver(() => Promise.reject(new Error('No scenario is read from')));
const doctor = 'Practitioner/p1';
const room = 'Location/r1';

/** Minutes after nine o'clock. */
const at = (minute: number): string => new Date(day + (9 * 60 + minute) * minuteMs).toISOString();
const booked = (from: number, to: number, actors: readonly string[] = [doctor]): fhir4.Appointment => ({
  resourceType: 'Appointment',
  status: 'booked',
  start: at(from),
  end: at(to),
  participant: actors.map((reference) => ({ actor: { reference }, status: 'accepted' })),
});
const held = (from: number, to: number): fhir4.Appointment => ({
  ...booked(from, to),
  status: 'pending',
  extension: [{ url: holdUntilUrl, valueInstant: until }],
});
const recordOf = (resource: fhir4.Appointment): StoredRecord =>
  newRecord(store, store.ids.newChart(), { type: 'Appointment', resource: resource as never });

/** A client of a scenario: what it does, and what time it wants. */
export interface Client {
  readonly work: Work;
  readonly wanted: Wanted | undefined;
}
const books = (resource: fhir4.Appointment): Client => ({
  work: { record: recordOf(resource) },
  wanted: timeOf(resource),
});
const confirms = (record: StoredRecord): Client => ({
  work: { record, change: ({ extension: _hold, ...rest }) => ({ ...rest, status: 'booked' }) },
  wanted: timeOf(record.resource as unknown as fhir4.Appointment),
});
const moves = (record: StoredRecord, from: number, to: number): Client => ({
  work: { record, change: (before) => ({ ...before, start: at(from), end: at(to) }) },
  wanted: {
    ...timeOf(record.resource as unknown as fhir4.Appointment),
    from: Date.parse(at(from)),
    to: Date.parse(at(to)),
  },
});
const cancels = (record: StoredRecord): Client => ({
  work: { record, change: (before) => ({ ...before, status: 'cancelled' }) },
  wanted: undefined,
});

/** Three clients, what is there before them, and how they may end. */
export interface Case {
  readonly name: string;
  readonly there: readonly StoredRecord[];
  readonly clients: readonly Client[];
  readonly lapses?: boolean;
  readonly faults?: { readonly busy?: number; readonly lost?: number };
  /** Of the three clients in turn, in the order of the alphabet. */
  readonly endings: readonly string[];
  /** Orders of calls that there are at least. */
  readonly atLeast: number;
}

const caseOf = (name: string, make: () => Omit<Case, 'name'>): Case => ({ name, ...make() });
const one = (resource: fhir4.Appointment, clients: (record: StoredRecord) => Omit<Case, 'name' | 'there'>) => () => {
  const record = recordOf(resource);
  return { there: [record], ...clients(record) };
};

export const cases: readonly Case[] = [
  caseOf('three who want the same time', () => ({
    there: [],
    clients: [books(booked(0, 30)), books(booked(0, 30)), books(booked(0, 30))],
    endings: ['done taken taken', 'taken done taken', 'taken taken done'],
    atLeast: 1_152,
  })),
  caseOf('neighbours in one quarter of an hour, of which one overlaps the other', () => ({
    there: [],
    clients: [books(booked(0, 20)), books(booked(15, 25)), books(booked(25, 40))],
    endings: ['done taken done', 'taken done done'],
    atLeast: 2_344,
  })),
  caseOf('one who wants a doctor and a room, and two who want one of them', () => ({
    there: [],
    clients: [books(booked(0, 30, [doctor, room])), books(booked(15, 45)), books(booked(0, 10, [room]))],
    endings: ['done taken taken', 'taken done done'],
    atLeast: 1_280,
  })),
  caseOf('one who holds what another books, and one who moves there', () => {
    const there = recordOf(booked(60, 90));
    return {
      there: [there],
      clients: [books(held(0, 30)), books(booked(20, 40)), moves(there, 30, 60)],
      lapses: true,
      endings: ['done done taken', 'done taken done', 'taken done taken'],
      atLeast: 29_696,
    };
  }),
  caseOf(
    'a hold that is confirmed while it lapses, and two who want its time or some of it',
    one(held(0, 30), (record) => ({
      clients: [confirms(record), books(booked(0, 30)), books(booked(20, 50))],
      lapses: true,
      endings: ['done taken taken', 'taken done taken', 'taken taken done'],
      atLeast: 8_460,
    })),
  ),
  caseOf(
    'a hold that lapses and is confirmed, cancelled and swept by who books another time',
    one(held(0, 15), (record) => ({
      clients: [confirms(record), cancels(record), books(booked(30, 45))],
      lapses: true,
      endings: ['changed done done', 'done changed done', 'done done done', 'over done done'],
      atLeast: 44_548,
    })),
  ),
  caseOf(
    'a booking that is cancelled and moved at once, and one who wants its time',
    one(booked(0, 30), (record) => ({
      clients: [cancels(record), moves(record, 60, 90), books(booked(0, 30))],
      endings: [
        'changed done done',
        'changed done taken',
        'done changed done',
        'done changed taken',
        'done done done',
        'done done taken',
        'done over done',
        'done over taken',
      ],
      atLeast: 1_592,
    })),
  ),
  caseOf('bookings that move up, each where another was', () => {
    const [first, second] = [recordOf(booked(0, 30)), recordOf(booked(30, 60))];
    return {
      there: [first, second],
      clients: [moves(first, 60, 90), moves(second, 0, 30), books(booked(30, 60))],
      endings: ['done done done', 'done done taken', 'done taken taken'],
      atLeast: 1_395,
    };
  }),
  caseOf(
    'two who want what a third cancels, where transactions are turned away and answers lost',
    one(booked(0, 30), (record) => ({
      clients: [cancels(record), books(booked(0, 30)), books(booked(10, 20))],
      faults: { busy: 1, lost: 1 },
      endings: ['done done taken', 'done taken done', 'done taken taken'],
      atLeast: 16_812,
    })),
  ),
  caseOf(
    'a hold that is confirmed and cancelled while it lapses and another takes it, where an answer is lost',
    one(held(0, 30), (record) => ({
      clients: [confirms(record), books(booked(0, 30)), cancels(record)],
      lapses: true,
      faults: { lost: 1 },
      endings: [
        'changed done done',
        'changed taken done',
        'done done done',
        'done taken changed',
        'done taken done',
        'over done done',
        'over taken done',
        'taken done done',
      ],
      atLeast: 116_159,
    })),
  ),
];

/** The table in which somebody has booked what is there. */
export const tableWith = async (records: readonly StoredRecord[]): Promise<Table> => {
  let table: Table = new Map();
  for (const record of records) {
    const told: { which: number; outcome: ReturnType<typeof perform>['outcome'] }[] = [];
    for (;;) {
      const { waiting, end } = await follow({ record }, now, told, (call) =>
        call.name === 'Query' ? { Items: [] } : undefined,
      );
      if (end) break;
      const done = perform(table, waiting[0] as never);
      table = done.table;
      told.push({ which: 0, outcome: done.outcome });
    }
  }
  return table;
};
