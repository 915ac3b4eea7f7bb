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

type PublicKeys = Parameters<ReturnType<typeof CognitoJwtVerifier.create>['cacheJwks']>[0];

/** The text of a token opens the door to whoever finds it, so it is not kept. */
const keyOf = (token: string) => hash('sha256', token, 'base64');

/**
 * Makes the check of access tokens: signature, issuer, use and expiry, by the production verifier, and that patients come of the pool of patients and
 * nobody else does. Where the pools' keys are given they are the only ones; else they are fetched once, and again when a token names a new one.
 *
 * @param denylist - is asked at each request, of a token that is known as well.
 * @returns a function from the Authorization header to the caller; it throws RecordError `unauthenticated` or `unavailable`, and anything else
 *   only if the pool's keys cannot be fetched.
 */
export const accessTokenVerifier = (
  { pools, jwks }: Pick<Config, 'pools' | 'jwks'>,
  denylist: Denylist,
): ((header: string | undefined) => Promise<Caller>) => {
  // Any client of the pools: only an administrator adds one, and a list of them in each function would be out of date with the next one.
  const verifier = CognitoJwtVerifier.create(
    [pools.staff, pools.patients].map((userPoolId) => ({ userPoolId, tokenUse: 'access' as const, clientId: null })),
  );
  if (jwks !== undefined) {
    for (const [pool, keys] of Object.entries(JSON.parse(jwks) as Readonly<Record<string, PublicKeys>>))
      verifier.cacheJwks(keys, pool);
  }
  const verified = new VerifiedTokens();
  const verify = async (token: string): Promise<Verified> => {
    const known = verified.of(token);
    if (known) return known;
    try {
      const claims = jwks === undefined ? await verifier.verify(token) : verifier.verifySync(token);
      // A renewed token keeps the time of the sign-in. https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse
      const signedIn = Math.min(claims.auth_time ?? claims.iat, claims.iat) * 1_000;
      const caller = callerFrom(claims);
      // Whoever administers the pool of patients makes nobody staff by that, nor the other way round.
      if (claims.iss.endsWith(`/${pools.patients}`) !== (caller.patient !== undefined))
        throw refused('The access token is not valid here', 'token-invalid');
      const found = { caller, signedIn, expires: claims.exp * 1_000 };
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
