import type { Context } from 'aws-lambda';
import { federationFrom } from '../shared/access/federation.ts';
import {
  isOfApplication,
  type TokenEvent,
  withApplicationClaims,
  withStaffClaims,
} from '../shared/access/token-claims.ts';
import { traceSignIn } from '../shared/audit/trace-sign-in.ts';
import { applicationThatSignsIn, staffWhoSignsIn } from '../shared/audit/who-signs-in.ts';
import { readApplication } from '../shared/store/applications.ts';
import { documentClient } from '../shared/store/document-client.ts';

// Made at the first event: a client looks for its configuration as soon as it is made.
let client: ReturnType<typeof documentClient> | undefined;

/**
 * Pre-token trigger of the pool of staff: adds to an access token who its bearer is to Concord, a member of staff or an application of an organisation, and writes the
 * sign-in into the log before there is a token.
 *
 * @throws Error naming what is missing, which Cognito shows to who signs in; whatever kept the trace from being written.
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
 */
export const handler = async (
  event: TokenEvent,
  { awsRequestId }: Pick<Context, 'awsRequestId'>,
): Promise<TokenEvent> => {
  const { TABLE_NAME: tableName, FEDERATION } = process.env;
  if (!tableName) throw new Error('Missing in the environment: TABLE_NAME');
  client ??= documentClient();
  const table = { client, tableName };
  const moment = { now: Date.now(), request: awsRequestId };
  if (isOfApplication(event)) {
    const application = await readApplication(table, event.callerContext.clientId);
    const claims = (asked: TokenEvent) => withApplicationClaims(asked, application);
    return traceSignIn(table, event, moment, { who: applicationThatSignsIn(application), claims });
  }
  const federation = federationFrom(FEDERATION);
  const claims = (asked: TokenEvent) => withStaffClaims(asked, federation);
  return traceSignIn(table, event, moment, { who: staffWhoSignsIn(event, federation), claims });
};
