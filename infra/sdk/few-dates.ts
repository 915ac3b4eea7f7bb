// Takes the place of the SDK's date parsers in deployed bundles. DynamoDB sends none but in operations that are not called, and a
// `Retry-After` may hold one; JavaScript's own parser reads all of these forms.

const dateOf = (value: string | null | undefined): Date | undefined => {
  if (value === null || value === undefined) return undefined;
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) throw new TypeError('Invalid date-time value');
  return date;
};

export const dateToUtcString = (date: Date): string => date.toUTCString();
export const parseRfc3339DateTime = dateOf;
export const parseRfc3339DateTimeWithOffset = dateOf;
export const parseRfc7231DateTime = dateOf;
/** Seconds since 1970. */
export const parseEpochTimestamp = (value: number | string | null | undefined): Date | undefined =>
  value === null || value === undefined ? undefined : dateOf(new Date(Math.round(Number(value) * 1_000)).toISOString());
