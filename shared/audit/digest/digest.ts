import { hash } from 'node:crypto';
import * as z from 'zod/mini';

/** Where the chain of a log ended. */
export interface Head {
  /** The log, by a hash of its name: a digest names no chart. */
  readonly log: string;
  /** Number of its last link, which is how many it has. */
  readonly number: number;
  /** Hash of its last link. */
  readonly hash: string;
  /** When the first row of its last link was written, in seconds since 1970. */
  readonly at: number;
}

/** What one day's digest says. */
export interface Digest {
  /** UTC, such as `2026-11-24`. */
  readonly day: string;
  /** The day of the first digest of all. */
  readonly first: string;
  /** When the heads were looked up, in seconds since 1970. */
  readonly taken: number;
  /** Hash of the digest of the day before, as it lies in the bucket; empty in the first. */
  readonly previous: string;
  /** Hashes of the lists of heads of all logs that got links on this day: the names under which they lie in the bucket. */
  readonly lists: readonly string[];
}

/** What stands for a log. Names of charts are 128 random bits, so nobody guesses one; who has a name can find what is said of it. */
export const logHash = (log: string): string => hash('sha256', `log ${log}`, 'base64url');

/** Names of objects in the bucket of digests. */
export const firstDayKey = 'first-day';
export const digestKey = (day: string): string => `digests/${day}`;
export const headsKey = (day: string, list: string): string => `heads/${day}/${list}`;

const day = z.string().check(z.regex(/^\d{4}-\d\d-\d\d$/));
const sha256 = z.string().check(z.regex(/^[\w-]{43}$/));
const count = z.int().check(z.gte(0));

const digestSchema = z.object({
  day,
  first: day,
  taken: count,
  previous: z.union([z.literal(''), sha256]),
  lists: z.array(sha256),
});
const headsSchema = z.array(z.tuple([sha256, count, sha256, count]));

const sha256Of = (bytes: Uint8Array): string => hash('sha256', bytes, 'base64url');

/** A list of heads as it lies in the bucket, and its hash. */
export const headsObject = (heads: readonly Head[]): { readonly bytes: Uint8Array; readonly list: string } => {
  const bytes = Buffer.from(JSON.stringify(heads.map(({ log, number, hash: link, at }) => [log, number, link, at])));
  return { bytes, list: sha256Of(bytes) };
};

/** The heads in an object of this hash; undefined if it is another one. */
export const headsIn = (bytes: Uint8Array, list: string): Head[] | undefined => {
  if (sha256Of(bytes) !== list) return undefined;
  const found = headsSchema.safeParse(jsonIn(bytes));
  return found.success ? found.data.map(([log, number, link, at]) => ({ log, number, hash: link, at })) : undefined;
};

/** A digest as it lies in the bucket: its text, a line feed, its authentication code in base 64. */
export const digestObject = (text: string, mac: string): Uint8Array => Buffer.from(`${text}\n${mac}\n`);

export const digestText = (digest: Digest): string => JSON.stringify(digest);

/** What is authenticated. The key service takes 4,096 bytes, so it is a hash of the text, with what it is the hash of. */
export const authenticated = (text: string): Uint8Array =>
  Buffer.from(`concord audit digest 1\n${hash('sha256', text, 'hex')}`);

/** What the next day's digest says of this one. */
export const digestHash = sha256Of;

/** The parts of such an object; undefined if it is none. */
export const digestIn = (
  bytes: Uint8Array,
): { readonly text: string; readonly mac: string; readonly digest: Digest } | undefined => {
  const [text = '', mac = '', ...rest] = Buffer.from(bytes).toString('utf8').split('\n');
  const found = digestSchema.safeParse(jsonIn(Buffer.from(text)));
  if (!found.success || rest.join('') !== '' || !/^[A-Za-z0-9+/]{43}=$/.test(mac)) return undefined;
  return { text, mac, digest: found.data };
};

const jsonIn = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
};
