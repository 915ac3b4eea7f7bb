import { isSession } from '../access/caller.ts';
import { RecordError } from '../errors.ts';
import { information } from '../fhir/operation-outcome.ts';
import { deny, sessionName } from '../store/denylist.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Interaction, RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { lookAt } from './look-at.ts';
import { readInput } from './operation-input.ts';
import { decisionOn, mayAccess, notFound, refusedWrite, requireTypeAccess } from './require-access.ts';

/**
 * `POST Practitioner/{id}/$revoke-access`: all sign-ins of the person so far are good for nothing, in every process within a minute; with `session`, the one
 * sign-in (`origin_jti`) or token (`jti`) of the person alone. Whether the person can sign in again is the user pool's business. For who may change the person's record: the organisation's administrators
 * and applications.
 *
 * @throws RecordError `forbidden`, `not-found`, `deleted`, `invalid` for a session that cannot be one.
 */
export const revokeAccess: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'u');
  const { session } = readInput(context, { session: { type: 'string' } });
  if (session !== undefined && !isSession(session))
    throw new RecordError('invalid', 'A session is named as `jti` or `origin_jti` of a token', {
      expression: 'session',
    });
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
  await deny(
    store,
    session === undefined
      ? { kind: 'person', name, before: now }
      : { kind: 'session', name: sessionName(name, session), before: now },
  );
  const message = `${session === undefined ? 'What was issued so far' : 'This session'} opens nothing any more, within a minute`;
  return { statusCode: 200, resource: information('information', [{ message }]) };
};

const requireChangeable = (context: RequestContext, record: StoredRecord | undefined): void => {
  const decision = record && decisionOn(context, 'u', record);
  if (!record || !decision?.permit) throw refusedWrite(context, record, decision);
  if (record.resource) return;
  throw new RecordError('deleted', `This ${record.type} was deleted`, { headers: { ETag: `W/"${record.version}"` } });
};
