import { randomUUID } from 'node:crypto';
import type { TokenEvent } from '../../shared/access/token-claims.ts';
import { tokenLifetimeSeconds } from '../../shared/access/token-lifetime.ts';
import { ServiceError } from './aws-services.ts';
import type { StoredUser } from './pool-content.ts';
import type { SigningKey } from './signing-key.ts';

// The events that a pool hands to its pre-token trigger, and the tokens that come of what the trigger answers.
// https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html

/** The pre-token trigger of a pool. */
export type AddTokenClaims = (event: TokenEvent) => Promise<TokenEvent>;

/** A pool, as far as its tokens name it. */
export interface TokenIssuer {
  readonly id: string;
  readonly region: string;
  readonly issuer: string;
  readonly key: SigningKey;
  readonly addTokenClaims: AddTokenClaims;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface UserTokens {
  readonly accessToken: string;
  readonly idToken: string;
}

/**
 * Tokens of a user who has proved who it is.
 *
 * @throws ServiceError `UserLambdaValidationException` where the trigger gives none.
 */
export const tokensOfUser = async (
  pool: TokenIssuer,
  [username, user]: readonly [string, StoredUser],
  clientId: string,
  scopes: readonly string[],
): Promise<UserTokens> => {
  const { sub, attributes, groups } = user;
  const event = {
    ...eventBasics(pool, clientId, username),
    triggerSource: 'TokenGeneration_Authentication',
    request: {
      userAttributes: { sub, ...attributes },
      groupConfiguration: { groupsToOverride: [...groups], iamRolesToOverride: [], preferredRole: undefined },
      scopes: [...scopes],
    },
  } as TokenEvent;
  const answer = await pool.addTokenClaims(event).catch(triggerFailed);
  const common = { ...commonClaims(pool, sub), origin_jti: randomUUID() };
  const named = groups.length === 0 ? {} : { 'cognito:groups': groups };
  return {
    accessToken: pool.key.signToken({
      ...accessClaims(common, clientId, scopes, answer),
      username,
      ...named,
      ...claimsIn(answer),
    }),
    idToken: pool.key.signToken({
      ...common,
      aud: clientId,
      token_use: 'id',
      email: attributes.email ?? username,
      email_verified: true,
      'cognito:username': username,
      ...named,
    }),
  };
};

/** An access token of an application that has proved which it is: nobody has signed in, so it names no user. Throws likewise. */
export const tokenOfApplication = async (
  pool: TokenIssuer,
  clientId: string,
  scopes: readonly string[],
): Promise<string> => {
  const event = {
    ...eventBasics(pool, clientId, clientId),
    triggerSource: 'TokenGeneration_ClientCredentials',
    request: { userAttributes: {}, groupConfiguration: {}, scopes: [...scopes] },
  } as unknown as TokenEvent;
  const answer = await pool.addTokenClaims(event).catch(triggerFailed);
  const common = { ...commonClaims(pool, clientId), version: 2 };
  return pool.key.signToken({ ...accessClaims(common, clientId, scopes, answer), ...claimsIn(answer) });
};

const eventBasics = ({ id, region }: TokenIssuer, clientId: string, userName: string) => ({
  version: '3',
  region,
  userPoolId: id,
  userName,
  callerContext: { awsSdkVersion: 'local', clientId },
  response: { claimsAndScopeOverrideDetails: {} },
});

const commonClaims = ({ issuer, now }: TokenIssuer, sub: string) => {
  const issuedAt = Math.floor(now() / 1_000);
  return {
    sub,
    iss: issuer,
    auth_time: issuedAt,
    iat: issuedAt,
    exp: issuedAt + tokenLifetimeSeconds,
    jti: randomUUID(),
  };
};

const accessClaims = (common: object, clientId: string, scopes: readonly string[], answer: TokenEvent) => {
  const { scopesToAdd = [], scopesToSuppress = [] } = generationIn(answer);
  const scope = [...scopes.filter((each) => !scopesToSuppress.includes(each)), ...scopesToAdd].join(' ');
  return { ...common, client_id: clientId, token_use: 'access', scope };
};

/** Claims that a trigger cannot change; it is as if it had said nothing of them. */
const fixed = [
  'sub',
  'iss',
  'auth_time',
  'iat',
  'exp',
  'jti',
  'origin_jti',
  'client_id',
  'token_use',
  'scope',
  'username',
];

const claimsIn = (answer: TokenEvent) =>
  Object.fromEntries(
    Object.entries(generationIn(answer).claimsToAddOrOverride ?? {}).filter(([name]) => !fixed.includes(name)),
  );

const generationIn = ({ response }: TokenEvent) => response.claimsAndScopeOverrideDetails.accessTokenGeneration ?? {};

/** As the pool says it. https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html */
const triggerFailed = (error: unknown): never => {
  const said = error instanceof Error ? error.message : 'Unknown';
  throw new ServiceError('UserLambdaValidationException', `PreTokenGeneration failed with error ${said}.`);
};
