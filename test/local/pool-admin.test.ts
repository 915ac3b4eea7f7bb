import { rmSync } from 'node:fs';
import path from 'node:path';
import {
  AddUserPoolClientSecretCommand,
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDisableUserCommand,
  AdminEnableUserCommand,
  AdminGetUserCommand,
  AdminListGroupsForUserCommand,
  AdminRemoveUserFromGroupCommand,
  AdminSetUserPasswordCommand,
  AdminUpdateUserAttributesCommand,
  AdminUserGlobalSignOutCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  DeleteUserPoolClientCommand,
  DeleteUserPoolClientSecretCommand,
  DescribeUserPoolClientCommand,
  InitiateAuthCommand,
  ListUserPoolClientSecretsCommand,
  ListUserPoolClientsCommand,
  ListUsersCommand,
  ListUsersInGroupCommand,
  RespondToAuthChallengeCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AwsServices, startAwsServices } from '../../infra/local/aws-services.ts';
import { openUserPools, type UserPools } from '../../infra/local/user-pools.ts';
import { scratchFolder } from '../support/dynamodb.ts';

// The client of AWS, unmodified, against the stand-in: what an administrator does is one code for both.
let folder: string;
let pools: UserPools;
let services: AwsServices;
let client: CognitoIdentityProviderClient;
let told: Record<string, unknown>[];

beforeAll(async () => {
  folder = scratchFolder();
  told = [];
  pools = await openUserPools({
    folder: path.join(folder, 'users'),
    region: 'us-east-1',
    tell: async (event) => void told.push({ ...event }),
    // The triggers have tests of their own.
    addTokenClaims: { staff: async (event) => event, patients: async (event) => event },
  });
  services = await startAwsServices([pools.service], [pools.documents], [pools.forms]);
  client = new CognitoIdentityProviderClient({
    region: 'us-east-1',
    endpoint: services.endpoint,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterAll(async () => {
  client.destroy();
  await services.stop();
  rmSync(folder, { recursive: true, force: true });
});

const UserPoolId = () => pools.staff.id;
const strong = 'Long-enough-1-password';
const create = (Username: string, attributes: Record<string, string> = {}) =>
  client.send(
    new AdminCreateUserCommand({
      UserPoolId: UserPoolId(),
      Username,
      UserAttributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })),
      TemporaryPassword: 'Given-once-1-and-gone',
    }),
  );
const signIn = (USERNAME: string, PASSWORD: string) =>
  client.send(
    new InitiateAuthCommand({
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: pools.staff.clientId,
      AuthParameters: { USERNAME, PASSWORD },
    }),
  );

describe('users of a local pool', () => {
  it('are entered, choose a password of their own with the first sign-in, and are known by name and subject', async () => {
    const { User } = await create('New.Nurse@clinic.org', {
      email: 'new.nurse@clinic.org',
      'custom:organization': 'northside',
    });
    const asked = await signIn('new.nurse@clinic.org', 'Given-once-1-and-gone');
    const respond = (NEW_PASSWORD: string) =>
      client.send(
        new RespondToAuthChallengeCommand({
          ClientId: pools.staff.clientId,
          ChallengeName: 'NEW_PASSWORD_REQUIRED',
          Session: asked.Session,
          ChallengeResponses: { USERNAME: 'new.nurse@clinic.org', NEW_PASSWORD },
        }),
      );

    expect(User).toMatchObject({
      Username: 'new.nurse@clinic.org',
      Enabled: true,
      UserStatus: 'FORCE_CHANGE_PASSWORD',
    });
    expect(User?.UserCreateDate).toBeInstanceOf(Date);
    expect([asked.ChallengeName, asked.AuthenticationResult]).toEqual(['NEW_PASSWORD_REQUIRED', undefined]);
    await expect(respond('short')).rejects.toMatchObject({ name: 'InvalidPasswordException' });
    expect((await respond(strong)).AuthenticationResult?.TokenType).toBe('Bearer');
    await expect(respond(strong)).rejects.toMatchObject({ name: 'NotAuthorizedException' });
    expect((await signIn('NEW.nurse@clinic.org', strong)).AuthenticationResult?.AccessToken).toContain('.');

    const sub = User?.Attributes?.find(({ Name }) => Name === 'sub')?.Value ?? '';
    const known = await client.send(new AdminGetUserCommand({ UserPoolId: UserPoolId(), Username: sub }));
    expect(known).toMatchObject({ Username: 'new.nurse@clinic.org', UserStatus: 'CONFIRMED' });
    expect(known.UserAttributes).toContainEqual({ Name: 'custom:organization', Value: 'northside' });
  });

  it('have attributes and groups that the pool knows, and no others', async () => {
    const user = { UserPoolId: UserPoolId(), Username: 'groups@clinic.org' };
    await create(user.Username);
    const update = (Name: string) =>
      client.send(
        new AdminUpdateUserAttributesCommand({ ...user, UserAttributes: [{ Name, Value: 'Practitioner/p' }] }),
      );
    const add = (GroupName: string) => client.send(new AdminAddUserToGroupCommand({ ...user, GroupName }));
    const groups = async () => {
      const { Groups = [] } = await client.send(new AdminListGroupsForUserCommand(user));
      return Groups.map(({ GroupName }) => GroupName);
    };

    await update('custom:fhirUser');
    for (const group of ['lab', 'admin', 'lab']) await add(group);

    expect(await groups()).toEqual(['lab', 'admin']);
    const { Users = [] } = await client.send(
      new ListUsersInGroupCommand({ UserPoolId: UserPoolId(), GroupName: 'lab' }),
    );
    expect(Users.map(({ Username }) => Username)).toEqual([
      'groups@clinic.org',
      'lab@lakeside.example',
      'lab@northside.example',
    ]);
    await client.send(new AdminRemoveUserFromGroupCommand({ ...user, GroupName: 'admin' }));
    expect(await groups()).toEqual(['lab']);
    await expect(update('custom:patient')).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(add('patient')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(create('GROUPS@clinic.org')).rejects.toMatchObject({ name: 'UsernameExistsException' });
  });

  it('are listed by pages, and found by their address', async () => {
    const listed: (string | undefined)[] = [];
    let PaginationToken: string | undefined;
    do {
      const page = await client.send(new ListUsersCommand({ UserPoolId: UserPoolId(), Limit: 5, PaginationToken }));
      listed.push(...(page.Users ?? []).map(({ Username }) => Username));
      PaginationToken = page.PaginationToken;
    } while (PaginationToken);
    const { Users } = await client.send(
      new ListUsersCommand({ UserPoolId: UserPoolId(), Filter: 'email = "nurse@northside.example"' }),
    );

    expect(listed.length).toBeGreaterThanOrEqual(16);
    expect(listed).toEqual([...new Set(listed)].toSorted());
    expect(Users?.map(({ Username }) => Username)).toEqual(['nurse@northside.example']);
  });

  it('are ended, which is told as CloudTrail tells it, and let in again', async () => {
    const user = { UserPoolId: UserPoolId(), Username: 'ended@clinic.org' };
    await create(user.Username);
    await client.send(new AdminSetUserPasswordCommand({ ...user, Password: strong, Permanent: true }));
    told.length = 0;

    await client.send(new AdminUserGlobalSignOutCommand(user));
    await client.send(new AdminDisableUserCommand(user));

    expect(told.map(({ detail }) => (detail as { eventName: string }).eventName)).toEqual([
      'AdminUserGlobalSignOut',
      'AdminDisableUser',
    ]);
    await expect(signIn(user.Username, strong)).rejects.toMatchObject({ message: 'User is disabled.' });
    await client.send(new AdminEnableUserCommand(user));
    expect((await signIn(user.Username, strong)).AuthenticationResult).toBeDefined();
    await expect(
      client.send(new AdminDisableUserCommand({ ...user, Username: 'nobody@clinic.org' })),
    ).rejects.toMatchObject({ name: 'UserNotFoundException' });
    await expect(
      client.send(new AdminDisableUserCommand({ ...user, UserPoolId: 'us-east-1_Other' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('applications of a local pool', () => {
  const add = (changes: object = {}) =>
    client.send(
      new CreateUserPoolClientCommand({
        UserPoolId: UserPoolId(),
        ClientName: 'Laboratory feed',
        GenerateSecret: true,
        AllowedOAuthFlows: ['client_credentials'],
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthScopes: ['system/*.rs', 'system/*.cruds'],
        ...changes,
      }),
    );
  const token = async (id: string, secret: string, form: Record<string, string> = {}) => {
    const response = await fetch(`${services.endpoint}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
    });
    return [response.status, (await response.json()) as Record<string, string>] as const;
  };
  const claimsOf = (text = '') =>
    JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

  it('get tokens by their credentials, which name no user, and for the scopes that they may have', async () => {
    const { ClientId = '', ClientSecret = '' } = (await add()).UserPoolClient ?? {};

    const [status, all] = await token(ClientId, ClientSecret);
    const [, some] = await token(ClientId, ClientSecret, { scope: 'system/*.rs' });

    expect([status, all.token_type, all.expires_in]).toEqual([200, 'Bearer', 3_600]);
    const claims = claimsOf(all.access_token);
    expect(claims).toMatchObject({
      sub: ClientId,
      client_id: ClientId,
      token_use: 'access',
      scope: 'system/*.rs system/*.cruds',
    });
    for (const name of ['username', 'origin_jti', 'cognito:groups']) expect(claims).not.toHaveProperty(name);
    expect(claimsOf(some.access_token).scope).toBe('system/*.rs');
    expect((await token(ClientId, ClientSecret, { scope: 'user/*.rs' }))[1]).toEqual({ error: 'invalid_grant' });
    expect(await token(ClientId, 'guessed')).toEqual([400, { error: 'invalid_client' }]);
    expect((await token(pools.staff.clientId, ''))[1]).toEqual({ error: 'invalid_client' });
    expect((await token(ClientId, ClientSecret, { grant_type: 'password' }))[1]).toEqual({
      error: 'unsupported_grant_type',
    });
  });

  it('exchange a secret while the other one is used, and have two at most', async () => {
    const { ClientId = '', ClientSecret = '' } = (await add()).UserPoolClient ?? {};
    const of = { UserPoolId: UserPoolId(), ClientId };
    const works = async (secret: string) => (await token(ClientId, secret))[0] === 200;

    const { ClientSecretDescriptor } = await client.send(new AddUserPoolClientSecretCommand(of));
    const second = ClientSecretDescriptor?.ClientSecretValue ?? '';
    expect([await works(ClientSecret), await works(second)]).toEqual([true, true]);
    await expect(client.send(new AddUserPoolClientSecretCommand(of))).rejects.toMatchObject({
      name: 'LimitExceededException',
    });

    const { ClientSecrets = [] } = await client.send(new ListUserPoolClientSecretsCommand(of));
    const remove = (at: number) =>
      client.send(
        new DeleteUserPoolClientSecretCommand({ ...of, ClientSecretId: ClientSecrets[at]?.ClientSecretId ?? '' }),
      );
    await remove(0);

    expect([await works(ClientSecret), await works(second)]).toEqual([false, true]);
    expect(ClientSecrets.map(({ ClientSecretValue }) => ClientSecretValue)).toEqual([undefined, undefined]);
    await expect(remove(1)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  it('are described, listed and removed, after which they get no token', async () => {
    const { ClientId = '', ClientSecret = '' } = (await add({ ClientName: 'Gone' })).UserPoolClient ?? {};
    const of = { UserPoolId: UserPoolId(), ClientId };

    const described = await client.send(new DescribeUserPoolClientCommand(of));
    const { UserPoolClients = [] } = await client.send(new ListUserPoolClientsCommand({ UserPoolId: UserPoolId() }));
    await client.send(new DeleteUserPoolClientCommand(of));

    expect(described.UserPoolClient).toMatchObject({ ClientName: 'Gone', ClientSecret });
    expect(UserPoolClients.map(({ ClientName }) => ClientName)).toContain('Gone');
    expect(await token(ClientId, ClientSecret)).toEqual([400, { error: 'invalid_client' }]);
    await expect(client.send(new DescribeUserPoolClientCommand(of))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('have a secret, and scopes that the pool knows', async () => {
    await expect(add({ GenerateSecret: false })).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(add({ AllowedOAuthScopes: ['patient/*.rs'] })).rejects.toMatchObject({
      name: 'ScopeDoesNotExistException',
    });
  });
});
