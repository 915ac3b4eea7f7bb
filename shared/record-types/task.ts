import { requireAmendmentStep } from '../access/amendment.ts';
import { requestIn } from '../access/referral.ts';
import { requireRestrictionAnswered } from '../access/restriction-request.ts';
import { requireReviewed } from '../access/review.ts';
import { taskInvariants } from '../fhir/generated/invariants/Task.ts';
import { taskSchema } from '../fhir/generated/schemas/Task.ts';
import { taskElements, taskSearchTable } from '../fhir/generated/search-parameters/Task.ts';
import { requireAcknowledged } from '../laboratory/critical-tasks.ts';
import { requireOrderAnswered } from '../prescriptions/order-tasks.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { taskMoves } from '../work/task-moves.ts';
import { taskListsOf } from '../work/worklists.ts';
import { defineRecordType } from './define-record-type.ts';
import { referralRows } from './referral-rows.ts';

/** Something to be done by somebody. https://hl7.org/fhir/R4/task.html */
export const task = defineRecordType({
  name: 'Task',
  schema: taskSchema,
  invariants: taskInvariants,
  searchTable: taskSearchTable,
  elements: taskElements,
  date: 'authored-on',
  accessRows: referralRows(requestIn),
  worklists: taskListsOf,
  requireChange: (...change) => {
    requireReviewed(...change);
    requireAmendmentStep(...change);
    requireRestrictionAnswered(...change);
    requireOrderAnswered(...change);
    requireAcknowledged(...change);
    requireLegalMove(taskMoves, ...change);
  },
  keeps: (before, next) => withMovesFlagged(taskMoves, before, next),
});
