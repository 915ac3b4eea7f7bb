import type { Resource } from '../fhir/resource.ts';

/**
 * Whether a change says that nobody came before the time has begun.
 *
 * @param before - undefined for a first version.
 * @param next - undefined for a deletion.
 * @param now - milliseconds since 1970.
 */
export const isMissedEarly = (before: Resource | undefined, next: Resource | undefined, now: number): boolean => {
  const [was, is] = [before, next] as unknown as (Partial<fhir4.Appointment> | undefined)[];
  return (
    was !== undefined &&
    was.status !== 'noshow' &&
    is?.status === 'noshow' &&
    is.start !== undefined &&
    Date.parse(is.start) > now
  );
};
