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

/** What is known of who asks for a token, and what the token is to say. */
export interface Asking {
  /** Undefined where nobody knows: a client that no administrator has entered. */
  readonly who: SignsIn | undefined;
  /** Throws where there is to be no token. */
  readonly claims: (event: TokenEvent) => TokenEvent;
}

/**
 * Writes that somebody signs in, or was not let in for what is known of who it is, and only then gives the token's claims.
 *
 * @throws whatever `claims` throws; whatever kept the row from being written: no token without a trace.
 */
export const traceSignIn = async (
  table: Table,
  event: TokenEvent,
  { now, request }: Moment,
  { who, claims }: Asking,
): Promise<TokenEvent> => {
  if (event.triggerSource === renewing) return claims(event);
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
