import { followUserPool } from '../shared/audit/user-pool-events.ts';
import { documentClient } from '../shared/store/document-client.ts';

// Made at the first event: a client looks for its configuration as soon as it is made.
let client: ReturnType<typeof documentClient> | undefined;

/** CloudTrail's events of the user pool → tokens that are denied, and sign-ins that failed in the access log. */
export const handler = async (event: unknown): Promise<void> => {
  const { TABLE_NAME: tableName, USER_POOL_ID: userPoolId, USER_POOL_CLIENT_IDS: clientIds } = process.env;
  if (!tableName || !userPoolId || !clientIds) throw new Error('The environment names no table, user pool or client');
  client ??= documentClient();
  await followUserPool({ client, tableName }, event, { userPoolId, clientIds: clientIds.split(',') }, Date.now());
};
