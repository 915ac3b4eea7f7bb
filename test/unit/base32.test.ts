import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase32, toBase32 } from '../../shared/store/base32.ts';

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe('base 32', () => {
  it('gives back what was written, in letters that a FHIR id may have', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = toBase32(bytes);

        expect(text).toMatch(/^[0-9a-v]*$/);
        expect(fromBase32(text)).toEqual(bytes);
      }),
    );
  });

  it('sorts texts as the bytes sort, which keeps records in order of date', () => {
    fc.assert(
      fc.property(bytesOf(12), bytesOf(12), (a, b) => {
        const asText = toBase32(a) < toBase32(b);

        expect(asText).toBe(Buffer.compare(a, b) < 0);
      }),
    );
  });

  it('has one spelling for each value: any text that is read is the one that is written', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'0123456789abcdefghijklmnopqrstuv'), maxLength: 30 }),
        (text) => {
          const bytes = fromBase32(text);
          // A text may be longer than its bytes need by letters without bits; the lengths that ids use have none.
          fc.pre(bytes !== undefined && [0, 2, 4, 5, 7].includes(text.length % 8));

          expect(toBase32(bytes ?? new Uint8Array())).toBe(text);
        },
      ),
    );
  });

  it('refuses bits that belong to no byte', () => {
    const written = toBase32(Uint8Array.of(255));

    expect(written).toBe('vs');
    expect(fromBase32('vt')).toBeUndefined();
  });

  it.each(['w0', 'A0', '0 ', 'ä0', '-0'])('refuses the text "%s", which has a letter of another alphabet', (text) => {
    expect(fromBase32(text)).toBeUndefined();
  });

  it.each([
    [12, 20],
    [15, 24],
    [16, 26],
  ])('writes %i bytes in %i letters', (bytes, letters) => {
    expect(toBase32(new Uint8Array(bytes))).toHaveLength(letters);
  });
});
