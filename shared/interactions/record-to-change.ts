import type { Resource } from '../fhir/resource.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { lookAt } from './look-at.ts';
import { decisionOn, mayAccess, notFound, refusedWrite, requireReadable } from './require-access.ts';
import { requireVersion } from './update.ts';

export type ReadableRecord = StoredRecord & { readonly resource: Resource };

/**
 * The record, if the caller may change it, in the version that was asked for. The look at it leaves its trace.
 *
 * @param operation - its name, with `$`.
 * @throws RecordError `not-found`, `forbidden`, `deleted`, `version-conflict`.
 */
export const recordToChange = async (
  context: RequestContext,
  id: string,
  operation: string,
): Promise<ReadableRecord> => {
  const { name } = context.recordType;
  const address = await locate(context, name, id);
  if (!address) throw notFound(context);
  const look = {
    interaction: 'operation',
    what: [`${name}/${id}`],
    query: `${name}/${id}/${operation}`,
    may: (last: StoredRecord) => mayAccess(context, 'r', last),
  } as const;
  const changeable = (found: StoredRecord | undefined): ReadableRecord => {
    const decision = found && decisionOn(context, 'u', found);
    if (!found || !decision?.permit) throw refusedWrite(context, found, decision);
    const record = requireReadable(context, found) as ReadableRecord;
    requireVersion(context, record);
    return record;
  };
  return changeable(await lookAt(context, address, look, (found) => void changeable(found)));
};
