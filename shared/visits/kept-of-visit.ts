import type { Caller } from '../access/caller.ts';
import { stringifyJson } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { dateInterval } from '../search/date-range.ts';

// https://hl7.org/fhir/R4/encounter.html

/**
 * A visit with what the server itself keeps in it: the states, classes and places that there were, each until the instant of its change, and when it began and ended if
 * nobody has said so. What a client makes of these lists counts for nothing. A first version has them as it was written, and so does what the
 * organisation's own system imports, if it has any.
 *
 * @param now - milliseconds since 1970.
 */
export const keptOfVisit = (
  before: Resource | undefined,
  next: Resource,
  now: number,
  { roles }: Pick<Caller, 'roles'>,
): Resource => {
  if (!before) return next;
  const [was, is] = [before, next] as unknown as [fhir4.Encounter, fhir4.Encounter];
  const at = new Date(now).toISOString();
  const imports = roles.includes('system');
  const visit: fhir4.Encounter = { ...is, ...periodOf(was, is, now) };
  const kept = {
    statusHistory: imports && isOther(was.statusHistory, is.statusHistory) ? is.statusHistory : statesOf(was, is, at),
    classHistory: imports && isOther(was.classHistory, is.classHistory) ? is.classHistory : classesOf(was, is, at),
    location: imports && is.location ? is.location : placesOf(was, is, at),
  };
  const { statusHistory: _states, classHistory: _classes, location: _places, period, ...said } = visit;
  return {
    ...said,
    ...(period ? { period } : {}),
    ...Object.fromEntries(Object.entries(kept).filter(([, list]) => list && list.length > 0)),
  } as unknown as Resource;
};

/** Whether somebody has written a list, and another one than there was. */
const isOther = (was: unknown, is: unknown): boolean =>
  is !== undefined && stringifyJson(is) !== stringifyJson(was ?? []);

/** A span that ends now, from when the last one ended: how long the first lasted is known where the visit says when it began. */
const until = (
  at: string,
  before: readonly { readonly period: fhir4.Period }[] | undefined,
  began: string | undefined,
): fhir4.Period => {
  const start = before?.at(-1)?.period.end ?? began;
  return start === undefined || startsAfter(start, at) ? { end: at } : { start, end: at };
};

const startsAfter = (start: string, at: string): boolean => (dateInterval(start)?.start ?? 0) > Date.parse(at);

const statesOf = (was: fhir4.Encounter, is: fhir4.Encounter, at: string): fhir4.EncounterStatusHistory[] => [
  ...(was.statusHistory ?? []),
  ...(was.status === is.status
    ? []
    : [
        {
          status: was.status,
          // The period of what is planned is planned, too.
          period: until(at, was.statusHistory, was.status === 'planned' ? undefined : was.period?.start),
        },
      ]),
];

const classesOf = (was: fhir4.Encounter, is: fhir4.Encounter, at: string): fhir4.EncounterClassHistory[] => [
  ...(was.classHistory ?? []),
  ...(was.class.system === is.class.system && was.class.code === is.class.code
    ? []
    : [{ class: was.class, period: until(at, was.classHistory, was.period?.start) }]),
];

/** Where the patient has been and where the patient is. A place that is named no more was left now; one that was only planned is dropped. */
const placesOf = (was: fhir4.Encounter, is: fhir4.Encounter, at: string): fhir4.EncounterLocation[] => {
  const named = [...(is.location ?? [])];
  const over = hasEnded(is);
  const earlier = (was.location ?? []).flatMap((place): fhir4.EncounterLocation[] => {
    const index = named.findIndex((other) => isSameStay(place, other));
    const [still] = index < 0 ? [] : named.splice(index, 1);
    if (still) return [over ? left(still, at) : still];
    return place.status === 'planned' || place.status === 'reserved' ? [] : [left(place, at)];
  });
  const entered = named.map((place) => (over ? left(place, at) : isThere(place) ? since(place, at) : place));
  return [...earlier, ...entered.map((place) => (place.status === 'completed' ? left(place, at) : place))];
};

const hasEnded = ({ status }: fhir4.Encounter): boolean => status === 'finished';

const isThere = ({ status }: fhir4.EncounterLocation): boolean => status === undefined || status === 'active';

/** The same stay, and not another one at the same place: who comes back does not undo having left. */
const isSameStay = (one: fhir4.EncounterLocation, other: fhir4.EncounterLocation): boolean =>
  one.location.reference === other.location.reference &&
  one.location.display === other.location.display &&
  (one.status !== 'completed' ||
    (other.status === 'completed' &&
      (one.period?.start === other.period?.start || one.period?.end === other.period?.end)));

const since = (place: fhir4.EncounterLocation, at: string): fhir4.EncounterLocation =>
  place.period?.start === undefined ? { ...place, period: { start: at, ...place.period } } : place;

const left = (place: fhir4.EncounterLocation, at: string): fhir4.EncounterLocation => {
  if (place.status === 'planned' || place.status === 'reserved') return place;
  const { start, end } = place.period ?? {};
  const known = end !== undefined || (start !== undefined && startsAfter(start, at));
  return { ...place, status: 'completed', ...(known ? {} : { period: { ...place.period, end: at } }) };
};

const begun: ReadonlySet<string> = new Set(['arrived', 'triaged', 'in-progress']);

/** When a visit began and ended, as far as nobody has said so. One that is opened again has not ended when it had. */
const periodOf = (was: fhir4.Encounter, is: fhir4.Encounter, now: number): Pick<fhir4.Encounter, 'period'> => {
  if (was.status === is.status) return {};
  const at = new Date(now).toISOString();
  const { start, end } = is.period ?? {};
  if (is.status === 'finished' && end === undefined && !(start !== undefined && startsAfter(start, at)))
    return { period: { ...is.period, end: at } };
  if (was.status === 'finished' && is.status === 'in-progress' && end !== undefined && end === was.period?.end) {
    const { end: _had, ...period } = is.period ?? {};
    return { period };
  }
  return begun.has(is.status) && is.period === undefined ? { period: { start: at } } : {};
};
