import { RecordError } from '../errors.ts';
import { checkInvariants } from '../fhir/check-invariants.ts';
import type { Resource } from '../fhir/resource.ts';
import { validateStructure } from '../fhir/validate.ts';
import type { RecordType } from '../record-types/define-record-type.ts';

/**
 * Takes a body as a record of this type: its structure first, then the invariants, which may assume it.
 *
 * @throws RecordError `malformed` if it is no such resource at all; `invalid` with one detail for each rule that it breaks.
 */
export const parseBody = (recordType: RecordType, body: unknown): Resource => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RecordError('malformed', `The body must be a ${recordType.name} resource`, {
      expression: recordType.name,
    });
  }
  const type = (body as { resourceType?: unknown }).resourceType;
  if (type !== recordType.name) {
    throw new RecordError('invalid', `resourceType must be ${recordType.name} here`, { expression: 'resourceType' });
  }
  const structural = validateStructure(recordType.schema, body);
  const resource = body as Resource;
  const { schema, invariants } = recordType;
  const issues = structural.length > 0 ? structural : checkInvariants(schema, invariants, resource);
  const errors = issues.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    throw new RecordError('invalid', `The ${recordType.name} breaks ${errors.length} rule(s)`, {
      reason: 'validation',
      details: errors,
    });
  }
  return resource;
};
