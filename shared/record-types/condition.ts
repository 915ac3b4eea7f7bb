import { conditionInvariants } from '../fhir/generated/invariants/Condition.ts';
import { conditionSchema } from '../fhir/generated/schemas/Condition.ts';
import { conditionElements, conditionSearchTable } from '../fhir/generated/search-parameters/Condition.ts';
import { conditionAdvice, requireKeptApart, withKindFlagged } from '../histories/condition-categories.ts';
import { checkOfTimes, requirePossibleTimes, withTimesFlagged } from '../histories/impossible-times.ts';
import { warnOfDuplicate } from '../histories/problem-list.ts';
import { conditionStatuses, requireStatuses, withStatusesFlagged } from '../histories/statuses.ts';
import { conditionCallsForCheck } from '../order-checks/tells-of-pregnancy.ts';
import { checkOfState } from '../work/check-state.ts';
import { defineRecordType } from './define-record-type.ts';

/** A diagnosis, a problem, a concern. https://hl7.org/fhir/R4/condition.html */
export const condition = defineRecordType({
  name: 'Condition',
  schema: conditionSchema,
  invariants: conditionInvariants,
  advice: conditionAdvice,
  searchTable: conditionSearchTable,
  elements: conditionElements,
  date: 'onset-date',
  requireChange: (...change) => {
    requireStatuses(conditionStatuses, ...change);
    requireKeptApart(...change);
    requirePossibleTimes(...change);
  },
  keeps: (before, next, now) => {
    const moved = withStatusesFlagged(conditionStatuses, before, next);
    return withTimesFlagged(before, withKindFlagged(before, moved), now);
  },
  raises: (change) => [...checkOfState(change), ...checkOfTimes(change), ...warnOfDuplicate(change)],
  callsForCheck: conditionCallsForCheck,
});
