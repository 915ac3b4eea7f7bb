import { rankAt, timedList } from '../../work/worklists.ts';
import type { Interaction } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { requireTypeAccess } from '../require-access.ts';
import { askedPage } from '../searchset.ts';
import { overdueInput } from './input.ts';
import { listedWork, type Part } from './listed-work.ts';

/**
 * `GET Task/$overdue`: open tasks of the caller's organisation that are not done in time, whoever has them, those longest overdue first; with `referral`, those about an order alone, such as referrals to another
 * organisation. For who is in charge, or covers for others. One or two Queries and one BatchGet a page; a row of the log for each chart that is shown.
 *
 * @throws RecordError `forbidden`.
 */
export const overdue: Interaction = async (context) => {
  requireTypeAccess(context, 's');
  const asked = askedPage(context);
  const { referral, _count } = readInput(context, overdueInput, asked?.query);
  const kinds = referral === true ? (['referral'] as const) : (['referral', 'task'] as const);
  const parts = kinds.map((as): Part => ({ list: timedList, as, until: rankAt(context.now) }));
  const names = Object.keys(overdueInput);
  return listedWork(context, { operation: 'Task/$overdue', parts, asked, most: _count, names });
};
