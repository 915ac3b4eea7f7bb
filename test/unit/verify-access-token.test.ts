import { CognitoJwtVerifier } from 'aws-jwt-verify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { accessTokenVerifier } from '../../shared/http/verify-access-token.ts';
import { accessToken, nothingDenied, pools, testConfig } from '../support/callers.ts';

/** How often a signature has been looked at. */
let looked = 0;

beforeEach(() => {
  looked = 0;
  const create = CognitoJwtVerifier.create.bind(CognitoJwtVerifier);
  vi.spyOn(CognitoJwtVerifier, 'create').mockImplementation(((
    properties: Parameters<typeof CognitoJwtVerifier.create>[0],
  ) => {
    const verifier = create(properties);
    const verifySync = verifier.verifySync.bind(verifier);
    return Object.assign(verifier, {
      verifySync: (...args: Parameters<typeof verifySync>) => {
        looked += 1;
        return verifySync(...args);
      },
    });
  }) as typeof CognitoJwtVerifier.create);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const verifier = async () => {
  const verify = accessTokenVerifier(await testConfig('table'), nothingDenied());
  return (token: string) => verify(`Bearer ${token}`);
};

describe('the check of an access token', () => {
  it('looks at the signature of one token once', async () => {
    const verify = await verifier();
    const token = await accessToken({ role: 'nurse' });

    const callers = [await verify(token), await verify(token), await verify(token)];

    expect(callers.map(({ fhirUser }) => fhirUser)).toEqual(Array(3).fill('Practitioner/northside-nurse'));
    expect(looked).toBe(1);
  });

  it('refuses a token from the moment that it expires, however often it was accepted before', async () => {
    const verify = await verifier();
    const now = Date.now();
    const token = await accessToken({ role: 'nurse', claims: { exp: Math.floor(now / 1_000) + 60 } });
    vi.useFakeTimers({ toFake: ['Date'], now });
    await verify(token);
    await verify(token);

    vi.setSystemTime(now + 62_000);

    await expect(verify(token)).rejects.toMatchObject({ kind: 'unauthenticated', reason: 'token-expired' });
  });

  it('refuses a token that differs from an accepted one in its signature alone', async () => {
    const verify = await verifier();
    const token = await accessToken({ role: 'nurse' });
    await verify(token);
    const at = token.lastIndexOf('.') + 10;
    const forged = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;

    await expect(verify(forged)).rejects.toMatchObject({ kind: 'unauthenticated', reason: 'token-invalid' });
    await expect(verify(forged)).rejects.toMatchObject({ kind: 'unauthenticated', reason: 'token-invalid' });
  });

  it('takes patients from the pool of patients alone, and everybody else from the other one', async () => {
    const verify = await verifier();
    const of = (pool: string) => ({ claims: { iss: `https://cognito-idp.eu-central-1.amazonaws.com/${pool}` } });
    const patient = { role: 'patient', patient: 'abc' };

    await expect(verify(await accessToken(patient))).resolves.toMatchObject({ patient: 'abc' });
    for (const misplaced of [
      { role: 'nurse', ...of(pools.patients) },
      { role: 'system', ...of(pools.patients) },
      { ...patient, ...of(pools.staff) },
      { role: 'nurse', ...of('eu-central-1_Other') },
    ])
      await expect(verify(await accessToken(misplaced))).rejects.toMatchObject({ reason: 'token-invalid' });
  });

  it('takes any application of a pool, and calls one without a user by its own name', async () => {
    const verify = await verifier();
    const claims = { client_id: 'another', sub: 'another', username: undefined, application: 'Laboratory feed' };

    const caller = await verify(await accessToken({ role: 'system', claims }));

    expect(caller).toMatchObject({ client: 'another', subject: 'another', name: 'Laboratory feed' });
  });

  it('tells callers apart', async () => {
    const verify = await verifier();
    const tokens = await Promise.all(['nurse', 'lab', 'nurse'].map((role) => accessToken({ role })));

    const callers = await Promise.all(tokens.map(verify));

    expect(callers.map(({ roles }) => roles)).toEqual([['nurse'], ['lab'], ['nurse']]);
  });

  it('remembers nothing of a token whose claims were refused', async () => {
    const verify = await verifier();
    const token = await accessToken({ role: 'nurse', claims: { fhirUser: undefined } });

    for (const _ of [1, 2]) await expect(verify(token)).rejects.toMatchObject({ reason: 'token-claim' });

    expect(looked).toBe(2);
  });

  it('remembers a bounded number of tokens, and forgets the oldest first', async () => {
    const verify = await verifier();
    const tokens = await Promise.all(
      Array.from({ length: 1_001 }, (_, number) => accessToken({ role: 'nurse', claims: { jti: `token-${number}` } })),
    );
    for (const token of tokens) await verify(token);
    const before = looked;

    await verify(tokens.at(-1) ?? '');
    const afterNewest = looked;
    await verify(tokens[0] ?? '');

    expect([before, afterNewest, looked]).toEqual([1_001, 1_001, 1_002]);
  });
});
