import type { Resource } from '../fhir/resource.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import type { RequestContext } from './context.ts';

/** What is to be written, and what its writer should know of it. */
export interface Answered {
  readonly resource: Resource;
  readonly notices: readonly ValidationIssue[];
}

/**
 * Answers to a questionnaire that is known here, checked against it and with their scores. Whatever else is written comes back as it is.
 *
 * @param chart - of the patient whose answers they are.
 * @throws RecordError `business-rule` naming each answer that does not fit.
 */
export const answered = async (
  context: Pick<RequestContext, 'asking' | 'known' | 'request' | 'store'>,
  chart: string,
  resource: Resource,
): Promise<Answered> =>
  resource.resourceType === 'QuestionnaireResponse' && resource['status'] !== 'entered-in-error'
    ? (await import('./answered.lazy.ts')).checked(context, chart, resource)
    : { resource, notices: [] };
