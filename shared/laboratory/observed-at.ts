import { dateInterval } from '../search/date-range.ts';

/** The time that an observation tells: when it was made, of a period its end; else when it was issued. R4 knows `effectiveInstant`, too. */
export const toldTime = (observation: fhir4.Observation): string | undefined => {
  const { effectiveDateTime, effectiveInstant, effectivePeriod, issued } = observation;
  return effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.end ?? effectivePeriod?.start ?? issued;
};

/** The same in milliseconds since 1970, a day from its beginning. What tells none is older than all that does. */
export const observedAt = (observation: fhir4.Observation): number => {
  const told = toldTime(observation);
  return (told === undefined ? undefined : dateInterval(told)?.start) ?? Number.NEGATIVE_INFINITY;
};
