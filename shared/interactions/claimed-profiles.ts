import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import type { RequestContext } from './context.ts';

/**
 * Requires that a resource meets the profiles that it claims, as far as they bind: docs/profiles.md.
 *
 * @returns what its writer should know all the same: warnings, and checks that could not be made.
 * @throws RecordError `invalid` with one detail for each rule that it breaks.
 */
export const requireClaimedProfiles = async (
  { request }: Pick<RequestContext, 'request'>,
  resource: Resource,
): Promise<readonly ValidationIssue[]> => {
  if (!resource.meta?.profile?.length) return [];
  const { checkClaims } = await import('../profiles/check-claims.lazy.ts');
  const issues = await checkClaims(resource as fhir4.Resource, request.prefer);
  const errors = issues.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    throw new RecordError('invalid', `The ${resource.resourceType} does not meet a profile that it claims`, {
      reason: 'profile-not-met',
      details: errors,
    });
  }
  return issues;
};
