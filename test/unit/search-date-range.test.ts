import { describe, expect, it } from 'vitest';
import { dateInterval } from '../../shared/search/date-range.ts';
import { timeOf } from '../../shared/search/match/date.ts';

const span = (text: string): [string, string] | undefined => {
  const interval = dateInterval(text);
  return interval && [new Date(interval.start).toISOString(), new Date(interval.end).toISOString()];
};

describe('dateInterval', () => {
  it.each([
    ['2024', '2024-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z'],
    ['2024-02', '2024-02-01T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
    ['2023-12', '2023-12-01T00:00:00.000Z', '2024-01-01T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
    ['2000-02-29', '2000-02-29T00:00:00.000Z', '2000-03-01T00:00:00.000Z'],
    ['0099-03-01', '0099-03-01T00:00:00.000Z', '0099-03-02T00:00:00.000Z'],
    ['2024-02-29T10:15', '2024-02-29T10:15:00.000Z', '2024-02-29T10:16:00.000Z'],
    ['2024-02-29T10:15:30Z', '2024-02-29T10:15:30.000Z', '2024-02-29T10:15:31.000Z'],
    ['2024-02-29T10:15:30.5Z', '2024-02-29T10:15:30.500Z', '2024-02-29T10:15:30.600Z'],
    ['2024-02-29T10:15:30.123Z', '2024-02-29T10:15:30.123Z', '2024-02-29T10:15:30.124Z'],
    ['2024-02-29T10:15:30.123999+00:00', '2024-02-29T10:15:30.123Z', '2024-02-29T10:15:30.124Z'],
    ['2024-02-29T23:30:00-05:30', '2024-03-01T05:00:00.000Z', '2024-03-01T05:00:01.000Z'],
    ['2024-01-01T00:30:00+14:00', '2023-12-31T10:30:00.000Z', '2023-12-31T10:30:01.000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z', '2017-01-01T00:00:01.000Z'],
  ])('%s lasts from %s to %s', (text, start, end) => {
    expect(span(text)).toEqual([start, end]);
  });

  it.each([
    '',
    '24',
    '0000',
    '2024-00',
    '2024-13',
    '2024-2',
    '2023-02-29',
    '1900-02-29',
    '2024-04-31',
    '2024-01-00',
    '2024-01-01Z',
    '2024-01-01T10',
    '2024-01-01T24:00:00Z',
    '2024-01-01T10:60:00Z',
    '2024-01-01T10:00:61Z',
    '2024-01-01T10:00:00.Z',
    '2024-01-01T10:00:00+14:01',
    '2024-01-01T10:00:00+10:60',
    '2024-01-01 10:00:00Z',
    ' 2024',
    '2024-01-01T10:00:00z',
  ])('%j is no date', (text) => {
    expect(dateInterval(text)).toBeUndefined();
  });
});

describe('the time of a Timing', () => {
  it('spans 600,000 events, in whatever order', () => {
    const event = Array.from({ length: 600_000 }, () => '2024-02');
    event[100_000] = '2023';
    event[200_000] = '2025-06-07';

    expect(timeOf({ type: 'Timing', value: { event } })).toEqual({
      start: Date.parse('2023-01-01'),
      end: Date.parse('2025-06-08'),
    });
  });

  it('is open where nothing limits it', () => {
    expect(timeOf({ type: 'Timing', value: {} })).toEqual({
      start: Number.NEGATIVE_INFINITY,
      end: Number.POSITIVE_INFINITY,
    });
  });
});
