import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { isDead } from '../../people/death.ts';
import { signedOrder, signedPart, withUnsignedFlag } from '../../prescriptions/orders.ts';
import { signatureOf, signaturesOf, withMarks } from '../../signing/signature.ts';
import { answerTo, shown } from '../answers.ts';
import type { PlannedInteraction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { type PlannedWrite, planUpdate } from '../plan-write.ts';
import { type ReadableRecord, recordToChange } from '../record-to-change.ts';
import { requireSigner } from '../signing/signer.ts';
import { signOrderInput } from './input.ts';
import { replacedBy } from './replaced-order.ts';

/** Who prescribes, by their roles. */
const prescribers: readonly string[] = ['physician'];

/**
 * `MedicationRequest/{id}/$sign`: a prescriber answers for an order. A draft is in force from then on; what was in force elsewhere is, here too. The order that it replaces is stopped by the same
 * transaction.
 *
 * @throws RecordError `forbidden`; `not-found`; `version-conflict`; `business-rule`.
 */
export const planOrderSigned: PlannedInteraction = async (context, { id }) => {
  const signer = requireSigner(context, prescribers);
  readInput(context, signOrderInput);
  const address = await locate(context, context.recordType.name, id);
  const [current, patient] = await Promise.all([
    recordToChange(context, id, '$sign'),
    address && context.store.read({ type: 'Patient', chart: address.chart, place: '' }),
  ]);
  if (signaturesOf(current.resource).length > 0) return { plans: [], answer: shown(context, current) };
  if (isDead(patient?.resource))
    throw new RecordError('business-rule', 'Nothing is ordered for a patient who has died', {
      reason: 'patient-deceased',
      expression: 'MedicationRequest.subject',
    });
  const plan = await signed(context, current, signer);
  return { plans: [plan, ...(await replacedBy(context, plan))], answer: answerTo(context, plan) };
};

/** The rules of changes by hand stand aside. */
const signed = async (context: RequestContext, current: ReadableRecord, signer: string): Promise<PlannedWrite> => {
  const { requireChange: _byHand, keeps: _byServer, ...recordType } = context.recordType;
  const content = signedOrder({ ...current.resource, id: current.id }, signer, context.now);
  const version = current.version + 1;
  const mark = signatureOf(signedPart(content), { signer, at: context.now, version });
  const resource: Resource = withUnsignedFlag(withMarks(content, [mark]));
  const plan = await planUpdate({ ...context, recordType }, { resource, warnings: [] }, current);
  return { ...plan, recordType: context.recordType };
};
