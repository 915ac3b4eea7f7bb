import { randomBytes, randomUUID } from 'node:crypto';
import type { JsonService } from './aws-services.ts';
import { ServiceError } from './aws-services.ts';
import { hashPassword } from './password.ts';
import type { ClientSecret, StoredClient, StoredUser } from './pool-content.ts';
import { attributesIn, invalid, optionalText, type PoolInput, textOf, textsOf } from './pool-input.ts';
import type { UserPool } from './user-pool.ts';
import { localPassword } from './users.ts';

// What an administrator does in a pool, as Cognito's API has it.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_Operations.html

type Operation = (pool: UserPool, input: PoolInput) => unknown;

/** Operations on users and groups. */
const ofUsers: Readonly<Record<string, Operation>> = {
  AdminCreateUser: async (pool, input) => {
    const name = textOf(input, 'Username').toLowerCase();
    if (pool.content.user(name)) throw new ServiceError('UsernameExistsException', 'User account already exists');
    const now = pool.settings.now();
    const user: StoredUser = {
      sub: randomUUID(),
      // Nothing here sends the letter that Cognito sends.
      password: await hashPassword(optionalText(input, 'TemporaryPassword') ?? localPassword),
      enabled: true,
      status: 'FORCE_CHANGE_PASSWORD',
      groups: [],
      attributes: knownAttributes(pool, { email: name, ...attributesIn(input) }),
      created: now,
      modified: now,
    };
    pool.content.write({ users: { [name]: user } });
    const { UserAttributes, ...shown } = userType(name, user);
    return { User: { ...shown, Attributes: UserAttributes } };
  },
  AdminGetUser: (pool, input) => userType(...named(pool, input)),
  AdminUpdateUserAttributes: (pool, input) => {
    const [name, { attributes }] = named(pool, input);
    pool.change(name, { attributes: { ...attributes, ...knownAttributes(pool, attributesIn(input)) } });
    return {};
  },
  AdminSetUserPassword: async (pool, input) => {
    await pool.setPassword(textOf(input, 'Username'), textOf(input, 'Password'), input.Permanent === true);
    return {};
  },
  AdminEnableUser: (pool, input) => {
    pool.change(textOf(input, 'Username'), { enabled: true });
    return {};
  },
  AdminDisableUser: (pool, input) => ended(pool, 'AdminDisableUser', input),
  AdminUserGlobalSignOut: (pool, input) => ended(pool, 'AdminUserGlobalSignOut', input),
  AdminDeleteUser: (pool, input) => ended(pool, 'AdminDeleteUser', input),
  AdminAddUserToGroup: (pool, input) => {
    const [name, { groups }] = named(pool, input);
    pool.change(name, { groups: [...new Set([...groups, groupOf(pool, input)])] });
    return {};
  },
  AdminRemoveUserFromGroup: (pool, input) => {
    const [name, { groups }] = named(pool, input);
    const removed = groupOf(pool, input);
    pool.change(name, { groups: groups.filter((group) => group !== removed) });
    return {};
  },
  AdminListGroupsForUser: (pool, input) => ({
    Groups: named(pool, input)[1].groups.map((GroupName) => ({ GroupName, UserPoolId: pool.id })),
  }),
  ListUsers: (pool, input) => {
    const chosen = filterOf(optionalText(input, 'Filter'));
    const { page, next } = pageOf(pool, input, optionalText(input, 'PaginationToken'), ([name, user]) =>
      chosen(name, user),
    );
    return { Users: page, ...(next === undefined ? {} : { PaginationToken: next }) };
  },
  ListUsersInGroup: (pool, input) => {
    const group = groupOf(pool, input);
    const { page, next } = pageOf(pool, input, optionalText(input, 'NextToken'), ([, { groups }]) =>
      groups.includes(group),
    );
    return { Users: page, ...(next === undefined ? {} : { NextToken: next }) };
  },
};

/** Operations on applications and their secrets. */
const ofClients: Readonly<Record<string, Operation>> = {
  CreateUserPoolClient: (pool, input) => {
    const id = randomBytes(13).toString('hex');
    const flows = textsOf(input, 'AllowedOAuthFlows');
    const scopes = textsOf(input, 'AllowedOAuthScopes');
    if (flows.includes('client_credentials') && input.GenerateSecret !== true)
      throw invalid('client_credentials flow can not be selected if client does not have a client secret.');
    const unknown = scopes.find((scope) => !pool.settings.offered.includes(scope));
    if (unknown !== undefined)
      throw new ServiceError('ScopeDoesNotExistException', `Invalid scope requested: ${unknown}`);
    if (scopes.length > 50) throw invalid('An application may have fifty scopes at most');
    const now = pool.settings.now();
    const client: StoredClient = {
      name: textOf(input, 'ClientName'),
      secrets: input.GenerateSecret === true ? [newSecret(now)] : [],
      flows,
      scopes,
      signIns: input.ExplicitAuthFlows === undefined ? usualSignIns : textsOf(input, 'ExplicitAuthFlows'),
      writes: textsOf(input, 'WriteAttributes'),
      created: now,
      modified: now,
    };
    pool.content.write({ clients: { [id]: client } });
    return { UserPoolClient: clientType(pool, id, client) };
  },
  DescribeUserPoolClient: (pool, input) => ({ UserPoolClient: clientType(pool, ...clientOf(pool, input)) }),
  DeleteUserPoolClient: (pool, input) => {
    const [id] = clientOf(pool, input);
    pool.content.write({ clients: { [id]: undefined } });
    return {};
  },
  ListUserPoolClients: (pool) => ({
    UserPoolClients: [
      { ClientId: pool.clientId, UserPoolId: pool.id, ClientName: 'Apps' },
      ...pool.content.clients.map(([ClientId, { name }]) => ({ ClientId, UserPoolId: pool.id, ClientName: name })),
    ],
  }),
  AddUserPoolClientSecret: (pool, input) => {
    const [id, client] = clientOf(pool, input);
    if (client.secrets.length >= 2)
      throw new ServiceError('LimitExceededException', 'An application has two secrets at most');
    const secret = newSecret(pool.settings.now());
    pool.content.write({ clients: { [id]: { ...client, secrets: [...client.secrets, secret] } } });
    return { ClientSecretDescriptor: { ...secretType(secret), ClientSecretValue: secret.value } };
  },
  ListUserPoolClientSecrets: (pool, input) => ({ ClientSecrets: clientOf(pool, input)[1].secrets.map(secretType) }),
  DeleteUserPoolClientSecret: (pool, input) => {
    const [id, client] = clientOf(pool, input);
    const removed = textOf(input, 'ClientSecretId');
    const secrets = client.secrets.filter((secret) => secret.id !== removed);
    if (secrets.length === client.secrets.length)
      throw new ServiceError('ResourceNotFoundException', 'There is no such secret');
    if (secrets.length === 0) throw invalid('The last secret of an application cannot be removed');
    pool.content.write({ clients: { [id]: { ...client, secrets } } });
    return {};
  },
};

/** Cognito's operations of administrators, on the pool that each names. */
export const poolAdmin = (pools: readonly UserPool[]): JsonService['operations'] =>
  Object.fromEntries(
    Object.entries({ ...ofUsers, ...ofClients }).map(([name, run]) => [
      name,
      (input: PoolInput) => {
        const id = textOf(input, 'UserPoolId');
        const pool = pools.find((each) => each.id === id);
        if (!pool) throw new ServiceError('ResourceNotFoundException', `User pool ${id} does not exist.`);
        return run(pool, input);
      },
    ]),
  );

const named = (pool: UserPool, input: PoolInput) => pool.user(textOf(input, 'Username'));

const ended = async (pool: UserPool, call: Parameters<UserPool['end']>[0], input: PoolInput): Promise<object> => {
  await pool.end(call, textOf(input, 'Username'));
  return {};
};

const groupOf = (pool: UserPool, input: PoolInput): string => {
  const group = textOf(input, 'GroupName');
  if (!pool.settings.groups.includes(group)) throw new ServiceError('ResourceNotFoundException', 'Group not found.');
  return group;
};

const standard = ['email', 'email_verified', 'name', 'given_name', 'family_name'];

const knownAttributes = (pool: UserPool, attributes: Readonly<Record<string, string>>) => {
  for (const name of Object.keys(attributes)) {
    if (standard.includes(name) || pool.settings.attributes.some((own) => name === `custom:${own}`)) continue;
    throw invalid(`Attributes did not conform to the schema: ${name}: Attribute does not exist in the schema.\n`);
  }
  return attributes;
};

/** `email = "…"` or `email ^= "…"`, likewise `sub` and `username`; everybody where there is none. */
const filterOf = (filter: string | undefined): ((name: string, user: StoredUser) => boolean) => {
  if (filter === undefined) return () => true;
  const [, attribute = '', comparison, value = ''] = /^(\w+)\s*(=|\^=)\s*"([^"]*)"$/.exec(filter) ?? [];
  if (!['email', 'sub', 'username'].includes(attribute)) throw invalid(`Error while parsing filter: ${filter}`);
  return (name, user) => {
    const { sub, attributes } = user;
    const said = { email: attributes.email ?? '', sub, username: name }[attribute] ?? '';
    return comparison === '=' ? said === value : said.startsWith(value);
  };
};

/** Sixty users at most, in order of their names, behind the one that the token names. */
const pageOf = (
  pool: UserPool,
  { Limit = 60 }: PoolInput,
  token: string | undefined,
  chosen: (user: readonly [string, StoredUser]) => boolean,
) => {
  if (typeof Limit !== 'number' || Limit < 1 || Limit > 60) throw invalid('Limit is between 1 and 60');
  const after = token === undefined ? '' : Buffer.from(token, 'base64url').toString();
  const left = pool.content.users.filter((user) => user[0] > after && chosen(user));
  const page = left.slice(0, Limit);
  const [last] = page.at(-1) ?? [''];
  return {
    page: page.map((user) => {
      const { UserAttributes, ...shown } = userType(...user);
      return { ...shown, Attributes: UserAttributes };
    }),
    next: left.length > page.length ? Buffer.from(last).toString('base64url') : undefined,
  };
};

/** Seconds since 1970, as the protocol has times. */
const seconds = (time: number) => time / 1_000;

const userType = (name: string, { sub, attributes, enabled, status, created, modified }: StoredUser) => ({
  Username: name,
  UserAttributes: Object.entries({ sub, ...attributes }).map(([Name, Value]) => ({ Name, Value })),
  UserCreateDate: seconds(created),
  UserLastModifiedDate: seconds(modified),
  Enabled: enabled,
  UserStatus: status,
});

const clientOf = (pool: UserPool, input: PoolInput): readonly [string, StoredClient] => {
  const id = textOf(input, 'ClientId');
  const client = pool.content.client(id);
  if (!client) throw new ServiceError('ResourceNotFoundException', `User pool client ${id} does not exist.`);
  return [id, client];
};

/** What Cognito lets people sign in by where nothing is said. https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html */
const usualSignIns = ['ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_USER_SRP_AUTH', 'ALLOW_CUSTOM_AUTH'];

const clientType = (
  pool: UserPool,
  id: string,
  { name, secrets, flows, scopes, signIns = usualSignIns, writes = [], created, modified }: StoredClient,
) => ({
  ClientId: id,
  UserPoolId: pool.id,
  ClientName: name,
  ...(secrets[0] ? { ClientSecret: secrets[0].value } : {}),
  AllowedOAuthFlows: flows,
  AllowedOAuthScopes: scopes,
  AllowedOAuthFlowsUserPoolClient: flows.length > 0,
  ExplicitAuthFlows: signIns,
  ...(writes.length === 0 ? {} : { WriteAttributes: writes }),
  CreationDate: seconds(created),
  LastModifiedDate: seconds(modified),
});

const newSecret = (now: number): ClientSecret => ({
  id: randomUUID(),
  value: randomBytes(26).toString('hex'),
  created: now,
});

const secretType = ({ id, created }: ClientSecret) => ({
  ClientSecretId: id,
  ClientSecretCreateDate: seconds(created),
});
