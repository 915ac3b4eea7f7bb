import { shown } from './answers.ts';
import type { Interaction } from './context.ts';
import { locate } from './locate.ts';
import { notFound, requireReadable, requireTypeAccess } from './require-access.ts';

/**
 * FHIR read, `GET /{type}/{id}`. One DynamoDB call, and the trace beside it; one more for what the caller's organisation does not keep. https://hl7.org/fhir/R4/http.html#read
 */
export const readRecord: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'r');
  const { recordType, audit } = context;
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  const record = await audit.traced(
    { interaction: 'read', chart: address.chart, what: [`${recordType.name}/${id}`] },
    () => context.sharing.read(address),
    (found) => requireReadable(context, found),
  );
  return shown(context, requireReadable(context, record));
};
