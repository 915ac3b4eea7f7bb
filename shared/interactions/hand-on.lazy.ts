import { isAdministrative, isForSupport } from '../access/support.ts';
import { information } from '../fhir/operation-outcome.ts';
import type { Resource } from '../fhir/resource.ts';
import { poolOf } from '../work/message-pools.ts';
import { messageTasks } from '../work/message-tasks.ts';
import { nurses } from '../work/pools.ts';
import { answerTo } from './answers.ts';
import type { Answer, RequestContext } from './context.ts';
import { forNurses } from './for-nurses.ts';
import type { PlannedWrite } from './plan-write.ts';

/**
 * What comes of something that support staff write: what is administrative, or a task of their own, is written as it is. Anything else may be clinical and
 * goes to the nurses of the organisation: a message with a Task that names it, a task as theirs. Support cannot read it back.
 */
export const handedOn = async (
  context: RequestContext,
  plan: PlannedWrite,
): Promise<{ readonly plans: readonly PlannedWrite[]; readonly answer: Answer }> => {
  const { resource } = plan.next;
  const answer = answerTo(context, plan);
  const kept =
    resource?.resourceType === 'Task'
      ? isOwnTask(context, resource)
      : isForSupport('Communication', resource, context.asking.caller.fhirUser);
  if (!resource || kept) return { plans: [plan], answer };
  const handed = (to: string) => ({
    ...answer,
    resource: information('information', [{ message: `Handed on to the ${to}` }]),
  });
  if (resource.resourceType === 'Task') {
    const { owner: _theirs, ...rest } = resource as unknown as fhir4.Task;
    const theirs = { ...rest, performerType: [nurses] } as unknown as Resource;
    return { plans: [{ ...plan, next: { ...plan.next, resource: theirs } }], answer: handed('nurses') };
  }
  // What a patient has told them comes with a task of its own.
  if (opensTask(context, plan)) {
    const toDesk = poolOf(resource as unknown as fhir4.Communication) === 'frontdesk';
    return { plans: [plan], answer: handed(toDesk ? 'front desk' : 'nurses') };
  }
  return { plans: [plan, await forNurses(context, plan)], answer: handed('nurses') };
};

const isOwnTask = ({ asking }: RequestContext, resource: Resource): boolean => {
  const { owner, code } = resource as unknown as fhir4.Task;
  return owner?.reference === asking.caller.fhirUser || (code !== undefined && isAdministrative(code));
};

const opensTask = ({ now, policy, request }: RequestContext, { next }: PlannedWrite): boolean => {
  const { type, id, custodian, resource } = next;
  const { baseUrl } = request;
  const change = { name: `${type}/${id}`, before: undefined, next: resource, custodian, now, policy, baseUrl };
  return messageTasks(change).some((raised) => 'opens' in raised);
};
