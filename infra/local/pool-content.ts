import { createHash } from 'node:crypto';
import { readJsonFile, writeJsonFile } from './json-file.ts';

/** What a pool keeps of a user. */
export interface StoredUser {
  readonly sub: string;
  /** Hashed. */
  readonly password: string;
  readonly enabled: boolean;
  /** As Cognito calls it; who has to choose a password of their own gets no token before. */
  readonly status: 'CONFIRMED' | 'FORCE_CHANGE_PASSWORD';
  readonly groups: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly modified: number;
}

/** What a pool keeps of an application that signs in by its own credentials. */
export interface StoredClient {
  readonly name: string;
  /** At most two, so that one can be exchanged while it is used. In plain text, for Cognito shows them too. */
  readonly secrets: readonly ClientSecret[];
  readonly flows: readonly string[];
  readonly scopes: readonly string[];
  /** How people may sign in by it, as Cognito calls that, and which attributes of theirs it may write then. */
  readonly signIns?: readonly string[];
  readonly writes?: readonly string[];
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly modified: number;
}

export interface ClientSecret {
  readonly id: string;
  readonly value: string;
  /** Milliseconds since 1970. */
  readonly created: number;
}

interface Stored {
  readonly users: Readonly<Record<string, StoredUser>>;
  readonly clients: Readonly<Record<string, StoredClient>>;
}

/** Users and applications of one pool, kept in a file. */
export class PoolContent {
  readonly #file: string;
  readonly #users: Map<string, StoredUser>;
  readonly #clients: Map<string, StoredClient>;

  /** @param file - is read if it is there. */
  constructor(file: string) {
    this.#file = file;
    const { users, clients } = (readJsonFile(file) ?? { users: {}, clients: {} }) as Stored;
    this.#users = new Map(Object.entries(users));
    this.#clients = new Map(Object.entries(clients));
  }

  /** By name or `sub`, as Cognito finds them; names differ in more than case. */
  user(name: string): [name: string, user: StoredUser] | undefined {
    const known = this.#users.get(name.toLowerCase());
    if (known) return [name.toLowerCase(), known];
    return [...this.#users].find(([, { sub }]) => sub === name);
  }

  /** In order of their names. */
  get users(): readonly [name: string, user: StoredUser][] {
    return [...this.#users].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  client(id: string): StoredClient | undefined {
    return this.#clients.get(id);
  }

  get clients(): readonly [id: string, client: StoredClient][] {
    return [...this.#clients];
  }

  /** Keeps users and clients, or removes those that are undefined, in one step. */
  write(changes: {
    readonly users?: Readonly<Record<string, StoredUser | undefined>>;
    readonly clients?: Readonly<Record<string, StoredClient | undefined>>;
  }): void {
    change(this.#users, changes.users);
    change(this.#clients, changes.clients);
    writeJsonFile(this.#file, {
      users: Object.fromEntries(this.#users),
      clients: Object.fromEntries(this.#clients),
    } satisfies Stored);
  }
}

const change = <T>(into: Map<string, T>, changes: Readonly<Record<string, T | undefined>> = {}): void => {
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) into.delete(name);
    else into.set(name, value);
  }
};

/** The same user has the same `sub` in every data folder, so examples can be repeated. */
export const subjectOf = (username: string): string => {
  const hash = createHash('sha256').update(`concord/${username}`).digest('hex');
  // The form of a UUID of version 8 (RFC 9562, section 5.8).
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
};
