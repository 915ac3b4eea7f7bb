import { logsChainedOn } from '../chain/chained-logs.ts';
import { readDigests } from './read-digests.ts';
import { verifyLogs } from './verify-logs.ts';
import type { DigestContext } from './write-digests.ts';

/** A look a day meets each digest twice, so that one that did not end leaves nothing out. */
const mostDays = 2;

/**
 * Checks the digests of the last two days, and compares the logs that got links on them with their chains and with these digests. It reads these logs and nothing else of the table: what the
 * notes of the days name. A log that a digest tells of and no note is a fault, too. All logs and all digests are compared by `npm run audit:verify`.
 *
 * @param now - milliseconds since 1970.
 * @returns how many faults there are of each kind.
 */
export const verifyLastDays = async (
  context: DigestContext,
  now = Date.now(),
): Promise<ReadonlyMap<string, number>> => {
  const { days, faults, ...anchors } = await readDigests(context, now, mostDays);
  const found = new Map<string, number>();
  const count = ({ kind }: { readonly kind: string }) => void found.set(kind, (found.get(kind) ?? 0) + 1);
  faults.forEach(count);
  const logs = new Set<string>();
  for (const day of days) for await (const log of logsChainedOn(context.table, day)) logs.add(log);
  const missing = await verifyLogs(context.table, logs, anchors, (verdict) => verdict.faults.forEach(count));
  missing.forEach(count);
  return found;
};
