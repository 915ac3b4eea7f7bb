import { RecordError } from '../errors.ts';
import { checkInvariants } from '../fhir/check-invariants.ts';
import { withoutCustodian } from '../fhir/custodian.ts';
import type { Resource } from '../fhir/resource.ts';
import { validateStructure } from '../fhir/validate.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import type { RecordType } from '../record-types/define-record-type.ts';

/** A body that is a legal resource, and the rules of R4 that only warn and that it does not keep. */
export interface Parsed {
  readonly resource: Resource;
  readonly warnings: readonly ValidationIssue[];
}

/**
 * Takes a body as a record of this type: its structure first, then the invariants, which may assume it.
 *
 * @throws RecordError `malformed` if it is no such resource at all; `invalid` with one detail for each rule that it breaks.
 */
export const parseBody = (recordType: RecordType, body: unknown): Parsed => {
  const resource = ofType(recordType, body);
  const { schema, rules } = recordType;
  const structural = validateStructure(schema, resource);
  const issues = structural.length > 0 ? structural : checkInvariants(schema, rules, resource);
  const errors = issues.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    throw new RecordError('invalid', `The ${recordType.name} breaks ${errors.length} rule(s)`, {
      reason: 'validation',
      details: errors,
    });
  }
  return { resource: withoutCustodian(resource), warnings: issues };
};

/**
 * Takes a body for a resource of this type, whatever else may be wrong with it.
 *
 * @throws RecordError `malformed`, `invalid`.
 */
export const ofType = ({ name }: RecordType, body: unknown): Resource => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RecordError('malformed', `The body must be a ${name} resource`, { expression: name });
  }
  if ((body as { resourceType?: unknown }).resourceType !== name) {
    throw new RecordError('invalid', `resourceType must be ${name} here`, { expression: 'resourceType' });
  }
  return body as Resource;
};
