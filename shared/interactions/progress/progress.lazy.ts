import { isScoped } from '../../access/rules/scope.ts';
import { isAdministrative, isSupport } from '../../access/support.ts';
import { forSupport } from '../../access/support-view.ts';
import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { communication } from '../../record-types/communication.ts';
import { isUnderWay, movedOn } from '../../work/own-task.ts';
import { answerTo } from '../answers.ts';
import type { Answer, RequestContext, Target } from '../context.ts';
import { forNurses } from '../for-nurses.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { newPlace, type PlannedWrite, planCreate, planUpdate } from '../plan-write.ts';
import { requireReadable, requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { requireVersion } from '../update.ts';
import { progressInput } from './input.ts';

/** Letters of a note. */
const longestNote = 2_000;

/**
 * `POST Task/{id}/$progress`: how support staff take a task of their own on, whom a part of it is shown and who so cannot send the whole back. A note stays with a task that is
 * administrative; with any other it may be clinical, and goes to the nurses as a message, in the same transaction, not to be read back.
 *
 * @returns what support is shown of the task.
 * @throws RecordError `forbidden` to all but support staff under a delegation; `not-found` for a task that is not their own; `invalid` without status and note; `business-rule` where the task
 *   does not go from its state to the one asked for, or is over; `version-conflict`, `conflict`.
 * @see https://hl7.org/fhir/R4/task.html#statemachine
 */
export const progressOwnTask = async (context: RequestContext, { id }: Target): Promise<Answer> => {
  requireOwner(context);
  const { status, note } = readInput(context, progressInput);
  if (status === undefined && note === undefined)
    throw new RecordError('invalid', 'Say which status the task has now, or add a note', { expression: 'status' });
  if (note !== undefined && (note.trim() === '' || note.length > longestNote))
    throw new RecordError('invalid', `A note has 1 to ${longestNote} letters`, { expression: 'note' });
  const { asking, audit, now } = context;
  const { fhirUser } = asking.caller;
  const store = context.store.whole;
  const address = await locate(context, 'Task', id);
  const name = `Task/${id}`;
  const current = requireReadable(
    context,
    address &&
      (await audit.traced(
        { interaction: 'operation', chart: address.chart, what: [name], query: `${name}/$progress` },
        () => store.read(address),
        (found) => void requireReadable(context, found),
      )),
  );
  requireVersion(context, current);
  const task = current.resource as unknown as fhir4.Task;
  const moved = status === undefined ? task : movedOn(task, status as fhir4.Task['status'], now);
  if (!moved || !isUnderWay(task.status))
    throw new RecordError('business-rule', `A task does not go on from ${task.status} in this way`, {
      reason: 'task-status',
      expression: 'status',
    });
  const time = new Date(now).toISOString();
  const kept = note !== undefined && task.code !== undefined && isAdministrative(task.code);
  const next: fhir4.Task = {
    ...moved,
    ...(Date.parse(task.authoredOn ?? '') > now ? {} : { lastModified: time }),
    ...(kept ? { note: [...(task.note ?? []), { authorReference: { reference: fhirUser }, time, text: note }] } : {}),
  };
  // Nothing that the task refers to is new, and what is, is known.
  const own = { ...context, store };
  const plan = {
    ...(await planUpdate(own, { resource: next as unknown as Resource, warnings: [] }, current)),
    checks: [],
  };
  const told = note === undefined || kept ? [] : await messageOf(own, plan, note);
  await save(own, [plan, ...told]);
  const shown = forSupport(next as unknown as Resource, fhirUser);
  return answerTo(context, { ...plan, next: { ...plan.next, resource: shown } });
};

const requireOwner = (context: RequestContext): void => {
  const { caller } = context.asking;
  if (!isSupport(caller))
    throw new RecordError('forbidden', 'Whoever sees the whole task changes it by update or patch', {
      reason: 'forbidden-role',
    });
  if (!isScoped(caller, 'u', 'Task'))
    throw new RecordError('forbidden', 'No scope of the access token covers this for Task', {
      reason: 'forbidden-scope',
    });
  requireTypeAccess(context, 'r');
};

/** What was said about a task that may be clinical, as a message, and the Task by which the nurses take it on. */
const messageOf = async (context: RequestContext, { next }: PlannedWrite, note: string): Promise<PlannedWrite[]> => {
  const task = next.resource as unknown as fhir4.Task;
  const name = `Task/${next.id}`;
  const said: fhir4.Communication = {
    resourceType: 'Communication',
    status: 'completed',
    ...(isOfPatient(task.for) ? { subject: { reference: task.for.reference } } : {}),
    about: [{ reference: name }],
    sent: new Date(context.now).toISOString(),
    sender: { reference: context.asking.caller.fhirUser },
    payload: [{ contentString: note }],
  };
  const own = { ...context, recordType: communication, known: new Map([...context.known, [name, next]]) };
  const resource = said as unknown as Resource;
  const message = await planCreate(own, { resource, warnings: [] }, await newPlace(own, resource));
  return [message, await forNurses(context, message)];
};

const isOfPatient = (reference: fhir4.Reference | undefined): reference is { reference: string } =>
  /(?:^|\/)Patient\/[^/]+$/.test(reference?.reference ?? '');
