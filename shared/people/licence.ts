import { dateInterval } from '../search/date-range.ts';

/** Whether a time lies in a period; one that names no beginning or end is open there. https://hl7.org/fhir/R4/datatypes.html#Period */
export const isWithin = ({ start, end }: fhir4.Period = {}, now: number): boolean =>
  (start === undefined || (dateInterval(start)?.start ?? Number.POSITIVE_INFINITY) <= now) &&
  (end === undefined || (dateInterval(end)?.end ?? Number.NEGATIVE_INFINITY) > now);

/**
 * What keeps somebody of the directory from practising, in words that name what is missing; undefined if nothing does. A licence is a qualification with a number (`identifier`), in its period.
 *
 * @param practitioner - undefined for who is not in the directory.
 * @param now - milliseconds since 1970.
 * @see https://hl7.org/fhir/R4/practitioner-definitions.html#Practitioner.qualification
 */
export const whyNotLicensed = (practitioner: fhir4.Practitioner | undefined, now: number): string | undefined => {
  if (!practitioner) return 'The directory has no Practitioner for who prescribes';
  const { active, qualification = [] } = practitioner;
  if (active === false) return 'Who prescribes is not active in the directory: Practitioner.active';
  const licences = qualification.filter(({ identifier = [] }) => identifier.some(({ value = '' }) => value.trim()));
  if (licences.length === 0)
    return 'The directory has no licence of who prescribes: Practitioner.qualification with an identifier, which an administrator writes';
  return licences.some(({ period }) => isWithin(period, now))
    ? undefined
    : 'The licence of who prescribes is not in its period: Practitioner.qualification.period';
};
