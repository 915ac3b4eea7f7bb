import type { Resource } from '../../fhir/resource.ts';
import { builtInPack } from '../../order-checks/built-in.ts';
import { checkOrder, type PatientFacts } from '../../order-checks/check-order.ts';
import type { Finding } from '../../order-checks/findings.ts';
import { isOrder } from '../../prescriptions/orders.ts';
import type { Raised } from '../../record-types/define-record-type.ts';
import { physicians } from '../../work/pools.ts';
import type { RequestContext } from '../context.ts';
import { systemOf } from '../own-system.ts';
import type { PlannedWrite } from '../plan-write.ts';
import { type ChartFacts, chartFacts, withMedications } from './facts.ts';
import { detectedIssueOf } from './told.ts';

type Context = Omit<RequestContext, 'recordType'>;

const nameOf = ({ next: { type, id } }: PlannedWrite): string => `${type}/${id}`;
const inForce: ReadonlySet<unknown> = new Set(['active', 'on-hold']);

/**
 * What writes call for that say something new of what a patient takes, or should not: an order in force that nobody has signed here is checked as it is written, and those in force are checked again
 * against what is new. A clash is a fact and refuses nothing: it is kept as a DetectedIssue, and a Task for the prescribers tells of it. A Query for each type of facts and chart.
 *
 * @param asking - those of the writes that call for it.
 * @param plans - all of the transaction: what is written with it counts.
 */
export const raisedByChecks = async (
  context: Context,
  asking: readonly PlannedWrite[],
  plans: readonly PlannedWrite[],
): Promise<{ readonly what: Raised; readonly by: PlannedWrite }[]> => {
  const byChart = Map.groupBy(asking, ({ next: { chart, custodian } }) => `${chart} ${custodian}`);
  const raised = await Promise.all([...byChart.values()].map((each) => inChart(context, each, plans)));
  return raised.flat();
};

const inChart = async (context: Context, asking: readonly PlannedWrite[], plans: readonly PlannedWrite[]) => {
  const [first] = asking;
  if (!first) return [];
  const { chart, custodian } = first.next;
  // What the organisation itself knows: not what the writer may see, who is perhaps an interface.
  const own = { ...context, asking: systemOf(context, custodian) };
  const written = plans.filter(({ next }) => next.chart === chart);
  const known = withWritten(await chartFacts(own, chart), written);
  const orders = known.MedicationRequest.filter((order) => isOrder(order) && inForce.has(order['status']));
  const [looked, pack] = await Promise.all([withMedications(own, known, []), builtInPack()]);
  const facts: PatientFacts = { ...looked, medications: new Map([...looked.medications, ...medicationsIn(plans)]) };
  const names = new Map(asking.map((plan) => [nameOf(plan), plan]));
  return orders.flatMap((order) => {
    const name = `MedicationRequest/${order.id}`;
    const { findings } = checkOrder(order as unknown as fhir4.MedicationRequest, facts, pack, context.now);
    const clashes = findings.filter(
      ({ interrupts, record }) => interrupts && (names.has(name) || (record !== undefined && names.has(record))),
    );
    const by = names.get(name) ?? clashes.flatMap(({ record }) => names.get(record ?? '') ?? [])[0];
    return by && clashes.length > 0 ? told(order, clashes, context.now).map((what) => ({ what, by })) : [];
  });
};

/** What is written counts as it will be. */
const withWritten = (facts: ChartFacts, plans: readonly PlannedWrite[]): ChartFacts => {
  const names = new Set(plans.map(nameOf));
  const of = (type: keyof Omit<ChartFacts, 'patient'>): readonly Resource[] => [
    ...facts[type].filter(({ id }) => !names.has(`${type}/${id}`)),
    ...plans.flatMap(({ next }) => (next.type === type && next.resource ? [{ ...next.resource, id: next.id }] : [])),
  ];
  return {
    patient: plans.find(({ next }) => next.type === 'Patient')?.next.resource ?? facts.patient,
    AllergyIntolerance: of('AllergyIntolerance'),
    Condition: of('Condition'),
    MedicationRequest: of('MedicationRequest'),
    MedicationStatement: of('MedicationStatement'),
    MedicationAdministration: of('MedicationAdministration'),
    Observation: of('Observation'),
  };
};

const medicationsIn = (plans: readonly PlannedWrite[]): [string, fhir4.Medication][] =>
  plans.flatMap((plan) =>
    plan.next.type === 'Medication' && plan.next.resource
      ? [[nameOf(plan), { ...plan.next.resource, id: plan.next.id } as unknown as fhir4.Medication]]
      : [],
  );

const told = (order: Resource, findings: readonly Finding[], now: number): Raised[] => {
  const name = `MedicationRequest/${order.id}`;
  const patient = (order['subject'] as fhir4.Reference | undefined)?.reference ?? '';
  const task: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    priority: 'urgent',
    description:
      'What is known of the patient speaks against an order that is in force. Look at it, then stop or sign it',
    focus: { reference: name },
    for: { reference: patient },
    authoredOn: new Date(now).toISOString(),
    performerType: [physicians],
  };
  return [
    ...findings.map((finding) => ({ opens: detectedIssueOf(finding, { order: name, patient, now }) })),
    { opens: task as unknown as Resource },
  ];
};
