import { allergyIntolerance } from '../../record-types/allergy-intolerance.ts';
import { guardedIds } from '../../store/bearers.ts';
import type { UniqueChange } from '../../store/commit.ts';
import { criteriaPartition } from '../../store/index-rows.ts';
import { guardKey } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';

/** Lets the commit of what was checked go through only if nothing else was checked meanwhile. */
export type Guard = (checked: Pick<StoredRecord, 'id' | 'version'>) => UniqueChange;

/**
 * Two writes that contradict each other, such as an allergy and an order, must not pass each other unseen: each changes this row of the chart, and requires that it is as it was before its look. One call.
 *
 * @param custodian - each organisation checks what it keeps itself.
 * @param of - what must not be judged beside each other: orders and what speaks against them, or supplies of orders, of which two could be the last one.
 */
export const guardOf = async (
  { store }: Pick<RequestContext, 'store'>,
  chart: string,
  custodian: string,
  of: 'checks' | 'supplies' = 'checks',
): Promise<Guard> => {
  const key = guardKey(criteriaPartition(store, allergyIntolerance, custodian, `${of} of ${chart}`));
  const expected = await guardedIds(store, key);
  return ({ id, version }) => ({ key, expected, add: [`${id} ${version}`], remove: [], replaces: true });
};
