import { shown } from './answers.ts';
import type { Interaction } from './context.ts';
import { locate } from './locate.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from './require-access.ts';
import { versionOf } from './version-of.ts';

/** FHIR vread, `GET /{type}/{id}/_history/{version}`. One DynamoDB call. https://hl7.org/fhir/R4/http.html#vread */
export const readVersion: Interaction = async (context, { id, version }) => {
  requireTypeAccess(context, 'r');
  const { recordType, audit } = context;
  const address = await locate(context, recordType.name, id);
  if (!address || !/^[1-9]\d{0,9}$/.test(version)) throw notFound(context);
  const record = await audit.traced(
    { interaction: 'vread', chart: address.chart, what: [`${recordType.name}/${id}/_history/${version}`] },
    () => versionOf(context, address, Number(version), (record) => mayAccess(context, 'r', record)),
    (found) => requireReadable(context, found),
  );
  return shown(context, requireReadable(context, record));
};
