import { inferenceAttack } from '../support/inference/attack.ts';

const mostShown = 5;
/** Requests to one pair of stores; behind them other records are written. */
const each = 1_000;

/**
 * Sends requests of every kind to pairs of stores that differ only in records that the caller may not see.
 *
 * @returns whether all were answered alike.
 */
export const proveInference = async (
  requests: number,
  seed = Math.floor(Math.random() * 2 ** 31),
): Promise<boolean> => {
  let different = 0;
  const statuses = new Map<number, number>();
  for (let sent = 0; sent < requests; sent += each) {
    const figures = await inferenceAttack({ seed: seed + sent, requests: Math.min(each, requests - sent) });
    different += figures.differences.length;
    for (const [status, count] of figures.statuses) statuses.set(status, (statuses.get(status) ?? 0) + count);
    for (const { request, plain, fuller } of figures.differences.slice(0, mostShown))
      console.log(request, plain, fuller);
  }
  const outcomes = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`);
  console.log(`Seed ${seed}: ${requests} requests (${outcomes.join(', ')}); ${different} were answered in two ways.`);
  return different === 0;
};
