import { roles } from '../access/caller.ts';
import type { TokenEvent } from '../access/token-claims.ts';
import type { Table } from '../store/write-rows.ts';
import { SignInLog, type SignsIn } from './sign-ins.ts';

/** A sign-in is not traced again where its token is renewed. */
const renewing = 'TokenGeneration_RefreshTokens';

/** When it is, in milliseconds since 1970, and the name of the request. */
interface Moment {
  readonly now: number;
  readonly request: string;
}

/**
 * Writes that somebody signs in, or was not let in for what the pool says of them, and only then gives the token's claims.
 *
 * @param claims - of the token; throws where the user gets none.
 * @throws whatever `claims` throws; whatever kept the row from being written: no token without a trace.
 */
export const traceSignIn = async (
  table: Table,
  event: TokenEvent,
  { now, request }: Moment,
  claims: (event: TokenEvent) => TokenEvent,
): Promise<TokenEvent> => {
  if (event.triggerSource === renewing) return claims(event);
  const who = signsIn(event);
  let withClaims: TokenEvent;
  try {
    withClaims = claims(event);
  } catch (refusal) {
    if (who) await (await SignInLog.open(table)).notLetIn(who, 'refused', now, request);
    throw refusal;
  }
  if (!who) throw new Error('Nothing says who signs in');
  await (await SignInLog.open(table)).signedIn(who, now, request);
  return withClaims;
};

/** Undefined for an application, which is no user of the pool. */
const signsIn = ({ userName, callerContext, request }: TokenEvent): SignsIn | undefined => {
  const { userAttributes, groupConfiguration } = request;
  const { sub, 'custom:organization': organization, 'custom:patient': patient } = userAttributes ?? {};
  if (sub === undefined) return undefined;
  const named = roles.filter((role) => groupConfiguration.groupsToOverride?.includes(role));
  const isPatient = named.includes('patient');
  return {
    subject: sub,
    name: userName,
    client: callerContext.clientId,
    fhirUser: userAttributes['custom:fhirUser'] ?? '',
    roles: named,
    ...(isPatient && patient !== undefined ? { patient } : {}),
    ...(!isPatient && organization !== undefined ? { organization } : {}),
  };
};
