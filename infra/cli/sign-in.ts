import * as z from 'zod/mini';
import { localClientOf, poolOf } from '../local/users.ts';
import { CommandFailed } from './command.ts';
import type { RunningServer } from './running-server.ts';

const resultSchema = z.object({ AuthenticationResult: z.object({ AccessToken: z.string(), ExpiresIn: z.number() }) });
const errorSchema = z.object({ message: z.string() });
const tokenSchema = z.object({ access_token: z.string(), expires_in: z.number() });
const refusalSchema = z.object({ error: z.string(), error_description: z.optional(z.string()) });

/** An access token and the instant until which it is good, in milliseconds since 1970. */
export interface Token {
  readonly accessToken: string;
  readonly expiresAt: number;
}

type Pools = Pick<RunningServer, 'cognito' | 'clientId' | 'patientClientId'>;

/**
 * Signs in at the server's user pools: people with their password, applications by client credentials, with theirs for a secret.
 *
 * @throws CommandFailed with the pool's own words.
 */
export const signIn = async (pools: Pools, username: string, password: string): Promise<Token> => {
  const client = localClientOf(username);
  return client === undefined
    ? signInOfPerson(pools, username, password)
    : tokenOfApplication(pools, { name: username, client, secret: password });
};

/** https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html */
const tokenOfApplication = async (
  { cognito }: Pools,
  { name, client, secret }: { readonly name: string; readonly client: string; readonly secret: string },
): Promise<Token> => {
  const response = await fetch(`${cognito}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const body: unknown = await response.json();
  if (!response.ok) {
    const { data } = refusalSchema.safeParse(body);
    throw new CommandFailed(`${name} gets no token: ${data?.error_description ?? data?.error ?? response.status}`);
  }
  const { access_token, expires_in } = tokenSchema.parse(body);
  return { accessToken: access_token, expiresAt: Date.now() + expires_in * 1_000 };
};

/** https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html */
const signInOfPerson = async (
  { cognito, clientId, patientClientId }: Pools,
  username: string,
  password: string,
): Promise<Token> => {
  const response = await fetch(cognito, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSCognitoIdentityProviderService.InitiateAuth',
    },
    body: JSON.stringify({
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: poolOf(username) === 'staff' ? clientId : patientClientId,
      AuthParameters: { USERNAME: username, PASSWORD: password },
    }),
  });
  const body: unknown = await response.json();
  if (!response.ok) {
    const { data } = errorSchema.safeParse(body);
    throw new CommandFailed(`${username} cannot sign in: ${data?.message ?? `status ${response.status}`}`);
  }
  const { AccessToken, ExpiresIn } = resultSchema.parse(body).AuthenticationResult;
  return { accessToken: AccessToken, expiresAt: Date.now() + ExpiresIn * 1_000 };
};

/** How long before its end a token is renewed, in milliseconds: longer than any one request takes. */
const renewBeforeMs = 120_000;

/** Gives a token that is good for a while yet; `renew` asks for a new one in any case. */
export const tokenSource = (request: () => Promise<Token>, now: () => number = Date.now) => {
  let current: Token | undefined;
  return async ({ renew = false } = {}): Promise<string> => {
    if (renew || !current || current.expiresAt - renewBeforeMs < now()) current = await request();
    return current.accessToken;
  };
};
