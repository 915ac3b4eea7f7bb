import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, stringifyJson } from '../../shared/fhir/json.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { packBody, unpackBody } from '../../shared/store/body.ts';
import { dictionary1 } from '../../shared/store/dictionaries/dictionary-1.ts';

const chart = '0123456789abcdefghijklmnop';
const otherChart = 'vutsrqponmlkjihgfedcba9876';

/** A body as the first layout has it. */
const inLayout1 = (json: string): Uint8Array => Buffer.concat([Buffer.of(1), deflateRawSync(json)]);

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(...(dictionary1.match(/.{1,30}/g) ?? [])),
);
const decimal = fc.stringMatching(/^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,2})?$/);
const id = fc.stringMatching(/^[0-9a-v]{26}$/);
const charts = fc.oneof(id, fc.constant(''), fc.string({ unit: 'binary', maxLength: 80 }));
const reference = fc.record({
  type: fc.constantFrom('Patient', 'Encounter', 'Condition', 'Observation'),
  home: fc.option(id),
  suffix: fc.option(id),
});

/** JSON of a resource, with references into its own chart (`home` null) and into others. */
const resourceJson = fc
  .record({ note: text, value: decimal, references: fc.array(reference, { maxLength: 6 }) })
  .map(({ note, value, references }) => (own: string) => {
    const links = references.map(({ type, home, suffix }) => ({
      reference: `${type}/${home ?? own}${suffix === null ? '' : `.${suffix}`}`,
    }));
    return (
      `{"resourceType":"Observation","status":"final","note":[{"text":${JSON.stringify(note)}}],` +
      `"valueQuantity":{"value":${value},"unit":"mg/dL"},"derivedFrom":${JSON.stringify(links)}}`
    );
  });

describe('a stored body', () => {
  it('comes back as it was written: references, decimals and any character, in any chart', () => {
    fc.assert(
      fc.property(resourceJson, charts, (jsonIn, home) => {
        const json = jsonIn(home);

        expect(stringifyJson(unpackBody(packBody(parseJson(json) as Resource, home), home).resource)).toBe(json);
      }),
      { numRuns: 1_000 },
    );
  });

  it('comes back from the layout without dictionary, whatever the chart', () => {
    fc.assert(
      fc.property(resourceJson, charts, (jsonIn, home) => {
        const json = jsonIn(home);

        expect(stringifyJson(unpackBody(inLayout1(json), home).resource)).toBe(json);
      }),
      { numRuns: 500 },
    );
  });

  it('comes back when it is longer than the dictionary and its window', () => {
    const long = Array.from({ length: 4_000 }, (_, at) => ({
      text: `${at} of a long record in ${chart}, número ${at * 7}`,
    }));
    const resource = { resourceType: 'Basic', note: long } as Resource;

    expect(unpackBody(packBody(resource, chart), chart).resource).toEqual(resource);
  });

  it.each([0, 9, 255])('is refused in layout %i', (layout) => {
    expect(() => unpackBody(Uint8Array.of(layout, 1, 2, 3), chart)).toThrow('written by a newer release');
  });

  it('is refused in another chart than its own, rather than name another patient', () => {
    const packed = packBody({ resourceType: 'Basic', subject: { reference: `Patient/${chart}` } } as Resource, chart);

    expect(() => unpackBody(packed, otherChart)).toThrow('damaged or of another chart');
  });

  it('is refused with a bit changed', () => {
    const packed = packBody({ resourceType: 'Basic', subject: { reference: `Patient/${chart}` } } as Resource, chart);

    for (let bit = 8; bit < packed.length * 8; bit += 1) {
      const damaged = Buffer.from(packed);
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const read = () => stringifyJson(unpackBody(damaged, chart).resource);

      // unless the bit only fills the last byte
      if (bit >> 3 < packed.length - 1) expect(read).toThrow();
    }
  });

  it('needs no bytes for its chart', () => {
    const inOwnChart = (home: string) =>
      packBody({ resourceType: 'Observation', subject: { reference: `Patient/${home}` } } as Resource, chart);

    expect(inOwnChart(otherChart).length - inOwnChart(chart).length).toBeGreaterThan(15);
  });
});

describe('dictionary 1', () => {
  it('never changes: rows are stored that nothing else can read', () => {
    expect(createHash('sha256').update(dictionary1).digest('hex')).toBe(
      'a23022395ed628295aa9b0be168d3dbe49b52a420dc1ce7fd46a61c3fc282430',
    );
  });

  it('is ASCII and leaves a third of the window to the body', () => {
    expect(dictionary1).toMatch(/^[\x20-\x7e]+$/);
    expect(dictionary1.length).toBeLessThan((32_768 * 2) / 3);
  });

  it.each([
    ['a date', /\d{4}-\d{2}|\d{1,2}\/\d{1,2}\/\d{2,4}/],
    ['a year', /(?<![\d.])(?:19|20)\d\d(?![\d.])(?!\/xhtml|:mimeType|-\d\x22)/],
    ['a telephone or social security number', /\d{3}[-. ]\d{2,4}[-. ]?\d{4}|\+[1-9]\d/],
    ['an identifier', /\d{7}|[0-9a-f]{8}-[0-9a-f]{4}|(?=[a-v]*\d)[0-9a-v]{26}/],
    ['an address of mail', /\w@\w/],
    ['a narrative', /<(?:p|table|tr|td|li|b|br)\b|<div[^>]*>[^<]/i],
    ['a name, street or town', /"(?:family|city|line|state|postalCode|birthDate|given)":\[?"[^",\]}]/],
  ])('holds nothing that looks like %s', (_what, pattern) => {
    expect(pattern.exec(dictionary1)?.[0]).toBeUndefined();
  });

  it('holds none of the commonest names', () => {
    const names =
      'James|Mary|Robert|Patricia|John|Jennifer|Michael|Linda|David|Elizabeth|William|Barbara|Richard|Susan|Joseph|Jessica|' +
      'Thomas|Sarah|Karen|Charles|Nancy|Daniel|Lisa|Matthew|Betty|Anthony|Sandra|Margaret|Ashley|Donald|Kimberly|Steven|' +
      'Emily|Paul|Donna|Andrew|Michelle|Joshua|Carol|Kenneth|Amanda|Kevin|Brian|George|Maria|José|Anna|Juan|Carlos|Luis|' +
      'Smith|Johnson|Williams|Brown|Jones|Garcia|Miller|Davis|Rodriguez|Martinez|Hernandez|Lopez|Gonzalez|Wilson|Anderson|' +
      'Taylor|Moore|Jackson|Martin|Lee|Perez|Thompson|Harris|Sanchez|Clark|Ramirez|Lewis|Robinson|Walker|Young|Allen|Wright|' +
      'Scott|Torres|Nguyen|Flores|Adams|Nelson|Baker|Rivera|Campbell|Mitchell|Carter|Roberts';

    expect(new RegExp(`(?<![A-Za-z])(?:${names})(?![a-z])`).exec(dictionary1)?.[0]).toBeUndefined();
  });
});
