import { logOfAsking } from '../audit/user-log.ts';
import { information } from '../fhir/operation-outcome.ts';
import { type Denial, deny, sessionName } from '../store/denylist.ts';
import type { Answer, RequestContext } from './context.ts';
import { readInput } from './operation-input.ts';

/**
 * `POST $sign-out`: the sign-in that the caller's token came of is good for nothing, renewed or not, in every process within a minute; with `everywhere`, all sign-ins of
 * the caller so far. For everybody who is signed in, and about nobody else.
 *
 * @throws RecordError `invalid`.
 */
export const signOut = async (context: Omit<RequestContext, 'recordType'>): Promise<Answer> => {
  const { asking, audit, store, now } = context;
  const { subject, fhirUser, sessions: [session] = [] } = asking.caller;
  const { everywhere } = readInput(context, { everywhere: { type: 'boolean' } });
  // A token that names no session is denied with all others: who signs out is never left signed in.
  const denial: Denial =
    everywhere || session === undefined
      ? { kind: 'subject', name: subject, before: now }
      : { kind: 'session', name: sessionName(fhirUser, session), before: now };
  await audit.record([{ interaction: 'sign-out', chart: logOfAsking(asking), what: [] }]);
  await deny(store, denial);
  const message = `${denial.kind === 'subject' ? 'All sign-ins so far open' : 'This sign-in opens'} nothing any more, within a minute`;
  return { statusCode: 200, resource: information('information', [{ message }]) };
};
