import * as z from 'zod/mini';
import { CommandFailed } from './command.ts';
import type { RunningServer } from './running-server.ts';

const resultSchema = z.object({ AuthenticationResult: z.object({ AccessToken: z.string(), ExpiresIn: z.number() }) });
const errorSchema = z.object({ message: z.string() });

/** An access token and the instant until which it is good, in milliseconds since 1970. */
export interface Token {
  readonly accessToken: string;
  readonly expiresAt: number;
}

/**
 * Signs in at the server's user pool with a password.
 *
 * @throws CommandFailed with the pool's own words.
 * @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html
 */
export const signIn = async (
  { cognito, clientId }: Pick<RunningServer, 'cognito' | 'clientId'>,
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
      ClientId: clientId,
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
