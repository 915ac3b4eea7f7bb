import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { stringifyJson } from '../../shared/fhir/json.ts';
import { CommandFailed } from './command.ts';

export interface PosterOptions {
  /** FHIR base URL, without a slash at its end. */
  readonly url: string;
  /** Gives an access token; a new one if asked to renew. */
  readonly token: (options?: { renew?: boolean }) => Promise<string>;
  /** The name of the import: what is posted again under it, in this run or a later one, is answered as the first time and not stored again. */
  readonly run: string;
  /** Pause before the first repetition, in milliseconds; it doubles up to the longest. */
  readonly pauseMs?: number;
}

export interface Answer {
  readonly status: number;
  /** Parsed JSON; undefined if the answer is not JSON. */
  readonly body: unknown;
}

export type Poster = (bundle: fhir4.Bundle) => Promise<Answer>;

/** Body size from which it is worth while to compress, in bytes. */
const compressFrom = 1_000_000;
const attempts = 8;
const longestPauseMs = 10_000;

/** The server, or what is in front of it, is busy or not there: it has not taken the request. */
const busy = new Set([429, 503]);
/** What Node says when a connection could not be made or broke. */
const connectionLost = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET']);

/**
 * Posts bundles. Repeats what a busy server puts off and what a broken connection lost, each time after a longer pause, and signs in
 * anew when a token is no longer taken. Each bundle bears a key made of it and of the import's name, so that what was stored before its answer
 * got lost is not stored again.
 *
 * @throws CommandFailed if the server answers no more.
 */
export const fhirPoster =
  ({ url, token, run, pauseMs = 250 }: PosterOptions): Poster =>
  async (bundle) => {
    const text = Buffer.from(stringifyJson(bundle));
    const compressed = text.length > compressFrom;
    const body = compressed ? gzipSync(text) : text;
    const key = `${run}:${createHash('sha256').update(text).digest('base64url')}`;
    let renew = false;
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt === attempts;
      try {
        const response = await fetch(url, {
          method: 'POST',
          body,
          headers: {
            authorization: `Bearer ${await token({ renew })}`,
            'content-type': 'application/fhir+json',
            accept: 'application/fhir+json',
            prefer: 'return=minimal',
            'idempotency-key': key,
            ...(compressed ? { 'content-encoding': 'gzip' } : {}),
          },
        });
        const answer = { status: response.status, body: parsed(await response.text()) };
        const expired: boolean = response.status === 401 && !renew;
        renew = expired;
        if (expired) continue;
        if (!busy.has(response.status) || last) return answer;
        await delay(pauseAfter(attempt, pauseMs, Number(response.headers.get('retry-after') ?? 0) * 1_000));
      } catch (error) {
        const { code } = ((error as Error).cause ?? {}) as { code?: string };
        if (!connectionLost.has(code ?? '')) throw error;
        if (last) throw new CommandFailed(unanswered(url, run));
        await delay(pauseAfter(attempt, pauseMs, 0));
      }
    }
  };

const unanswered = (url: string, run: string) =>
  `Concord at ${url} answers no more. What the table counts as accepted is stored; the bundle under way is stored wholly or not at all.
To go on within a day, without storing anything twice, give the same files with --resume ${run}`;

/** Twice as long each time, in milliseconds; not all at the same moment; at least what the server asked for. */
const pauseAfter = (attempt: number, first: number, asked: number) =>
  Math.max(asked, Math.min(longestPauseMs, first * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2));

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
