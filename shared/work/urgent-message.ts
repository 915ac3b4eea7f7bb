import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { nurses } from './pools.ts';

/** https://hl7.org/fhir/R4/valueset-request-priority.html */
const urgent: ReadonlySet<string> = new Set(['urgent', 'asap', 'stat']);
const withdrawn: ReadonlySet<string> = new Set(['entered-in-error', 'not-done']);

/**
 * Urgent words of a patient, or of who cares for one, go to a nurse at once: a Task that names the message is written with it. It is taken back with the message, as long as nobody has
 * taken it on. https://hl7.org/fhir/R4/communication.html
 */
export const urgentMessage = ({ name, before, next, now }: RecordChange): readonly Raised[] => {
  const [was, is] = [isUrgent(before), isUrgent(next)];
  if (is && !was) return [{ opens: taskFor(name, next as unknown as fhir4.Communication, now) }];
  return was && (next === undefined || isWithdrawn(next))
    ? [{ of: 'Task', changes: (resource) => takenBack(resource, name) }]
    : [];
};

const isWithdrawn = (resource: Resource): boolean => withdrawn.has((resource as unknown as fhir4.Communication).status);

const isUrgent = (resource: Resource | undefined): boolean => {
  if (!resource || isWithdrawn(resource)) return false;
  const { priority, sender } = resource as unknown as fhir4.Communication;
  return (
    priority !== undefined &&
    urgent.has(priority) &&
    /(?:^|\/)(?:Patient|RelatedPerson)\//.test(sender?.reference ?? '')
  );
};

const taskFor = (name: string, { subject, priority, sender }: fhir4.Communication, now: number): Resource => {
  const task: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    priority: priority ?? 'urgent',
    description: 'An urgent message has come. Read it and answer it',
    focus: { reference: name },
    ...(subject?.reference === undefined ? {} : { for: { reference: subject.reference } }),
    authoredOn: new Date(now).toISOString(),
    ...(sender?.reference === undefined ? {} : { requester: { reference: sender.reference } }),
    performerType: [nurses],
  };
  return task as unknown as Resource;
};

const takenBack = (resource: Resource, name: string): Resource | undefined => {
  const { focus, status } = resource as unknown as fhir4.Task;
  return focus?.reference === name && status === 'requested' ? { ...resource, status: 'cancelled' } : undefined;
};
