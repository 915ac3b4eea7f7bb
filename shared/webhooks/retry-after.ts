/**
 * How long a receiver asks to be left alone, in milliseconds: a number of seconds, or a date of HTTP. Undefined where it says nothing, or something else.
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 *
 * @param now - in milliseconds since 1970.
 */
export const retryAfterMs = (value: string | undefined, now: number): number | undefined => {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = value.endsWith(' GMT') ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(at - now, 0);
};
