import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { builtInPack } from '../../order-checks/built-in.ts';
import { checkOrder, type OrderCheck } from '../../order-checks/check-order.ts';
import type { Finding } from '../../order-checks/findings.ts';
import { knowledge } from '../../order-checks/knowledge-in-use.ts';
import { isDead } from '../../people/death.ts';
import { type ControlledCheck, controlledIn } from '../../prescriptions/controlled.ts';
import { signedOrder, signedPart, withUnsignedFlag } from '../../prescriptions/orders.ts';
import { detectedIssue } from '../../record-types/detected-issue.ts';
import { signatureOf, signaturesOf, withMarks } from '../../signing/signature.ts';
import { answerTo, shown } from '../answers.ts';
import type { PlannedInteraction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { type ChartFacts, chartFacts, namingRecords, withMedications } from '../order-checks/facts.ts';
import { guardOf } from '../order-checks/guard.ts';
import { labelsOfFinding } from '../order-checks/labels-of-finding.ts';
import {
  detailsOf,
  detectedIssueOf,
  eachOnce,
  implicatedIn,
  type Overriding,
  warningsOf,
} from '../order-checks/told.ts';
import { systemOf } from '../own-system.ts';
import { newPlace, type PlannedWrite, planCreate, planUpdate } from '../plan-write.ts';
import { type ReadableRecord, recordToChange } from '../record-to-change.ts';
import { requireSigner } from '../signing/signer.ts';
import { notCheckedForControl, requireNotControlled } from './controlled-orders.ts';
import { cosignTask, signedTask } from './cosign-task.ts';
import { signOrderInput } from './input.ts';
import { licenceOf } from './licensed.ts';
import { prescribers, reasonIn } from './prescribers.ts';
import { replacedBy } from './replaced-order.ts';

/**
 * `MedicationRequest/{id}/$sign`: a prescriber answers for an order. It is checked against the chart first; who signs it in spite of what was found says why, and that is kept. A draft is in force
 * from then on; what was in force elsewhere is, here too. The order that it replaces is stopped by the same transaction.
 *
 * @throws RecordError `forbidden`; `not-found`; `version-conflict`; `invalid`; `business-rule`, `order-check` with what stops it, `controlled-substance`.
 */
export const planOrderSigned: PlannedInteraction = async (context, { id }) => {
  const signer = requireSigner(context, prescribers);
  const overriding = overridingIn(context, signer);
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
  if (isDead(facts.patient))
    throw new RecordError('business-rule', 'Nothing is ordered for a patient who has died', {
      reason: 'patient-deceased',
      expression: 'MedicationRequest.subject',
    });
  const content = signedOrder({ ...current.resource, id: current.id }, signer, context.now);
  const plan = await signed(context, current, content, signer);
  const replaced = await replacedBy(context, plan);
  const { priorPrescription: _, ...besides } = content;
  // What is to be replaced and goes on all the same, as what another organisation keeps, counts against it.
  const { check, controlled } = await checked(context, replaced.length > 0 ? content : (besides as Resource), facts);
  requireNotControlled(controlled);
  const stopping = check.findings.filter(({ interrupts }) => interrupts);
  await traced(context, current, check);
  if (stopping.length > 0 && !overriding)
    throw new RecordError('business-rule', 'What is known of the patient speaks against this order', {
      reason: 'order-check',
      details: detailsOf(stopping),
    });
  const told = {
    ...plan,
    guards: [...plan.guards, guard(plan.next)],
    warnings: [...plan.warnings, ...warningsOf(check), ...notCheckedForControl(controlled)],
  };
  const kept = overriding
    ? await Promise.all(
        eachOnce(check.findings).map(async (finding) => {
          const security = await labelsOfFinding(context, content, finding, facts);
          return issue(
            context,
            current,
            detectedIssueOf(finding, { ...about(context, current, finding), security, overriding }),
          );
        }),
      )
    : [];
  const answered = asked ? await signedTask(context, asked, signer) : [];
  return { plans: [told, ...kept, ...replaced, ...answered], answer: answerTo(context, told) };
};

/** @throws RecordError `invalid` for a reason that says nothing. */
const overridingIn = (context: RequestContext, by: string): Overriding | undefined => {
  const { overrideReason } = readInput(context, signOrderInput);
  return overrideReason === undefined ? undefined : { reason: reasonIn(overrideReason, 'overrideReason'), by };
};

const about = ({ now }: RequestContext, { type, id, resource }: ReadableRecord, finding: Finding) => ({
  implicated: implicatedIn(`${type}/${id}`, finding),
  patient: (resource['subject'] as fhir4.Reference | undefined)?.reference ?? '',
  now,
});

interface Checked {
  readonly check: OrderCheck;
  readonly controlled: ControlledCheck;
}

const checked = async (context: RequestContext, order: Resource, chart: ChartFacts): Promise<Checked> => {
  const [facts, pack] = await Promise.all([withMedications(context, chart, [order]), knowledge()]);
  const named = namingRecords(context, order) as unknown as fhir4.MedicationRequest;
  return {
    check: checkOrder(named, facts, pack, context.now),
    controlled:
      named.doNotPerform === true
        ? { found: [], complete: true }
        : controlledIn(named, facts.medications, pack ?? (await builtInPack())),
  };
};

/** Who is told of records by a finding has seen them. */
const traced = async ({ audit }: RequestContext, { chart, type, id }: ReadableRecord, { findings }: OrderCheck) => {
  const what = [...new Set(findings.flatMap(({ record }) => record ?? []))];
  if (what.length > 0) await audit.record([{ interaction: 'operation', chart, what, query: `${type}/${id}/$sign` }]);
};

/** The rules of changes by hand stand aside. */
const signed = async (
  context: RequestContext,
  current: ReadableRecord,
  content: Resource,
  signer: string,
): Promise<PlannedWrite> => {
  const { requireChange: _byHand, keeps: _byServer, ...recordType } = context.recordType;
  const mark = signatureOf(signedPart(content), { signer, at: context.now, version: current.version + 1 });
  const resource = withUnsignedFlag(withMarks(content, [mark]));
  const plan = await planUpdate({ ...context, recordType }, { resource, warnings: [] }, current);
  return { ...plan, recordType: context.recordType };
};

/** What somebody has gone on in spite of, in the chart. What it names was found there. */
const issue = async (
  context: RequestContext,
  { custodian }: ReadableRecord,
  resource: Resource,
): Promise<PlannedWrite> => {
  const own = { ...context, recordType: detectedIssue, asking: systemOf(context, custodian) };
  return { ...(await planCreate(own, { resource, warnings: [] }, await newPlace(own, resource))), checks: [] };
};
