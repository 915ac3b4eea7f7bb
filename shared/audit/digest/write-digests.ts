import { inParallel } from '../../store/in-parallel.ts';
import type { LockedObjects } from '../../store/locked-objects.ts';
import type { Table } from '../../store/write-rows.ts';
import { logsChainedOn } from '../chain/chained-logs.ts';
import { lastLink } from '../chain/last-link.ts';
import { linkHash } from '../chain/link.ts';
import { dayBefore, daysFrom, lastDay } from './days.ts';
import {
  authenticated,
  digestHash,
  digestKey,
  digestObject,
  digestText,
  firstDayKey,
  type Head,
  headsKey,
  headsObject,
  logHash,
} from './digest.ts';
import type { MacKey } from './mac-key.ts';

/** What digests are made from, where they lie, and what authenticates them. */
export interface DigestContext {
  readonly table: Table;
  readonly digests: LockedObjects;
  readonly key: MacKey;
}

/** Chains that are looked up at once. */
const concurrency = 16;
/** Logs whose heads are held in memory: some 130 bytes each, and one object. */
const mostHeads = 10_000;

/**
 * Writes the digest of each day up to yesterday that has none. Each step may be repeated, and of two that write at once one finds the other's.
 *
 * @param now - milliseconds since 1970. A day has its digest from half an hour behind its end.
 * @returns how many were written.
 */
export const writeDigests = async (context: DigestContext, now = Date.now()): Promise<number> => {
  const { digests } = context;
  const last = lastDay(now);
  if (await digests.get(digestKey(last))) return 0;
  const first = await firstDay(digests, last);
  let written = 0;
  for (const day of daysFrom(await firstMissing(digests, first, last), last))
    if (await writeDigest(context, day, first, now)) written++;
  return written;
};

const firstDay = async (digests: LockedObjects, day: string): Promise<string> => {
  const known = await digests.get(firstDayKey);
  if (!known) await digests.putOnce(firstDayKey, Buffer.from(day));
  return Buffer.from(known ?? (await digests.get(firstDayKey)) ?? Buffer.of()).toString('utf8');
};

/** Digests are written in order, so the newest one is behind all that are missing. */
const firstMissing = async (digests: LockedObjects, first: string, last: string): Promise<string> => {
  let missing = last;
  while (missing > first && !(await digests.get(digestKey(dayBefore(missing))))) missing = dayBefore(missing);
  return missing;
};

const writeDigest = async (
  { table, digests, key }: DigestContext,
  day: string,
  first: string,
  now: number,
): Promise<boolean> => {
  const before = day === first ? undefined : await digests.get(digestKey(dayBefore(day)));
  const lists: string[] = [];
  const write = async (heads: readonly Head[]) => {
    const { bytes, list } = headsObject(heads);
    await digests.putOnce(headsKey(day, list), bytes); // what is there already is the same
    lists.push(list);
  };
  let names: string[] = [];
  for await (const log of logsChainedOn(table, day)) {
    names.push(log);
    if (names.length < mostHeads) continue;
    await write(await headsOf(table, names));
    names = [];
  }
  if (names.length > 0) await write(await headsOf(table, names));
  const text = digestText({
    day,
    first,
    taken: Math.floor(now / 1_000),
    previous: before ? digestHash(before) : '',
    lists,
  });
  return digests.putOnce(digestKey(day), digestObject(text, await key.generate(authenticated(text))));
};

/** A log that was noted and then got no link has no head. */
const headsOf = async (table: Table, logs: readonly string[]): Promise<Head[]> => {
  const links = await inParallel(concurrency, logs, (log) => lastLink(table, log));
  return links.flatMap((link) =>
    link ? [{ log: logHash(link.log), number: link.number, hash: linkHash(link), at: link.at }] : [],
  );
};
