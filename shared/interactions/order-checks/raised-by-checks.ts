import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { deniesNow, standsAgainst } from '../../histories/no-known-allergies.ts';
import { checkOrder, type PatientFacts } from '../../order-checks/check-order.ts';
import type { Finding } from '../../order-checks/findings.ts';
import { isOrder } from '../../prescriptions/orders.ts';
import type { Raised } from '../../record-types/define-record-type.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { physicians } from '../../work/pools.ts';
import type { RequestContext } from '../context.ts';
import { systemOf } from '../own-system.ts';
import type { PlannedWrite } from '../plan-write.ts';
import { type ChartFacts, chartFacts, namingRecords, noFacts, withMedications } from './facts.ts';
import { type Guard, guardOf } from './guard.ts';
import { knowledge } from './knowledge-in-use.ts';
import { labelsOfFinding } from './labels-of-finding.ts';
import { detectedIssueOf, eachOnce, implicatedIn } from './told.ts';
import { type ToldBefore, toldBefore, withoutRepeats } from './told-before.ts';

type Context = Omit<RequestContext, 'recordType'>;

const nameOf = ({ next: { type, id } }: PlannedWrite): string => `${type}/${id}`;
const inForce: ReadonlySet<unknown> = new Set(['active', 'on-hold']);

/**
 * What writes call for that say something new of what a patient takes, or should not: an order in force that nobody has signed here is checked as it is written, and those in force are checked again
 * against what is new. It is guarded, so that two that clash do not pass each other. A clash is a fact and refuses nothing: it is kept as a DetectedIssue, and a Task for the prescribers tells of it. A Query for each type of facts and chart; none for a chart that
 * the transaction begins, as imports do.
 *
 * @param asking - those of the writes that call for it.
 * @param plans - all of the transaction: what is written with it counts.
 */
export const raisedByChecks = async (
  context: Context,
  asking: readonly PlannedWrite[],
  plans: readonly PlannedWrite[],
): Promise<Checked> => {
  // What tells of a psychotherapy note would tell others that there is one.
  const open = ({ next }: PlannedWrite): boolean => !next.originators;
  const byChart = Map.groupBy(asking.filter(open), ({ next: { chart, custodian } }) => `${chart} ${custodian}`);
  const checked = await Promise.all([...byChart.values()].map((each) => inChart(context, each, plans.filter(open))));
  const guards = new Map(checked.flatMap(({ guarded }) => guarded ?? []));
  return {
    raised: checked.flatMap(({ raised }) => raised),
    plans: plans.map((plan) => {
      const guard = guards.get(plan);
      return guard ? { ...plan, guards: [...plan.guards, guard(plan.next)] } : plan;
    }),
  };
};

/** What writes call for. */
export interface Checked {
  readonly raised: readonly { readonly what: Raised; readonly by: PlannedWrite }[];
  /** With what must not have been checked meanwhile. */
  readonly plans: readonly PlannedWrite[];
}

interface CheckedChart extends Pick<Checked, 'raised'> {
  readonly guarded?: readonly (readonly [PlannedWrite, Guard])[];
}

const inChart = async (
  context: Context,
  asking: readonly PlannedWrite[],
  plans: readonly PlannedWrite[],
): Promise<CheckedChart> => {
  const [first] = asking;
  if (!first) return { raised: [] };
  const { chart, custodian } = first.next;
  // What the organisation itself knows: not what the writer may see, who is perhaps an interface.
  const own = { ...context, asking: systemOf(context, custodian) };
  const written = plans.filter(({ next }) => next.chart === chart);
  const begun = written.some(begins);
  const guard = begun ? undefined : await guardOf(own, chart, custodian);
  const before = begun ? noFacts : await chartFacts(own, chart);
  const known = withWritten(before, written);
  for (const { next } of asking) requireNoAllergies(next, known.AllergyIntolerance);
  const orders = known.MedicationRequest.flatMap((order) =>
    isOrder(order) && inForce.has(order['status']) ? [namingRecords(own, order)] : [],
  );
  const [looked, pack] = await Promise.all([withMedications(own, known, []), knowledge()]);
  const facts: PatientFacts = { ...looked, medications: new Map([...looked.medications, ...medicationsIn(plans)]) };
  const names = new Map(asking.map((plan) => [nameOf(plan), plan]));
  // An order that is not written is asked about what is, alone: a chart of thousands of orders is not compared pair by pair.
  const newMedicines = facts.medicines.filter(({ resourceType, id }) => names.has(`${resourceType}/${id}`));
  let read: Promise<ToldBefore> | undefined;
  const told = (): Promise<ToldBefore> => (read ??= toldBefore(own, chart, custodian));
  const observed = { ...facts, observations: before.Observation as unknown as fhir4.Observation[] };
  const raised = orders.map(async (order) => {
    const name = `MedicationRequest/${order.id}`;
    const asked = names.has(name) ? facts : { ...facts, medicines: newMedicines };
    const prescription = order as unknown as fhir4.MedicationRequest;
    const { findings } = checkOrder(prescription, asked, pack, context.now);
    const found = findings.filter(
      ({ interrupts, record }) => interrupts && (names.has(name) || (record !== undefined && names.has(record))),
    );
    const fresh = { before: observed, pack, now: context.now, told };
    const clashes = eachOnce(names.has(name) ? found : await withoutRepeats(found, prescription, fresh));
    const by = names.get(name) ?? clashes.flatMap(({ record }) => names.get(record ?? '') ?? [])[0];
    if (!by || clashes.length === 0) return [];
    const labelled = clashes.map(
      async (finding) => [finding, await labelsOfFinding(own, order, finding, known)] as const,
    );
    return telling(order, await Promise.all(labelled), context.now).map((what) => ({ what, by }));
  });
  return { raised: (await Promise.all(raised)).flat(), guarded: guard ? [[first, guard]] : [] };
};

/** Whether a write begins its chart: then nothing else is there, and nobody else writes there before it is. */
const begins = ({ next: { type, version } }: PlannedWrite): boolean => type === 'Patient' && version === 1;

/**
 * That there is no allergy cannot be said while one is recorded: it would hide it.
 *
 * @throws RecordError `business-rule`.
 */
const requireNoAllergies = ({ type, resource }: StoredRecord, allergies: readonly Resource[]): void => {
  const categories = type === 'AllergyIntolerance' && resource ? deniesNow(resource) : undefined;
  if (!categories || !allergies.some((allergy) => standsAgainst(allergy, categories))) return;
  throw new RecordError(
    'business-rule',
    'An allergy is recorded: refute it, or end it, before you say that there is none',
    {
      reason: 'allergy-recorded',
      expression: 'AllergyIntolerance.code',
    },
  );
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

const telling = (
  order: Resource,
  findings: readonly (readonly [Finding, readonly fhir4.Coding[]])[],
  now: number,
): Raised[] => {
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
    ...findings.map(([finding, security]) => ({
      opens: detectedIssueOf(finding, { implicated: implicatedIn(name, finding), patient, now, security }),
    })),
    { opens: task as unknown as Resource },
  ];
};
