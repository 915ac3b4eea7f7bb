import type { Resource } from '../fhir/resource.ts';

/**
 * Whether a change, or a first version, says that nobody came before the time has begun.
 *
 * @param before - undefined for a first version, and for one after a deletion.
 * @param next - undefined for a deletion.
 * @param now - milliseconds since 1970.
 */
export const isMissedEarly = (before: Resource | undefined, next: Resource | undefined, now: number): boolean => {
  const [was, is] = [before, next] as unknown as (Partial<fhir4.Appointment> | undefined)[];
  // Whoever moves it into the past with the same change has not waited either.
  const begun = [was?.start, is?.start].every((start) => start === undefined || Date.parse(start) <= now);
  return was?.status !== 'noshow' && is?.status === 'noshow' && !begun;
};
