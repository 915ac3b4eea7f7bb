import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { type Use, useOfAdministration, useOfDispense } from '../../prescriptions/order-use.ts';
import { isOpen, type Standing, standingAt } from '../../prescriptions/standing.ts';
import { judgeDispense } from '../../prescriptions/supply.ts';
import type { Raised } from '../../record-types/define-record-type.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { dateInterval, type Interval } from '../../search/date-range.ts';
import { loadUnits } from '../../search/units.ts';
import { linkedWith } from '../../store/chart-links.ts';
import { recordKey } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { checkTask } from '../../work/check-state.ts';
import { nurses, pharmacists } from '../../work/pools.ts';
import type { RequestContext } from '../context.ts';
import { locateAll } from '../locate.ts';
import { guardOf } from '../order-checks/guard.ts';
import { labelsOfRecords } from '../order-checks/labels-of-finding.ts';
import type { Checked } from '../order-checks/raised-by-checks.ts';
import { systemOf } from '../own-system.ts';
import type { PlannedWrite } from '../plan-write.ts';
import { mayAccess } from '../require-access.ts';
import { dispensesOf, ofOrder, ordersIn, standingThen } from './orders-used.ts';
import { detailsOf, isFinal, issueOf, reasonedIn, type UseFinding } from './told.ts';

type Context = Omit<RequestContext, 'recordType'>;

const nameOf = ({ type, id }: Pick<StoredRecord, 'type' | 'id'>): string => `${type}/${id}`;

const isDispense = ({ next }: Pick<PlannedWrite, 'next'>): boolean => next.type === 'MedicationDispense';

/** When an administration began, or a supply was had, as exactly as that is told. */
const spanOf = (resource: Resource): Interval | undefined => {
  const { effectiveDateTime, effectivePeriod, whenHandedOver } = resource as {
    effectiveDateTime?: string;
    effectivePeriod?: fhir4.Period;
    whenHandedOver?: string;
  };
  const said = effectiveDateTime ?? effectivePeriod?.start ?? whenHandedOver;
  return said === undefined ? undefined : dateInterval(said);
};

/**
 * Judges dispenses and administrations by the orders that they name, as the organisation that keeps them knows these. An intention that the order does not bear is refused; what has happened is stored, and a DetectedIssue and a Task tell of it. One BatchGet of the
 * orders beside a Query of the chart's dispenses and a read of the guard of each order; none of what the same transaction brings.
 *
 * @param asking - those of the writes that use an order.
 * @param plans - all of the transaction.
 * @throws RecordError `business-rule`: `order-not-in-force`, `dispense-check` with the figures.
 */
export const judgedUse = async (
  context: Context,
  asking: readonly PlannedWrite[],
  plans: readonly PlannedWrite[],
): Promise<Checked> => {
  const open = asking.filter(({ next }) => !next.originators);
  const judged = await Promise.all(open.map((plan) => judgedPlan(context, plan, plans)));
  const changed = new Map(judged.map(({ plan }, index) => [open[index], plan]));
  return {
    raised: judged.flatMap(({ raised, plan }) => raised.map((what) => ({ what, by: plan }))),
    plans: plans.map((plan) => changed.get(plan) ?? plan),
  };
};

const judgedPlan = async (
  context: Context,
  plan: PlannedWrite,
  plans: readonly PlannedWrite[],
): Promise<{ readonly raised: readonly Raised[]; readonly plan: PlannedWrite }> => {
  const { next } = plan;
  const resource = next.resource as Resource;
  const own = { ...context, asking: systemOf(context, next.custodian) };
  const ids = ordersIn(own, resource);
  const written = new Map(plans.map((each) => [nameOf(each.next), each.next]));
  const supplies = isDispense(plan) && !isBegun(next.chart, plans);
  const [orders, guard] = await Promise.all([
    ordersNamed(own, ids, written),
    supplies ? guardOf(own, next.chart, next.custodian, 'supplies') : undefined,
  ]);
  // After the guard: who has written since is refused by it.
  const dispenses = supplies && orders.length > 0 ? await dispensesOf(own, next.chart) : [];
  const charts = orders.every(({ chart }) => chart === next.chart) ? [] : await linkedWith(context.store, next.chart);
  const isTheirs = ({ chart }: StoredRecord): boolean =>
    chart === next.chart || charts.some((each) => each.chart === chart);
  const others = [
    ...dispenses.filter((each) => !written.has(nameOf(each))),
    ...[...written.values()].filter(({ type }) => type === 'MedicationDispense'),
  ].filter((each) => nameOf(each) !== nameOf(next));
  const intended = useIn(context, plan) === 'intention';
  const raised: Raised[] = [];
  for (const order of orders) {
    const findings = isTheirs(order)
      ? await findingsOf(own, plan, order, others)
      : [{ code: 'order-of-another' as const, text: 'The order is of another patient' }];
    const reasoned = reasonedIn(resource);
    const byPharmacist = context.asking.caller.roles.includes('pharmacist');
    const open = findings.filter(
      (each) => isFinal(each) || !reasoned.has(each.code) || (each.code === 'order-unsigned' && !byPharmacist),
    );
    if (intended && open.length > 0) throw refusalOf(plan, open);
    if (open.length > 0) raised.push(...(await told(own, plan, order, open)));
  }
  const versions = new Map(orders.map((order) => [keyText(order), order.version]));
  const checks = plan.checks.map((check) => {
    const version = versions.get(keyText(check.address));
    return version === undefined ? check : { ...check, version };
  });
  return {
    raised,
    plan: { ...plan, checks, guards: [...plan.guards, ...(guard && orders.length > 0 ? [guard(next)] : [])] },
  };
};

/** Whether the transaction begins the chart: then nothing else is there. */
const isBegun = (chart: string, plans: readonly PlannedWrite[]): boolean =>
  plans.some(({ next }) => next.type === 'Patient' && next.version === 1 && next.chart === chart);

/** What the own system tells of has happened: it was decided elsewhere. So has what was handed over, unless that is still to come. */
const useIn = ({ asking, now }: Context, plan: PlannedWrite): Use => {
  const resource = plan.next.resource as Resource;
  if (asking.caller.roles.includes('system')) return 'happened';
  if (!isDispense(plan)) return useOfAdministration(resource);
  const isAhead = (spanOf(resource)?.start ?? now) > now && resource['status'] !== 'completed';
  return isAhead ? 'intention' : useOfDispense(resource);
};

/** Orders that are named, as the transaction has them, else as they are; those that its organisation may not see are as if they were not there. */
const ordersNamed = async (
  context: Context,
  ids: readonly string[],
  written: ReadonlyMap<string, StoredRecord>,
): Promise<StoredRecord[]> => {
  const sent = ids.flatMap((id) => written.get(`MedicationRequest/${id}`) ?? []);
  const unknown = ids.filter((id) => !written.has(`MedicationRequest/${id}`));
  const addresses = unknown.length === 0 ? [] : await locateAll(context, 'MedicationRequest', unknown);
  const found = addresses.length === 0 ? [] : await context.store.whole.readMany(addresses);
  await context.sharing.lookUp(found);
  const facts = { ...context, recordType: factsOfType('MedicationRequest') };
  return [...sent, ...found.filter((each) => each.resource && mayAccess(facts, 'r', each))].filter(
    ({ originators, resource }) => resource && !originators,
  );
};

const words: Partial<Record<Standing, string>> = {
  'no-order': 'proposed or planned, and no order',
  'not-to-be-given': 'an order not to give the medicine',
  draft: 'a draft that nobody has signed',
  'on-hold': 'on hold',
};

const findingsOf = async (
  context: Context,
  plan: PlannedWrite,
  order: StoredRecord,
  others: readonly StoredRecord[],
): Promise<UseFinding[]> => {
  const resource = plan.next.resource as Resource;
  const isIntended = useIn(context, plan) === 'intention' || useOfDispense(resource) === 'intention';
  // A supply is intended under the order as it is, which may have been stopped since the request came; a dose, and what has happened, are judged by the time at which they are.
  const span = isDispense(plan) && isIntended ? undefined : spanOf(resource);
  const at = span?.start;
  const standing =
    span === undefined || span.start >= order.updated
      ? standingAt([order], Number.POSITIVE_INFINITY)
      : await standingThen(context, order, span);
  const findings: UseFinding[] = isOpen(standing)
    ? []
    : [
        {
          code: 'order-not-in-force',
          text: `${at === undefined ? 'The order is' : `At ${new Date(at).toISOString()} the order was`} ${words[standing] ?? standing}`,
        },
      ];
  if (!isDispense(plan)) return findings;
  if (standing === 'unsigned')
    findings.push({
      code: 'order-unsigned',
      text: 'The order is in force elsewhere and nobody has signed it here: it is dispensed by a pharmacist who gives a reason, or once it is signed',
    });
  const known = ofOrder(context, others, order.id);
  const supply = judgeDispense(order.resource as Resource, resource, known, {
    now: context.now,
    units: await loadUnits(),
  });
  return [...findings, ...supply.findings];
};

const refusalOf = (plan: PlannedWrite, findings: readonly UseFinding[]): RecordError => {
  const { type } = plan.next;
  const expression = `${type}.${isDispense(plan) ? 'authorizingPrescription' : 'request'}`;
  const final = findings.filter(isFinal);
  return final.length > 0
    ? new RecordError('business-rule', 'The order does not bear this', {
        reason: 'order-not-in-force',
        details: detailsOf(final, expression),
      })
    : new RecordError('business-rule', 'The order does not bear this without a reason', {
        reason: 'dispense-check',
        details: detailsOf(findings, expression),
      });
};

const told = async (
  context: Context,
  plan: PlannedWrite,
  order: StoredRecord,
  findings: readonly UseFinding[],
): Promise<Raised[]> => {
  const { next, previous } = plan;
  const resource = next.resource as Resource;
  const patient = (resource['subject'] as fhir4.Reference | undefined)?.reference ?? '';
  const security = await labelsOfRecords(context, [resource, order.resource as Resource]);
  const implicated = [nameOf(next), nameOf(order)];
  const change = {
    name: nameOf(next),
    before: previous?.resource,
    next: resource,
    custodian: next.custodian,
    now: context.now,
    baseUrl: context.request.baseUrl,
    policy: context.policy,
  };
  const description = isDispense(plan)
    ? 'A medicine was dispensed beyond what its order bears. Look at it, and talk to the prescriber'
    : 'A medicine was given without an order in force. Look at it, and talk to the prescriber';
  return [
    ...findings.map((finding) => ({ opens: issueOf(finding, { patient, implicated, now: context.now, security }) })),
    checkTask(change, resource, description, isDispense(plan) ? pharmacists : nurses),
  ];
};

const keyText = (address: Parameters<typeof recordKey>[0]): string => {
  const { pk, sk } = recordKey(address);
  return `${pk}\n${sk}`;
};
