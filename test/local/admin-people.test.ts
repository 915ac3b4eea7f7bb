import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startAwsServices } from '../../infra/local/aws-services.ts';
import type { Concord } from '../../infra/local/concord.ts';
import { credentialsIn } from '../../shared/canary/credentials.ts';
import { readApplications, revokeApplication } from '../../shared/store/applications.ts';
import { readDenials } from '../../shared/store/denylist.ts';
import { administerAt } from '../support/administer-at.ts';
import { sharedConcord, storeOfStack } from '../support/concord.ts';
import type { TestBody } from '../support/fhir-server.ts';
import { removedAfterTest } from '../support/removed-after-test.ts';
import { administer } from '../support/run-admin.ts';

let concord: Concord;
beforeAll(async () => {
  concord = await sharedConcord();
});

/** What commands say for programs, as far as it is looked at here. */
interface Told {
  readonly dryRun: boolean;
  readonly staff: readonly { readonly email: string; readonly outcome: string }[];
  readonly ended: readonly object[];
  readonly applications: readonly object[];
  readonly ways: readonly { readonly way: string; readonly left?: string }[];
  readonly people: number;
  readonly device: string;
  readonly client: string;
  readonly secret: string;
}

/** Runs a command, and what it says for programs. */
const admin = async (...words: string[]) => {
  const { status, stdout, stderr } = await administer(concord, ...words, '--json');
  return { status, stderr, data: JSON.parse(stdout || '{}') as Told };
};

const cognito = async (operation: string, input: object) => {
  const response = await fetch(process.env.AWS_ENDPOINT_URL ?? '', {
    method: 'POST',
    headers: { 'x-amz-target': `AWSCognitoIdentityProviderService.${operation}` },
    body: JSON.stringify(input),
  });
  return (await response.json()) as Record<string, string> & { AuthenticationResult?: { AccessToken: string } };
};

/** Signs in with the password of an invitation, and chooses another one. */
const firstSignIn = async (username: string): Promise<string> => {
  const { ClientId } = { ClientId: concord.userPools.staff.clientId };
  const AuthParameters = { USERNAME: username, PASSWORD: 'concord' };
  const { ChallengeName, Session } = await cognito('InitiateAuth', {
    AuthFlow: 'USER_PASSWORD_AUTH',
    ClientId,
    AuthParameters,
  });
  const ChallengeResponses = { USERNAME: username, NEW_PASSWORD: 'Correct-Horse-42' };
  const { AuthenticationResult } = await cognito('RespondToAuthChallenge', {
    ChallengeName,
    Session,
    ClientId,
    ChallengeResponses,
  });
  return AuthenticationResult?.AccessToken ?? '';
};

const claimsIn = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

const fhir = async (token: string, to: string, method = 'GET', body?: object) => {
  const response = await fetch(`${concord.url}/${to}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as TestBody };
};

const tokenBy = async (client: string, secret: string): Promise<{ access_token?: string; error?: string }> => {
  const response = await fetch(`${process.env.AWS_ENDPOINT_URL}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return (await response.json()) as { access_token?: string; error?: string };
};

const adding = (id: string, name: string, more: readonly string[] = []) => {
  const who = ['--admin', `jo.park@${id}.test`, '--given', 'Jo', '--family', 'Park'];
  return admin('organization', 'add', '--id', id, '--name', name, ...who, ...more);
};

describe('npm run admin -- organization add', () => {
  it('adds an organisation whose first administrator signs in and may write its directory, once however often', async () => {
    const shown = await adding('westside', 'Westside Clinic', ['--dry-run']);
    const before = await admin('staff', 'list', '--organization', 'westside');
    const added = await adding('westside', 'Westside Clinic');
    const again = await adding('westside', 'Westside Clinic');

    expect([shown.status, shown.data.dryRun, before.data.staff]).toEqual([0, true, []]);
    expect([added.status, again.status]).toEqual([0, 0]);
    const token = await firstSignIn('jo.park@westside.test');
    expect(claimsIn(token)).toMatchObject({
      organization: 'westside',
      roles: ['admin'],
      fhirUser: 'Practitioner/westside-jo.park',
    });
    const { body } = await fhir(token, 'Organization/westside');
    expect(body).toMatchObject({ name: 'Westside Clinic', meta: { versionId: '1' } });
    const written = await fhir(token, 'Location', 'POST', {
      resourceType: 'Location',
      name: 'Main building',
      managingOrganization: { reference: 'Organization/westside' },
    });
    expect(written.status).toBe(201);
  });

  it('leaves no application behind by which the directory was written', async () => {
    await adding('southside', 'Southside Clinic');

    const { client, tableName } = await storeOfStack();
    const own = (await readApplications({ client, tableName })).filter(
      ({ organization }) => organization === 'southside',
    );
    expect(own.map(({ name, revoked }) => [name.replace(/by .*/, 'by'), typeof revoked])).toEqual([
      ['npm run admin by', 'number'],
    ]);
    const denied = (await readDenials(client, tableName)).map(({ kind, name }) => [kind, name]);
    expect(denied).toContainEqual(['client', own[0]?.client]);
    expect((await admin('application', 'list', '--organization', 'southside')).data.applications).toEqual([]);
  });

  it.each([
    ['whose id another one has', ['northside', 'Another Clinic'], 1, 'is there already'],
    ['whose id is no name', ['No Side', 'A Clinic'], 2, 'small letters'],
  ])('adds none %s', async (_, [id, name], status, message) => {
    const refused = await adding(id ?? '', name ?? '');

    expect([refused.status, refused.stderr]).toEqual([status, expect.stringContaining(message)]);
  });

  it('makes nobody an administrator who signs in for another organisation', async () => {
    const who = ['--admin', 'nurse@northside.example', '--given', 'N', '--family', 'N'];

    const { status, stderr } = await admin('organization', 'add', '--id', 'newside', '--name', 'New', ...who);

    expect([status, stderr]).toEqual([1, 'nurse@northside.example signs in for northside already']);
  });
});

const file = (lines: readonly string[]): string => {
  const name = path.join(removedAfterTest(), 'people.csv');
  writeFileSync(name, lines.join('\n'));
  return name;
};

describe('npm run admin -- staff', () => {
  it('adds people of a file, and says of whom it cannot', async () => {
    const people = file([
      'role,email,given,family',
      'nurse,ada@northside.test,Ada,Berg',
      'physician,physician@lakeside.example,X,Y',
    ]);

    const { status, data } = await admin('staff', 'add', '--organization', 'northside', '--file', people);

    expect(status).toBe(3);
    expect(data.staff.map(({ email, outcome }) => [email, outcome])).toEqual([
      ['ada@northside.test', 'invited'],
      ['physician@lakeside.example', 'signs in for lakeside already'],
    ]);
    const listed = await admin('staff', 'list', '--organization', 'northside', '--role', 'nurse');
    expect(listed.data.staff).toContainEqual(
      expect.objectContaining({ username: 'ada@northside.test', roles: ['nurse'], enabled: true }),
    );
  });

  it('gives nobody the record of a colleague whose address begins alike, and enters who stands behind them', async () => {
    const people = file([
      'role,email,given,family',
      'physician,kim.lee@northside.test,Kim,Lee',
      'nurse,kim.lee@agency.test,Kim,Lee',
      'nurse,lou@northside.test,Lou,Diaz',
    ]);

    const { status, data } = await admin('staff', 'add', '--organization', 'northside', '--file', people);
    const listed = await admin('staff', 'list', '--organization', 'northside');

    expect(status).toBe(3);
    expect(data.staff.map(({ outcome }) => outcome)).toEqual([
      'invited',
      'Practitioner/northside-kim.lee is somebody else: another address, please',
      'invited',
    ]);
    expect(JSON.stringify(listed.data.staff)).not.toContain('kim.lee@agency.test');
  });

  it('understands no line whose role there is not', async () => {
    const people = file(['role,email,given,family', 'shaman,a@b.test,A,B']);

    const { status, stderr } = await admin('staff', 'add', '--organization', 'northside', '--file', people);

    expect(status).toBe(2);
    expect(stderr).toContain('people.csv:2: "shaman" is no role');
  });

  it('ends people of a file at once, in the pool, by the denylist and in the directory, and counts what waits for them', async () => {
    const person = ['--email', 'ben@northside.test', '--given', 'Ben', '--family', 'Olsen', '--role', 'nurse'];
    await admin('staff', 'add', '--organization', 'northside', ...person);
    const token = await firstSignIn('ben@northside.test');
    const { sub } = claimsIn(token) as { sub: string };
    await fhir(await concord.token('frontdesk@northside.example'), 'Task', 'POST', {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      description: 'Call the pharmacy back',
      owner: { reference: 'Practitioner/northside-ben' },
    });
    await concord.settled();
    const leaving = ['staff', 'deprovision', '--file', file(['user', 'ben@northside.test', 'nobody@northside.test'])];

    const shown = await admin(...leaving);
    const meanwhile = await admin('staff', 'list', '--organization', 'northside');
    const ended = await admin(...leaving, '--yes');
    const again = await admin('staff', 'deprovision', 'ben@northside.test', '--yes');

    expect(shown.data.dryRun).toBe(true);
    const ben = expect.objectContaining({ username: 'ben@northside.test', enabled: true });
    expect(meanwhile.data.staff).toContainEqual(ben);
    expect(ended.status).toBe(3);
    expect(ended.data.ended).toContainEqual({
      user: 'ben@northside.test',
      organization: 'northside',
      lastSeen: expect.stringMatching(/Z$/),
      openTasks: 1,
      comingAppointments: 0,
    });
    expect(ended.data.ended).toContainEqual(
      expect.objectContaining({ user: 'nobody@northside.test', left: 'there is nobody of this name' }),
    );
    expect(again.status).toBe(0);
    const { client, tableName } = await storeOfStack();
    const denial = (await readDenials(client, tableName)).find(({ name }) => name === sub);
    expect(denial).toMatchObject({ kind: 'subject', before: expect.any(Number) });
    const role = await fhir(await concord.token('admin@northside.example'), 'PractitionerRole/northside-ben');
    expect(role.body).toMatchObject({ active: false, period: { end: expect.any(String) } });
    await expect(concord.token('ben@northside.test', 'Correct-Horse-42')).rejects.toThrow('User is disabled.');
  });
});

describe('npm run admin -- application', () => {
  it('adds one that works at once, exchanges its secret without a pause, and ends it', async () => {
    const name = ['--organization', 'northside', '--name', 'Northside HIS'];
    const { status, data } = await admin('application', 'add', ...name, '--scope', 'system/*.rs');
    const { client, secret } = data;
    const { access_token = '' } = await tokenBy(client, secret);

    expect(status).toBe(0);
    const { scope, ...claims } = claimsIn(access_token);
    expect(claims).toMatchObject({ organization: 'northside', roles: ['system'] });
    expect(String(scope).split(' ')).toContain('system/*.rs');
    expect(scope).not.toContain('cruds');

    const rotated = await admin('application', 'rotate', client);
    const both = await Promise.all([secret, rotated.data.secret].map((each) => tokenBy(client, each)));
    const finished = await admin('application', 'rotate', client, '--finish');
    const [old, fresh] = await Promise.all([secret, rotated.data.secret].map((each) => tokenBy(client, each)));
    expect([rotated.status, finished.status]).toEqual([0, 0]);
    expect(both.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect([old?.error, fresh?.error]).toEqual(['invalid_client', undefined]);

    const shown = await admin('application', 'revoke', client);
    const still = await tokenBy(client, rotated.data.secret);
    const revoked = await admin('application', 'revoke', client, '--yes');
    const gone = await tokenBy(client, rotated.data.secret);
    expect([shown.data.dryRun, still.error, revoked.status, gone.error]).toEqual([
      true,
      undefined,
      0,
      'invalid_client',
    ]);
    expect((await admin('application', 'rotate', client)).stderr).toContain('has ended already');
  });

  it('adds one by which nobody signs in, or changes what the pool knows of them', async () => {
    const { data } = await admin('application', 'add', '--organization', 'northside', '--name', 'Closed to people');

    const UserPoolId = concord.userPools.staff.id;
    const { UserPoolClient } = await cognito('DescribeUserPoolClient', { UserPoolId, ClientId: data.client });
    expect(UserPoolClient).toMatchObject({
      AllowedOAuthFlows: ['client_credentials'],
      ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'],
      WriteAttributes: ['email'],
    });
  });

  it('adds none for an organisation that there is not', async () => {
    const { status, stderr } = await admin('application', 'add', '--organization', 'northsid', '--name', 'HIS');

    expect([status, stderr]).toEqual([1, 'There is no Organization/northsid']);
  });

  it('ends one whose end broke off, when it is told to again', async () => {
    const { data } = await admin('application', 'add', '--organization', 'northside', '--name', 'Half ended');
    const { client, tableName } = await storeOfStack();
    await revokeApplication({ client, tableName }, data.client, Date.now());

    const { status } = await admin('application', 'revoke', data.client, '--yes');

    const denial = (await readDenials(client, tableName)).find(({ name }) => name === data.client);
    expect([status, denial?.kind]).toEqual([0, 'client']);
    expect((await tokenBy(data.client, data.secret)).error).toBe('invalid_client');
  });

  it('writes its record, which the access log names', async () => {
    const { status, data } = await admin('application', 'add', '--organization', 'lakeside', '--name', 'Bed board');

    const { body } = await fhir(await concord.token('system@lakeside.example'), 'Device/lakeside-bed-board');
    expect([status, data.device]).toEqual([0, 'Device/lakeside-bed-board']);
    expect(body).toMatchObject({ owner: { reference: 'Organization/lakeside' } });
  });

  it.each([
    [['application', 'add', '--organization', 'o', '--name', 'n', '--scope', 'user/*.rs'], 'no scope of applications'],
    [['application', 'revoke'], 'Name one application'],
  ])('does not understand %j', async (words, message) => {
    const { status, stderr } = await admin(...words);

    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('npm run admin -- partner revoke', () => {
  it('ends applications and Subscriptions of an organisation, and says who may still sign in', async () => {
    await adding('eastside', 'Eastside Clinic');
    const { data } = await admin('application', 'add', '--organization', 'eastside', '--name', 'HIS');
    const { client, secret } = data;
    const { access_token = '' } = await tokenBy(client, secret);
    const subscription = await fhir(access_token, 'Subscription', 'POST', {
      resourceType: 'Subscription',
      status: 'requested',
      reason: 'test',
      criteria: 'Patient?active=true',
      channel: { type: 'rest-hook', endpoint: 'http://127.0.0.1:9/', payload: 'application/fhir+json' },
    });
    expect(subscription.status, JSON.stringify(subscription.body)).toBe(201);

    const shown = await admin('partner', 'revoke', '--organization', 'eastside');
    const ended = await admin('partner', 'revoke', '--organization', 'eastside', '--yes');
    const again = await admin('partner', 'revoke', '--organization', 'eastside', '--yes');

    const ways = ({ data: { ways } }: typeof shown) => ways.map(({ way, left }) => [way, left]);
    expect([shown.data.dryRun, ways(shown)]).toEqual([
      true,
      [
        ['Subscriptions', undefined],
        ['application', undefined],
      ],
    ]);
    expect([ended.status, ways(ended), ended.data.people]).toEqual([0, ways(shown), 1]);
    expect(ways(again)).toEqual([]);
    expect((await tokenBy(client, secret)).error).toBe('invalid_client');
    const known = await fhir(await firstSignIn('jo.park@eastside.test'), `Subscription/${subscription.body.id}`);
    expect(known.body.status).toBe('off');
  });
});

describe('npm run admin -- canary', () => {
  it('puts credentials of an organisation of its own where the canary reads them, and ends those before', async () => {
    const kept: { SecretId: string; SecretString: string }[] = [];
    const secrets = await startAwsServices([
      {
        target: 'secretsmanager',
        operations: { PutSecretValue: (input) => ({ kept: kept.push(input as (typeof kept)[number]) }) },
      },
    ]);
    onTestFinished(secrets.stop);
    const stack = await storeOfStack();
    const place = {
      url: concord.url,
      staffPoolId: concord.userPools.staff.id,
      tokenEndpoint: `${process.env.AWS_ENDPOINT_URL}/oauth2/token`,
      services: { region: 'us-east-1', endpoint: process.env.AWS_ENDPOINT_URL ?? '' },
      canarySecret: { id: 'arn:canary', url: secrets.endpoint },
    };
    const at = { store: stack, bucket: { endpoint: '', bucket: '' } };
    const filled = async () => {
      await administerAt(at, Date.now(), ['canary'], place);
      return credentialsIn(kept.at(-1)?.SecretString ?? '');
    };

    const first = await filled();
    const second = await filled();

    expect(kept.map(({ SecretId }) => SecretId)).toEqual(['arn:canary', 'arn:canary']);
    const [ended, current] = await Promise.all(
      [first, second].map(({ clientId, clientSecret }) => tokenBy(clientId, clientSecret)),
    );
    expect([ended?.error, first.scope, first.tokenUrl]).toEqual([
      'invalid_client',
      'system/*.cruds',
      place.tokenEndpoint,
    ]);
    const { body } = await fhir(current?.access_token ?? '', 'Organization/canary');
    expect(body.name).toBe('Canary: no patients of anybody');
    expect((await admin('canary')).stderr).toContain('has no canary');
  });
});
