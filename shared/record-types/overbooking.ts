import type { Caller, Role } from '../access/caller.ts';
import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import { appointmentTime, overbookingReason } from './appointment-time.ts';

/** Who may say so: those who know what a longer day means to patients and staff, and applications, which import what was decided. */
const deciders: ReadonlySet<Role> = new Set(['physician', 'nurse', 'admin', 'system']);

/**
 * Requires that somebody may have an appointment go beyond the limits of its actors, where its reason or the time that it holds are new.
 *
 * @throws RecordError `forbidden`.
 */
export const requireMayOverbook = (before: Resource | undefined, next: Resource | undefined, caller: Caller): void => {
  const reason = overbookingReason(next);
  if (!next || reason === undefined || caller.roles.some((role) => deciders.has(role))) return;
  const wanted = appointmentTime(next);
  const isKept = overbookingReason(before) === reason && before && sameTime(appointmentTime(before), wanted);
  if (wanted.length === 0 || isKept) return;
  throw new RecordError('forbidden', 'A physician, a nurse or an administrator decides to overbook', {
    reason: 'overbooking',
    expression: 'Appointment.extension',
  });
};

const sameTime = (a: readonly object[], b: readonly object[]): boolean => JSON.stringify(a) === JSON.stringify(b);
