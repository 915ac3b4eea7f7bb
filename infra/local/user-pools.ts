import path from 'node:path';
import { roles } from '../../shared/access/caller.ts';
import { localPoolNames } from '../../shared/access/demo-users.ts';
import { offeredScopes } from '../../shared/access/offered-scopes.ts';
import {
  isOfApplication,
  type TokenEvent,
  withApplicationClaims,
  withPatientClaims,
  withStaffClaims,
} from '../../shared/access/token-claims.ts';
import { tokenLifetimeSeconds } from '../../shared/access/token-lifetime.ts';
import type { Application } from '../../shared/store/applications.ts';
import { type Documents, type Forms, type JsonService, ServiceError } from './aws-services.ts';
import { readJsonFile } from './json-file.ts';
import { hashPassword } from './password.ts';
import { poolAdmin } from './pool-admin.ts';
import { PoolContent, type StoredClient, type StoredUser, subjectOf } from './pool-content.ts';
import type { PoolInput } from './pool-input.ts';
import type { AddTokenClaims, UserTokens } from './pool-tokens.ts';
import { openSigningKey, type SigningKey } from './signing-key.ts';
import { UserPool } from './user-pool.ts';
import {
  type LocalUser,
  localClientOf,
  localPassword,
  localScopes,
  localUsers,
  patientUsername,
  poolOf,
  proxyUsername,
} from './users.ts';

export interface UserPoolsOptions {
  /** Folder that keeps users, applications and key. */
  readonly folder: string;
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Is told what deployed pools tell of themselves. */
  readonly tell?: (event: object) => Promise<void>;
  /** The pre-token triggers; where none are given, what they answer without leaving a trace. */
  readonly addTokenClaims?: Readonly<Record<'staff' | 'patients', AddTokenClaims>>;
}

/** Stand-ins for the Cognito user pools of a deployment: of staff and applications, and of patients. */
export interface UserPools {
  readonly staff: UserPool;
  readonly patients: UserPool;
  /** Public keys by the id of their pool. */
  readonly jwks: Readonly<Record<string, SigningKey['jwks']>>;
  /** The part of Cognito's API that is served. */
  readonly service: JsonService;
  /** The pools' public documents, behind GET. */
  readonly documents: Documents;
  /** The token endpoint of the pool of staff. */
  readonly forms: Forms;
  /** Signs in with a password at the pool at which a user of the local stack is known. Throws as `UserPool.signIn` does. */
  readonly signIn: (username: string, password: string) => Promise<UserTokens>;
  /** An access token of a user of the local stack, or of an application there, whose secret is its password. Throws likewise. */
  readonly accessToken: (username: string, password: string) => Promise<string>;
  /** Turns a user off, tokens included, or on, as an administrator does. Throws ServiceError `UserNotFoundException`. */
  readonly setEnabled: (username: string, enabled: boolean) => Promise<void>;
  /** Lets the demo patient sign in, now and after a restart. Takes the id of the patient's record. */
  readonly addPatient: (patient: string) => Promise<void>;
  /** Lets who acts for a child of the demo sign in, likewise. Takes the id of the child's record and the reference of the own one. */
  readonly addProxy: (patient: string, person: string) => Promise<void>;
  /** Whether the demo patient can sign in. */
  readonly hasPatient: () => boolean;
}

/** What the local stack enters of its own applications, as an administrator would. */
export const localApplications = (now: number): readonly Application[] =>
  localUsers.flatMap(({ username, organization, fhirUser }) => {
    const client = localClientOf(username);
    return client === undefined ? [] : [{ client, organization, name: username, fhirUser, since: now }];
  });

/** Opens the pools. Users and applications of the local stack that the folder does not know yet are added with the common password. */
export const openUserPools = async ({
  folder,
  region,
  now = Date.now,
  tell,
  addTokenClaims = withoutTrace,
}: UserPoolsOptions): Promise<UserPools> => {
  // One key for both, which Cognito has not: making another takes longer than all the rest. Their issuers tell them apart.
  const key = await openSigningKey(path.join(folder, 'signing-key.json'));
  const pool = (
    kind: keyof typeof localPoolNames,
    clientId: string,
    more: { offered: readonly string[]; attributes: readonly string[]; groups: readonly string[] },
  ) => {
    const id = `${region}_${localPoolNames[kind]}`;
    return new UserPool({
      ...more,
      id,
      region,
      issuer: `https://cognito-idp.${region}.amazonaws.com/${id}`,
      key,
      addTokenClaims: addTokenClaims[kind],
      now,
      tell,
      clientId,
      scopes: localScopes[kind],
      content: new PoolContent(path.join(folder, `${kind}.json`)),
    });
  };
  const staff = pool('staff', 'concordlocalcommandline', {
    offered: [...offeredScopes.user, ...offeredScopes.system],
    attributes: ['organization', 'fhirUser', 'groups'],
    groups: roles.filter((role) => role !== 'patient' && role !== 'system'),
  });
  const patients = pool('patients', 'concordlocalpatients', {
    offered: offeredScopes.patient,
    attributes: ['patient', 'fhirUser'],
    groups: [],
  });
  const pools = { staff, patients };
  await addLocalUsers(pools, path.join(folder, 'users.json'), now());

  const signIn = (username: string, password: string) => pools[poolOf(username)].signIn(username, password);
  const addOfPatients = async (username: string, patient: string, fhirUser: string) => {
    const user = patients.content.user(username)?.[1] ?? (await newUser(username, now()));
    const attributes = { ...user.attributes, 'custom:patient': patient, 'custom:fhirUser': fhirUser };
    patients.content.write({ users: { [username]: { ...user, attributes } } });
  };
  return {
    ...pools,
    jwks: { [staff.id]: key.jwks, [patients.id]: key.jwks },
    service: {
      target: 'AWSCognitoIdentityProviderService',
      operations: {
        ...poolAdmin([staff, patients]),
        InitiateAuth: (input) => poolOfClient(pools, input).initiateAuth(input),
        RespondToAuthChallenge: (input) => poolOfClient(pools, input).respondToAuthChallenge(input),
      },
    },
    documents: ({ pathname }) => {
      const found = [staff, patients].find(({ id }) => pathname.startsWith(`/${id}/.well-known/`));
      if (!found) return undefined;
      if (pathname.endsWith('/jwks.json')) return key.jwks;
      if (!pathname.endsWith('/openid-configuration')) return undefined;
      const { issuer } = found.settings;
      return {
        issuer,
        jwks_uri: `${issuer}/.well-known/jwks.json`,
        id_token_signing_alg_values_supported: ['RS256'],
        subject_types_supported: ['public'],
      };
    },
    forms: async (request) => (request.pathname === '/oauth2/token' ? tokenEndpoint(staff, request) : undefined),
    signIn,
    accessToken: async (username, password) => {
      const client = localClientOf(username);
      if (client === undefined) return (await signIn(username, password)).accessToken;
      const answer = await staff.applicationToken(client, password, []);
      if ('accessToken' in answer) return answer.accessToken;
      throw new ServiceError('NotAuthorizedException', answer.error);
    },
    setEnabled: async (username, enabled) => {
      const of = pools[poolOf(username)];
      if (enabled) of.change(username, { enabled });
      else await of.end('AdminDisableUser', username);
    },
    addPatient: (patient) => addOfPatients(patientUsername, patient, `Patient/${patient}`),
    addProxy: (patient, person) => addOfPatients(proxyUsername, patient, person),
    hasPatient: () => patients.content.user(patientUsername) !== undefined,
  };
};

/** The answers of the triggers, of a stack whose applications are the local ones. */
const withoutTrace: Readonly<Record<'staff' | 'patients', AddTokenClaims>> = {
  staff: async (event: TokenEvent) => {
    if (!isOfApplication(event)) return withStaffClaims(event, {});
    const { clientId } = event.callerContext;
    return withApplicationClaims(
      event,
      localApplications(0).find(({ client }) => client === clientId),
    );
  },
  patients: async (event: TokenEvent) => withPatientClaims(event),
};

const poolOfClient = (
  { staff, patients }: Pick<UserPools, 'staff' | 'patients'>,
  { ClientId }: PoolInput,
): UserPool => {
  const pool = [staff, patients].find(({ clientId }) => clientId === ClientId);
  if (pool) return pool;
  throw new ServiceError('ResourceNotFoundException', `User pool client ${String(ClientId)} does not exist.`);
};

/**
 * Client credentials for an access token, with the refusals that Cognito has.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
 */
const tokenEndpoint = async (pool: UserPool, { authorization, body }: Parameters<Forms>[0]) => {
  const [, basic] = /^Basic\s+(\S+)$/i.exec(authorization ?? '') ?? [];
  const [id = '', secret = ''] =
    basic === undefined
      ? [body.get('client_id') ?? '', body.get('client_secret') ?? '']
      : Buffer.from(basic, 'base64').toString().split(':');
  const refused = (error: string, description?: string) => ({
    statusCode: 400,
    body: { error, ...(description === undefined ? {} : { error_description: description }) },
  });
  if (!body.has('grant_type')) return refused('invalid_request');
  if (body.get('grant_type') !== 'client_credentials') return refused('unsupported_grant_type');
  const scopes = (body.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  try {
    const answer = await pool.applicationToken(id, secret, scopes);
    if ('error' in answer) return refused(answer.error);
    return {
      statusCode: 200,
      body: { access_token: answer.accessToken, expires_in: tokenLifetimeSeconds, token_type: 'Bearer' },
    };
  } catch (error) {
    if (error instanceof ServiceError) return refused('invalid_request', error.message);
    throw error;
  }
};

/** What a folder of before there were two pools holds of a user. */
interface EarlierUser {
  readonly enabled: boolean;
  readonly patient?: string;
  readonly person?: string;
}

const addLocalUsers = async (
  { staff, patients }: Pick<UserPools, 'staff' | 'patients'>,
  earlierFile: string,
  now: number,
): Promise<void> => {
  const earlier = (readJsonFile(earlierFile) ?? {}) as Readonly<Record<string, EarlierUser>>;
  const missing = localUsers.filter(({ username, role }) => role !== 'system' && !staff.content.user(username));
  const added = missing.map(
    async ({ username, role, organization, fhirUser }): Promise<[string, StoredUser]> => [
      username,
      {
        ...(await newUser(username, now)),
        enabled: earlier[username]?.enabled ?? true,
        groups: [role],
        attributes: { email: username, 'custom:organization': organization, 'custom:fhirUser': fhirUser },
      },
    ],
  );
  const clients = localUsers.flatMap((user): [string, StoredClient][] => {
    const id = localClientOf(user.username);
    return id === undefined || staff.content.client(id) ? [] : [[id, newClient(user, now)]];
  });
  const users = Object.fromEntries(await Promise.all(added));
  if (added.length + clients.length > 0) staff.content.write({ users, clients: Object.fromEntries(clients) });

  const known = [patientUsername, proxyUsername].flatMap((username) => {
    const { patient, person = `Patient/${patient}` } = earlier[username] ?? {};
    return patient === undefined || patients.content.user(username) ? [] : [{ username, patient, person }];
  });
  for (const { username, patient, person } of known) {
    const attributes = { email: username, 'custom:patient': patient, 'custom:fhirUser': person };
    patients.content.write({ users: { [username]: { ...(await newUser(username, now)), attributes } } });
  }
};

const newUser = async (username: string, now: number): Promise<StoredUser> => ({
  sub: subjectOf(username),
  password: await hashPassword(localPassword),
  enabled: true,
  status: 'CONFIRMED',
  groups: [],
  attributes: { email: username },
  created: now,
  modified: now,
});

const newClient = ({ username }: LocalUser, now: number): StoredClient => ({
  name: username,
  secrets: [{ id: `first-of-${localClientOf(username)}`, value: localPassword, created: now }],
  flows: ['client_credentials'],
  scopes: ['system/*.cruds'],
  created: now,
  modified: now,
});
