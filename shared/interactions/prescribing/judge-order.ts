import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { ValidationIssue } from '../../fhir/validation-issue.ts';
import { builtInPack } from '../../order-checks/built-in.ts';
import { checkOrder, type OrderCheck } from '../../order-checks/check-order.ts';
import { isDead } from '../../people/death.ts';
import { type ControlledCheck, controlledIn } from '../../prescriptions/controlled.ts';
import { detectedIssue } from '../../record-types/detected-issue.ts';
import type { RequestContext } from '../context.ts';
import { type ChartFacts, namingRecords, withMedications } from '../order-checks/facts.ts';
import { knowledge } from '../order-checks/knowledge-in-use.ts';
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
import { newPlace, type PlannedWrite, planCreate } from '../plan-write.ts';
import { notCheckedForControl, requireNotControlled } from './controlled-orders.ts';
import { reasonIn } from './prescribers.ts';

/** By what an order is judged. */
interface Judging {
  /** The order as it counts for the check. */
  readonly counted: Resource;
  readonly facts: ChartFacts;
  readonly overriding: Overriding | undefined;
  /** What was asked for, as the log tells it. */
  readonly query: string;
}

/** What goes with an order that may be signed. */
interface Judged {
  readonly warnings: readonly ValidationIssue[];
  /** What was found and gone on in spite of, in the chart. */
  readonly issues: readonly PlannedWrite[];
}

/**
 * Judges an order that is to be signed by what is known of its patient, and leaves the trace of what was found.
 *
 * @throws RecordError `business-rule`: `order-check` with what stops it, unless that is overridden; `controlled-substance`.
 */
export const judgeOrder = async (
  context: RequestContext,
  { next }: PlannedWrite,
  { counted, facts, overriding, query }: Judging,
): Promise<Judged> => {
  const { check, controlled } = await checked(context, counted, facts);
  requireNotControlled(controlled);
  const stopping = check.findings.filter(({ interrupts }) => interrupts);
  // Who is told of records by a finding has seen them.
  const what = [...new Set(check.findings.flatMap(({ record }) => record ?? []))];
  if (what.length > 0) await context.audit.record([{ interaction: 'operation', chart: next.chart, what, query }]);
  if (stopping.length > 0 && !overriding)
    throw new RecordError('business-rule', 'What is known of the patient speaks against this order', {
      reason: 'order-check',
      details: detailsOf(stopping),
    });
  const about = {
    patient: (counted['subject'] as fhir4.Reference | undefined)?.reference ?? '',
    now: context.now,
  };
  const issues = overriding
    ? eachOnce(check.findings).map(async (finding) => {
        const security = await labelsOfFinding(context, counted, finding, facts);
        const implicated = implicatedIn(`${next.type}/${next.id}`, finding);
        const told = { ...about, implicated, security, overriding };
        return issue(context, next.custodian, detectedIssueOf(finding, told));
      })
    : [];
  return {
    warnings: [...warningsOf(check), ...notCheckedForControl(controlled)],
    issues: await Promise.all(issues),
  };
};

/** @throws RecordError `business-rule`: nothing is ordered for a patient who has died. */
export const requireAlive = (patient: Resource | undefined): void => {
  if (!isDead(patient)) return;
  throw new RecordError('business-rule', 'Nothing is ordered for a patient who has died', {
    reason: 'patient-deceased',
    expression: 'MedicationRequest.subject',
  });
};

/** @throws RecordError `invalid` for a reason that says nothing. */
export const overridingBy = (by: string, overrideReason: string | undefined): Overriding | undefined =>
  overrideReason === undefined ? undefined : { reason: reasonIn(overrideReason, 'overrideReason'), by };

const checked = async (
  context: RequestContext,
  order: Resource,
  chart: ChartFacts,
): Promise<{ readonly check: OrderCheck; readonly controlled: ControlledCheck }> => {
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

/** What somebody has gone on in spite of, in the chart. What it names was found there. */
const issue = async (context: RequestContext, custodian: string, resource: Resource): Promise<PlannedWrite> => {
  const own = { ...context, recordType: detectedIssue, asking: systemOf(context, custodian) };
  return { ...(await planCreate(own, { resource, warnings: [] }, await newPlace(own, resource))), checks: [] };
};
