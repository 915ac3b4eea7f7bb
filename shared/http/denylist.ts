import type { Caller } from '../access/caller.ts';
import { RecordError } from '../errors.ts';
import { log } from '../log.ts';
import { type Denial, type Programme, programmesAmong, sessionName } from '../store/denylist.ts';

/** The list is asked for anew, beside a request that does not wait for it, once it is this old. In milliseconds. */
export const polledAfterMs = 30_000;

/** A list that is older is not trusted: the request waits for another one. So nobody is served for longer who was denied. In milliseconds. */
export const trustedForMs = 60_000;

/** A poll that takes longer was frozen together with the process, perhaps: nobody waits for it any more. In milliseconds. */
const longestPollMs = 5_000;

interface Poll {
  readonly began: number;
  readonly done: Promise<void>;
}

/**
 * Whose access tokens are denied before they expire, as far as this process knows: all of it, at most a minute old. No request asks for it
 * where others do before: it is polled twice a minute, beside a request.
 */
export class Denylist {
  readonly #read: () => Promise<readonly (Denial | Programme)[]>;
  readonly #now: () => number;
  /** By kind and name, up to when sign-ins are denied. */
  #denied: ReadonlyMap<string, number> = new Map();
  /** Names of all substance-use programmes (shared/access/programmes.ts), as old as the list: whoever uses it has been let in by it. */
  programmes: ReadonlySet<string> = new Set();
  /** When the list was asked for that is known. */
  #asOf = Number.NEGATIVE_INFINITY;
  #poll: Poll | undefined;

  /** @param now - in milliseconds since 1970. */
  constructor(read: () => Promise<readonly (Denial | Programme)[]>, now: () => number) {
    this.#read = read;
    this.#now = now;
  }

  /**
   * Requires that a token was not denied.
   *
   * @param signedIn - when its bearer did, in milliseconds since 1970: a token that came of renewing it is denied with it.
   * @throws RecordError `unauthenticated`; `unavailable` where no list is known that can be trusted.
   */
  async refuseDenied(
    { subject, fhirUser, client, sessions = [] }: Pick<Caller, 'subject' | 'fhirUser' | 'client' | 'sessions'>,
    signedIn: number,
  ): Promise<void> {
    const age = this.#now() - this.#asOf;
    if (age > trustedForMs) await this.#asked().catch(refuseAll);
    else if (age > polledAfterMs)
      this.#asked().catch((error: unknown) => log.fault('the denylist was not read', error));
    const names = sessions.map((session) => `session#${sessionName(fhirUser, session)}`);
    const denied = [`subject#${subject}`, `person#${fhirUser}`, `client#${client}`, ...names].some(
      (name) => signedIn <= (this.#denied.get(name) ?? Number.NEGATIVE_INFINITY),
    );
    if (!denied) return;
    throw new RecordError('unauthenticated', 'This access was revoked; sign in again', {
      reason: 'token-revoked',
      expression: 'Authorization',
    });
  }

  /** Asks for the list, unless that is under way. */
  #asked(): Promise<void> {
    const began = this.#now();
    if (this.#poll && began - this.#poll.began <= longestPollMs) return this.#poll.done;
    const poll: Poll = {
      began,
      done: this.#read().then(
        (denials) => this.#learn(poll, denials),
        (error: unknown) => {
          this.#end(poll);
          throw error;
        },
      ),
    };
    this.#poll = poll;
    return poll.done;
  }

  #learn(poll: Poll, known: readonly (Denial | Programme)[]): void {
    this.#end(poll);
    if (poll.began < this.#asOf) return; // a later poll was faster
    const denials = known.flatMap((each) => (each.kind === 'programme' ? [] : [each]));
    this.#denied = new Map(denials.map(({ kind, name, before }) => [`${kind}#${name}`, before]));
    this.programmes = programmesAmong(known);
    this.#asOf = poll.began;
  }

  #end(poll: Poll): void {
    if (this.#poll === poll) this.#poll = undefined;
  }
}

const refuseAll = (error: unknown): never => {
  log.fault('the denylist was not read', error);
  throw new RecordError('unavailable', 'Whether this access was revoked cannot be found out now', {
    reason: 'denylist-unavailable',
    headers: { 'Retry-After': '5' },
  });
};
