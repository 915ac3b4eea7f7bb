import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { trustedForMs } from '../../shared/http/denylist.ts';
import { deny, readDenials } from '../../shared/store/denylist.ts';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { admin, create, referenceTo, type Stored } from '../support/records.ts';

let server: FhirServer;
let person: Stored<fhir4.Practitioner>;
let began: number;
let now = 0;
beforeAll(async () => {
  server = await fhirServer();
});
beforeEach(async () => {
  now = Math.max(now, Date.now()); // no test is before another: what is known of the list would be of the future
  began = now;
  server.setTime(now);
  person = await create(server, { resourceType: 'Practitioner', name: [{ family: 'Okafor' }] }, admin);
});

/** With a token of the moment at which the test began, however long it takes. */
const staff = (): TestCaller => {
  const iat = Math.floor(began / 1_000);
  return { role: 'nurse', claims: { fhirUser: referenceTo(person), auth_time: iat, iat, exp: iat + 3_600 } };
};
const revoke = (as: TestCaller = admin) => server.post(`${referenceTo(person)}/$revoke-access`, undefined, { as });
/** Later by more than a list is trusted. */
const later = () => {
  now += trustedForMs + 1;
  server.setTime(now);
};
const codeOf = (body: unknown) => (body as fhir4.OperationOutcome).issue[0]?.details?.coding?.[0]?.code;

describe('Practitioner/{id}/$revoke-access', () => {
  it('lets tokens that were issued so far open nothing within a minute, and newer ones what they did', async () => {
    const before = await server.get('Location?_count=1', { as: staff() });
    const revoked = await revoke();
    later();

    const old = await server.get('Location?_count=1', { as: staff() });
    const other = await server.get('Location?_count=1', { as: { role: 'nurse' } });
    const issued = Math.floor(now / 1_000);
    const fresh = await server.get('Location?_count=1', {
      as: { ...staff(), claims: { ...staff().claims, auth_time: issued, iat: issued, exp: issued + 3_600 } },
    });
    const renewed = await server.get('Location?_count=1', {
      as: { ...staff(), claims: { ...staff().claims, iat: issued, exp: issued + 3_600 } },
    });

    expect([before, revoked, old, other, fresh].map(({ status }) => status)).toEqual([200, 200, 401, 200, 200]);
    expect([renewed.status, codeOf(renewed.body)]).toEqual([401, 'token-revoked']);
    expect(codeOf(old.body)).toBe('token-revoked');
    expect(old.headers['www-authenticate']).toContain('Bearer');
  });

  it('is for who may change the record of the person', async () => {
    const nurse = await revoke({ role: 'nurse' });
    const elsewhere = await revoke({ role: 'admin', organization: 'lakeside' });
    const missing = await server.post('Practitioner/nobody/$revoke-access', undefined, { as: admin });

    expect([nurse, elsewhere, missing].map(({ status, body }) => [status, codeOf(body)])).toEqual([
      [403, 'forbidden-role'],
      [403, 'forbidden-custodian'],
      [404, 'not-found'],
    ]);
    const denied = await readDenials(server.store.client, server.store.tableName);
    expect(denied.filter(({ name }) => name === referenceTo(person))).toEqual([]);
  });

  it('ends one session of the person where that is named', async () => {
    const session = (name: string): TestCaller => ({ ...staff(), claims: { ...staff().claims, origin_jti: name } });
    const parameters = (name: string) => ({
      resourceType: 'Parameters',
      parameter: [{ name: 'session', valueString: name }],
    });
    const revoked = await server.post(`${referenceTo(person)}/$revoke-access`, parameters('lost-phone'), { as: admin });
    const impossible = await server.post(`${referenceTo(person)}/$revoke-access`, parameters('a#b'), { as: admin });
    later();

    const lost = await server.get('Location?_count=1', { as: session('lost-phone') });
    const kept = await server.get('Location?_count=1', { as: session('desk') });

    expect([revoked, impossible, lost, kept].map(({ status }) => status)).toEqual([200, 400, 401, 200]);
  });

  it('leaves its trace beside the read, and denies once that is there', async () => {
    server.calls.reset();

    await revoke();

    expect(server.calls.names.slice(0, 2).sort()).toEqual(['GetItem', 'PutItem']);
    expect(server.calls.names.slice(2)).toEqual(['PutItem']);
    expect(server.calls.sequential()).toBe(2);
  });

  it('never lets what is denied end earlier', async () => {
    const name = referenceTo(person);
    await deny(server.store, { kind: 'person', name, before: now });
    await deny(server.store, { kind: 'person', name, before: now - 60_000 });

    const denied = await readDenials(server.store.client, server.store.tableName);

    expect(denied).toContainEqual({ kind: 'person', name, before: now });
  });
});

describe('$sign-out', () => {
  const session = (name: string): TestCaller => ({
    ...staff(),
    claims: { ...staff().claims, sub: 'sub-signs-out', jti: `${name}-token`, origin_jti: name },
  });
  const statusOf = async (as: TestCaller) => (await server.get('Location?_count=1', { as })).status;

  it('ends the sign-in of the token, and no other of its user', async () => {
    const signedOut = await server.post('$sign-out', undefined, { as: session('one') });
    later();

    expect(signedOut.status).toBe(200);
    expect([await statusOf(session('one')), await statusOf(session('two'))]).toEqual([401, 200]);
  });

  it('ends all sign-ins of its user where it is asked to, and those of nobody else', async () => {
    const everywhere = { resourceType: 'Parameters', parameter: [{ name: 'everywhere', valueBoolean: true }] };
    const signedOut = await server.post('$sign-out', everywhere, { as: session('one') });
    later();

    expect(signedOut.status).toBe(200);
    const another = { ...staff(), claims: { ...staff().claims, sub: 'sub-another', origin_jti: 'one' } };
    expect([await statusOf(session('two')), await statusOf(another)]).toEqual([401, 200]);
  });

  it('leaves its trace before anything is denied', async () => {
    server.calls.reset();
    await server.post('$sign-out', undefined, { as: session('traced') });

    expect(server.calls.names).toEqual(['PutItem', 'PutItem']);
    expect(server.calls.sequential()).toBe(2);
  });
});
