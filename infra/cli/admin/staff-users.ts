import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDisableUserCommand,
  AdminGetUserCommand,
  AdminListGroupsForUserCommand,
  AdminUserGlobalSignOutCommand,
  type AttributeType,
  CognitoIdentityProviderClient,
  ListUsersCommand,
  type ListUsersCommandOutput,
  paginateListUsersInGroup,
} from '@aws-sdk/client-cognito-identity-provider';
import { type Role, roles } from '../../../shared/access/caller.ts';
import {
  type FederatedHospital,
  type Federation,
  hospitalOf,
  rolesByGroups,
} from '../../../shared/access/federation.ts';
import { CommandFailed } from '../command.ts';
import type { Place } from './place.ts';

/** Roles of people who work for an organisation: the groups of the pool of staff. */
export const staffRoles: readonly Role[] = roles.filter((role) => role !== 'patient' && role !== 'system');

/** Somebody in the pool of staff. */
export interface StaffUser {
  /** Name to sign in with. */
  readonly username: string;
  readonly subject: string;
  readonly email: string;
  /** Of those who sign on at a hospital it is the hospital's. */
  readonly organization: string;
  /** What a hospital's groups come to, for those who sign on there; others have groups of the pool. */
  readonly hospitalRoles?: readonly Role[];
  /** Reference to the own record, such as `Practitioner/northside-nurse`. */
  readonly fhirUser: string;
  readonly enabled: boolean;
  /** As Cognito calls it, such as `FORCE_CHANGE_PASSWORD`. */
  readonly status: string;
}

/** What of a place leads to its pool of staff. */
export type PoolOfStaff = Pick<Place, 'services' | 'staffPoolId' | 'federation'>;

/**
 * The pool of staff as its administrators reach it. Each method is a call or two and throws CommandFailed in the pool's own words.
 *
 * @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_Operations.html
 */
export class StaffUsers {
  readonly #client: CognitoIdentityProviderClient;
  readonly #pool: { readonly UserPoolId: string };

  readonly #federation: Federation;

  constructor({ services, staffPoolId: UserPoolId, federation }: PoolOfStaff) {
    this.#client = new CognitoIdentityProviderClient({ ...services });
    this.#pool = { UserPoolId };
    this.#federation = federation;
  }

  /** By name to sign in with, e-mail address or `sub`; undefined if there is nobody. */
  async find(name: string): Promise<StaffUser | undefined> {
    try {
      const found = await this.#client.send(new AdminGetUserCommand({ ...this.#pool, Username: name }));
      return userOf(this.#federation, found.Username, found.UserAttributes, found);
    } catch (error) {
      if ((error as Error).name === 'UserNotFoundException') return undefined;
      throw failed(`${name} cannot be looked up`, error);
    }
  }

  /** Likewise, with every account of an address: who signs on at a hospital may have a password of the pool besides, and is not found by the address as a name. */
  async findAll(name: string): Promise<StaffUser[]> {
    const found = new Map<string, StaffUser>();
    const named = await this.find(name);
    if (named) found.set(named.subject, named);
    if (name.includes('@'))
      for await (const user of this.all(`email = "${name.replace(/["\\]/g, '')}"`)) found.set(user.subject, user);
    return [...found.values()];
  }

  /**
   * All, a page of sixty at a time.
   *
   * @param Filter - as Cognito has it; everybody, if absent. https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html
   */
  async *all(Filter?: string): AsyncGenerator<StaffUser> {
    let PaginationToken: string | undefined;
    do {
      const page: ListUsersCommandOutput = await this.#client
        .send(
          new ListUsersCommand({
            ...this.#pool,
            ...(Filter ? { Filter } : {}),
            Limit: 60,
            ...(PaginationToken ? { PaginationToken } : {}),
          }),
        )
        .catch((error: unknown) => {
          throw failed('The users cannot be listed', error);
        });
      for (const user of page.Users ?? []) yield userOf(this.#federation, user.Username, user.Attributes, user);
      PaginationToken = page.PaginationToken;
    } while (PaginationToken !== undefined);
  }

  /** Who has which roles, by name to sign in with. */
  async roles(): Promise<ReadonlyMap<string, readonly Role[]>> {
    const found = new Map<string, Role[]>();
    for (const role of staffRoles)
      for await (const { Users = [] } of paginateListUsersInGroup(
        { client: this.#client },
        { ...this.#pool, GroupName: role },
      ))
        for (const { Username = '' } of Users) found.set(Username, [...(found.get(Username) ?? []), role]);
    return found;
  }

  /** Roles of one. */
  async rolesOf(username: string): Promise<readonly string[]> {
    const { Groups = [] } = await this.#client
      .send(new AdminListGroupsForUserCommand({ ...this.#pool, Username: username }))
      .catch((error: unknown) => {
        throw failed(`The roles of ${username} cannot be looked up`, error);
      });
    return Groups.map(({ GroupName = '' }) => GroupName);
  }

  /** Enters somebody, whom the pool writes an invitation with a first password. */
  async add({ email, organization, fhirUser }: Pick<StaffUser, 'email' | 'organization' | 'fhirUser'>): Promise<void> {
    const attributes = {
      email,
      email_verified: 'true',
      'custom:organization': organization,
      'custom:fhirUser': fhirUser,
    };
    await this.#client
      .send(
        new AdminCreateUserCommand({
          ...this.#pool,
          Username: email,
          UserAttributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })),
          DesiredDeliveryMediums: ['EMAIL'],
        }),
      )
      .catch((error: unknown) => {
        throw failed(`${email} cannot be entered`, error);
      });
  }

  async give(username: string, role: string): Promise<void> {
    await this.#client
      .send(new AdminAddUserToGroupCommand({ ...this.#pool, Username: username, GroupName: role }))
      .catch((error: unknown) => {
        throw failed(`${username} cannot be given the role ${role}`, error);
      });
  }

  /** Turns somebody off, and ends what would renew their tokens. */
  async end(username: string): Promise<void> {
    const input = { ...this.#pool, Username: username };
    try {
      await this.#client.send(new AdminDisableUserCommand(input));
      await this.#client.send(new AdminUserGlobalSignOutCommand(input));
    } catch (error) {
      throw failed(`${username} cannot be turned off`, error);
    }
  }

  close(): void {
    this.#client.destroy();
  }
}

const userOf = (
  federation: Federation,
  username: string | undefined,
  attributes: readonly AttributeType[] | undefined,
  { Enabled, UserStatus }: { readonly Enabled?: boolean | undefined; readonly UserStatus?: string | undefined },
): StaffUser => {
  const value = (name: string) => attributes?.find(({ Name }) => Name === name)?.Value ?? '';
  const hospital = knownHospital(value('identities'), federation);
  return {
    username: username ?? '',
    subject: value('sub'),
    email: value('email'),
    organization: hospital?.organization ?? value('custom:organization'),
    ...(hospital && { hospitalRoles: rolesByGroups(value('custom:groups'), hospital) }),
    fhirUser: value('custom:fhirUser'),
    enabled: Enabled ?? false,
    status: UserStatus ?? '',
  };
};

/** The hospital that somebody signs on by; undefined as well where it is none that this stage knows, whose people get no token. */
const knownHospital = (identities: string, federation: Federation): FederatedHospital | undefined => {
  try {
    return hospitalOf(identities === '' ? undefined : identities, federation);
  } catch {
    return undefined;
  }
};

const failed = (what: string, error: unknown): CommandFailed =>
  new CommandFailed(`${what}: ${error instanceof Error ? error.message : String(error)}`);
