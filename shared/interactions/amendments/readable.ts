import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { mayAccess } from '../require-access.ts';

/**
 * The record of a chart that a parameter refers to.
 *
 * @param may - whether the caller may refer to it: whoever may read it, if absent.
 * @throws RecordError `invalid` if there is none, or the caller may not know of it, or it belongs to another chart.
 */
export const readableIn = async (
  context: RequestContext,
  chart: string,
  { reference = '' }: fhir4.Reference,
  expression: string,
  may: (record: StoredRecord) => boolean = (record) =>
    mayAccess({ ...context, recordType: factsOfType(record.type) }, 'r', record),
): Promise<StoredRecord & { readonly resource: Resource }> => {
  const parsed = parseReference(reference, context.request.baseUrl);
  const address = parsed.kind === 'record' ? await locate(context, parsed.type, parsed.id) : undefined;
  const record = address?.chart === chart ? await context.store.read(address) : undefined;
  if (record) await context.sharing.lookUp([record]);
  if (!record?.resource || !may(record)) {
    throw new RecordError('invalid', 'The reference names no record of this chart that you may refer to', {
      reason: 'reference-not-found',
      expression,
    });
  }
  return record as StoredRecord & { readonly resource: Resource };
};
