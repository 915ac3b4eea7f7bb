import { task } from '../../record-types/task.ts';
import { guardedIds } from '../../store/bearers.ts';
import type { UniqueChange } from '../../store/commit.ts';
import { criteriaPartition } from '../../store/index-rows.ts';
import { guardKey } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';

/** Lets a commit go through only if no other review or change of a result was committed in the chart since the look. */
export type ReviewGuard = (written: Pick<StoredRecord, 'id' | 'version'>) => UniqueChange;

/** A review and a change of what is reviewed must not pass each other unseen. One call, before the look. */
export const reviewGuard = async ({ store }: Pick<RequestContext, 'store'>, chart: string): Promise<ReviewGuard> => {
  const key = guardKey(criteriaPartition(store, task, chart, 'reviews'));
  const expected = await guardedIds(store, key);
  return ({ id, version }) => ({ key, expected, add: [`${id} ${version}`], remove: [], replaces: true });
};
