import type { StoredRecord } from '../store/rows.ts';
import { shown } from './answers.ts';
import type { Interaction } from './context.ts';
import { locate } from './locate.ts';
import { lookAt } from './look-at.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from './require-access.ts';

/**
 * FHIR read, `GET /{type}/{id}`. One DynamoDB call, and the trace beside it; one more for what the caller's organisation does not keep. https://hl7.org/fhir/R4/http.html#read
 */
export const readRecord: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'r');
  const { recordType } = context;
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  const may = (last: StoredRecord) => mayAccess(context, 'r', last);
  const look = { interaction: 'read', what: [`${recordType.name}/${id}`], may } as const;
  const record = await lookAt(context, address, look, (found) => requireReadable(context, found));
  return shown(context, requireReadable(context, record));
};
