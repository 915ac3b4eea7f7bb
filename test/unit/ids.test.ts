import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveKeys } from '../../shared/store/deployment-key.ts';
import { IdCodec, placesFromColumns, placesInColumns } from '../../shared/store/ids.ts';

const codecOf = (secret: number) => new IdCodec(deriveKeys(new Uint8Array(32).fill(secret)).ids);
const ids = codecOf(1);
const anotherDeployment = codecOf(2);

const day = Date.UTC(2026, 10, 24);
const dates = fc.integer({ min: Date.parse('0001-01-01T00:00:00Z'), max: Date.UTC(8900, 0, 1) });

/** Every text that differs from this one in one letter, by another letter of the alphabet. */
const alteredIn = (id: string): string[] =>
  [...id].map((letter, at) => `${id.slice(0, at)}${letter === '7' ? '8' : '7'}${id.slice(at + 1)}`);

describe('ids', () => {
  it('carry their chart and place, and are legal FHIR ids', () => {
    fc.assert(
      fc.property(dates, (date) => {
        const chart = ids.newChart();
        const place = ids.newPlace(date);

        const id = ids.idAt(chart, place);

        expect(id).toMatch(/^[A-Za-z0-9\-.]{1,64}$/);
        expect(ids.decode(id)).toEqual({ chart, place });
        expect(ids.decode(chart)).toEqual({ chart, place: '' });
      }),
      { numRuns: 300 },
    );
  });

  it('are the chart itself for the record that heads it', () => {
    const chart = ids.newChart();

    expect(ids.idAt(chart, '')).toBe(chart);
  });

  it('sort by place as their dates sort, before 1970 too', () => {
    fc.assert(
      fc.property(dates, dates, (a, b) => {
        fc.pre(a !== b);

        expect(ids.newPlace(a) < ids.newPlace(b)).toBe(a < b);
      }),
    );
  });

  it('keep the first and the last date that FHIR can write at their ends', () => {
    const first = ids.newPlace(Date.parse('0001-01-01T00:00:00Z'));
    const middle = [ids.newPlace(-1), ids.newPlace(0), ids.newPlace(1)];
    const last = ids.newPlace(Date.parse('9999-12-31T23:59:59Z'));

    const sorted = [last, ...middle, first].sort();

    expect(sorted).toEqual([first, ...middle, last]);
  });

  it('do not show a date: places of one moment have a beginning in common, their ids none', () => {
    const chart = ids.newChart();
    const places = Array.from({ length: 200 }, () => ids.newPlace(day));

    const beginnings = new Set(places.map((place) => ids.idAt(chart, place).split('.')[1]?.slice(0, 8)));

    expect(new Set(places.map((place) => place.slice(0, 8))).size).toBe(1);
    expect(beginnings.size).toBe(places.length);
  });

  it('are new each time, even for one moment', () => {
    const charts = Array.from({ length: 500 }, () => ids.newChart());
    const places = Array.from({ length: 2_000 }, () => ids.newPlace(day)); // more than are drawn at once

    expect(new Set(charts).size).toBe(500);
    expect(new Set(places).size).toBe(2_000);
  });

  it('cannot be altered in any letter', () => {
    const id = ids.idAt(ids.newChart(), ids.newPlace(day));

    const stillRead = alteredIn(id).filter((altered) => ids.decode(altered) !== undefined);

    expect(stillRead).toEqual([]);
  });

  it('cannot be altered in any letter of a chart', () => {
    const stillRead = alteredIn(ids.newChart()).filter((altered) => ids.decode(altered) !== undefined);

    expect(stillRead).toEqual([]);
  });

  it('cannot be moved to another chart', () => {
    const [, suffix] = ids.idAt(ids.newChart(), ids.newPlace(day)).split('.');

    expect(ids.decode(`${ids.newChart()}.${suffix}`)).toBeUndefined();
  });

  it('cannot be made from a chart by giving its block out as a place', () => {
    const chart = ids.newChart();

    expect(ids.decode(`${chart}.${ids.newChart()}`)).toBeUndefined();
  });

  it('mean nothing to another deployment', () => {
    const chart = ids.newChart();

    expect(anotherDeployment.decode(chart)).toBeUndefined();
    expect(anotherDeployment.decode(ids.idAt(chart, ids.newPlace(day)))).toBeUndefined();
  });

  it('are told from ids that clients choose', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9\-.]{1,64}$/), (chosen) => {
        expect(ids.decode(chosen)).toBeUndefined();
      }),
    );
  });

  it('are not made of a place that is none', () => {
    expect(() => ids.idAt(ids.newChart(), 'short')).toThrow('20 letters');
  });
});

describe('places in columns', () => {
  it('are the same places in the same order when they are taken from there', () => {
    const within = fc.integer({ min: -(2 ** 47), max: 2 ** 48 });

    fc.assert(
      fc.property(fc.array(within, { maxLength: 40 }), (times) => {
        const places = times.map((time) => ids.newPlace(time));

        expect(placesFromColumns(placesInColumns(places))).toEqual(places);
      }),
    );
  });
});
