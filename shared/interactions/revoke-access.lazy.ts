import { RecordError } from '../errors.ts';
import { information } from '../fhir/operation-outcome.ts';
import { deny } from '../store/denylist.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Interaction, RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { lookAt } from './look-at.ts';
import { readInput } from './operation-input.ts';
import { decisionOn, mayAccess, notFound, refusedWrite, requireTypeAccess } from './require-access.ts';

/**
 * `POST Practitioner/{id}/$revoke-access`: all access tokens of the person that were issued so far are good for nothing, in every process within a
 * minute. Whether the person can sign in again is the user pool's business. For who may change the person's record: the organisation's administrators
 * and applications.
 *
 * @throws RecordError `forbidden`, `not-found`, `deleted`.
 */
export const revokeAccess: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'u');
  readInput(context, {});
  const { recordType, store, now } = context;
  const name = `${recordType.name}/${id}`;
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  const look = {
    interaction: 'operation',
    what: [name],
    query: `${name}/$revoke-access`,
    may: (last: StoredRecord) => mayAccess(context, 'r', last),
  } as const;
  await lookAt(context, address, look, (found) => requireChangeable(context, found));
  await deny(store, { kind: 'person', name, before: now });
  const message = 'What was issued so far opens nothing any more, within a minute';
  return { statusCode: 200, resource: information('information', [{ message }]) };
};

const requireChangeable = (context: RequestContext, record: StoredRecord | undefined): void => {
  const decision = record && decisionOn(context, 'u', record);
  if (!record || !decision?.permit) throw refusedWrite(context, record, decision);
  if (record.resource) return;
  throw new RecordError('deleted', `This ${record.type} was deleted`, { headers: { ETag: `W/"${record.version}"` } });
};
