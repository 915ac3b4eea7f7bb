import { allergyIntoleranceInvariants } from '../fhir/generated/invariants/AllergyIntolerance.ts';
import { allergyIntoleranceSchema } from '../fhir/generated/schemas/AllergyIntolerance.ts';
import {
  allergyIntoleranceElements,
  allergyIntoleranceSearchTable,
} from '../fhir/generated/search-parameters/AllergyIntolerance.ts';
import { retiresDenials } from '../histories/no-known-allergies.ts';
import { allergyStatuses, requireStatuses, withStatusesFlagged } from '../histories/statuses.ts';
import { allergyCallsForCheck } from '../order-checks/calls-for-check.ts';
import { checkOfState } from '../work/check-state.ts';
import { defineRecordType } from './define-record-type.ts';

/** What a patient must not be given. https://hl7.org/fhir/R4/allergyintolerance.html */
export const allergyIntolerance = defineRecordType({
  name: 'AllergyIntolerance',
  schema: allergyIntoleranceSchema,
  invariants: allergyIntoleranceInvariants,
  searchTable: allergyIntoleranceSearchTable,
  elements: allergyIntoleranceElements,
  date: 'date',
  requireChange: (...change) => requireStatuses(allergyStatuses, ...change),
  keeps: (before, next) => withStatusesFlagged(allergyStatuses, before, next),
  raises: (change) => [
    ...(allergyCallsForCheck(change.before, change.next) ? retiresDenials(change) : []),
    ...checkOfState(change),
  ],
  callsForCheck: allergyCallsForCheck,
});
