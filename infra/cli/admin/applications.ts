import { setTimeout as pause } from 'node:timers/promises';
import {
  AddUserPoolClientSecretCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  DeleteUserPoolClientCommand,
  DeleteUserPoolClientSecretCommand,
  ListUserPoolClientSecretsCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import * as z from 'zod/mini';
import { tokenLifetimeSeconds } from '../../../shared/access/token-lifetime.ts';
import { type Application, addApplication, revokeApplication } from '../../../shared/store/applications.ts';
import { deny } from '../../../shared/store/denylist.ts';
import { CommandFailed } from '../command.ts';
import { type FhirServer, fhirServerAt } from './fhir-server.ts';
import type { Operator } from './operator.ts';
import type { Place } from './place.ts';

/** What an application signs in by. */
export interface Credentials {
  readonly client: string;
  readonly secret: string;
}

/** A secret that an application has, without what is secret of it. */
export interface SecretOfApplication {
  readonly id: string;
  /** When it was made, in milliseconds since 1970. */
  readonly since: number;
}

const tokenAnswer = z.object({ access_token: z.string() });
const tokenRefusal = z.object({ error: z.string(), error_description: z.optional(z.string()) });

/** A client that was just made may be unknown to the token endpoint for a moment. */
const tries = 5;
const betweenTriesMs = 1_000;

/**
 * Applications of organisations: a client of the pool of staff with a secret, and a row that says for whom it acts. Each method throws CommandFailed.
 *
 * @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
 */
export class Applications {
  readonly #place: Place;
  readonly #client: CognitoIdentityProviderClient;
  readonly #pool: { readonly UserPoolId: string };

  constructor(place: Place) {
    this.#place = place;
    this.#client = new CognitoIdentityProviderClient({ ...place.services });
    this.#pool = { UserPoolId: place.staffPoolId };
  }

  /**
   * Makes an application of an organisation.
   *
   * @param now - milliseconds since 1970.
   */
  async add(
    { organization, name, fhirUser }: Omit<Application, 'client' | 'since'>,
    scopes: readonly string[],
    now: number,
  ): Promise<Credentials> {
    const command = new CreateUserPoolClientCommand({
      ...this.#pool,
      ClientName: name.replace(/[^\w\s+=,.@-]/g, '-').slice(0, 128),
      GenerateSecret: true,
      AllowedOAuthFlows: ['client_credentials'],
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthScopes: [...scopes],
      AccessTokenValidity: tokenLifetimeSeconds,
      TokenValidityUnits: { AccessToken: 'seconds' },
      EnableTokenRevocation: true,
      // Where nothing is said, people may sign in by a client, and change by it what the pool knows of them: their organisation, perhaps. By this nobody can.
      // https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html#CognitoUserPools-CreateUserPoolClient-request-ExplicitAuthFlows
      ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'],
      WriteAttributes: ['email'],
    });
    const { UserPoolClient } = await this.#client.send(command).catch(failed(`${name} cannot be made`));
    const { ClientId: client, ClientSecret: secret } = UserPoolClient ?? {};
    if (client === undefined || secret === undefined) throw new CommandFailed(`The pool gave ${name} no secret`);
    await addApplication(this.#place.table, { client, organization, name, fhirUser, since: now });
    return { client, secret };
  }

  /** An access token, as the application gets it itself. https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html */
  async token({ client, secret }: Credentials): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(this.#place.tokenEndpoint, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: 'grant_type=client_credentials',
      }).catch((error: unknown) => {
        throw new CommandFailed(`${this.#place.tokenEndpoint} does not answer: ${(error as Error).message}`);
      });
      const answer: unknown = await response.json().catch(() => undefined);
      const given = tokenAnswer.safeParse(answer);
      if (given.success) return given.data.access_token;
      const { error = `status ${response.status}`, error_description = '' } = tokenRefusal.safeParse(answer).data ?? {};
      if (error !== 'invalid_client' || attempt === tries)
        throw new CommandFailed(`The application gets no token: ${`${error} ${error_description}`.trim()}`);
      await pause(betweenTriesMs);
    }
  }

  /** Ends an application for good: its tokens are denied within a minute, it gets no further ones, and its secrets are gone. */
  async revoke(client: string, now: number): Promise<void> {
    // First all tokens, those too that it gets before the next step is done: what breaks off behind it has shut the door, and can be given again.
    await deny(this.#place.table, { kind: 'client', name: client, before: now + tokenLifetimeSeconds * 1_000 });
    await revokeApplication(this.#place.table, client, now);
    await this.#client
      .send(new DeleteUserPoolClientCommand({ ...this.#pool, ClientId: client }))
      .catch((error: unknown) => {
        if ((error as Error).name !== 'ResourceNotFoundException') throw failed(`${client} cannot be removed`)(error);
      });
  }

  /** Its secrets, the oldest first: two at most. */
  async secrets(client: string): Promise<SecretOfApplication[]> {
    const { ClientSecrets = [] } = await this.#client
      .send(new ListUserPoolClientSecretsCommand({ ...this.#pool, ClientId: client }))
      .catch(failed(`The secrets of ${client} cannot be looked at`));
    return ClientSecrets.map(({ ClientSecretId: id = '', ClientSecretCreateDate }) => ({
      id,
      since: ClientSecretCreateDate?.getTime() ?? 0,
    })).toSorted((a, b) => a.since - b.since);
  }

  /** Gives it one more, beside which the other one is good. */
  async addSecret(client: string): Promise<string> {
    const { ClientSecretDescriptor } = await this.#client
      .send(new AddUserPoolClientSecretCommand({ ...this.#pool, ClientId: client }))
      .catch(failed(`${client} cannot be given another secret`));
    const secret = ClientSecretDescriptor?.ClientSecretValue;
    if (secret === undefined) throw new CommandFailed(`The pool gave ${client} no secret`);
    return secret;
  }

  async removeSecret(client: string, id: string): Promise<void> {
    await this.#client
      .send(new DeleteUserPoolClientSecretCommand({ ...this.#pool, ClientId: client, ClientSecretId: id }))
      .catch(failed(`A secret of ${client} cannot be removed`));
  }

  close(): void {
    this.#client.destroy();
  }
}

const failed =
  (what: string) =>
  (error: unknown): never => {
    throw new CommandFailed(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  };

/** What the directory is written with: all that an application of an organisation may. */
const allOfSystem = ['system/*.cruds'];

/**
 * Works at the API as an application of an organisation that exists for as long as that, and that the access log names after whoever runs the command.
 *
 * @throws CommandFailed; whatever `work` throws. The application is ended in any case.
 */
export const asApplicationOf = async <T>(
  place: Place,
  organization: string,
  { operator, now }: { readonly operator: Operator; readonly now: number },
  work: (fhir: FhirServer) => Promise<T>,
): Promise<T> => {
  const applications = new Applications(place);
  try {
    const own = { organization, name: `npm run admin by ${operator.name}`, fhirUser: `Organization/${organization}` };
    const credentials = await applications.add(own, allOfSystem, now);
    try {
      return await work(fhirServerAt(place.url, await applications.token(credentials)));
    } finally {
      await applications.revoke(credentials.client, Date.now());
    }
  } finally {
    applications.close();
  }
};
