import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hmacWith } from '../../shared/store/hmac.ts';

it('is the HMAC of RFC 2104, for secrets shorter and longer than a block', () => {
  const bytes = fc.uint8Array({ maxLength: 200 });

  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.array(bytes, { maxLength: 4 }), (secret, parts) => {
      const expected = parts.reduce((hmac, part) => hmac.update(part), createHmac('sha256', secret)).digest();

      expect(hmacWith(secret)(...parts)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

it('is the one of RFC 4231, test case 2', () => {
  const digest = hmacWith(Buffer.from('Jefe'))(Buffer.from('what do ya want for nothing?'));

  expect(digest.toString('hex')).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
});
