import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, stringifyJson, withSpellingOf } from '../../shared/fhir/json.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { packBody, unpackBody } from '../../shared/store/body.ts';

/** Any decimal that FHIR's JSON may hold. https://hl7.org/fhir/R4/datatypes.html#decimal */
const decimal = fc.stringMatching(/^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,2})?$/);

const observation = (value: string, others: readonly string[]) =>
  `{"resourceType":"Observation","status":"final","valueQuantity":{"value":${value},"unit":"mg"},` +
  `"component":[${others.map((each) => `{"valueQuantity":{"value":${each}}}`).join(',')}]}`;

const chart = '0123456789abcdefghijklmnop';

const stored = (text: string): string =>
  stringifyJson(unpackBody(packBody(parseJson(text) as Resource, chart), chart).resource);

describe('JSON of a resource', () => {
  it('comes back from the store as it was written, whatever its decimals', () => {
    fc.assert(
      fc.property(decimal, fc.array(decimal, { maxLength: 4 }), (value, others) => {
        const text = observation(value, others);

        expect(stored(text)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    '1.50',
    '0.0',
    '-0',
    '-0.0',
    '1e3',
    '1E+3',
    '0.000001',
    '0.0000001',
    '12345678901234567890',
    '0.1000000000000000055',
    '100',
  ])('keeps the spelling of %s', (value) => {
    const text = observation(value, [value]);

    expect(stored(text)).toBe(text);
  });

  it('keeps decimals at the top of a resource and inside lists of numbers', () => {
    const text = '{"resourceType":"Basic","factor":2.0,"values":[1.10,2,3.00]}';

    expect(stored(text)).toBe(text);
  });

  it('keeps decimals beside the id and version that a row holds apart', () => {
    const text = '{"resourceType":"Basic","id":"one","meta":{"versionId":"3","source":"here"},"factor":2.0}';

    expect(stored(text)).toBe('{"resourceType":"Basic","factor":2.0,"meta":{"source":"here"}}');
  });

  it('prints the number that an element holds now, not the one that was read', () => {
    const parsed = parseJson('{"value":1.50}') as { value: number };
    parsed.value = 2;

    expect(stringifyJson(parsed)).toBe('{"value":2}');
  });

  it('prints a copy as the original only once it is told to', () => {
    const original = parseJson('{"value":1.50}') as { value: number };

    expect(stringifyJson({ ...original })).toBe('{"value":1.5}');
    expect(stringifyJson(withSpellingOf({ ...original }, original))).toBe('{"value":1.50}');
  });

  it('does not take text that looks like a decimal for one', () => {
    const text = '{"value":"1.50 ","list":["2.0",null,true]}';

    expect(stringifyJson(parseJson(text))).toBe(text);
  });

  it('refuses what is not JSON', () => {
    expect(() => parseJson('{"value": 01.50 }')).toThrow(SyntaxError);
  });

  it('does not read a body that a newer release wrote', () => {
    expect(() => unpackBody(Uint8Array.of(9, 1, 2, 3), chart)).toThrow('written by a newer release');
  });
});
