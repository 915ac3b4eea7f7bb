import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { Again } from '../../http/routes.ts';
import { isReviewed } from '../../laboratory/critical.ts';
import { isTaskFor } from '../../laboratory/critical-tasks.ts';
import { isToBeDone, resultOf, reviewDone, reviewed } from '../../laboratory/review-tasks.ts';
import { task } from '../../record-types/task.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { ownerOf } from '../../work/worklists.ts';
import { answerTo } from '../answers.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { lookAgain } from '../look-again.ts';
import { lookAt } from '../look-at.ts';
import { repeated } from '../once.ts';
import { readInput } from '../operation-input.ts';
import { systemOf } from '../own-system.ts';
import { newPlace, type PlannedWrite, planCreate } from '../plan-write.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from '../require-access.ts';
import { restated } from '../restated.ts';
import { save } from '../save.ts';
import { tasksIn } from '../told-of-answer.ts';
import { requireVersion } from '../update.ts';
import { clinicians } from './acknowledge.ts';
import { guardedReviews, reviewGuard } from './review-guard.ts';

/**
 * `POST DiagnosticReport/{id}/$review` and `POST Observation/{id}/$review`: a clinician has reviewed a result. What completes is the caller's open Task to read it, or one that its pool has; else a Task is written that says so.
 * Whoever has reviewed is told if it changes. The guard, the result beside the chart's tasks, one transaction. With `If-Match`, a result that has changed since it was read is not reviewed (412).
 *
 * @throws RecordError `not-found`; `forbidden` to who is no physician or nurse.
 */
export const review: Interaction = (context, { id }) =>
  lookAgain(async () => {
    requireTypeAccess(context, 'r');
    const { caller } = context.asking;
    if (!caller.roles.some((role) => clinicians.has(role)) || !caller.fhirUser.startsWith('Practitioner/'))
      throw new RecordError('forbidden', 'Physicians and nurses review results', { reason: 'forbidden-role' });
    requireTypeAccess({ ...context, recordType: task }, 'u');
    readInput(context, {});
    const { recordType } = context;
    const name = `${recordType.name}/${id}`;
    const address = await locate(context, recordType.name, id);
    if (!address) throw notFound(context);
    const guard = reviewGuard(context, address.chart, await guardedReviews(context, address.chart));
    const look = {
      interaction: 'operation',
      what: [name],
      query: `${name}/$review`,
      may: (last: StoredRecord) => mayAccess(context, 'r', last),
    } as const;
    const [read, tasks] = await Promise.all([
      lookAt(context, address, look, (found) => void requireReadable(context, found)),
      tasksIn(context, address.chart),
    ]);
    const current = requireReadable(context, read);
    requireVersion(context, current);
    if (current.resource && !isReviewed(current.resource))
      throw new RecordError('business-rule', 'Nobody is told when this changes, so nobody reviews it', {
        reason: 'not-reviewable',
        expression: `${recordType.name}.category`,
      });
    const version = `${name}/_history/${current.version}`;
    const own = tasks.filter((each) => each.custodian === caller.organization && isTheirs(each, name, caller.fhirUser));
    const done = await Promise.all(
      own.map((each) =>
        restated(context, task, each, reviewDone(each.resource as Resource, caller.fhirUser, version, context.now)),
      ),
    );
    const [first = await begun(context, current, version), ...others] = done;
    const plan = { ...first, guards: [guard(first.next)] };
    await save(context, [plan, ...others]);
    return answerTo(context, plan);
  });

/** The answer of `$review` that is sent again: the Task of then, to who may still complete one. */
export const reviewedAgain: Again = (context, target, kept) =>
  repeated({ ...context, recordType: task }, kept, true, { action: 'u', target });

/** A Task to read this result that is still open and the caller's, or of a pool that nobody has taken it from. */
const isTheirs = ({ resource }: StoredRecord, name: string, person: string): boolean => {
  if (!resource || !isToBeDone(resource) || resultOf(resource) !== name) return false;
  if (!isTaskFor(resource, 'review-result') && !isTaskFor(resource, 'read-answer')) return false;
  const owner = ownerOf(resource as unknown as fhir4.Task);
  return owner === person || owner === undefined;
};

const begun = async (
  context: RequestContext,
  { resource, type, id }: StoredRecord,
  version: string,
): Promise<PlannedWrite> => {
  const { caller } = context.asking;
  const subject = resource?.['subject'] as fhir4.Reference | undefined;
  const said = reviewed({ name: `${type}/${id}`, subject, now: context.now }, caller.fhirUser, version);
  const own = { ...context, recordType: task, asking: systemOf(context, caller.organization ?? '') };
  return { ...(await planCreate(own, { resource: said, warnings: [] }, await newPlace(own, said))), checks: [] };
};
