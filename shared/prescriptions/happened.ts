import type { Caller } from '../access/caller.ts';
import { RecordError } from '../errors.ts';
import { stringifyJson } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { dateInterval } from '../search/date-range.ts';
import { checkTask } from '../work/check-state.ts';
import { isFlagged, type RecordFlag, withFlag } from '../work/flags.ts';
import { nurses } from '../work/pools.ts';

/** Clocks of pumps and of wards differ by that much. */
const aheadMs = 300_000;
/** A date without a time begins so much earlier where clocks are farthest ahead of UTC. */
const zonesMs = 14 * 3_600_000;

/** A version says itself that it tells of what is still to come. */
export const saidAhead: RecordFlag = {
  system: 'https://concord.example/fhir/CodeSystem/work',
  code: 'said-ahead',
  display: 'Said to have happened at a time that had not come',
};

/** Elements that tell when a medicine was given or handed over, by type. */
const times = ['effectiveDateTime', 'effectivePeriod', 'whenHandedOver'] as const;

const isAhead = (resource: Resource, now: number): boolean =>
  resource['status'] === 'completed' &&
  times.some((name) => {
    const said = resource[name] as string | fhir4.Period | undefined;
    const date = typeof said === 'object' ? said.start : said;
    return date !== undefined && (dateInterval(date)?.start ?? now) > now + (date.includes('T') ? aheadMs : zonesMs);
  });

/**
 * What was given or handed over was so by now. An interface that says otherwise has a wrong clock, perhaps, and the dose was given all the same: it is stored with a flag.
 *
 * @param now - milliseconds since 1970.
 * @throws RecordError `business-rule`, `not-happened-yet`.
 */
export const requireHappened = (
  before: Resource | undefined,
  next: Resource,
  now: number,
  { roles }: Pick<Caller, 'roles'>,
): Resource => {
  const isNew =
    !before || ['status', ...times].some((name) => stringifyJson(before[name]) !== stringifyJson(next[name]));
  const earned = isNew && isAhead(next, now);
  if (earned && !roles.includes('system'))
    throw new RecordError('business-rule', 'What is completed has happened, and this is said of a time to come', {
      reason: 'not-happened-yet',
      expression: `${next.resourceType}.${times.find((name) => next[name] !== undefined)}`,
    });
  return withFlag(saidAhead, { before, next, earned });
};

/** Somebody looks at what an interface tells ahead. */
export const checkOfAhead =
  (pool = nurses) =>
  (change: RecordChange): readonly Raised[] =>
    change.next && isFlagged(saidAhead, change.next) && !isFlagged(saidAhead, change.before)
      ? [
          checkTask(
            change,
            change.next,
            'This is said to have happened at a time that has not come. Check it, then take its flag off',
            pool,
          ),
        ]
      : [];
