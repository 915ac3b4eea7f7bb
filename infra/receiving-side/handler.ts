import type { SQSHandler } from 'aws-lambda';
import * as z from 'zod/mini';
import { documentClient } from '../../shared/store/document-client.ts';
import { concordReader } from './concord-reader.ts';
import { copiesIn } from './copies.ts';
import { type ReceivingSide, receiveChanges } from './receive-changes.ts';

const credentials = z.object({ clientId: z.string(), clientSecret: z.string() });

/** AWS's extension for secrets, which a layer brings into the function. https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html */
const secretNamed = async (arn: string): Promise<z.infer<typeof credentials>> => {
  const response = await fetch(`http://localhost:2773/secretsmanager/get?secretId=${encodeURIComponent(arn)}`, {
    headers: { 'X-Aws-Parameters-Secrets-Token': process.env.AWS_SESSION_TOKEN ?? '' },
  });
  if (!response.ok) throw new Error(`The secret was not given: ${response.status}`);
  const { SecretString } = z.object({ SecretString: z.string() }).parse(await response.json());
  return credentials.parse(JSON.parse(SecretString));
};

const variable = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`Missing in the environment: ${name}`);
  return value;
};

const madeFrom = (): ReceivingSide => ({
  organization: variable('ORGANIZATION'),
  concord: concordReader({
    baseUrl: variable('CONCORD_URL'),
    tokenUrl: variable('TOKEN_URL'),
    credentials: () => secretNamed(variable('CREDENTIALS_ARN')),
  }),
  copies: copiesIn(documentClient(), variable('TABLE_NAME')),
  // Messages of errors may quote what was given, so a log has their names alone.
  onFault: (what, fault) => console.error(JSON.stringify({ what, fault: fault instanceof Error ? fault.name : '' })),
});

let made: ReceivingSide | undefined;

/** Queue of notices → copies of records. */
export const handler: SQSHandler = async (event) => {
  made ??= madeFrom();
  return receiveChanges(made, event);
};
