import type { Caller } from '../access/caller.ts';
import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { dateInterval, type Interval } from '../search/date-range.ts';
import { checkTask } from '../work/check-state.ts';
import { isFlagged, type RecordFlag, withFlag } from '../work/flags.ts';
import { isEnteredInError } from './statuses.ts';

/** A version says itself that its times cannot be right. */
export const impossibleTimes: RecordFlag = {
  system: 'https://concord.example/fhir/CodeSystem/work',
  code: 'impossible-times',
  display: 'Its times contradict one another, or what it says',
};

/** What is wrong with the times of a version. */
interface Contradiction {
  readonly expression: string;
  readonly message: string;
}

/** Two elements of which the second does not come before the first. */
const inOrder: Readonly<Record<string, readonly [first: string, second: string]>> = {
  Condition: ['onset', 'abatement'],
  FamilyMemberHistory: ['born', 'deceased'],
};
/** What tells when something was done, which is not still to come once it is completed. */
const done: Readonly<Record<string, string>> = { Immunization: 'occurrence', Procedure: 'performed' };

const hourMs = 3_600_000;
/** The clock of whoever wrote it down may be ahead of this one; a day begins up to 14 hours earlier than in UTC. Milliseconds. */
const aheadMs = { time: hourMs / 12, day: 14 * hourMs };

/** The time that an element may mean, whichever of its types it has. */
const timeAt = (resource: Resource, element: string): Interval | undefined => {
  const text = resource[`${element}DateTime`] ?? resource[`${element}Date`];
  if (typeof text === 'string') return dateInterval(text);
  const { start, end } = (resource[`${element}Period`] ?? {}) as fhir4.Period;
  const [from, to] = [start, end].map((each) => (each === undefined ? undefined : dateInterval(each)));
  if (!from && !to) return undefined;
  return { start: from?.start ?? Number.NEGATIVE_INFINITY, end: to?.end ?? Number.POSITIVE_INFINITY };
};

/** Years of age and the like compare where they are in the same unit. */
const isYounger = (resource: Resource, first: string, second: string): boolean => {
  const [before, after] = [first, second].map((each) => (resource[`${each}Age`] ?? {}) as fhir4.Age);
  if (before?.value === undefined || after?.value === undefined) return false;
  return before.code !== undefined && before.code === after.code && after.value < before.value;
};

const reversed = (resource: Resource): Contradiction | undefined => {
  const [first, second] = inOrder[resource.resourceType] ?? [];
  if (first === undefined || second === undefined) return undefined;
  const [begun, ended] = [timeAt(resource, first), timeAt(resource, second)];
  const isReversed = begun && ended ? ended.end <= begun.start : isYounger(resource, first, second);
  return isReversed
    ? { expression: `${resource.resourceType}.${second}`, message: `The ${second} is not before the ${first}` }
    : undefined;
};

/** @param now - milliseconds since 1970. */
const stillToCome = (resource: Resource, now: number): Contradiction | undefined => {
  const element = done[resource.resourceType];
  if (element === undefined || resource['status'] !== 'completed') return undefined;
  const time = timeAt(resource, element);
  const text = resource[`${element}DateTime`] ?? (resource[`${element}Period`] as fhir4.Period | undefined)?.start;
  const ahead = typeof text === 'string' && text.includes('T') ? aheadMs.time : aheadMs.day;
  return time && time.start > now + ahead
    ? { expression: `${resource.resourceType}.${element}`, message: 'What is completed is not still to come' }
    : undefined;
};

const contradictionIn = (resource: Resource, now: number): Contradiction | undefined =>
  isEnteredInError(resource) ? undefined : (reversed(resource) ?? stillToCome(resource, now));

/**
 * A version with a flag if its times cannot be right: what others have told is stored all the same.
 *
 * @param now - milliseconds since 1970.
 */
export const withTimesFlagged = (before: Resource | undefined, next: Resource, now: number): Resource =>
  withFlag(impossibleTimes, { before, next, earned: contradictionIn(next, now) !== undefined });

/**
 * Requires that a version which people write can be right, by the flag that it has from `withTimesFlagged`. One that bears it already may be mended bit by bit.
 *
 * @throws RecordError `business-rule` naming the element.
 */
export const requirePossibleTimes = (
  before: Resource | undefined,
  next: Resource | undefined,
  { roles }: Pick<Caller, 'roles'>,
): void => {
  if (!next || roles.includes('system') || !isFlagged(impossibleTimes, next) || isFlagged(impossibleTimes, before))
    return;
  const wrong = contradictionIn(next, Number.NEGATIVE_INFINITY);
  throw new RecordError('business-rule', wrong?.message ?? impossibleTimes.display ?? '', {
    reason: 'impossible-times',
    expression: wrong?.expression ?? `${next.resourceType}.meta.tag`,
  });
};

/** What others have told and cannot be right is looked at by somebody, from its first version on. */
export const checkOfTimes = (change: RecordChange): readonly Raised[] => {
  const { before, next } = change;
  if (!next || !isFlagged(impossibleTimes, next) || isFlagged(impossibleTimes, before)) return [];
  return [checkTask(change, next, 'The times of this record cannot be right. Check it, then take its flag off')];
};
