import type { Resource } from '../../fhir/resource.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { notFound, requireReadable, requireTypeAccess } from '../require-access.ts';

/** A record that the caller may read. */
export type Readable = StoredRecord & { readonly resource: Resource };

/**
 * The record that `$progress` is asked of, with its trace.
 *
 * @throws RecordError `forbidden`, `not-found`, `deleted`.
 */
export const readWhole = async (context: RequestContext, id: string): Promise<Readable> => {
  requireTypeAccess(context, 'r');
  const { audit, recordType, sharing } = context;
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  const name = `${recordType.name}/${id}`;
  const record = await audit.traced(
    { interaction: 'operation', chart: address.chart, what: [name], query: `${name}/$progress` },
    () => sharing.read(address),
    (found) => void requireReadable(context, found),
  );
  return requireReadable(context, record) as Readable;
};
