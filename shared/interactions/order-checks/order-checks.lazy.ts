// Orders, allergies, medicines, and what uses an order, are a small part of what is written.
import type { RequestContext } from '../context.ts';
import { judgedUse } from '../order-use/judged-use.ts';
import type { PlannedWrite } from '../plan-write.ts';
import { type Checked, raisedByChecks } from './raised-by-checks.ts';

const users: ReadonlySet<string> = new Set(['MedicationDispense', 'MedicationAdministration']);

/** What writes call for, as the rules of orders have it: of what uses an order, and of what speaks against one. */
export const checked = async (
  context: Omit<RequestContext, 'recordType'>,
  asking: readonly PlannedWrite[],
  plans: readonly PlannedWrite[],
): Promise<Checked> => {
  const uses = (plan: PlannedWrite): boolean => users.has(plan.next.type);
  const against = asking.filter((plan) => !uses(plan));
  const used = await judgedUse(context, asking.filter(uses), plans);
  if (against.length === 0) return used;
  const found = await raisedByChecks(context, against, used.plans);
  return { raised: [...used.raised, ...found.raised], plans: found.plans };
};
