import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import type { RequestContext } from './context.ts';

/**
 * What stands against the claims of a resource, as far as they bind: docs/profiles.md.
 *
 * @param asked - a profile that it is to be checked against besides.
 */
export const judgeProfiles = async (
  { request }: Pick<RequestContext, 'request'>,
  resource: Resource,
  asked?: string,
): Promise<readonly ValidationIssue[]> => {
  if (!resource.meta?.profile?.length && asked === undefined) return [];
  const { checkClaims } = await import('../profiles/check-claims.lazy.ts');
  return checkClaims(resource as fhir4.Resource, request.prefer, asked);
};

/**
 * Requires that a resource meets the profiles that it claims.
 *
 * @returns what its writer should know all the same: warnings, and checks that could not be made.
 * @throws RecordError `invalid` with one detail for each rule that it breaks.
 */
export const requireClaimedProfiles = async (
  context: Pick<RequestContext, 'request'>,
  resource: Resource,
): Promise<readonly ValidationIssue[]> => {
  const issues = await judgeProfiles(context, resource);
  const errors = issues.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    throw new RecordError('invalid', `The ${resource.resourceType} does not meet a profile that it claims`, {
      reason: 'profile-not-met',
      details: errors,
    });
  }
  return issues;
};
