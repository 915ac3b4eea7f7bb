import type { Resource } from '../../fhir/resource.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { type PlannedWrite, planUpdate } from '../plan-write.ts';

/** The next version of an order as an operation has it: the rules of changes by hand stand aside, and what the server keeps is in it already. */
export const planByServer = async (
  context: RequestContext,
  resource: Resource,
  current: StoredRecord,
): Promise<PlannedWrite> => {
  const { requireChange: _byHand, keeps: _byServer, ...recordType } = context.recordType;
  const plan = await planUpdate({ ...context, recordType }, { resource, warnings: [] }, current);
  return { ...plan, recordType: context.recordType };
};
