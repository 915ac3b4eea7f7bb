import { CognitoJwtVerifier } from 'aws-jwt-verify';

/** What the gateway hands to a function about a checked token: all values as text. */
export type AuthorizerClaims = Readonly<Record<string, string>>;

/** Checks the value of an Authorization header. Undefined if the caller must be refused. */
export type Authorize = (authorization: string | undefined) => AuthorizerClaims | undefined;

export interface AuthorizerOptions {
  /** Public keys of the pools whose tokens are taken, by the id of the pool. */
  readonly jwks: Readonly<Record<string, { readonly keys: readonly object[] }>>;
  /** A token needs this one. */
  readonly scope: string;
}

/**
 * API Gateway's Cognito authorizer for access tokens of several pools, by the verifier that the functions use. It never asks the network.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enable-cognito-user-pool.html
 */
export const cognitoAuthorizer = ({ jwks, scope }: AuthorizerOptions): Authorize => {
  const verifier = CognitoJwtVerifier.create(
    Object.keys(jwks).map((userPoolId) => ({
      userPoolId,
      clientId: null,
      tokenUse: 'access' as const,
      scope,
    })),
  );
  for (const [pool, keys] of Object.entries(jwks))
    verifier.cacheJwks(keys as Parameters<typeof verifier.cacheJwks>[0], pool);
  return (authorization) => {
    const token = (authorization ?? '').replace(/^Bearer +/i, '');
    try {
      const claims: Readonly<Record<string, unknown>> = verifier.verifySync(token);
      return Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, claimText(name, value)]));
    } catch {
      return undefined;
    }
  };
};

/** The gateway writes lists with commas and these two times as dates. */
const claimText = (name: string, value: unknown): string => {
  if (Array.isArray(value)) return value.join(',');
  if ((name === 'exp' || name === 'iat') && typeof value === 'number') return javaDate(new Date(value * 1_000));
  return String(value);
};

/** Such as `Tue Nov 24 02:06:11 UTC 2026`. */
const javaDate = (date: Date) => {
  const [weekday, day, month, year, time] = date.toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day} ${time} UTC ${year}`;
};
