import { createHmac } from 'node:crypto';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { cognitoAuthorizer } from '../../infra/local/cognito-authorizer.ts';
import { openUserPools, type UserPools } from '../../infra/local/user-pools.ts';
import { gatewayScope } from '../../shared/access/offered-scopes.ts';
import { withStaffClaims } from '../../shared/access/token-claims.ts';
import { tokenLifetimeSeconds } from '../../shared/access/token-lifetime.ts';
import { accessTokenVerifier } from '../../shared/http/verify-access-token.ts';
import { nothingDenied } from '../support/callers.ts';
import { echoEvent, gatewayFor } from '../support/local-gateway.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';

const openPool = (now?: () => number): Promise<UserPools> =>
  openUserPools({ folder: path.join(removedAfterTest(), 'users'), region: 'us-east-1', ...(now ? { now } : {}) });

const guarded = async (pool: UserPools) => {
  const authorize = cognitoAuthorizer({ jwks: pool.jwks, scope: gatewayScope });
  const routes = [{ path: '/fhir/{proxy+}', entry: 'functions/fixture.ts', open: false }];
  const base = await gatewayFor(echoEvent, { authorize, routes });
  return (authorization?: string, method = 'GET') =>
    fetch(`${base}/fhir/Patient`, { method, headers: authorization === undefined ? {} : { authorization } });
};

const edited = (token: string, part: 0 | 1, change: (content: Record<string, unknown>) => void) => {
  const parts = token.split('.');
  const content = JSON.parse(Buffer.from(parts[part] ?? '', 'base64url').toString()) as Record<string, unknown>;
  change(content);
  parts[part] = Buffer.from(JSON.stringify(content)).toString('base64url');
  return parts.join('.');
};

const badTokens: [string, (pool: UserPools) => Promise<string> | string][] = [
  ['none at all', () => ''],
  ['one that is no token', () => 'letmein'],
  ['an ID token', async (pool) => (await pool.signIn('nurse@northside.example', 'concord')).idToken],
  [
    'one with other claims than were signed',
    async (pool) =>
      edited(
        (await pool.signIn('nurse@northside.example', 'concord')).accessToken,
        1,
        (claims) => (claims.roles = ['physician']),
      ),
  ],
  [
    'one with a key that the pool does not have',
    async (pool) =>
      edited(
        (await pool.signIn('nurse@northside.example', 'concord')).accessToken,
        0,
        (header) => (header.kid = 'other'),
      ),
  ],
  [
    'one that says it is not signed',
    async (pool) => {
      const token = edited(
        (await pool.signIn('nurse@northside.example', 'concord')).accessToken,
        0,
        (header) => (header.alg = 'none'),
      );
      return `${token.split('.').slice(0, 2).join('.')}.`;
    },
  ],
  [
    'one signed with the public key as a shared secret',
    async (pool) => {
      const token = edited(
        (await pool.signIn('nurse@northside.example', 'concord')).accessToken,
        0,
        (header) => (header.alg = 'HS256'),
      );
      const signed = token.split('.').slice(0, 2).join('.');
      return `${signed}.${createHmac('sha256', pool.jwks[pool.staff.id]?.keys[0]?.n ?? '')
        .update(signed)
        .digest('base64url')}`;
    },
  ],
];

describe('the authorizer of the local gateway', () => {
  it('lets a valid token through and tells the function its claims as text', async () => {
    const pool = await openPool();
    const ask = await guarded(pool);
    const { accessToken } = await pool.signIn('physician@northside.example', 'concord');

    const response = await ask(`Bearer ${accessToken}`);

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      requestContext: {
        authorizer: {
          claims: {
            organization: 'northside',
            roles: 'physician',
            'cognito:groups': 'physician',
            fhirUser: 'Practitioner/northside-physician',
            scope: 'user/*.cruds concord/api',
            exp: expect.stringMatching(/^\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}$/),
          },
        },
      },
    });
  });

  it.each(badTokens)('refuses %s with 401, an outcome and WWW-Authenticate', async (_, tokenFrom) => {
    const pool = await openPool();
    const ask = await guarded(pool);

    const response = await ask(`Bearer ${await tokenFrom(pool)}`);

    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(await response.json()).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'login' }] });
  });

  it('refuses a token that has expired, and one of another pool', async () => {
    const early = await openPool(() => Date.now() - (tokenLifetimeSeconds + 1) * 1_000);
    const other = await openPool();
    const ask = await guarded(early);

    const expired = await ask(`Bearer ${(await early.signIn('nurse@northside.example', 'concord')).accessToken}`);
    const foreign = await ask(`Bearer ${(await other.signIn('nurse@northside.example', 'concord')).accessToken}`);

    expect([expired.status, foreign.status]).toEqual([401, 401]);
  });

  it('refuses a token that has not passed the trigger, which adds the scope that the gateway asks for', async () => {
    const pool = await openUserPools({
      folder: path.join(removedAfterTest(), 'users'),
      region: 'us-east-1',
      addTokenClaims: {
        staff: async (event) => {
          const answered = withStaffClaims(event, {});
          const { accessTokenGeneration } = answered.response.claimsAndScopeOverrideDetails;
          Object.assign(accessTokenGeneration ?? {}, { scopesToAdd: [] });
          return answered;
        },
        patients: async (event) => event,
      },
    });
    const ask = await guarded(pool);

    const response = await ask(`Bearer ${(await pool.signIn('nurse@northside.example', 'concord')).accessToken}`);

    expect(response.status).toBe(401);
  });

  it('lets a browser ask with OPTIONS, without a token', async () => {
    const ask = await guarded(await openPool());

    const response = await ask(undefined, 'OPTIONS');

    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-methods')).toContain('PATCH');
    for (const name of ['Authorization', 'Content-Type', 'If-Match', 'If-None-Exist', 'Prefer', 'Idempotency-Key'])
      expect(response.headers.get('access-control-allow-headers')?.split(', ')).toContain(name);
  });

  it('lets a browser read why it was refused', async () => {
    const ask = await guarded(await openPool());

    const response = await ask(undefined);

    expect(response.status).toBe(401);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
  });
});

describe('a token of the local user pool, at the check that the functions make', () => {
  const check = (pool: UserPools) =>
    accessTokenVerifier(
      { pools: { staff: pool.staff.id, patients: pool.patients.id }, jwks: JSON.stringify(pool.jwks) },
      nothingDenied(),
    );

  it.each([
    [
      'physician@northside.example',
      { organization: 'northside', roles: ['physician'], fhirUser: 'Practitioner/northside-physician' },
    ],
    ['system@lakeside.example', { organization: 'lakeside', roles: ['system'], fhirUser: 'Device/lakeside-system' }],
  ])('makes %s a caller', async (username, expected) => {
    const pool = await openPool();

    const caller = await check(pool)(`Bearer ${await pool.accessToken(username, 'concord')}`);

    expect(caller).toMatchObject({ ...expected, name: username });
    expect(caller.scopes).toHaveLength(1);
  });

  it('is refused once it was changed', async () => {
    const pool = await openPool();
    const { accessToken } = await pool.signIn('nurse@northside.example', 'concord');
    const changed = edited(accessToken, 1, (claims) => (claims.organization = 'lakeside'));

    await expect(check(pool)(`Bearer ${changed}`)).rejects.toMatchObject({
      kind: 'unauthenticated',
      reason: 'token-invalid',
    });
  });

  it('is still good after the pool was opened anew from its folder', async () => {
    const folder = path.join(removedAfterTest(), 'users');
    const before = await openUserPools({ folder, region: 'us-east-1' });
    const { accessToken } = await before.signIn('nurse@northside.example', 'concord');

    const after = await openUserPools({ folder, region: 'us-east-1' });

    await expect(check(after)(`Bearer ${accessToken}`)).resolves.toMatchObject({ name: 'nurse@northside.example' });
  });
});
