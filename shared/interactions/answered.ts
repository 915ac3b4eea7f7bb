import type { Resource } from '../fhir/resource.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import { mayBeInterpreted } from '../laboratory/may-be-interpreted.ts';
import type { RequestContext } from './context.ts';

/** What is to be written, and what its writer should know of it. */
export interface Answered {
  readonly resource: Resource;
  readonly notices: readonly ValidationIssue[];
}

/**
 * Answers to a questionnaire that is known here, checked against it and with their scores; answers to a message, with the thread to which they belong; what goes to a
 * patient by some medium, held to the way that the patient has asked for; a measured value, with what its laboratory's range says of it. Whatever else is written comes back as it is.
 *
 * @param chart - of the patient whose answers they are.
 * @param before - the version so far.
 * @throws RecordError `business-rule` naming each answer that does not fit.
 */
export const answered = async (
  context: RequestContext,
  chart: string,
  resource: Resource,
  before?: Resource,
): Promise<Answered> => {
  const { resourceType } = resource;
  if (resourceType === 'QuestionnaireResponse' && resource['status'] !== 'entered-in-error')
    return (await import('./answered.lazy.ts')).checked(context, chart, resource);
  if (resourceType.startsWith('Communication') && (resource['inResponseTo'] || resource['medium']))
    return (await import('./message-written.lazy.ts')).messageWritten(context, chart, resource, before);
  if (resourceType === 'Observation' && mayBeInterpreted(resource))
    return (await import('./results/interpreted.lazy.ts')).interpreted(context, chart, resource);
  return { resource, notices: [] };
};
