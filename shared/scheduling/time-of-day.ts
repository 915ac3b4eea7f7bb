const dayMinutes = 24 * 60;

/** Minute of the day of a FHIR time, with seconds as a part of it. https://hl7.org/fhir/R4/datatypes.html#time */
export const minuteOf = (time: string | undefined): number | undefined => {
  const [, hour, minute, second = '0'] = /^(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?/.exec(time ?? '') ?? [];
  return hour === undefined ? undefined : Number(hour) * 60 + Number(minute) + Number(second) / 60;
};

/** The minute at which hours end that begin at another: on the next day, if the clock shows no more then. 23:59:59 is midnight. */
export const endMinute = (from: number, time: string | undefined): number => {
  const to = Math.ceil(minuteOf(time) ?? dayMinutes);
  return to > from ? to : to + dayMinutes;
};
