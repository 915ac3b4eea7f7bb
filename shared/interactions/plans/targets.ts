import { type TargetProgress, targetProgress } from '../../plans/target-progress.ts';
import { dateInterval } from '../../search/date-range.ts';
import { loadUnits } from '../../search/units.ts';
import type { RequestContext } from '../context.ts';
import { tooCostly } from '../search/run.ts';
import type { Readable } from './read-whole.ts';
import { codesOf, type Found, type Results, resultsFor } from './results.ts';

/** Targets that one request tells of: each looks at each result. */
const mostTargets = 300;

/** Until when a goal begins, in milliseconds since 1970: what is found on its first day is where it begins. A month or a year does not tell when in it. */
const beginningOf = (startDate: string | undefined): number | undefined => {
  const interval = startDate === undefined ? undefined : dateInterval(startDate);
  return interval && (startDate?.length === 'yyyy-mm-dd'.length ? interval.end - 1 : interval.start);
};

/**
 * How far the targets of goals of one patient are reached, by one search.
 *
 * @returns of each goal, `target` for each of its targets.
 * @throws RecordError `too-costly`.
 */
export const progressOfTargets = async (
  context: RequestContext,
  records: readonly Readable[],
): Promise<readonly fhir4.ParametersParameter[][]> => {
  const goals = records.map(({ resource }) => resource as unknown as fhir4.Goal);
  const targets = goals.flatMap((goal) => (goal.target ?? []).map((target) => ({ goal, target })));
  if (targets.length > mostTargets) throw tooCostly('target');
  const sought = targets.map(({ goal: { startDate }, target }) => ({
    codes: codesOf(target.measure),
    since: beginningOf(startDate),
  }));
  const [results, units] = await Promise.all([
    resultsFor(context, goals[0]?.subject.reference ?? '', sought),
    loadUnits(),
  ]);
  const told = targets.map(({ goal, target }, index) => {
    const found = results[index] ?? {};
    const progress: TargetProgress =
      codesOf(target.measure).length > 0
        ? targetProgress(target, found, units)
        : { state: 'not-comparable', because: 'The target does not say by a code what is measured' };
    return { goal, parameter: { name: 'target', part: partsOf(target, found, progress, context.now) } };
  });
  return goals.map((goal) => told.filter((each) => each.goal === goal).map(({ parameter }) => parameter));
};

const partsOf = (
  target: fhir4.GoalTarget,
  { latest, baseline }: Results,
  { state, because, trend }: TargetProgress,
  now: number,
): fhir4.ParametersParameter[] => {
  const until = target.dueDate === undefined ? undefined : dateInterval(target.dueDate)?.end;
  const isLate = until !== undefined && until <= now && state !== 'met';
  return [
    ...(target.measure ? [{ name: 'measure', valueCodeableConcept: target.measure }] : []),
    ...detailOf(target),
    ...(target.dueDate === undefined ? [] : [{ name: 'due', valueDate: target.dueDate }]),
    { name: 'state', valueCode: state },
    ...(because === undefined ? [] : [{ name: 'because', valueString: because }]),
    ...(trend === undefined ? [] : [{ name: 'trend', valueCode: trend }]),
    ...(isLate ? [{ name: 'late', valueBoolean: true }] : []),
    ...(latest ? [{ name: 'latest', part: resultParts(latest) }] : []),
    ...(baseline && baseline.record !== latest?.record ? [{ name: 'baseline', part: resultParts(baseline) }] : []),
  ];
};

/** What is wanted, as the goal says it. */
const detailOf = (target: fhir4.GoalTarget): fhir4.ParametersParameter[] => {
  const { detailQuantity, detailRange, detailCodeableConcept, detailInteger, detailBoolean, detailString } = target;
  const name = 'detail';
  if (detailQuantity) return [{ name, valueQuantity: detailQuantity }];
  if (detailRange) return [{ name, valueRange: detailRange }];
  if (detailCodeableConcept) return [{ name, valueCodeableConcept: detailCodeableConcept }];
  if (detailInteger !== undefined) return [{ name, valueInteger: detailInteger }];
  if (detailBoolean !== undefined) return [{ name, valueBoolean: detailBoolean }];
  if (detailString !== undefined) return [{ name, valueString: detailString }];
  return target.detailRatio ? [{ name, valueRatio: target.detailRatio }] : [];
};

/** A result as it was told, when, and by which record. */
const resultParts = ({ value, at, record }: Found): fhir4.ParametersParameter[] => {
  const name = 'value';
  const { valueQuantity, valueRange, valueCodeableConcept, valueInteger, valueBoolean, valueString } = value;
  const told: fhir4.ParametersParameter[] = [
    ...(valueQuantity ? [{ name, valueQuantity }] : []),
    ...(valueRange ? [{ name, valueRange }] : []),
    ...(valueCodeableConcept ? [{ name, valueCodeableConcept }] : []),
    ...(valueInteger === undefined ? [] : [{ name, valueInteger }]),
    ...(valueBoolean === undefined ? [] : [{ name, valueBoolean }]),
    ...(valueString === undefined ? [] : [{ name, valueString }]),
  ];
  return [
    ...told,
    { name: 'time', valueInstant: new Date(at).toISOString() },
    { name: 'observation', valueReference: { reference: `Observation/${record.id}` } },
  ];
};
