import { RecordError } from '../../errors.ts';
import { type FreeTime, inOrder, type PartOfDay, type Preferences, partsOfDay } from '../../scheduling/free-times.ts';
import { type Weekday, weekdays } from '../../scheduling/hours.ts';
import { servicesOf } from '../../scheduling/services.ts';
import type { OpenSlot } from '../../scheduling/slot-times.ts';
import type { Span } from '../../scheduling/span.ts';
import { dateInterval } from '../../search/date-range.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { requireTypeAccess } from '../require-access.ts';
import { askedPage, countOf, entriesOf, nextLink } from '../searchset.ts';
import { type ActorsRead, freeTimesOf, mostActors, readActors, recordsOfActor, type Wish } from './free.ts';
import { findInput } from './input.ts';
import { unsuited, type Whom } from './suited.ts';

const usualCount = 20;
const mostFound = 100;
/** Letters of a search: each proposal repeats whom and what for it is. */
const longestSearch = 20_000;
/** What is searched if nobody says until when. */
const usualMs = 14 * 24 * 3_600_000;

/** A search for free times, as it was understood. */
interface Search extends Span, Whom {
  readonly actor: readonly fhir4.Reference[];
  readonly anyOf: readonly fhir4.Reference[];
  readonly serviceType: readonly fhir4.CodeableConcept[];
  readonly minutes: number | undefined;
  readonly preferred: Preferences | undefined;
}

/** A time, and with which of those of whom one is needed. */
interface Proposed extends FreeTime {
  /** The number among them; 0 where there are none. */
  readonly which: number;
}

type Position = readonly [missed: number, from: number, which: number];
/** Name of what a `next` link holds: the search, as JSON. */
const asked = 'search';

/**
 * `POST Appointment/$find`: times at which all actors, and one of those of whom any will do, are there and free, as proposals that nobody keeps. What would suit best comes first, then the earliest. Who may book
 * is shown free time, whoever has the rest. GET is for pages that follow.
 *
 * @throws RecordError `forbidden`; `invalid`; `too-costly`.
 */
export const find: Interaction = async (context) => {
  requireTypeAccess(context, 'c');
  const page = askedPage(context);
  const search = searchOf(context);
  const count = page ? countOf(page.query, usualCount, mostFound) : countIn(context);
  const { actor, anyOf, serviceType } = search;
  const all = [...actor, ...anyOf].map(referenceIn);
  const services = servicesOf(serviceType);
  const read = await readActors(
    context,
    { ...search, services, actors: all },
    search.gender !== undefined || search.language !== undefined,
  );
  const wish = { ...search, services, count };
  const behind = page?.position as Position | undefined;
  const found = (anyOf.length === 0 ? [undefined] : anyOf).map((one, which) =>
    timesWith(
      context,
      read,
      { ...wish, actors: [...actor, ...(one ? [one] : [])].map(referenceIn) },
      { ...search, one, which, behind },
    ),
  );
  const times = found.flatMap((each) => each.times).sort((a, b) => inOrder(a, b) || a.which - b.which);
  const proposed = times.slice(0, count);
  const last = proposed.at(-1);
  const more = times.length > count || found.some((each) => each.more);
  const entry = proposed.map(
    (time): fhir4.BundleEntry<fhir4.Appointment> => ({
      resource: {
        resourceType: 'Appointment',
        status: 'proposed',
        ...(serviceType.length === 0 ? {} : { serviceType: [...serviceType] }),
        ...asTexts(time),
        ...slotsIn(found[time.which]?.slots ?? [], time),
        participant: [...actor, ...anyOf.slice(time.which, time.which + 1)].map((each) => ({
          actor: each,
          status: 'needs-action',
        })),
      },
      search: { mode: 'match' },
    }),
  );
  const query = [
    [asked, JSON.stringify(search)],
    ['_count', String(count)],
  ] as const;
  const link = last && more ? [nextLink(context, { query, position: [last.missed, last.from, last.which] })] : [];
  return {
    statusCode: 200,
    resource: {
      resourceType: 'Bundle',
      type: 'searchset',
      ...(link.length === 0 ? {} : { link }),
      ...entriesOf(entry),
    },
  };
};

const countIn = (context: RequestContext): number =>
  Math.min(Math.max(Number(readInput(context, findInput)._count ?? usualCount), 1), mostFound);

/** Times with one of those of whom one is needed. What does not suit of them counts as a preference that a time misses. */
const timesWith = (
  context: RequestContext,
  read: ActorsRead,
  wish: Wish,
  {
    one,
    which,
    behind,
    ...whom
  }: Whom & {
    readonly one: fhir4.Reference | undefined;
    readonly which: number;
    readonly behind: Position | undefined;
  },
) => {
  const worse = one ? unsuited(recordsOfActor(context, read, referenceIn(one)), whom) : 0;
  // Who comes later among them is shown behind who has the same time.
  const from = behind && (which > behind[2] ? behind[1] - 1 : behind[1]);
  const found = freeTimesOf(context, read, {
    ...wish,
    ...(behind && from !== undefined ? { behind: { missed: behind[0] - worse, from } } : {}),
  });
  const times = found.times.map((time): Proposed => ({ ...time, missed: time.missed + worse, which }));
  return { ...found, times };
};

/**
 * What is searched for, as the request has it, or the link to a page.
 *
 * @throws RecordError `invalid`; `too-costly` for more than can be looked at or repeated.
 */
export const searchOf = (context: RequestContext): Search => {
  const { now } = context;
  const page = askedPage(context);
  const known = page?.query.find(([name]) => name === asked)?.[1];
  if (known !== undefined) {
    const search = JSON.parse(known) as Search;
    return { ...search, from: Math.max(now, search.from) };
  }
  const input = readInput(context, findInput);
  const { start, end, actor, anyOf, serviceType, minutes, daysOfWeek, partOfDay, gender, language } = input;
  const named = [...actor, ...anyOf];
  if (named.length === 0 || named.some(({ reference }) => reference === undefined))
    throw new RecordError('invalid', 'Each actor is a reference, and there is one at least', { expression: 'actor' });
  const days = codesAmong<Weekday>(weekdays, daysOfWeek, 'daysOfWeek');
  const parts = codesAmong<PartOfDay>(partsOfDay, partOfDay, 'partOfDay');
  const from = Math.max(now, (start === undefined ? undefined : dateInterval(start)?.start) ?? now);
  const search: Search = {
    from,
    to: until(end) ?? from + usualMs,
    actor,
    anyOf: [...new Map(anyOf.map((each) => [each.reference, each])).values()],
    serviceType,
    minutes: minutes === undefined ? undefined : Number(minutes),
    preferred: days.length + parts.length === 0 ? undefined : { days, parts },
    gender,
    language,
  };
  if (search.anyOf.length > mostActors)
    throw new RecordError('too-costly', `Any of ${mostActors} at most may be asked for`, { expression: 'anyOf' });
  if (JSON.stringify(search).length > longestSearch)
    throw new RecordError('too-costly', 'This is more than one search can hold; name fewer', {
      reason: 'search-too-long',
      expression: 'actor',
    });
  return search;
};

const referenceIn = ({ reference = '' }: fhir4.Reference): string => reference;

const codesAmong = <T extends string>(known: readonly T[], named: readonly string[], expression: string): T[] => {
  const found = known.filter((each) => named.includes(each));
  if (found.length === new Set(named).size) return found;
  throw new RecordError('invalid', `This is one of ${known.join(', ')}`, { expression });
};

/** A day that ends a search is part of it, an instant is not. */
const until = (end: string | undefined): number | undefined => {
  const interval = end === undefined ? undefined : dateInterval(end);
  return end?.includes('T') ? interval?.start : interval?.end;
};

/** The free Slots that a time fills. */
const slotsIn = (slots: readonly OpenSlot[], { from, to }: Span): Pick<fhir4.Appointment, 'slot'> => {
  const filled = slots.filter((slot) => slot.from < to && from < slot.to);
  return filled.length === 0 ? {} : { slot: filled.map(({ reference }) => ({ reference })) };
};

const asTexts = ({ from, to }: Span) => ({
  start: new Date(from).toISOString(),
  end: new Date(to).toISOString(),
  // A Slot may begin or end between two minutes, and `minutesDuration` has no fractions.
  ...((to - from) % 60_000 === 0 ? { minutesDuration: (to - from) / 60_000 } : {}),
});
