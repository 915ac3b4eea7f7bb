import { RecordError } from '../errors.ts';
import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import { edgesOf } from '../scheduling/hours.ts';
import { readSchedule } from '../scheduling/schedule.ts';
import { actorScheduleRow } from '../store/actor-schedule-rows.ts';
import { actorScheduleKey } from '../store/keys.ts';
import type { RecordType } from './define-record-type.ts';

/** Actors of this server that a Schedule names, as `Type/id`. */
export const actorsOf = (resource: Resource | undefined, baseUrl: string): string[] => {
  const { actor = [] } = (resource ?? {}) as Partial<fhir4.Schedule>;
  const names = actor.flatMap(({ reference = '' }) => {
    const parsed = parseReference(reference, baseUrl);
    return parsed.kind === 'record' ? [`${parsed.type}/${parsed.id}`] : [];
  });
  return [...new Set(names)];
};

/** Rows by which bookings of its actors find what a Schedule in use says of them. */
export const scheduleRows: NonNullable<RecordType['actorRows']> = ({ next, previous }, { baseUrl }) => {
  const read = next.resource && readSchedule(next.resource);
  const actors = read?.active ? actorsOf(next.resource, baseUrl) : [];
  const former = actorsOf(previous?.resource, baseUrl).filter((actor) => !actors.includes(actor));
  return {
    puts: read
      ? actors.map((actor) => {
          const { services, rules, allowance } = read;
          const { zone, within } = read.hours;
          return { ...actorScheduleRow(actor, next.id, { ...edgesOf(within, zone), services, rules, allowance }) };
        })
      : [],
    removes: former.map((actor) => actorScheduleKey(actor, next.id)),
  };
};

/**
 * Requires that a Schedule can be read, and stays that of the same actors: its Slots hold their time.
 *
 * @throws RecordError `invalid`, `business-rule`.
 */
export const requireSchedule: NonNullable<RecordType['requireChange']> = (before, next) => {
  if (!next) return;
  readSchedule(next);
  if (before && namesOf(before) !== namesOf(next)) {
    throw new RecordError('business-rule', 'Other actors need a Schedule of their own: Slots of this one hold time', {
      reason: 'schedule-actors',
      expression: 'Schedule.actor',
    });
  }
};

const namesOf = (resource: Resource): string =>
  (resource as unknown as fhir4.Schedule).actor
    .map(({ reference = '' }) => reference.replace(/^.*\/(?=[A-Z][A-Za-z]+\/)/, ''))
    .sort()
    .join('\n');
