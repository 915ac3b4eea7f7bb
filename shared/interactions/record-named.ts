import { RecordError } from '../errors.ts';
import { parseReference } from '../fhir/references.ts';
import type { RequestContext } from './context.ts';

/**
 * `Type/id` of what a parameter refers to.
 *
 * @throws RecordError `invalid`.
 */
export const named = (
  { request }: Pick<RequestContext, 'request'>,
  { reference = '' }: fhir4.Reference,
  parameter: string,
  type?: string,
): string => {
  const parsed = parseReference(reference, request.baseUrl);
  if (parsed.kind === 'record' && (type === undefined || parsed.type === type)) return `${parsed.type}/${parsed.id}`;
  throw new RecordError(
    'invalid',
    `This is a reference to a record of this server${type === undefined ? '' : `: ${type}`}`,
    {
      expression: parameter,
    },
  );
};
