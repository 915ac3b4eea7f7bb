import type { StoredRecord } from '../store/rows.ts';
import { shown } from './answers.ts';
import type { Interaction } from './context.ts';
import { locate } from './locate.ts';
import { lookAt } from './look-at.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from './require-access.ts';

/** FHIR vread, `GET /{type}/{id}/_history/{version}`. One DynamoDB call. https://hl7.org/fhir/R4/http.html#vread */
export const readVersion: Interaction = async (context, { id, version }) => {
  requireTypeAccess(context, 'r');
  const { recordType } = context;
  const address = await locate(context, recordType.name, id);
  if (!address || !/^[1-9]\d{0,9}$/.test(version)) throw notFound(context);
  const may = (last: StoredRecord) => mayAccess(context, 'r', last);
  const what = [`${recordType.name}/${id}/_history/${version}`];
  const look = { interaction: 'vread', what, version: Number(version), may } as const;
  const record = await lookAt(context, address, look, (found) => requireReadable(context, found));
  return shown(context, requireReadable(context, record));
};
