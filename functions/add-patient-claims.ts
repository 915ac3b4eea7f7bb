import type { Context } from 'aws-lambda';
import { type TokenEvent, withPatientClaims } from '../shared/access/token-claims.ts';
import { traceSignIn } from '../shared/audit/trace-sign-in.ts';
import { patientWhoSignsIn } from '../shared/audit/who-signs-in.ts';
import { documentClient } from '../shared/store/document-client.ts';

// Made at the first event: a client looks for its configuration as soon as it is made.
let client: ReturnType<typeof documentClient> | undefined;

/**
 * Pre-token trigger of the pool of patients: adds to an access token whose chart its bearer sees, and writes the sign-in into the log before there is a token.
 *
 * @throws Error naming what is missing, which Cognito shows to who signs in; whatever kept the trace from being written.
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
 */
export const handler = async (
  event: TokenEvent,
  { awsRequestId }: Pick<Context, 'awsRequestId'>,
): Promise<TokenEvent> => {
  const { TABLE_NAME: tableName } = process.env;
  if (!tableName) throw new Error('Missing in the environment: TABLE_NAME');
  client ??= documentClient();
  const asking = { who: patientWhoSignsIn(event), claims: withPatientClaims };
  return traceSignIn({ client, tableName }, event, { now: Date.now(), request: awsRequestId }, asking);
};
