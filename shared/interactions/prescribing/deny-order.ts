import { RecordError } from '../../errors.ts';
import { awaitsCosignature, withUnsignedFlag } from '../../prescriptions/orders.ts';
import { markOf, memberOf, takenUrl } from '../../signing/signature.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { answerTo, shown } from '../answers.ts';
import type { PlannedInteraction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { lookAt } from '../look-at.ts';
import { readInput } from '../operation-input.ts';
import type { ReadableRecord } from '../record-to-change.ts';
import { mayAccess, notFound, requireReadable } from '../require-access.ts';
import { requireVersion } from '../update.ts';
import { planByServer } from './by-server.ts';
import { denyOrderInput } from './input.ts';
import { prescribers, reasonIn } from './prescribers.ts';

/**
 * `MedicationRequest/{id}/$deny`: an order that was taken down was not given, or not so. It was entered in error from then on, for a reason that its Task tells who took it down. A prescriber says so, or who took it down.
 *
 * @throws RecordError `forbidden`; `not-found`; `version-conflict`; `invalid`; `business-rule` for an order that waits for no signature.
 */
export const planOrderDenied: PlannedInteraction = async (context, { id }) => {
  const { reason } = readInput(context, denyOrderInput);
  const because = reasonIn(reason, 'reason');
  const current = await readOrder(context, id);
  const { caller } = context.asking;
  const taken = markOf(current.resource, takenUrl);
  const isRecorder = taken !== undefined && memberOf(taken, 'by')?.valueReference?.reference === caller.fhirUser;
  if (!isRecorder && !caller.roles.some((role) => prescribers.includes(role)))
    throw new RecordError('forbidden', 'Who denies an order prescribes, or has taken it down', {
      reason: 'forbidden-role',
    });
  if (taken && current.resource['status'] === 'entered-in-error') return { plans: [], answer: shown(context, current) };
  if (!awaitsCosignature(current.resource))
    throw new RecordError('business-rule', 'Only an order that was taken down, and is not signed, is denied', {
      reason: 'not-deniable',
      expression: 'MedicationRequest',
    });
  const resource = withUnsignedFlag({
    ...current.resource,
    status: 'entered-in-error',
    statusReason: { text: because },
  });
  const planned = await planByServer(context, resource, current);
  return { plans: [planned], answer: answerTo(context, planned) };
};

/** An order of the own organisation that the caller may read, in the version that was asked for. The look leaves its trace. */
const readOrder = async (context: RequestContext, id: string): Promise<ReadableRecord> => {
  const { name } = context.recordType;
  const address = await locate(context, name, id);
  if (!address) throw notFound(context);
  const look = {
    interaction: 'operation',
    what: [`${name}/${id}`],
    query: `${name}/${id}/$deny`,
    may: (last: StoredRecord) => mayAccess(context, 'r', last),
  } as const;
  const deniable = (found: StoredRecord | undefined): ReadableRecord => {
    const record = requireReadable(context, found) as ReadableRecord;
    if (record.custodian !== context.asking.caller.organization) throw notFound(context);
    requireVersion(context, record);
    return record;
  };
  return deniable(await lookAt(context, address, look, (found) => void deniable(found)));
};
