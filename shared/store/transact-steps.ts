import { backOff, pauseBeforeRetry } from './back-off.ts';
import type { Calendars } from './calendar-steps.ts';
import { holderOf } from './commit-conditions.ts';
import { CommitRefused, type Refusal, type Step } from './commit-refusal.ts';
import type { RecordStore } from './record-store.ts';
import { type Refused, tryTransaction } from './transact.ts';

/** @throws CommitRefused if others have time that is wanted, as far as was seen. */
export const requireFree = ({ taken }: Calendars): void => {
  if (taken.length > 0) throw new CommitRefused(taken.map((time) => ({ kind: 'taken', time })));
};

/** How often a transaction is tried again because somebody else booked the same actors at other times just before. */
const mostSurprises = 100;

/**
 * Carries out steps as one transaction, after whatever unfinished transaction stands in their way.
 *
 * @throws CommitRefused; RecordError `throttled` or `conflict`; the error that left it without an answer.
 */
export const transact = async (store: RecordStore, steps: readonly Step[], calendars?: Calendars): Promise<void> => {
  let surprises = 0;
  for (let attempt = 0; ; ) {
    const all = calendars ? [...steps, ...calendars.steps(store.tableName)] : steps;
    const refused = await tryTransaction(
      store.client,
      all.map(({ action }) => action),
    );
    if (!refused) return;
    const because = await clearTheWay(store, all, refused);
    if (because === 'surprised' && surprises < mostSurprises) await pauseBeforeRetry(Math.min(surprises++, 5));
    else await backOff(attempt++, because === 'held' ? 'held' : 'busy');
    if ((because === 'surprised' && surprises < 2) || !calendars) continue;
    // Who was first may have the time: then there is nothing to queue for.
    await calendars.look(store, true);
    requireFree(calendars);
  }
};

/**
 * Resolves the staged transactions that hold rows.
 *
 * @returns why it was not written: rows were held, rows were busy, or they were others than expected and it is worth another try.
 */
const clearTheWay = async (
  store: RecordStore,
  steps: readonly Step[],
  refused: Refused,
): Promise<'held' | 'busy' | 'surprised'> => {
  const refusals: Refusal[] = [];
  let because: 'held' | 'busy' | 'surprised' = 'busy';
  for (const [index, row] of refused) {
    const refusal = steps[index]?.refusal;
    if (row && holderOf(row) !== undefined) {
      because = 'held';
      const { resolveStaged } = await import('./staged.lazy.ts');
      await resolveStaged(store, row);
    } else if (refusal) {
      const told = refusal(row);
      if (told) refusals.push(told);
      else if (because === 'busy') because = 'surprised';
    }
  }
  if (refusals.length > 0) throw new CommitRefused(refusals);
  return because;
};
