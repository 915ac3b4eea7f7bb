import * as z from 'zod/mini';
import { documentClient } from '../store/document-client.ts';
import { signedRequests } from '../store/signed-requests.ts';

/** What the secret of the canary holds, as JSON: an application of an organisation that has no other patients. */
export const canaryCredentials = z.strictObject({
  /** Of the pool of staff and applications, such as `https://….amazoncognito.com/oauth2/token`. */
  tokenUrl: z.url(),
  clientId: z.string().check(z.minLength(1)),
  clientSecret: z.string().check(z.minLength(1)),
  /** SMART scopes, separated by blanks. */
  scope: z.string().check(z.minLength(1)),
});

export type CanaryCredentials = z.infer<typeof canaryCredentials>;

const attemptMs = 5_000;
const answer = z.object({ SecretString: z.string() });

/**
 * Reads the secret.
 *
 * @throws Error whose message quotes nothing of it: if Secrets Manager refuses, or if nobody has filled it yet.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export const readCredentials = async (secretArn: string, region: string): Promise<CanaryCredentials> => {
  const client = documentClient();
  const send = signedRequests(client, 'secretsmanager');
  const { statusCode, bytes } = await send({
    method: 'POST',
    url: new URL(process.env.AWS_ENDPOINT_URL ?? `https://secretsmanager.${region}.amazonaws.com/`),
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'secretsmanager.GetSecretValue' },
    body: Buffer.from(JSON.stringify({ SecretId: secretArn })),
    timeoutMs: attemptMs,
  });
  if (statusCode !== 200) throw new Error(`Secrets Manager answered ${statusCode}`);
  return credentialsIn(answer.parse(JSON.parse(bytes.toString())).SecretString);
};

/** @throws Error if the text is not what the secret has to hold. */
export const credentialsIn = (text: string): CanaryCredentials => {
  const found = canaryCredentials.safeParse(jsonIn(text));
  if (found.success) return found.data;
  throw new Error('The secret of the canary has not been filled (docs/observability.md)');
};

const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

const tokenAnswer = z.object({ access_token: z.string() });

/**
 * Asks for an access token as an application.
 *
 * @throws Error with the status of the refusal.
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
 */
export const tokenFor = async ({ tokenUrl, clientId, clientSecret, scope }: CanaryCredentials): Promise<string> => {
  const response = await fetch(tokenUrl, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
    signal: AbortSignal.timeout(attemptMs),
  });
  if (!response.ok) throw new Error(`The token endpoint answered ${response.status}`);
  return tokenAnswer.parse(await response.json()).access_token;
};
