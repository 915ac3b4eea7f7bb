import { createHash, randomUUID } from 'node:crypto';
import path from 'node:path';
import { type TokenEvent, withTokenClaims } from '../../shared/access/token-claims.ts';
import { tokenLifetimeSeconds } from '../../shared/access/token-lifetime.ts';
import type { UserPoolEvent } from '../../shared/audit/user-pool-events.ts';
import { type JsonService, ServiceError } from './aws-services.ts';
import { readJsonFile, writeJsonFile } from './json-file.ts';
import { hashPassword, isPassword } from './password.ts';
import { openSigningKey, type SigningKey } from './signing-key.ts';
import {
  type LocalUser,
  localPassword,
  localUsers,
  type PatientUser,
  patientUser,
  patientUsername,
  proxyUser,
  proxyUsername,
} from './users.ts';

/** What the pool keeps of a user, by user name. */
interface StoredUser {
  readonly sub: string;
  readonly password: string;
  readonly enabled: boolean;
  /** Id of the patient in context, if the user is a patient or acts for one. */
  readonly patient?: string;
  /** Reference to the user's own record, if the user acts for a patient. */
  readonly person?: string;
}

export interface UserPoolOptions {
  /** Folder that keeps users and key. */
  readonly folder: string;
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Is told what CloudTrail tells of the pool, and awaited, where CloudTrail takes minutes. */
  readonly tell?: (event: UserPoolEvent) => Promise<void>;
  /** The pre-token trigger; where none is given, what it answers without leaving a trace. */
  readonly addTokenClaims?: (event: TokenEvent) => Promise<TokenEvent>;
}

/** A stand-in for the Cognito user pool of a deployment, with its pre-token trigger. */
export interface UserPool {
  readonly id: string;
  readonly clientId: string;
  readonly issuer: string;
  readonly jwks: SigningKey['jwks'];
  /** The part of Cognito's API that is served. */
  readonly service: JsonService;
  /** The pool's public documents, behind GET. */
  readonly documents: (url: URL) => unknown;
  /**
   * Signs in with a password.
   *
   * @throws ServiceError `NotAuthorizedException` for an unknown user, a wrong password or a disabled user.
   */
  readonly signIn: (username: string, password: string) => Promise<{ accessToken: string; idToken: string }>;
  /** Turns a user off, tokens included, or on, as an administrator does. Throws ServiceError `UserNotFoundException`. */
  readonly setEnabled: (username: string, enabled: boolean) => Promise<void>;
  /** Lets the demo patient sign in, now and after a restart. Takes the id of the patient's record. */
  readonly addPatient: (patient: string) => Promise<void>;
  /** Lets who acts for a child of the demo sign in, likewise. Takes the id of the child's record and the reference of the own one. */
  readonly addProxy: (patient: string, person: string) => Promise<void>;
  /** Whether the demo patient can sign in. */
  readonly hasPatient: () => boolean;
}

/** Source of what is told what CloudTrail tells of the pool. */
export const followPoolEntry = 'functions/follow-user-pool.ts';
/** Source of the pre-token trigger. */
export const tokenClaimsEntry = 'functions/add-token-claims.ts';

const poolName = 'ConcordLocal';
const clientId = 'concordlocalcommandline';

/** Opens the pool. Users that its folder does not know yet are added with the common password. */
export const openUserPool = async ({
  folder,
  region,
  now = Date.now,
  tell,
  addTokenClaims = async (event) => withTokenClaims(event),
}: UserPoolOptions): Promise<UserPool> => {
  const id = `${region}_${poolName}`;
  const issuer = `https://cognito-idp.${region}.amazonaws.com/${id}`;
  const file = path.join(folder, 'users.json');
  const [key, users] = await Promise.all([openSigningKey(path.join(folder, 'signing-key.json')), openUsers(file)]);

  const signIn = async (username: string, password: string) => {
    const stored = users[username];
    const user = localUsers.find((known) => known.username === username) ?? patientOf(stored);
    // One answer for both, as a pool that hides which users exist gives it.
    if (!stored || !user || !(await isPassword(password, stored.password))) {
      await tell?.(failedSignIn(user && stored, now()));
      throw new ServiceError('NotAuthorizedException', 'Incorrect username or password.');
    }
    if (!stored.enabled) await tell?.(failedSignIn(stored, now()));
    if (!stored.enabled) throw new ServiceError('NotAuthorizedException', 'User is disabled.');
    const common = commonClaims(stored, issuer, now());
    const claims = await addTokenClaims(tokenEvent(stored, user, { region, id })).catch(triggerFailed);
    return {
      accessToken: key.signToken(accessClaims(common, user, claims)),
      idToken: key.signToken(idClaims(common, user)),
    };
  };

  return {
    id,
    clientId,
    issuer,
    jwks: key.jwks,
    signIn,
    service: {
      target: 'AWSCognitoIdentityProviderService',
      operations: { InitiateAuth: (input) => initiateAuth(input, signIn) },
    },
    documents: ({ pathname }) => {
      if (pathname === `/${id}/.well-known/jwks.json`) return key.jwks;
      if (pathname !== `/${id}/.well-known/openid-configuration`) return undefined;
      return {
        issuer,
        jwks_uri: `${issuer}/.well-known/jwks.json`,
        id_token_signing_alg_values_supported: ['RS256'],
        subject_types_supported: ['public'],
      };
    },
    setEnabled: async (username, enabled) => {
      const user = users[username];
      if (!user) throw new ServiceError('UserNotFoundException', 'User does not exist.');
      users[username] = { ...user, enabled };
      writeJsonFile(file, users);
      if (!enabled) await tell?.(disabled(user, id, now()));
    },
    addPatient: async (patient) => {
      users[patientUsername] = { ...(users[patientUsername] ?? (await newUser(patientUsername))), patient };
      writeJsonFile(file, users);
    },
    addProxy: async (patient, person) => {
      users[proxyUsername] = { ...(users[proxyUsername] ?? (await newUser(proxyUsername))), patient, person };
      writeJsonFile(file, users);
    },
    hasPatient: () => patientOf(users[patientUsername]) !== undefined,
  };
};

const patientOf = ({ patient, person }: Partial<StoredUser> = {}): PatientUser | undefined => {
  if (patient === undefined) return undefined;
  return person === undefined ? patientUser(patient) : proxyUser(patient, person);
};

const newUser = async (username: string): Promise<StoredUser> => ({
  sub: subjectOf(username),
  password: await hashPassword(localPassword),
  enabled: true,
});

const openUsers = async (file: string): Promise<Record<string, StoredUser>> => {
  const known = (readJsonFile(file) ?? {}) as Record<string, StoredUser>;
  const missing = localUsers.filter(({ username }) => !(username in known));
  if (missing.length === 0) return known;
  const added = missing.map(async ({ username }): Promise<[string, StoredUser]> => [username, await newUser(username)]);
  const users = { ...known, ...Object.fromEntries(await Promise.all(added)) };
  writeJsonFile(file, users);
  return users;
};

/** The same user has the same `sub` in every data folder, so examples can be repeated. */
const subjectOf = (username: string) => {
  const hash = createHash('sha256').update(`concord/${username}`).digest('hex');
  // The form of a UUID of version 8 (RFC 9562, section 5.8).
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
};

/** https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html */
const initiateAuth = async (input: Readonly<Record<string, unknown>>, signIn: UserPool['signIn']) => {
  if (input.ClientId !== clientId) {
    throw new ServiceError('ResourceNotFoundException', `User pool client ${String(input.ClientId)} does not exist.`);
  }
  if (input.AuthFlow !== 'USER_PASSWORD_AUTH') {
    throw new ServiceError('InvalidParameterException', `${String(input.AuthFlow)} flow not enabled for this client`);
  }
  const parameters = new Map(Object.entries(input.AuthParameters ?? {}) as [string, unknown][]);
  const text = (name: string) => {
    const value = parameters.get(name);
    if (typeof value === 'string' && value !== '') return value;
    throw new ServiceError('InvalidParameterException', `Missing required parameter ${name}`);
  };
  const { accessToken, idToken } = await signIn(text('USERNAME'), text('PASSWORD'));
  return {
    AuthenticationResult: {
      AccessToken: accessToken,
      IdToken: idToken,
      ExpiresIn: tokenLifetimeSeconds,
      TokenType: 'Bearer',
    },
    ChallengeParameters: {},
  };
};

const commonClaims = ({ sub }: StoredUser, issuer: string, now: number) => {
  const issuedAt = Math.floor(now / 1_000);
  return {
    sub,
    iss: issuer,
    auth_time: issuedAt,
    iat: issuedAt,
    exp: issuedAt + tokenLifetimeSeconds,
    jti: randomUUID(),
    origin_jti: randomUUID(),
  };
};

type ToldCall = UserPoolEvent['detail'];

/** An event as EventBridge has it of CloudTrail: events/user-pool. */
const toldByCloudTrail = (
  user: StoredUser | undefined,
  now: number,
  call: Omit<ToldCall, 'eventTime' | 'eventID' | 'additionalEventData'>,
): UserPoolEvent => ({
  source: 'aws.cognito-idp',
  'detail-type': 'AWS API Call via CloudTrail',
  detail: {
    ...call,
    eventTime: `${new Date(now).toISOString().slice(0, 19)}Z`,
    eventID: randomUUID(),
    ...(user ? { additionalEventData: { sub: user.sub } } : {}),
  },
});

const disabled = (user: StoredUser, userPoolId: string, now: number): UserPoolEvent =>
  toldByCloudTrail(user, now, { eventName: 'AdminDisableUser', requestParameters: { userPoolId } });

const failedSignIn = (user: StoredUser | undefined, now: number): UserPoolEvent =>
  toldByCloudTrail(user, now, {
    eventName: 'InitiateAuth',
    errorCode: 'NotAuthorizedException',
    requestParameters: { clientId, authFlow: 'USER_PASSWORD_AUTH' },
  });

/** As the pool says it. https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html */
const triggerFailed = (error: unknown): never => {
  const said = error instanceof Error ? error.message : 'Unknown';
  throw new ServiceError('UserLambdaValidationException', `PreTokenGeneration failed with error ${said}.`);
};

/** What the pool asks its pre-token trigger. https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html */
const tokenEvent = (
  { sub }: StoredUser,
  user: LocalUser | PatientUser,
  pool: { readonly region: string; readonly id: string },
): TokenEvent => ({
  version: '3',
  triggerSource: 'TokenGeneration_Authentication',
  region: pool.region,
  userPoolId: pool.id,
  userName: user.username,
  callerContext: { awsSdkVersion: 'local', clientId },
  request: {
    userAttributes: {
      sub,
      email: user.username,
      'custom:fhirUser': user.fhirUser,
      // A patient belongs to no organisation.
      ...('patient' in user ? { 'custom:patient': user.patient } : { 'custom:organization': user.organization }),
    },
    groupConfiguration: { groupsToOverride: [user.role], iamRolesToOverride: [], preferredRole: undefined },
    scopes: user.scope.split(' '),
  },
  response: { claimsAndScopeOverrideDetails: {} },
});

/** An access token as the pool issues it, with what the trigger adds and takes away. */
const accessClaims = (common: object, user: LocalUser | PatientUser, { response }: TokenEvent) => {
  const { claimsToAddOrOverride, scopesToSuppress = [] } =
    response.claimsAndScopeOverrideDetails.accessTokenGeneration ?? {};
  return {
    ...common,
    client_id: clientId,
    token_use: 'access',
    scope: user.scope
      .split(' ')
      .filter((scope) => !scopesToSuppress.includes(scope))
      .join(' '),
    username: user.username,
    'cognito:groups': [user.role],
    ...claimsToAddOrOverride,
  };
};

const idClaims = (common: object, { username, role }: LocalUser | PatientUser) => ({
  ...common,
  aud: clientId,
  token_use: 'id',
  email: username,
  email_verified: true,
  'cognito:username': username,
  'cognito:groups': [role],
});
