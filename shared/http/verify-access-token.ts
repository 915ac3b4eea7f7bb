import { hash } from 'node:crypto';
import { CognitoJwtVerifier } from 'aws-jwt-verify';
import { JwtBaseError, JwtExpiredError } from 'aws-jwt-verify/error';
import type { Caller } from '../access/caller.ts';
import { callerFrom } from '../access/caller.ts';
import type { Config } from '../config.ts';
import { RecordError } from '../errors.ts';
import type { RefusalCode } from '../stable-codes.ts';
import type { Denylist } from './denylist.ts';

/** Tokens of which a process remembers that they were verified. Each takes half a KB. */
const mostRemembered = 1_000;

/** A caller whose token was verified. */
interface Verified {
  readonly caller: Caller;
  /** When its bearer signed in and when it expires, in milliseconds since 1970. */
  readonly signedIn: number;
  readonly expires: number;
}

/**
 * Tokens that this process has verified, by their hash: a client sends the same one for an hour, and its signature, which does not
 * change, takes more CPU than all the rest of a read's own work. Nothing is remembered beyond a token's own expiry, and nothing of a
 * token that was refused. Whether it is withdrawn before that, is asked at each request, outside of this.
 */
class VerifiedTokens {
  readonly #verified = new Map<string, Verified>();

  of(token: string): Verified | undefined {
    const key = keyOf(token);
    const known = this.#verified.get(key);
    if (known === undefined || known.expires > Date.now()) return known;
    this.#verified.delete(key);
    return undefined;
  }

  remember(token: string, verified: Verified): void {
    for (const oldest of this.#verified.keys()) {
      if (this.#verified.size < mostRemembered) break;
      this.#verified.delete(oldest);
    }
    this.#verified.set(keyOf(token), verified);
  }
}

/** The text of a token opens the door to whoever finds it, so it is not kept. */
const keyOf = (token: string) => hash('sha256', token, 'base64');

/**
 * Makes the check of access tokens: signature, issuer, client, use and expiry, by the production verifier. Where the pool's keys are given
 * they are the only ones; else they are fetched once, and again when a token names a new one.
 *
 * @param denylist - is asked at each request, of a token that is known as well.
 * @returns a function from the Authorization header to the caller; it throws RecordError `unauthenticated` or `unavailable`, and anything else
 *   only if the pool's keys cannot be fetched.
 */
export const accessTokenVerifier = (
  { userPoolId, clientIds, jwks }: Config,
  denylist: Denylist,
): ((header: string | undefined) => Promise<Caller>) => {
  const verifier = CognitoJwtVerifier.create({ userPoolId, tokenUse: 'access', clientId: [...clientIds] });
  if (jwks !== undefined) verifier.cacheJwks(JSON.parse(jwks) as Parameters<typeof verifier.cacheJwks>[0]);
  const verified = new VerifiedTokens();
  const verify = async (token: string): Promise<Verified> => {
    const known = verified.of(token);
    if (known) return known;
    try {
      const claims = jwks === undefined ? await verifier.verify(token) : verifier.verifySync(token);
      // A renewed token keeps the time of the sign-in. https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse
      const signedIn = Math.min(claims.auth_time ?? claims.iat, claims.iat) * 1_000;
      const found = { caller: callerFrom(claims), signedIn, expires: claims.exp * 1_000 };
      verified.remember(token, found);
      return found;
    } catch (error) {
      if (error instanceof JwtExpiredError) throw refused('The access token has expired', 'token-expired');
      if (error instanceof JwtBaseError) throw refused('The access token is not valid here', 'token-invalid');
      throw error;
    }
  };
  return async (header) => {
    const token = /^Bearer\s+(\S+)$/i.exec(header ?? '')?.[1];
    if (token === undefined) throw refused('Send an access token as "Authorization: Bearer …"', 'token-missing');
    const { caller, signedIn } = await verify(token);
    await denylist.refuseDenied(caller, signedIn);
    return caller;
  };
};

const refused = (message: string, reason: RefusalCode<'unauthenticated'>) =>
  new RecordError('unauthenticated', message, { reason, expression: 'Authorization' });
