import type { Resource } from '../../fhir/resource.ts';
import { signedOrder, signedPart, withUnsignedFlag } from '../../prescriptions/orders.ts';
import { signatureOf, signaturesOf, withMarks } from '../../signing/signature.ts';
import { answerTo, shown } from '../answers.ts';
import type { PlannedInteraction } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { chartFacts } from '../order-checks/facts.ts';
import { guardOf } from '../order-checks/guard.ts';
import { recordToChange } from '../record-to-change.ts';
import { requireSigner } from '../signing/signer.ts';
import { planByServer } from './by-server.ts';
import { cosignTask, signedTask } from './cosign-task.ts';
import { signOrderInput } from './input.ts';
import { judgeOrder, overridingBy, requireAlive } from './judge-order.ts';
import { licenceOf } from './licensed.ts';
import { prescribers } from './prescribers.ts';
import { replacedBy } from './replaced-order.ts';

/**
 * `MedicationRequest/{id}/$sign`: a prescriber answers for an order. It is checked against the chart first; who signs it in spite of what was found says why, and that is kept. A draft is in force
 * from then on; what was in force elsewhere is, here too. The order that it replaces is stopped by the same transaction, and the Task that asks for the signature is done.
 *
 * @throws RecordError `forbidden`; `not-found`; `version-conflict`; `invalid`; `business-rule`, `order-check` with what stops it, `controlled-substance`.
 */
export const planOrderSigned: PlannedInteraction = async (context, { id }) => {
  const signer = requireSigner(context, prescribers);
  const overriding = overridingBy(signer, readInput(context, signOrderInput).overrideReason);
  const address = await locate(context, context.recordType.name, id);
  const [guard, current, facts, requireLicence, asked] = await Promise.all([
    address && guardOf(context, address.chart, context.asking.caller.organization ?? ''),
    recordToChange(context, id, '$sign'),
    address && chartFacts(context, address.chart),
    licenceOf(context, signer),
    address && cosignTask(context, address),
  ]);
  requireLicence();
  if (signaturesOf(current.resource).length > 0 || !facts || !guard)
    return { plans: [], answer: shown(context, current) };
  requireAlive(facts.patient);
  const content = signedOrder({ ...current.resource, id: current.id }, signer, context.now);
  const mark = signatureOf(signedPart(content), { signer, at: context.now, version: current.version + 1 });
  const plan = await planByServer(context, withUnsignedFlag(withMarks(content, [mark])), current);
  const replaced = await replacedBy(context, plan);
  const { priorPrescription: _, ...besides } = content;
  // What is to be replaced and goes on all the same, as what another organisation keeps, counts against it.
  const { warnings, issues } = await judgeOrder(context, plan, {
    counted: replaced.length > 0 ? content : (besides as Resource),
    facts,
    overriding,
    query: `${current.type}/${current.id}/$sign`,
  });
  const told = {
    ...plan,
    guards: [...plan.guards, guard(plan.next)],
    warnings: [...plan.warnings, ...warnings],
  };
  const answered = asked ? await signedTask(context, asked, signer) : [];
  return { plans: [told, ...issues, ...replaced, ...answered], answer: answerTo(context, told) };
};
