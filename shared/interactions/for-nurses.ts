import type { Resource } from '../fhir/resource.ts';
import { task } from '../record-types/task.ts';
import { taskToAnswer } from '../work/message-tasks.ts';
import { nurses } from '../work/pools.ts';
import type { RequestContext } from './context.ts';
import { newPlace, type PlannedWrite, planCreate } from './plan-write.ts';

/** A Task by which the nurses of the organisation take on a message of support staff that is written by the same transaction. */
export const forNurses = async (context: RequestContext, { next }: PlannedWrite): Promise<PlannedWrite> => {
  const name = `${next.type}/${next.id}`;
  const { now, request, asking } = context;
  const resource = taskToAnswer(next.resource as Resource, {
    name,
    now,
    baseUrl: request.baseUrl,
    pool: nurses,
    description: 'Support staff have taken a message that may be clinical. Read it and answer it',
    requester: asking.caller.fhirUser,
  });
  // The message is written by the same transaction, so that it is known where it will be.
  const own = { ...context, recordType: task, known: new Map([...context.known, [name, next]]) };
  return planCreate(own, { resource, warnings: [] }, await newPlace(own, resource));
};
