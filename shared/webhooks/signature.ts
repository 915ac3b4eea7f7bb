import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * Signatures of notifications by Standard Webhooks, so that receivers find a library in their own language.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export interface SignedMessage {
  /** The same at every attempt: receivers drop repeats by it. */
  readonly id: string;
  /** Seconds since 1970, of this attempt. */
  readonly timestamp: number;
  readonly body: string;
}

/** Headers that a notification is signed by. */
export interface SignatureHeaders {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

const prefix = 'whsec_';
/** Bytes of a secret. */
const [shortest, longest, usual] = [24, 64, 32];
/** How far the clocks of sender and receiver may be apart, in seconds; older messages are repeated by somebody else. */
const toleranceSeconds = 300;

/** A new secret, such as `whsec_…`, of 32 random bytes. */
export const newSigningSecret = (): string => `${prefix}${randomBytes(usual).toString('base64')}`;

/** Whether a text is a secret: `whsec_` and the Base64 of 24 to 64 bytes. */
export const isSigningSecret = (text: string): boolean => keyIn(text) !== undefined;

const keyIn = (secret: string): Buffer | undefined => {
  if (!secret.startsWith(prefix)) return undefined;
  const text = secret.slice(prefix.length);
  const key = Buffer.from(text, 'base64');
  return key.toString('base64') === text && key.length >= shortest && key.length <= longest ? key : undefined;
};

/**
 * Signs a message.
 *
 * @throws Error if the secret is none; an id with a dot or a blank, which would be read otherwise.
 */
export const signatureHeaders = (secret: string, { id, timestamp, body }: SignedMessage): SignatureHeaders => {
  if (!/^[\w-]{1,200}$/.test(id)) throw new Error('The id of a message has letters, digits, - and _ alone');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${mac(secret, `${id}.${timestamp}.${body}`).toString('base64')}`,
  };
};

const mac = (secret: string, text: string): Buffer => {
  const key = keyIn(secret);
  if (!key) throw new Error('A signing secret is whsec_ and the Base64 of 24 to 64 bytes');
  return createHmac('sha256', key).update(text, 'utf8').digest();
};

/** Why a message is not believed. */
export type Disbelief = 'no-signature' | 'wrong-time' | 'wrong-signature';

/**
 * What a receiver does with a message before it believes it.
 *
 * @param headers - names in lower case, as Node gives them.
 * @param body - as it came, before it is parsed.
 * @param now - milliseconds since 1970.
 * @throws Error if the secret is none.
 */
export const verifySignature = (
  secret: string,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: string,
  now: number,
): { readonly id: string } | { readonly refused: Disbelief } => {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') {
    return { refused: 'no-signature' };
  }
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1_000 - Number(timestamp)) > toleranceSeconds) {
    return { refused: 'wrong-time' };
  }
  const expected = mac(secret, `${id}.${timestamp}.${body}`);
  // There may be several, while a secret is being replaced.
  const isSigned = signatures.split(' ').some((each) => {
    const sent = Buffer.from(/^v1,(.*)$/.exec(each)?.[1] ?? '', 'base64');
    return sent.length === expected.length && timingSafeEqual(sent, expected);
  });
  return isSigned ? { id } : { refused: 'wrong-signature' };
};
