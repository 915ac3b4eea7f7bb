import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wanted, wantedCodings, wishesIn } from '../../shared/http/negotiate.ts';

const offers = ['application/fhir+json', 'application/json', 'text/json'];

describe('what a client wants most', () => {
  it.each<[header: string, best: string | undefined]>([
    ['*/*', 'application/fhir+json'],
    ['application/*', 'application/fhir+json'],
    ['text/*', 'text/json'],
    ['application/json', 'application/json'],
    ['APPLICATION/JSON', 'application/json'],
    ['application/json, application/fhir+json', 'application/json'],
    ['application/json;q=0.5, application/fhir+json', 'application/fhir+json'],
    ['application/json ; q = 0.5 , application/fhir+json;q=0.4', 'application/json'],
    ['*/*, application/json', 'application/json'],
    ['*/*;q=0.9, application/json;q=0.8', 'application/fhir+json'],
    ['application/fhir+json;q=0, */*', 'application/json'],
    ['application/*;q=0, */*;q=0.1', 'text/json'],
    ['text/html, application/xhtml+xml, application/xml;q=0.9, image/avif, */*;q=0.8', 'application/fhir+json'],
    ['text/html, image/gif, *; q=.2, */*; q=.2', 'application/fhir+json'],
    ['application/fhir+json; fhirVersion="4.0"', 'application/fhir+json'],
    ['text/html; note="a, application/json", text/json', 'text/json'],
    ['application/json;q=x', undefined],
    ['application/json;q=0', undefined],
    ['text/html', undefined],
    ['application/fhir+xml, image/*', undefined],
    ['json', undefined],
    [';;;', undefined],
    ['', undefined],
  ])('of %s is %s', (header, best) => {
    expect(wanted(wishesIn(header), offers)[0]).toBe(best);
  });

  it('is something that is offered, whatever the header holds, and each of them once', () => {
    const parts = ['application/json', '*/*', 'text/*', '*', 'gzip', ';q=0', ';q=0.5', ';q=', ',', ';', '"', '=', ' '];
    const part = fc.constantFrom(...parts);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part, { maxLength: 30 }).map((parts) => parts.join('')),
        ),
        (header) => {
          const result = wanted(wishesIn(header), offers);
          expect(new Set(result).size).toBe(result.length);
          expect(offers).toEqual(expect.arrayContaining(result));
        },
      ),
    );
  });
});

describe('the codings that a client takes', () => {
  it.each<[header: string | undefined, codings: readonly string[]]>([
    [undefined, ['identity']],
    ['', ['identity']],
    ['gzip', ['gzip', 'identity']],
    ['GZIP', ['gzip', 'identity']],
    ['gzip, deflate, br, zstd', ['gzip', 'identity']],
    ['br;q=1.0, gzip;q=0.8, *;q=0.1', ['gzip', 'identity']],
    ['*', ['gzip', 'identity']],
    ['deflate, br', ['identity']],
    ['gzip;q=0', ['identity']],
    ['gzip;q=0, *', ['identity']],
    ['identity', ['identity']],
    ['gzip;q=0.5, identity', ['identity', 'gzip']],
    ['gzip, identity;q=0', ['gzip']],
    ['gzip, *;q=0', ['gzip']],
    ['identity;q=0, *', ['gzip']],
    ['identity;q=0', []],
    ['*;q=0', []],
    ['br, identity;q=0', []],
  ])('by %s are %j', (header, codings) => {
    expect(wantedCodings(header)).toEqual(codings);
  });
});
