import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { dateInterval } from '../search/date-range.ts';
import type { StoredRecord } from '../store/rows.ts';
import { frontDesk, waitlistOffer } from '../work/pools.ts';
import { isOpen, type Listed, rankAt } from '../work/worklists.ts';
import { holdUntilUrl, waitlistOfferUrl } from './extensions.ts';
import { servicesOf } from './services.ts';
import type { Span } from './span.ts';

const dayMs = 24 * 3_600_000;
/** Days in one part of the calendar, the finest first, and parts in which one wish stands at most. What is wished for longer stands in all of time. */
const partDays: readonly number[] = [1, 8, 64];
const mostParts = 10;
/** Wishes of one entry that are listed. */
const mostWishes = 5;
/** Whoever says nothing of the priority has the one in the middle, as in iCalendar: 1 is the highest, 9 the lowest. */
const usualPriority = 5;

const holdable = /(?:^|\/)((?:Practitioner|PractitionerRole|Location|Device)\/[^/]+)$/;

/** A time that was offered to somebody who waits, and what became of earlier offers. */
export interface Offer {
  /** Until when it is kept. Milliseconds since 1970. */
  readonly until: number;
}

const extensionIn = ({ extension = [] }: Partial<fhir4.Appointment>, url: string) =>
  extension.find((each) => each.url === url);

/** The offer that an appointment is, whether or not it has lapsed; undefined if it is none. */
export const offerIn = (resource: Resource | undefined): Offer | undefined => {
  const appointment = (resource ?? {}) as Partial<fhir4.Appointment>;
  const until = extensionIn(appointment, holdUntilUrl)?.valueInstant;
  const isOffer = appointment.status === 'pending' && extensionIn(appointment, waitlistOfferUrl) !== undefined;
  return isOffer && until !== undefined ? { until: Date.parse(until) } : undefined;
};

/** Whether somebody waits for a time: who was offered one waits again from when that has lapsed. */
export const isWaiting = (resource: Resource, now: number): boolean => {
  const offer = offerIn(resource);
  return offer ? offer.until <= now : (resource as { status?: unknown }).status === 'waitlist';
};

/** Whose time somebody waits for: `Type/id`. Nobody's in particular, if it is empty. What an offer has added is left out. */
export const waitedFor = (resource: Resource): readonly string[] => {
  const { participant = [] } = resource as Partial<fhir4.Appointment>;
  const added = addedIn(resource);
  return [
    ...new Set(
      participant.flatMap(({ actor }) => {
        const name = holdable.exec(actor?.reference ?? '')?.[1];
        return name === undefined || name === added ? [] : [name];
      }),
    ),
  ];
};

const addedIn = (resource: Resource): string | undefined =>
  extensionIn(resource as Partial<fhir4.Appointment>, waitlistOfferUrl)?.extension?.find(({ url }) => url === 'added')
    ?.valueReference?.reference;

/** Times that were offered and not taken, that of an offer that has lapsed among them. */
export const passedIn = (resource: Resource): readonly Span[] => {
  const parts = extensionIn(resource as Partial<fhir4.Appointment>, waitlistOfferUrl)?.extension ?? [];
  const passed = parts.flatMap(({ url, valuePeriod }) =>
    url === 'passed' && valuePeriod ? [spanOf(valuePeriod)] : [],
  );
  return offerIn(resource) ? [...passed, spanOf(resource as Partial<fhir4.Appointment>)] : passed;
};

const spanOf = ({ start, end }: fhir4.Period): Span => ({
  from: start === undefined ? Number.NEGATIVE_INFINITY : (dateInterval(start)?.start ?? Number.NaN),
  to: end === undefined ? Number.POSITIVE_INFINITY : endOf(end),
});

/** A day that ends something is part of it, an instant is not. */
const endOf = (text: string): number =>
  (text.includes('T') ? dateInterval(text)?.start : dateInterval(text)?.end) ?? Number.NaN;

/** When it would suit whoever waits: at any time, if nothing is said. */
export const wishesOf = (resource: Resource): readonly Span[] => {
  const { requestedPeriod = [], start, end } = resource as Partial<fhir4.Appointment>;
  const periods =
    requestedPeriod.length === 0 && start && end && !offerIn(resource) ? [{ start, end }] : requestedPeriod;
  return periods.length === 0
    ? [{ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }]
    : periods.map(spanOf);
};

/** Parts of the calendar in which a wish stands, of one size: few of them, however long it is. */
const partsOf = ({ from, to }: Span): readonly string[] => {
  for (const days of partDays) {
    const [first, last] = [Math.floor(from / (days * dayMs)), Math.floor((to - 1) / (days * dayMs))];
    if (last - first < mostParts) return Array.from({ length: last - first + 1 }, (_, n) => partName(days, first + n));
  }
  return [always];
};
const partName = (days: number, number: number): string => `${days}:${number}`;
const always = 'always';

/** Parts of the calendar in which somebody stands whom some time of this moment could suit. */
export const partsAt = (time: number): readonly string[] => [
  ...partDays.map((days) => partName(days, Math.floor(time / (days * dayMs)))),
  always,
];

/** The list of who waits for time of an actor (`Type/id`). */
export const actorList = (actor: string): string => `waiting for ${actor}`;
/** The list of who waits for a service of anybody's. */
export const servicesList = 'waiting for a service';

/** What stands before the ranks of those who wait for a service in a part of the calendar; for time of an actor, if none is given. */
export const rankPrefix = (part: string, service?: string): string =>
  `${service === undefined ? '' : `${encodeURIComponent(service)}#`}${part}#`;

/**
 * Where an appointment stands that waits for a time, or that was offered one: in the list of each whom it waits for, or in that of services where it names nobody; there in each part of the calendar in which it has wishes, in the
 * order of R4's `priority`, then of `created`. https://hl7.org/fhir/R4/appointment-definitions.html#Appointment.priority
 */
export const waitingLists = ({ resource }: Pick<StoredRecord, 'resource'>): readonly Listed[] => {
  if (!resource || !isWaiting(resource, Number.POSITIVE_INFINITY)) return [];
  const { priority = 0, created = '', serviceType } = resource as Partial<fhir4.Appointment>;
  const since = dateInterval(created)?.start ?? 0;
  const rank = `${Math.min(Number(priority) || usualPriority, 9)} ${rankAt(since)}`;
  const actors = waitedFor(resource);
  const parts = [...new Set(wishesOf(resource).slice(0, mostWishes).flatMap(partsOf))];
  const stands = (list: string, service?: string) =>
    parts.map((part): Listed => ({ list, as: 'waiting', rank: `${rankPrefix(part, service)}${rank}` }));
  return actors.length > 0
    ? actors.flatMap((actor) => stands(actorList(actor)))
    : servicesOf(serviceType).flatMap((service) => stands(servicesList, service));
};

/** Who begins to wait does so from when that is said, if nothing else is. */
export const withCreated = (next: Resource, now: number): Resource => {
  const { status, created } = next as Partial<fhir4.Appointment>;
  return status === 'waitlist' && created === undefined ? { ...next, created: new Date(now).toISOString() } : next;
};

/** Offers that one entry remembers not to have taken. */
const mostPassed = 10;

const marked = (
  { extension = [] }: fhir4.Appointment,
  passed: readonly Span[],
  more: readonly fhir4.Extension[],
  added?: string,
): { extension?: fhir4.Extension[] } => {
  const parts: fhir4.Extension[] = [
    ...(added === undefined ? [] : [{ url: 'added', valueReference: { reference: added } }]),
    ...passed
      .slice(-mostPassed)
      .map(({ from, to }) => ({ url: 'passed', valuePeriod: { start: instant(from), end: instant(to) } })),
  ];
  const others = extension.filter(({ url }) => url !== waitlistOfferUrl && url !== holdUntilUrl);
  const mark = { url: waitlistOfferUrl, ...(parts.length === 0 ? { valueBoolean: true } : { extension: parts }) };
  return { extension: [...others, mark, ...more] };
};
const instant = (time: number): string => new Date(time).toISOString();

/** Appointments by another name: the server's own changes are made of what was read. */
const asAppointment = (resource: Resource): fhir4.Appointment => resource as unknown as fhir4.Appointment;
const asResource = (appointment: fhir4.Appointment): Resource => appointment as unknown as Resource;

/** Somebody who is offered a time: it is theirs until a moment. @param added - whose time it is, where nobody was waited for in particular. */
export const offered = (resource: Resource, { from, to }: Span, until: number, added?: string): Resource => {
  const before = withoutAdded(resource);
  const { requestedPeriod, start, end } = before;
  const wishes = requestedPeriod ?? (start && end && !offerIn(resource) ? [{ start, end }] : undefined);
  return asResource({
    ...before,
    status: 'pending',
    start: instant(from),
    end: instant(to),
    ...(wishes ? { requestedPeriod: wishes } : {}),
    participant: [
      ...before.participant,
      ...(added === undefined ? [] : [{ actor: { reference: added }, status: 'needs-action' as const }]),
    ],
    ...marked(before, passedIn(resource), [{ url: holdUntilUrl, valueInstant: instant(until) }], added),
  });
};

/** Somebody who has not taken an offer waits on in the same place, for other times. */
export const waitingOn = (resource: Resource): Resource => {
  const { start: _from, end: _to, ...before } = withoutAdded(resource);
  return asResource({ ...before, status: 'waitlist', ...marked(before, passedIn(resource), []) } as fhir4.Appointment);
};

const withoutAdded = (resource: Resource): fhir4.Appointment => {
  const added = addedIn(resource);
  const { participant, ...rest } = asAppointment(resource);
  return { ...rest, participant: participant.filter(({ actor }) => added === undefined || actor?.reference !== added) };
};

/**
 * Whoever books is told of an offer: by a Task that is due when it lapses, and overdue from then on. It ends with the offer.
 */
export const taskOfOffer = ({ name, before, next, now }: RecordChange): readonly Raised[] => {
  const [was, is] = [offerIn(before), offerIn(next)];
  if (was?.until === is?.until) return [];
  const end = (next as Partial<fhir4.Appointment> | undefined)?.status === 'booked' ? 'completed' : 'cancelled';
  const raised: Raised[] = [];
  if (was) raised.push({ of: 'Task', changes: (resource) => ended(resource, name, end) });
  if (is && next) raised.push({ opens: taskFor(name, asAppointment(next), is, now) });
  return raised;
};

const taskFor = (name: string, { participant }: fhir4.Appointment, { until }: Offer, now: number): Resource => {
  const patient = participant.find(({ actor }) => /(?:^|\/)Patient\//.test(actor?.reference ?? ''))?.actor?.reference;
  const task: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: waitlistOffer,
    description:
      'A time has become free for who waits for one. Ask whether it suits: book it ($book), or pass it on ($decline)',
    focus: { reference: name },
    ...(patient === undefined ? {} : { for: { reference: patient } }),
    authoredOn: instant(now),
    restriction: { period: { end: instant(until) } },
    performerType: [frontDesk],
  };
  return task as unknown as Resource;
};

const ended = (resource: Resource, name: string, status: 'completed' | 'cancelled'): Resource | undefined => {
  const task = resource as unknown as fhir4.Task;
  const isOurs = task.focus?.reference === name && task.code?.coding?.[0]?.code === waitlistOffer.coding?.[0]?.code;
  return isOurs && isOpen(task) ? { ...resource, status } : undefined;
};
