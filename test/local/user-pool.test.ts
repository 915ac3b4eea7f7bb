import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startAwsServices } from '../../infra/local/aws-services.ts';
import { writeJsonFile } from '../../infra/local/json-file.ts';
import { openUserPools } from '../../infra/local/user-pools.ts';
import { localUsers } from '../../infra/local/users.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';

const openPool = async (folder = path.join(removedAfterTest(), 'users')) => {
  const pool = await openUserPools({ folder, region: 'us-east-1' });
  const services = await startAwsServices([pool.service], [pool.documents], [pool.forms]);
  onTestFinished(services.stop);
  const call = (operation: string, input: object) =>
    fetch(services.endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': `AWSCognitoIdentityProviderService.${operation}` },
      body: JSON.stringify(input),
    });
  const signIn = (changes: object = {}, parameters: object = {}) =>
    call('InitiateAuth', {
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: pool.staff.clientId,
      AuthParameters: { USERNAME: 'nurse@northside.example', PASSWORD: 'concord', ...parameters },
      ...changes,
    });
  return { pool, folder, endpoint: services.endpoint, call, signIn };
};

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

describe('sign-in at the local user pool', () => {
  it('gives an access token for one hour with the claims of the user', async () => {
    const { signIn, pool } = await openPool();

    const response = await signIn();

    expect(response.status).toBe(200);
    const { AuthenticationResult } = (await response.json()) as { AuthenticationResult: Record<string, string> };
    expect(AuthenticationResult).toMatchObject({ ExpiresIn: 3600, TokenType: 'Bearer' });
    const claims = claimsOf(AuthenticationResult.AccessToken ?? '');
    expect(claims).toMatchObject({
      iss: `https://cognito-idp.us-east-1.amazonaws.com/${pool.staff.id}`,
      client_id: pool.staff.clientId,
      token_use: 'access',
      scope: 'user/*.cruds concord/api',
      username: 'nurse@northside.example',
      'cognito:groups': ['nurse'],
      roles: ['nurse'],
      organization: 'northside',
      fhirUser: 'Practitioner/northside-nurse',
      sub: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(3600);
  });

  it('knows nine users at each organisation, all with the same password and a subject of their own', async () => {
    const { pool } = await openPool();

    const subjects = await Promise.all(
      localUsers.map(async ({ username }) => claimsOf(await pool.accessToken(username, 'concord')).sub),
    );

    expect(localUsers.filter(({ organization }) => organization === 'lakeside')).toHaveLength(9);
    expect(new Set(subjects).size).toBe(18);
  });

  it('lets the demo patient in once there is one, as a patient who belongs to no organisation, also after a restart', async () => {
    const { pool, folder } = await openPool();
    const before = pool.hasPatient();
    await expect(pool.signIn('patient@home.example', 'concord')).rejects.toThrow('Incorrect username or password.');

    await pool.addPatient('abc');
    const restarted = await openPool(folder);
    const { accessToken } = await restarted.pool.signIn('patient@home.example', 'concord');

    expect([before, restarted.pool.hasPatient()]).toEqual([false, true]);
    const claims = claimsOf(accessToken);
    expect(claims).toMatchObject({
      username: 'patient@home.example',
      roles: ['patient'],
      patient: 'abc',
      fhirUser: 'Patient/abc',
      scope:
        'patient/*.rs patient/Consent.cruds patient/Task.cruds patient/Communication.cruds patient/QuestionnaireResponse.cruds concord/api',
    });
    expect(claims).not.toHaveProperty('organization');
  });

  it('lets in who acts for a child, as somebody whose own record is another one, also after a restart', async () => {
    const { pool, folder } = await openPool();

    await pool.addProxy('abc', 'RelatedPerson/def');
    const restarted = await openPool(folder);
    const { accessToken } = await restarted.pool.signIn('parent@home.example', 'concord');

    expect(claimsOf(accessToken)).toMatchObject({
      username: 'parent@home.example',
      roles: ['patient'],
      patient: 'abc',
      fhirUser: 'RelatedPerson/def',
    });
    expect(restarted.pool.hasPatient()).toBe(false);
  });

  it('goes on with a folder of before patients had a pool of their own', async () => {
    const folder = path.join(removedAfterTest(), 'users');
    const earlier = { sub: 'x', password: 'x.x', enabled: true };
    writeJsonFile(path.join(folder, 'users.json'), {
      'nurse@northside.example': { ...earlier, enabled: false },
      'patient@home.example': { ...earlier, patient: 'abc' },
      'parent@home.example': { ...earlier, patient: 'def', person: 'RelatedPerson/p' },
    });

    const { pool } = await openPool(folder);

    await expect(pool.signIn('nurse@northside.example', 'concord')).rejects.toThrow('User is disabled.');
    const claims = ['patient', 'parent'].map(async (name) =>
      claimsOf((await pool.signIn(`${name}@home.example`, 'concord')).accessToken),
    );
    expect(await Promise.all(claims)).toMatchObject([
      { patient: 'abc', fhirUser: 'Patient/abc' },
      { patient: 'def', fhirUser: 'RelatedPerson/p' },
    ]);
  });

  it.each([
    ['a wrong password', {}, { PASSWORD: 'Concord' }, 'NotAuthorizedException', 'Incorrect username or password.'],
    [
      'an unknown user',
      {},
      { USERNAME: 'nobody@northside.example' },
      'NotAuthorizedException',
      'Incorrect username or password.',
    ],
    [
      'a name that every object has',
      {},
      { USERNAME: 'constructor' },
      'NotAuthorizedException',
      'Incorrect username or password.',
    ],
    ['no password', {}, { PASSWORD: '' }, 'InvalidParameterException', 'Missing required parameter PASSWORD'],
    [
      'an unknown client',
      { ClientId: 'other' },
      {},
      'ResourceNotFoundException',
      'User pool client other does not exist.',
    ],
    [
      'another flow',
      { AuthFlow: 'ADMIN_NO_SRP_AUTH' },
      {},
      'InvalidParameterException',
      expect.stringContaining('not enabled'),
    ],
  ])('refuses %s', async (_, changes, parameters, name, message) => {
    const { signIn } = await openPool();

    const response = await signIn(changes, parameters);

    expect(response.status).toBe(400);
    expect(response.headers.get('x-amzn-errortype')).toBe(name);
    expect(await response.json()).toEqual({ __type: name, message });
  });

  it('refuses a disabled user, also after a restart, until the user is enabled again', async () => {
    const { pool, folder } = await openPool();
    await pool.setEnabled('nurse@northside.example', false);

    const restarted = await openPool(folder);
    const refused = await restarted.signIn();
    await restarted.pool.setEnabled('nurse@northside.example', true);
    const accepted = await restarted.signIn();

    expect(await refused.json()).toEqual({ __type: 'NotAuthorizedException', message: 'User is disabled.' });
    expect(accepted.status).toBe(200);
  });

  it('tells of a user who is turned off, and of who is not let in', async () => {
    const told: Record<string, unknown>[] = [];
    const pool = await openUserPools({
      folder: path.join(removedAfterTest(), 'users'),
      region: 'us-east-1',
      now: () => 1_795_737_600_123,
      tell: async (event) => void told.push({ ...event }),
    });
    const { sub } = claimsOf((await pool.signIn('nurse@northside.example', 'concord')).accessToken);

    await pool.setEnabled('nurse@northside.example', false);
    await pool.setEnabled('nurse@northside.example', true);
    for (const name of ['nurse@northside.example', 'my-password'])
      await expect(pool.signIn(name, 'wrong')).rejects.toThrow('Incorrect');

    const [ended, ...failed] = told;
    expect(ended?.detail).toMatchObject({ eventName: 'AdminDisableUser', additionalEventData: { sub } });
    const lines = failed.map(({ awslogs }) =>
      gunzipSync(Buffer.from((awslogs as { data: string }).data, 'base64')).toString(),
    );
    expect(lines.map((line) => line.includes(String(sub)))).toEqual([true, false]);
    expect(lines.join()).not.toMatch(/my-password|wrong/);
  });

  it('serves its public key, and nothing of its private one', async () => {
    const { endpoint, pool } = await openPool();

    const response = await fetch(`${endpoint}/${pool.patients.id}/.well-known/jwks.json`);

    const { keys } = (await response.json()) as { keys: Record<string, string>[] };
    expect(keys.map((key) => Object.keys(key).sort())).toEqual([['alg', 'e', 'kid', 'kty', 'n', 'use']]);
  });

  it('refuses operations that it does not serve, and what is not JSON', async () => {
    const { call, endpoint } = await openPool();
    const headers = { 'x-amz-target': 'AWSCognitoIdentityProviderService.InitiateAuth' };

    const unknown = await call('GetUserPoolMfaConfig', {});
    const garbled = await fetch(endpoint, { method: 'POST', headers, body: '{' });

    expect(await unknown.json()).toMatchObject({ __type: 'UnknownOperationException' });
    expect(await garbled.json()).toMatchObject({ __type: 'SerializationException' });
  });
});
