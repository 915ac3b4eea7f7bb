import path from 'node:path';
import { openSigningKey } from '../../infra/local/signing-key.ts';
import { usualPolicy } from '../../shared/access/policy.ts';
import type { Config } from '../../shared/config.ts';
import { Denylist } from '../../shared/http/denylist.ts';
import { scratchFolder } from './dynamodb.ts';

/** Who a test speaks as. */
export interface TestCaller {
  readonly role: string;
  readonly organization?: string;
  readonly patient?: string;
  readonly scope?: string;
  /** Claims to add, to replace, or to leave out where undefined. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Ids of the pools that `accessToken` signs for. */
export const pools = { staff: 'eu-central-1_ConcordTest', patients: 'eu-central-1_ConcordTestPatients' } as const;
export const clientId = 'concordtestclient';
const key = openSigningKey(path.join(scratchFolder(), 'signing-key.json'));

/** What the production verifier needs to know of these pools. */
export const testConfig = async (tableName: string): Promise<Config> => ({
  tableName,
  bucketName: 'bodies',
  pools,
  jwks: JSON.stringify(
    Object.fromEntries(await Promise.all(Object.values(pools).map(async (pool) => [pool, (await key).jwks]))),
  ),
  policy: usualPolicy,
});

/** A list that denies nothing. */
export const nothingDenied = (): Denylist => new Denylist(async () => [], Date.now);

/** Tokens by caller and the half hour of their issue: signing one takes a millisecond of a core, and the tests make tens of thousands of requests. */
const issued = new Map<string, Promise<string>>();
const halfHour = 30 * 60_000;

/** An access token as the pool would issue it: for the same caller the same one, as long as it is young. */
export const accessToken = (caller: TestCaller): Promise<string> => {
  const name = JSON.stringify([caller, Object.keys(caller.claims ?? {}), Math.floor(Date.now() / halfHour)]);
  const known = issued.get(name) ?? newToken(caller);
  issued.set(name, known);
  return known;
};

const newToken = async ({ role, organization = 'northside', patient, scope, claims }: TestCaller): Promise<string> => {
  const now = Math.floor(Date.now() / 1000);
  const level = role === 'patient' ? 'patient' : role === 'system' ? 'system' : 'user';
  const all = {
    sub: `sub-${role}-${organization}`,
    iss: `https://cognito-idp.eu-central-1.amazonaws.com/${role === 'patient' ? pools.patients : pools.staff}`,
    client_id: clientId,
    token_use: 'access',
    scope: scope ?? `${level}/*.cruds`,
    username: `${role}@${organization}.example`,
    roles: [role],
    ...(role === 'patient'
      ? { patient, fhirUser: `Patient/${patient}` }
      : { organization, fhirUser: `Practitioner/${organization}-${role}` }),
    auth_time: now,
    iat: now,
    exp: now + 3600,
    jti: `${role}-${now}`,
    ...claims,
  };
  return (await key).signToken(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));
};
