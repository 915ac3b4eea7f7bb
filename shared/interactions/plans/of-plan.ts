import { parseReference } from '../../fhir/references.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { locateAll } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { mayAccess } from '../require-access.ts';
import { tooCostly } from '../search/run.ts';
import { type Readable, readWhole } from './read-whole.ts';
import { requireSearchable } from './results.ts';
import { progressOfTargets } from './targets.ts';

/** Goals and activities that one request tells of. */
const mostNamed = 100;

/**
 * `GET CarePlan/{id}/$progress`: of each goal of the plan in the same chart how it stands and how far its targets are reached, as `Goal/$progress` tells it, and of each activity its state. What the caller may not see of
 * these is left out. One read, one BatchGet, and one search of the patient's Observations.
 *
 * @throws RecordError `not-found`, `deleted`; `forbidden` where the caller may not search Observations; `too-costly`.
 */
export const progressOfPlan: Interaction = async (context, { id }) => {
  requireSearchable(context);
  readInput(context, {});
  const record = await readWhole(context, id);
  const { goal = [], activity = [] } = record.resource as unknown as fhir4.CarePlan;
  if (goal.length + activity.length > mostNamed) throw tooCostly('activity');
  const nameOf = nameIn(context);
  const named = await readNamed(context, [...goal, ...activity.flatMap(({ reference }) => reference ?? [])]);
  await traceNamed(context, record, [...named.values()]);
  const goals = goal.flatMap((reference): Readable[] => {
    const found = named.get(nameOf(reference) ?? '');
    return found?.type === 'Goal' && found.chart === record.chart ? [found] : [];
  });
  const targets = await progressOfTargets(context, goals);
  const parameter: fhir4.ParametersParameter[] = [
    ...goals.map((each, index) => ({ name: 'goal', part: [...goalParts(each), ...(targets[index] ?? [])] })),
    ...activity.flatMap(({ reference, detail }): fhir4.ParametersParameter[] => {
      if (detail) return [{ name: 'activity', part: detailParts(detail) }];
      const found = reference && named.get(nameOf(reference) ?? '');
      return found ? [{ name: 'activity', part: activityParts(found) }] : [];
    }),
  ];
  const resource: fhir4.Parameters = { resourceType: 'Parameters', ...(parameter.length > 0 ? { parameter } : {}) };
  return { statusCode: 200, resource };
};

/** `Type/id` of a record of this server. */
const nameIn =
  ({ request }: RequestContext) =>
  ({ reference = '' }: fhir4.Reference): string | undefined => {
    const parsed = parseReference(reference, request.baseUrl);
    return parsed.kind === 'record' ? `${parsed.type}/${parsed.id}` : undefined;
  };

/** Those of the records that references name which the caller may read, by `Type/id`. */
const readNamed = async (
  context: RequestContext,
  references: readonly fhir4.Reference[],
): Promise<ReadonlyMap<string, Readable>> => {
  const names = new Set(references.map(nameIn(context)).filter((name) => name !== undefined));
  const byType = Map.groupBy(names, (name) => name.slice(0, name.indexOf('/')));
  const addresses = await Promise.all(
    [...byType].map(([type, each]) => {
      const ids = each.map((name) => name.slice(type.length + 1));
      return locateAll(context, type, ids);
    }),
  );
  const read = await context.store.readMany(addresses.flat());
  await context.sharing.lookUp(read);
  const readable = read.filter(
    (record): record is Readable =>
      record.resource !== undefined && mayAccess({ ...context, recordType: factsOfType(record.type) }, 'r', record),
  );
  return new Map(readable.map((record) => [`${record.type}/${record.id}`, record]));
};

const traceNamed = async (
  { audit }: RequestContext,
  plan: StoredRecord,
  records: readonly StoredRecord[],
): Promise<void> => {
  const charts = Map.groupBy(records, ({ chart }) => chart);
  await audit.record(
    [...charts].map(([chart, each]) => ({
      interaction: 'operation',
      chart,
      what: each.map(({ type, id }) => `${type}/${id}`),
      query: chart === plan.chart ? `CarePlan/${plan.id}/$progress` : 'CarePlan/$progress',
    })),
  );
};

const goalParts = ({ id, resource }: Readable): fhir4.ParametersParameter[] => {
  const { lifecycleStatus, achievementStatus } = resource as unknown as fhir4.Goal;
  return [
    { name: 'reference', valueReference: { reference: `Goal/${id}` } },
    { name: 'lifecycleStatus', valueCode: lifecycleStatus },
    ...(achievementStatus ? [{ name: 'achievementStatus', valueCodeableConcept: achievementStatus }] : []),
  ];
};

const activityParts = ({ type, id, resource }: Readable): fhir4.ParametersParameter[] => {
  const { status } = resource as { readonly status?: unknown };
  return [
    { name: 'reference', valueReference: { reference: `${type}/${id}` } },
    ...(typeof status === 'string' ? [{ name: 'status', valueCode: status }] : []),
  ];
};

const detailParts = ({ status, code, description }: fhir4.CarePlanActivityDetail): fhir4.ParametersParameter[] => [
  ...(code ? [{ name: 'code', valueCodeableConcept: code }] : []),
  ...(description === undefined ? [] : [{ name: 'description', valueString: description }]),
  { name: 'status', valueCode: status },
];
