import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { Again } from '../../http/routes.ts';
import type { RecordType } from '../../record-types/define-record-type.ts';
import { list } from '../../record-types/list.ts';
import { medicationRequest } from '../../record-types/medication-request.ts';
import { medicationStatement } from '../../record-types/medication-statement.ts';
import { task } from '../../record-types/task.ts';
import { linkedWith } from '../../store/chart-links.ts';
import { physicians } from '../../work/pools.ts';
import { answerTo } from '../answers.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { lookAgain } from '../look-again.ts';
import { repeated } from '../once.ts';
import { readInput } from '../operation-input.ts';
import { labelsOfRecords } from '../order-checks/labels-of-finding.ts';
import { systemOf } from '../own-system.ts';
import { parseBody } from '../parse-body.ts';
import { newPlace, type PlannedWrite, planCreate, planUpdate, referenceError } from '../plan-write.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { type Decided, decisionsIn, reconciliation } from './decisions.ts';
import { reconcileInput } from './input.ts';
import { nameOfRecord, requireSources, type Source, sourcesOf, weighed } from './sources.ts';

/** https://loinc.org/10160-0 */
const medicationList: fhir4.CodeableConcept = {
  coding: [{ system: 'http://loinc.org', code: '10160-0', display: 'History of Medication use Narrative' }],
};
/** Said in every list, in the same words, so that it tells nothing. */
const extent = 'From what the author may see. Records that are elsewhere, or not for the author, are not in it.';
const url = 'https://concord.example/fhir/StructureDefinition/reconciliation';

/** The patient's sources, with a trace of all that is told. */
const openChart = async (context: RequestContext, id: string) => {
  const { audit, recordType, sharing } = context;
  requireTypeAccess(context, 'r');
  requireSources(context);
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  const name = `${recordType.name}/${id}`;
  const look = { interaction: 'operation', chart: address.chart, query: `${name}/$reconcile-medications` } as const;
  const [found, sources] = await Promise.all([
    audit.traced(
      { ...look, what: [name] },
      () => sharing.read(address),
      (record) => void requireReadable(context, record),
    ),
    sourcesOf(context, address.chart),
  ]);
  requireReadable(context, found);
  if (sources.length > 0) await audit.record([{ ...look, what: sources.map(nameOfRecord) }]);
  return { sources, name, chart: address.chart };
};

/**
 * `GET Patient/{id}/$reconcile-medications`: a List of what is to be reconciled, which nobody has stored: orders in force, statements, what was dispensed without these; each with its ingredients and the others of the same ingredient.
 *
 * @throws RecordError `forbidden`, `not-found`.
 */
export const toReconcile: Interaction = async (context, { id }) => {
  readInput(context, {});
  const { sources, name } = await openChart(context, id);
  const entries = await weighed(context, sources);
  const resource: fhir4.List = {
    ...listOf(context, name),
    mode: 'working',
    ...entriesOf(
      entries.map(({ source, ingredients, duplicates }) => ({
        item: { reference: nameOfRecord(source) },
        ...(ingredients.length + duplicates.length === 0
          ? {}
          : {
              extension: [
                {
                  url,
                  extension: [
                    ...ingredients.map((valueString) => ({ url: 'ingredient', valueString })),
                    ...duplicates.map((reference) => ({ url: 'duplicate', valueReference: { reference } })),
                  ],
                },
              ],
            }),
      })),
    ),
  };
  return { statusCode: 200, resource: resource as unknown as Resource };
};

const listOf = ({ now }: RequestContext, subject: string): Omit<fhir4.List, 'mode'> => ({
  resourceType: 'List',
  status: 'current',
  title: 'Medicines, reconciled',
  code: medicationList,
  subject: { reference: subject },
  date: new Date(now).toISOString(),
  note: [{ text: extent }],
});

const entriesOf = (entry: fhir4.ListEntry[]): Pick<fhir4.List, 'entry' | 'emptyReason'> =>
  entry.length > 0
    ? { entry }
    : {
        emptyReason: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/list-empty-reason', code: 'unavailable' }],
          text: 'There is nothing that the author may see',
        },
      };

/**
 * `POST Patient/{id}/$reconcile-medications`: what somebody decides on each medicine, as a List, in one transaction with what it makes of statements and orders. What is not decided stands in it as undecided.
 *
 * @throws RecordError `forbidden`, `not-found`; `invalid` for a decision on what is not to be reconciled, for a visit of another patient, and for who is not in the directory; `conflict` if somebody has changed it meanwhile.
 */
export const reconcile: Interaction = (context, { id }) =>
  lookAgain(async () => {
    requireTypeAccess({ ...context, recordType: medicationStatement }, 'c');
    const { resource: sent } = parseBody(list, readInput(context, reconcileInput).list);
    const asked = sent as unknown as fhir4.List;
    const decided = decisionsIn(context, asked);
    const { sources, name, chart } = await openChart(context, id);
    for (const each of decided.keys())
      if (!sources.some((source) => nameOfRecord(source) === each))
        throw new RecordError('invalid', 'This is nothing to be reconciled, or nothing that you may see', {
          expression: each,
        });
    const made = await Promise.all(
      sources.map(async (source) => {
        const decision = decided.get(nameOfRecord(source));
        return { source, decision, ...(decision ? await consequenceOf(context, source, decision, name) : {}) };
      }),
    );
    const security = await labelsOfRecords(
      context,
      sources.map(({ resource }) => resource),
    );
    const { fhirUser } = context.asking.caller;
    const resource: fhir4.List = {
      ...listOf(context, name),
      ...(security.length > 0 ? { meta: { security: [...security] } } : {}),
      mode: 'snapshot',
      ...(fhirUser === undefined ? {} : { source: { reference: fhirUser } }),
      ...(asked.encounter ? { encounter: asked.encounter } : {}),
      ...entriesOf(
        made.map(({ source, decision, plan }) => ({
          item: { reference: nameOfRecord(source) },
          flag: flagOf(decision),
          date: new Date(context.now).toISOString(),
          ...(plan && nameOfRecord(plan.next) !== nameOfRecord(source)
            ? {
                extension: [
                  { url, extension: [{ url: 'statement', valueReference: { reference: nameOfRecord(plan.next) } }] },
                ],
              }
            : {}),
        })),
      ),
    };
    await requireVisitOf(context, chart, asked);
    const kept = await byServer(context, list, resource as unknown as Resource);
    const open = made.some(({ forPrescriber }) => forPrescriber);
    const plans = [
      kept,
      ...made.flatMap(({ plan }) => plan ?? []),
      ...(open ? [await byServer(context, task, taskOf(context, kept, name))] : []),
    ];
    const answer = () => answerTo(context, kept);
    await save(context, plans, () => [answer()]);
    return answer();
  });

/** @see reconcile */
export const reconciledAgain: Again = (context, target, kept) => {
  requireTypeAccess({ ...context, recordType: medicationStatement }, 'c');
  return repeated({ ...context, recordType: list }, kept, true, { action: 'r', target });
};

const flagOf = (decided: Decided | undefined): fhir4.CodeableConcept => ({
  coding: [{ system: reconciliation, code: decided?.decision ?? 'undecided' }],
  ...(decided?.reason === undefined ? {} : { text: decided.reason }),
});

/**
 * The visit is one of the patient, or of whom theirs was merged with; that it is there, its write requires. One call for one of another chart.
 *
 * @throws RecordError `invalid` for another one's, in the words for one that is not there.
 */
const requireVisitOf = async (
  context: RequestContext,
  chart: string,
  { encounter }: Pick<fhir4.List, 'encounter'>,
): Promise<void> => {
  const named = parseReference(encounter?.reference ?? '', context.request.baseUrl);
  const address = named.kind === 'record' ? await locate(context, named.type, named.id) : undefined;
  if (!address || address.chart === chart) return;
  const linked = await linkedWith(context.store, chart);
  if (!linked.some((each) => each.chart === address.chart))
    throw referenceError([{ expression: 'List.encounter.reference' }]);
};

/** Records that the operation itself keeps: who reconciles need not write lists and tasks at all. */
const byServer = async (context: RequestContext, recordType: RecordType, resource: Resource): Promise<PlannedWrite> => {
  const own = { ...context, recordType, asking: systemOf(context, context.asking.caller.organization ?? '') };
  return planCreate(own, { resource, warnings: [] }, await newPlace(own, resource));
};

const taskOf = ({ now }: RequestContext, { next }: PlannedWrite, patient: string): Resource => {
  const about: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    description: 'Medicines were reconciled, and orders are to be stopped, held or changed. Look at the list',
    focus: { reference: nameOfRecord(next) },
    for: { reference: patient },
    authoredOn: new Date(now).toISOString(),
    performerType: [physicians],
  };
  return about as unknown as Resource;
};

interface Consequence {
  readonly plan?: PlannedWrite;
  /** Whether a prescriber has something to do. */
  readonly forPrescriber?: boolean;
}

const stateOfStatement = { stop: 'stopped', hold: 'on-hold', 'not-taking': 'not-taken' } as const;
const stateOfOrder = { stop: 'stopped', hold: 'on-hold' } as const;

/** What a decision makes of its source. What another organisation keeps stays as it is. */
const consequenceOf = async (
  context: RequestContext,
  source: Source,
  { decision, reason }: Decided,
  patient: string,
): Promise<Consequence> => {
  const { resource, type } = source;
  const isOrder = type === 'MedicationRequest';
  if (decision === 'continue') return {};
  if (type === 'MedicationStatement') {
    const own = { ...context, recordType: medicationStatement };
    if (decision === 'change' || !mayAccess(own, 'u', source)) return {};
    return {
      plan: await changed(own, source, { status: stateOfStatement[decision], statusReason: [{ text: reason }] }),
    };
  }
  if (decision === 'not-taking')
    return { plan: await notTaken(context, source, reason, patient), forPrescriber: isOrder };
  const own = { ...context, recordType: medicationRequest };
  const state = decision === 'change' ? undefined : stateOfOrder[decision];
  if (!isOrder || state === undefined || !mayAccess(own, 'u', source)) return { forPrescriber: isOrder };
  if (resource['status'] === state) return {};
  return { plan: await changed(own, source, { status: state, statusReason: { text: reason } }) };
};

const changed = (context: RequestContext, source: Source, change: object): Promise<PlannedWrite> =>
  planUpdate(context, { resource: { ...source.resource, id: source.id, ...change }, warnings: [] }, source);

/** That a medicine is not taken which was ordered or handed over: a statement of its own, which says what it comes from. */
const notTaken = async (
  context: RequestContext,
  { resource, type, id }: Source,
  reason: string | undefined,
  patient: string,
): Promise<PlannedWrite> => {
  const { medicationCodeableConcept, medicationReference, contained } = resource as unknown as fhir4.MedicationRequest;
  const security = resource.meta?.security;
  const fhirUser = context.asking.caller.fhirUser;
  const medicines = contained?.filter((each) => each.resourceType === 'Medication');
  const inside = medicationReference?.reference?.startsWith('#') ? medicines : undefined;
  const statement: fhir4.MedicationStatement = {
    resourceType: 'MedicationStatement',
    ...(security ? { meta: { security } } : {}),
    ...(inside ? { contained: inside } : {}),
    status: 'not-taken',
    ...(reason === undefined ? {} : { statusReason: [{ text: reason }] }),
    ...(medicationCodeableConcept ? { medicationCodeableConcept } : { medicationReference }),
    subject: { reference: patient },
    dateAsserted: new Date(context.now).toISOString(),
    ...(fhirUser === undefined ? {} : { informationSource: { reference: fhirUser } }),
    derivedFrom: [{ reference: `${type}/${id}` }],
  };
  const own = { ...context, recordType: medicationStatement };
  const body = statement as unknown as Resource;
  return planCreate(own, { resource: body, warnings: [] }, await newPlace(own, body));
};
