import * as z from 'zod/mini';
import { type Policy, usualPolicy } from './access/policy.ts';

const environment = z.object({
  /** The DynamoDB table. */
  TABLE_NAME: z.string().check(z.minLength(1)),
  /** The S3 bucket for bodies that are too large for a row. */
  BUCKET_NAME: z.string().check(z.minLength(1)),
  /** The S3 bucket of digests, which also holds what the table cannot take of the access log: shared/audit/held/. */
  DIGEST_BUCKET_NAME: z.string().check(z.minLength(1)),
  /** The Cognito pools that issue access tokens: to staff and applications, and to patients and who acts for them. */
  STAFF_POOL_ID: z.string().check(z.minLength(1)),
  PATIENT_POOL_ID: z.string().check(z.minLength(1)),
  /** Public keys by the id of their pool, as JSON, where they are known when the function is deployed; else they are fetched once. */
  USER_POOL_JWKS: z.optional(z.string()),
  /** What the network has agreed on, as JSON; see `Policy`. What it does not name is as usual. */
  POLICY: z.optional(z.string()),
});

/** Ids of the Cognito pools whose access tokens are taken. */
export interface UserPools {
  /** Of staff, and of applications of organisations. */
  readonly staff: string;
  /** Of patients, and who acts for them. */
  readonly patients: string;
}

export interface Config {
  readonly tableName: string;
  readonly bucketName: string;
  readonly pools: UserPools;
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
  const { TABLE_NAME, BUCKET_NAME, STAFF_POOL_ID, PATIENT_POOL_ID, USER_POOL_JWKS, POLICY = '{}' } = parsed.data;
  return {
    tableName: TABLE_NAME,
    bucketName: BUCKET_NAME,
    pools: { staff: STAFF_POOL_ID, patients: PATIENT_POOL_ID },
    jwks: USER_POOL_JWKS,
    policy: { ...usualPolicy, ...(JSON.parse(POLICY) as Partial<Policy>) },
  };
};
