import { inParallel } from '../../store/in-parallel.ts';
import type { Table } from '../../store/write-rows.ts';
import { type ChainFault, type LogVerdict, verifyLog } from '../chain/verify.ts';
import { logHash } from './digest.ts';
import type { Anchors } from './read-digests.ts';

/** Logs that are looked at in parallel. */
const concurrency = 8;

/** What became of a log that a digest tells of: its name is not known, only its hash. */
export interface MissingLog extends Omit<ChainFault, 'place'> {
  readonly kind: 'log-missing';
}

/**
 * Compares logs with their chains and with what digests say of them.
 *
 * @param logs - each once.
 * @param tell - is given the verdict on each.
 * @returns logs that digests tell of and that are not among these.
 */
export const verifyLogs = async (
  table: Table,
  logs: AsyncIterable<string> | Iterable<string>,
  { heads, complete, wasHeld }: Pick<Anchors, 'heads' | 'complete' | 'wasHeld'>,
  tell: (verdict: LogVerdict) => void,
): Promise<readonly MissingLog[]> => {
  const seen = new Set<string>();
  const look = (some: readonly string[]) =>
    inParallel(concurrency, some, async (log) => {
      const hash = logHash(log);
      seen.add(hash);
      tell(await verifyLog(table, log, { heads: heads.get(hash) ?? [], complete, wasHeld }));
    });
  let next: string[] = [];
  for await (const log of logs) {
    next.push(log);
    if (next.length < 10 * concurrency) continue;
    await look(next);
    next = [];
  }
  await look(next);
  return [...heads.keys()].filter((hash) => !seen.has(hash)).map((log) => ({ kind: 'log-missing', log }));
};
