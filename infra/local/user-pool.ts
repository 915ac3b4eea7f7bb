import { randomUUID } from 'node:crypto';
import { tokenLifetimeSeconds } from '../../shared/access/token-lifetime.ts';
import { ServiceError } from './aws-services.ts';
import { hashPassword, isPassword } from './password.ts';
import type { PoolContent, StoredUser } from './pool-content.ts';
import { failedSignIn, userEnded } from './pool-events.ts';
import { invalid, type PoolInput, textOf } from './pool-input.ts';
import { type TokenIssuer, tokenOfApplication, tokensOfUser, type UserTokens } from './pool-tokens.ts';

/** What a pool is made of. */
export interface PoolSettings extends TokenIssuer {
  readonly content: PoolContent;
  /** The application of people here, which signs in with a password. */
  readonly clientId: string;
  /** Scopes of its tokens. */
  readonly scopes: readonly string[];
  /** All scopes that the pool's resource servers have. */
  readonly offered: readonly string[];
  /** Names of the pool's own attributes, without `custom:`. */
  readonly attributes: readonly string[];
  /** Names of its groups. */
  readonly groups: readonly string[];
  /** Is told what a deployed pool tells of itself, and awaited, where that takes minutes there. */
  readonly tell: ((event: object) => Promise<void>) | undefined;
}

/** A stand-in for a Cognito user pool of a deployment, with its pre-token trigger. */
export class UserPool {
  readonly settings: PoolSettings;
  /** Whoever has to choose a password, by what the pool has told them to answer with. */
  readonly #sessions = new Map<string, string>();

  constructor(settings: PoolSettings) {
    this.settings = settings;
  }

  get id(): string {
    return this.settings.id;
  }

  get clientId(): string {
    return this.settings.clientId;
  }

  get content(): PoolContent {
    return this.settings.content;
  }

  /**
   * Signs in with a password.
   *
   * @throws ServiceError `NotAuthorizedException` for an unknown user, a wrong password or a disabled user; `PasswordResetRequiredException` for who has to choose a
   *   password first.
   */
  async signIn(username: string, password: string): Promise<UserTokens> {
    const known = await this.#proved(username, password);
    if (known[1].status === 'FORCE_CHANGE_PASSWORD')
      throw new ServiceError('PasswordResetRequiredException', 'The user has to choose a password first');
    return this.#tokens(known);
  }

  /** https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html */
  async initiateAuth(input: PoolInput): Promise<object> {
    if (input.AuthFlow !== 'USER_PASSWORD_AUTH')
      throw invalid(`${String(input.AuthFlow)} flow not enabled for this client`);
    const parameters = (input.AuthParameters ?? {}) as PoolInput;
    const known = await this.#proved(textOf(parameters, 'USERNAME'), textOf(parameters, 'PASSWORD'));
    if (known[1].status !== 'FORCE_CHANGE_PASSWORD') return authenticated(await this.#tokens(known));
    const Session = randomUUID();
    this.#sessions.set(Session, known[0]);
    return {
      ChallengeName: 'NEW_PASSWORD_REQUIRED',
      Session,
      ChallengeParameters: { USER_ID_FOR_SRP: known[0], requiredAttributes: '[]', userAttributes: '{}' },
    };
  }

  /** https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RespondToAuthChallenge.html */
  async respondToAuthChallenge(input: PoolInput): Promise<object> {
    if (input.ChallengeName !== 'NEW_PASSWORD_REQUIRED') throw invalid('There is no such challenge');
    const responses = (input.ChallengeResponses ?? {}) as PoolInput;
    const session = textOf(input, 'Session');
    const username = this.#sessions.get(session);
    const [name] = this.content.user(textOf(responses, 'USERNAME')) ?? [];
    if (username === undefined || name !== username)
      throw new ServiceError('NotAuthorizedException', 'Invalid session for the user.');
    await this.setPassword(username, textOf(responses, 'NEW_PASSWORD'), true);
    this.#sessions.delete(session);
    return authenticated(await this.#tokens([username, this.user(username)[1]]));
  }

  /** A user by name or `sub`. Throws ServiceError `UserNotFoundException`. */
  user(name: string): readonly [name: string, user: StoredUser] {
    const known = this.content.user(name);
    if (!known) throw new ServiceError('UserNotFoundException', 'User does not exist.');
    return known;
  }

  /** Changes a user. Throws likewise. */
  change(name: string, changes: Partial<StoredUser>): void {
    const [username, user] = this.user(name);
    this.content.write({ users: { [username]: { ...user, ...changes, modified: this.settings.now() } } });
  }

  /**
   * Gives a user another password.
   *
   * @param permanent - else it has to be changed with the next sign-in.
   * @throws ServiceError `InvalidPasswordException`, `UserNotFoundException`.
   */
  async setPassword(name: string, password: string, permanent: boolean): Promise<void> {
    requireStrong(password);
    const status = permanent ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD';
    this.change(name, { password: await hashPassword(password), status });
  }

  /** Does what ends a user's access, and tells of it as CloudTrail does. */
  async end(eventName: 'AdminDisableUser' | 'AdminUserGlobalSignOut' | 'AdminDeleteUser', name: string): Promise<void> {
    const [username, { sub }] = this.user(name);
    if (eventName === 'AdminDisableUser') this.change(username, { enabled: false });
    if (eventName === 'AdminDeleteUser') this.content.write({ users: { [username]: undefined } });
    await this.settings.tell?.(userEnded(eventName, this.id, sub, this.settings.now()));
  }

  /**
   * An access token of an application by its own credentials.
   *
   * @param asked - scopes; all that the application may have, if there are none.
   * @returns what the token endpoint refuses it by, if it does.
   */
  async applicationToken(
    clientId: string,
    secret: string,
    asked: readonly string[],
  ): Promise<{ readonly accessToken: string } | { readonly error: string }> {
    const client = this.content.client(clientId);
    if (!client?.secrets.some(({ value }) => value === secret)) return { error: 'invalid_client' };
    if (!client.flows.includes('client_credentials')) return { error: 'unauthorized_client' };
    if (asked.some((scope) => !client.scopes.includes(scope))) return { error: 'invalid_grant' };
    const scopes = asked.length === 0 ? client.scopes : asked;
    return { accessToken: await tokenOfApplication(this.settings, clientId, scopes) };
  }

  #tokens(known: readonly [string, StoredUser]): Promise<UserTokens> {
    const { clientId, scopes } = this.settings;
    return tokensOfUser(this.settings, known, clientId, scopes);
  }

  async #proved(username: string, password: string): Promise<readonly [string, StoredUser]> {
    const { tell, clientId, now } = this.settings;
    const known = this.content.user(username);
    // One answer for both, as a pool that hides which users exist gives it.
    if (!known || !(await isPassword(password, known[1].password))) {
      await tell?.(failedSignIn(this.id, clientId, known?.[1].sub, now()));
      throw new ServiceError('NotAuthorizedException', 'Incorrect username or password.');
    }
    if (known[1].enabled) return known;
    await tell?.(failedSignIn(this.id, clientId, known[1].sub, now()));
    throw new ServiceError('NotAuthorizedException', 'User is disabled.');
  }
}

const authenticated = ({ accessToken, idToken }: UserTokens) => ({
  AuthenticationResult: {
    AccessToken: accessToken,
    IdToken: idToken,
    ExpiresIn: tokenLifetimeSeconds,
    TokenType: 'Bearer',
  },
  ChallengeParameters: {},
});

/** As the stack asks it of passwords that people choose. */
const requireStrong = (password: string): void => {
  const strong = password.length >= 14 && [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].every((some) => some.test(password));
  if (strong) return;
  throw new ServiceError(
    'InvalidPasswordException',
    'Password did not conform with policy: 14 of all kinds of letters',
  );
};
