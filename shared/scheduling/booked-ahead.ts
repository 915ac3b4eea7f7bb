import type { Resource } from '../fhir/resource.ts';

/** States by which somebody is to have a time: what is only proposed, or waits, binds nobody. */
const binding: ReadonlySet<string> = new Set(['pending', 'booked']);

/**
 * What an appointment books or keeps for whom, if that is still to begin; empty if it does not. What has begun is a fact. Two that say the same book the same.
 *
 * @param now - milliseconds since 1970.
 */
export const bookedAhead = (resource: Resource | undefined, now: number): string => {
  const { status = '', start, end, participant = [] } = (resource ?? {}) as Partial<fhir4.Appointment>;
  if (!binding.has(status) || start === undefined || !(Date.parse(start) > now)) return '';
  const patients = participant.flatMap(({ actor }) =>
    /(?:^|\/)Patient\//.test(actor?.reference ?? '') ? [actor?.reference] : [],
  );
  return JSON.stringify([status, start, end, patients]);
};
