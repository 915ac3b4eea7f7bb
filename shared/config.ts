import * as z from 'zod/mini';
import { type Policy, usualPolicy } from './access/policy.ts';

const environment = z.object({
  /** The DynamoDB table. */
  TABLE_NAME: z.string().check(z.minLength(1)),
  /** The S3 bucket for bodies that are too large for a row. */
  BUCKET_NAME: z.string().check(z.minLength(1)),
  /** The Cognito pool that issues access tokens, and the clients that may use them, separated by commas. */
  USER_POOL_ID: z.string().check(z.minLength(1)),
  USER_POOL_CLIENT_IDS: z.string().check(z.minLength(1)),
  /** The pool's public keys as JSON, where they are known when the function is deployed; else they are fetched once. */
  USER_POOL_JWKS: z.optional(z.string()),
  /** What the network has agreed on, as JSON; see `Policy`. What it does not name is as usual. */
  POLICY: z.optional(z.string()),
});

export interface Config {
  readonly tableName: string;
  readonly bucketName: string;
  readonly userPoolId: string;
  readonly clientIds: readonly string[];
  readonly jwks: string | undefined;
  readonly policy: Policy;
}

/**
 * What a function is told by its environment.
 *
 * @throws Error naming the variables that are missing, so that a wrong deployment fails at its first request, in the log.
 */
export const configFrom = (env: Readonly<Record<string, string | undefined>>): Config => {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    throw new Error(`Missing in the environment: ${parsed.error.issues.map(({ path }) => path.join('.')).join(', ')}`);
  }
  const { TABLE_NAME, BUCKET_NAME, USER_POOL_ID, USER_POOL_CLIENT_IDS, USER_POOL_JWKS, POLICY = '{}' } = parsed.data;
  return {
    tableName: TABLE_NAME,
    bucketName: BUCKET_NAME,
    userPoolId: USER_POOL_ID,
    clientIds: USER_POOL_CLIENT_IDS.split(','),
    jwks: USER_POOL_JWKS,
    policy: { ...usualPolicy, ...(JSON.parse(POLICY) as Partial<Policy>) },
  };
};
