import type { WasHeld } from '../chain/verify.ts';
import { isHeld } from '../held/is-held.ts';
import { dayBefore, daysFrom, endOf, lastDay } from './days.ts';
import {
  authenticated,
  type Digest,
  digestHash,
  digestIn,
  digestKey,
  firstDayKey,
  type Head,
  headsIn,
  headsKey,
} from './digest.ts';
import type { DigestContext } from './write-digests.ts';

/** What is wrong with the digests themselves. */
export interface DigestFault {
  readonly kind:
    | 'digest-missing'
    | 'digest-altered' // it is no digest of this day, or its code is not of the key
    | 'digest-replaced' // the next day's digest has the hash of another one
    | 'heads-missing'
    | 'heads-altered';
  readonly day: string;
}

/** What digests say of the ends of chains. */
export interface Anchors {
  /** Days whose digests were looked at. */
  readonly days: readonly string[];
  readonly faults: readonly DigestFault[];
  /** By hash of the log's name, oldest first. Some 200 bytes for each log and day. */
  readonly heads: ReadonlyMap<string, readonly Head[]>;
  /** What was chained from the one instant on and before the other is in a digest. Milliseconds since 1970; empty where nothing need be. */
  readonly complete: { readonly from: number; readonly to: number };
  /** Looks for rows that were held beside the digests. */
  readonly wasHeld?: WasHeld;
}

/** Rows may be chained as late as this: the stream keeps them for a day, and a run of its consumer takes a minute. */
const latestLinkMs = 25 * 3_600_000;
/** A run a time: the first digest that should be there is not missed while it may still be written. */
const graceMs = 2 * 3_600_000;

/**
 * Reads the digests, checks each and that they follow one another, and collects what they say.
 *
 * @param now - milliseconds since 1970; yesterday's digest is missed from half past two (UTC) on.
 * @param mostDays - reads the newest of them only; all if absent.
 * @throws ObjectStoreError; KeyServiceError.
 */
export const readDigests = async (
  { digests, key }: Omit<DigestContext, 'table'>,
  now = Date.now(),
  mostDays = Number.POSITIVE_INFINITY,
): Promise<Anchors> => {
  const [due, latest] = [lastDay(now - graceMs), lastDay(now)];
  const first = Buffer.from((await digests.get(firstDayKey)) ?? due).toString('utf8');
  const days = daysFrom(/^\d{4}-\d\d-\d\d$/.test(first) ? first : due, latest).slice(-mostDays);
  const faults: DigestFault[] = [];
  const heads = new Map<string, Head[]>();
  const name = (kind: DigestFault['kind'], day: string) => faults.push({ kind, day });
  let before: { readonly hash: string } | undefined;
  let newest: string | undefined;
  for (const day of days) {
    const bytes = await digests.get(digestKey(day));
    if (!bytes) {
      if (day <= due) name('digest-missing', day);
      before = undefined;
      continue;
    }
    const digest = await soundDigest(bytes, key, day, first);
    if (!digest) name('digest-altered', day);
    else {
      if (before && digest.previous !== before.hash) name('digest-replaced', dayBefore(day));
      for (const list of digest.lists) {
        const found = await digests.get(headsKey(day, list));
        const said = found && headsIn(found, list);
        if (!said) name(found ? 'heads-altered' : 'heads-missing', day);
        for (const head of said ?? []) add(heads, head);
      }
      newest = day;
    }
    before = { hash: digestHash(bytes) };
  }
  // On the day of the first digest, and on the next one, links may have been written by a release that noted none.
  const complete =
    newest === undefined ? { from: 0, to: 0 } : { from: endOf(first) + dayMs, to: endOf(newest) - latestLinkMs };
  const wasHeld: WasHeld = (row) => isHeld(digests, row);
  return { days: days.filter((day) => day <= (newest ?? '')), faults, heads, complete, wasHeld };
};

const dayMs = 86_400_000;

const soundDigest = async (
  bytes: Uint8Array,
  key: DigestContext['key'],
  day: string,
  first: string,
): Promise<Digest | undefined> => {
  const found = digestIn(bytes);
  if (!found || found.digest.day !== day || found.digest.first !== first) return undefined;
  return (await key.verify(authenticated(found.text), found.mac)) ? found.digest : undefined;
};

const add = (heads: Map<string, Head[]>, head: Head) => {
  const known = heads.get(head.log);
  if (known) known.push(head);
  else heads.set(head.log, [head]);
};
