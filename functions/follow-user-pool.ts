import { followUserPool } from '../shared/audit/user-pool-events.ts';
import { documentClient } from '../shared/store/document-client.ts';

// Made at the first event: a client looks for its configuration as soon as it is made.
let client: ReturnType<typeof documentClient> | undefined;

/** What CloudTrail and their own logs tell of the user pools → tokens that are denied, and sign-ins that failed in the access log. */
export const handler = async (event: unknown): Promise<void> => {
  const { TABLE_NAME: tableName, STAFF_POOL_ID: staff, PATIENT_POOL_ID: patients } = process.env;
  if (!tableName || !staff || !patients) throw new Error('The environment names no table or user pools');
  client ??= documentClient();
  await followUserPool({ client, tableName }, event, { staff, patients }, Date.now());
};
