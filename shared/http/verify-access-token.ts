import { CognitoJwtVerifier } from 'aws-jwt-verify';
import { JwtBaseError, JwtExpiredError } from 'aws-jwt-verify/error';
import type { Caller } from '../access/caller.ts';
import { callerFrom } from '../access/caller.ts';
import type { Config } from '../config.ts';
import { RecordError } from '../errors.ts';

/**
 * Makes the check of access tokens: signature, issuer, client, use and expiry, by the production verifier. Where the pool's keys are given
 * they are the only ones; else they are fetched once, and again when a token names a new one.
 *
 * @returns a function from the Authorization header to the caller; it throws RecordError `unauthenticated`, and anything else only
 *   if the pool's keys cannot be fetched.
 */
export const accessTokenVerifier = ({
  userPoolId,
  clientIds,
  jwks,
}: Config): ((header: string | undefined) => Promise<Caller>) => {
  const verifier = CognitoJwtVerifier.create({ userPoolId, tokenUse: 'access', clientId: [...clientIds] });
  if (jwks !== undefined) verifier.cacheJwks(JSON.parse(jwks) as Parameters<typeof verifier.cacheJwks>[0]);
  return async (header) => {
    const token = /^Bearer\s+(\S+)$/i.exec(header ?? '')?.[1];
    if (token === undefined) throw refused('Send an access token as "Authorization: Bearer …"', 'token-missing');
    try {
      return callerFrom(jwks === undefined ? await verifier.verify(token) : verifier.verifySync(token));
    } catch (error) {
      if (error instanceof JwtExpiredError) throw refused('The access token has expired', 'token-expired');
      if (error instanceof JwtBaseError) throw refused('The access token is not valid here', 'token-invalid');
      throw error;
    }
  };
};

const refused = (message: string, reason: string) =>
  new RecordError('unauthenticated', message, { reason, expression: 'Authorization' });
