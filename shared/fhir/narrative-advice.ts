import type { Resource } from './resource.ts';
import type { ValidationIssue } from './validation-issue.ts';

/** Resources that are no DomainResource, and so have no narrative. https://hl7.org/fhir/R4/resource.html */
const withoutNarrative = new Set(['Binary', 'Bundle', 'Parameters']);

/**
 * R4's best practice that a resource has a narrative. Most records of applications have none, so it is told by `$validate`, and not beside
 * every record. https://hl7.org/fhir/R4/domainresource.html#invs
 */
export const narrativeAdvice = ({ resourceType, text }: Resource): ValidationIssue[] =>
  withoutNarrative.has(resourceType) || text !== undefined
    ? []
    : [
        {
          severity: 'warning',
          code: 'invariant',
          expression: resourceType,
          message: 'dom-6: A resource should have narrative for robust management',
        },
      ];
