import type { Resource } from '../fhir/resource.ts';
import { task } from '../record-types/task.ts';
import { nurses } from '../work/pools.ts';
import type { RequestContext } from './context.ts';
import { newPlace, type PlannedWrite, planCreate } from './plan-write.ts';

/** A Task by which the nurses of the organisation take on a message of support staff that is written by the same transaction. */
export const forNurses = async (context: RequestContext, { next }: PlannedWrite): Promise<PlannedWrite> => {
  const { subject } = next.resource as unknown as fhir4.Communication;
  const name = `${next.type}/${next.id}`;
  const asked: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    description: 'Support staff have taken a message that may be clinical. Read it and answer it',
    focus: { reference: name },
    ...(subject?.reference === undefined ? {} : { for: { reference: subject.reference } }),
    authoredOn: new Date(context.now).toISOString(),
    requester: { reference: context.asking.caller.fhirUser },
    performerType: [nurses],
  };
  // The message is written by the same transaction, so that it is known where it will be.
  const own = { ...context, recordType: task, known: new Map([...context.known, [name, next]]) };
  const resource = asked as unknown as Resource;
  return planCreate(own, { resource, warnings: [] }, await newPlace(own, resource));
};
