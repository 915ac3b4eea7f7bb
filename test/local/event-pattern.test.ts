import { describe, expect, it } from 'vitest';
import { type EventPattern, matchesPattern } from '../../infra/local/event-pattern.ts';

const event = {
  eventName: 'INSERT',
  n: 5,
  tags: ['a', 'b'],
  dynamodb: { NewImage: { pk: { S: 'C#chart' }, none: null } },
};

describe('matchesPattern', () => {
  it.each<[EventPattern, boolean]>([
    [{}, true],
    [{ eventName: ['INSERT', 'MODIFY'] }, true],
    [{ eventName: ['REMOVE'] }, false],
    [{ eventName: ['INSERT'], n: [6] }, false],
    [{ dynamodb: { NewImage: { pk: { S: [{ prefix: 'C#' }] } } } }, true],
    [{ dynamodb: { NewImage: { pk: { S: [{ prefix: 'A#' }] } } } }, false],
    [{ dynamodb: { OldImage: { pk: { S: [{ prefix: 'C#' }] } } } }, false],
    [{ eventName: [{ suffix: 'SERT' }] }, true],
    [{ eventName: [{ 'equals-ignore-case': 'insert' }] }, true],
    [{ eventName: [{ 'anything-but': ['REMOVE'] }] }, true],
    [{ eventName: [{ 'anything-but': 'INSERT' }] }, false],
    [{ eventName: [{ 'anything-but': { prefix: 'INS' } }] }, false],
    [{ missing: [{ 'anything-but': 'x' }] }, false],
    [{ missing: [{ exists: false }] }, true],
    [{ eventName: [{ exists: false }] }, false],
    [{ dynamodb: { NewImage: { none: [null] } } }, true],
    [{ n: [{ numeric: ['>', 0, '<=', 5] }] }, true],
    [{ n: [{ numeric: ['<', 5] }] }, false],
    [{ tags: ['b'] }, true],
    [{ $or: [{ n: [1] }, { eventName: ['INSERT'] }] }, true],
    [{ $or: [{ n: [1] }, { eventName: ['REMOVE'] }] }, false],
  ])('%j → %s', (pattern, expected) => {
    expect(matchesPattern(pattern, event)).toBe(expected);
  });

  it('refuses a comparison that it does not know', () => {
    expect(() => matchesPattern({ eventName: [{ wildcard: '*' }] }, event)).toThrow('wildcard');
  });
});
