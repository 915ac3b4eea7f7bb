import { createHmac, timingSafeEqual } from 'node:crypto';

// Standard Webhooks, read from its text and from nothing else. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

/** How old a message may be, in seconds. */
const tolerance = 5 * 60;

/**
 * Whether a message is from who knows the secret.
 *
 * @param secret - `whsec_` and base64.
 * @param now - in milliseconds since 1970.
 * @returns what is wrong with it; undefined if nothing is.
 */
export const wrongWith = (
  secret: string,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: string,
  now = Date.now(),
): string | undefined => {
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signatures } = headers;
  if (typeof id !== 'string' || typeof time !== 'string' || typeof signatures !== 'string')
    return 'a header is missing';
  if (!/^\d+$/.test(time) || Math.abs(now / 1_000 - Number(time)) > tolerance) return 'its time is not now';
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest();
  const isSigned = signatures.split(' ').some((each) => {
    const [version, text = ''] = each.split(',');
    const given = Buffer.from(text, 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
  return isSigned ? undefined : 'it is signed by nobody who knows the secret';
};
