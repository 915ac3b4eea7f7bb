import { describe, expect, it } from 'vitest';
import {
  isSigningSecret,
  newSigningSecret,
  signatureHeaders,
  verifySignature,
} from '../../../shared/webhooks/signature.ts';

/** The example that the libraries of Standard Webhooks are tested by. */
const known = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: 1_614_265_330,
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};
const now = known.timestamp * 1_000;

const headersOf = (changed: Record<string, string | string[] | undefined> = {}) => ({
  ...signatureHeaders(known.secret, known),
  ...changed,
});

describe('signatureHeaders', () => {
  it('signs the known message as the specification does', () => {
    expect(signatureHeaders(known.secret, known)).toEqual({
      'webhook-id': known.id,
      'webhook-timestamp': String(known.timestamp),
      'webhook-signature': known.signature,
    });
  });

  it('signs letters of all alphabets by their UTF-8', () => {
    const body = '{"name":"Zoë 李"}';
    const headers = signatureHeaders(known.secret, { ...known, body });

    expect(verifySignature(known.secret, { ...headers }, Buffer.from(body).toString('utf8'), now)).toEqual({
      id: known.id,
    });
  });

  it.each(['a.b', 'a b', '', 'a\r\nb'])(
    'signs nothing with the id %j, which could be read as another message',
    (id) => {
      expect(() => signatureHeaders(known.secret, { ...known, id })).toThrow('id of a message');
    },
  );
});

describe('verifySignature', () => {
  it.each([
    ['a body that was changed', headersOf(), `${known.body} `, now, 'wrong-signature'],
    ['another id', headersOf({ 'webhook-id': 'msg_2' }), known.body, now, 'wrong-signature'],
    [
      'another time',
      headersOf({ 'webhook-timestamp': String(known.timestamp + 1) }),
      known.body,
      now,
      'wrong-signature',
    ],
    ['an old message', headersOf(), known.body, now + 301_000, 'wrong-time'],
    ['a message of the future', headersOf(), known.body, now - 301_000, 'wrong-time'],
    ['no number for a time', headersOf({ 'webhook-timestamp': '1e9' }), known.body, now, 'wrong-time'],
    ['no signature', headersOf({ 'webhook-signature': undefined }), known.body, now, 'no-signature'],
    ['two headers', headersOf({ 'webhook-id': [known.id, 'b'] }), known.body, now, 'no-signature'],
    ['an empty signature', headersOf({ 'webhook-signature': '' }), known.body, now, 'wrong-signature'],
    [
      'another version',
      headersOf({ 'webhook-signature': known.signature.replace('v1,', 'v1a,') }),
      known.body,
      now,
      'wrong-signature',
    ],
    [
      'half a signature',
      headersOf({ 'webhook-signature': known.signature.slice(0, 20) }),
      known.body,
      now,
      'wrong-signature',
    ],
  ])('believes no message with %s', (_, headers, body, at, refused) => {
    expect(verifySignature(known.secret, headers, body, at)).toEqual({ refused });
  });

  it('believes a message within five minutes, and one of several signatures', () => {
    const several = headersOf({ 'webhook-signature': `v1,AAAA v1a,xyz ${known.signature}` });

    expect(verifySignature(known.secret, several, known.body, now + 299_000)).toEqual({ id: known.id });
    expect(verifySignature(newSigningSecret(), several, known.body, now)).toEqual({ refused: 'wrong-signature' });
  });
});

describe('a signing secret', () => {
  it('is made new each time, of 32 bytes', () => {
    const [one, other] = [newSigningSecret(), newSigningSecret()];

    expect(isSigningSecret(one)).toBe(true);
    expect(Buffer.from(one.slice(6), 'base64')).toHaveLength(32);
    expect(one).not.toBe(other);
  });

  it.each([
    '',
    'secret',
    'whsec_',
    `whsec_${Buffer.alloc(23).toString('base64')}`,
    `whsec_${Buffer.alloc(65).toString('base64')}`,
    `whsec_${Buffer.alloc(32, 0xff).toString('base64url')}`,
    `whsec_${Buffer.alloc(32).toString('base64')}!`,
    `${known.secret}\n`,
  ])('is not %j', (text) => {
    expect(isSigningSecret(text)).toBe(false);
    expect(() => signatureHeaders(text, known)).toThrow('signing secret');
  });
});
