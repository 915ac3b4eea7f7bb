import type { Interaction } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { readWhole } from './read-whole.ts';
import { requireSearchable } from './results.ts';
import { progressOfTargets } from './targets.ts';

/**
 * `GET Goal/{id}/$progress`: each target of a goal with the newest result that the caller may see and that is about it, whether that meets the target, and which way it has gone since the goal began. One read, and one search
 * of the patient's Observations with its trace.
 *
 * @throws RecordError `not-found`, `deleted`; `forbidden` where the caller may not search Observations; `too-costly` where the chart has too many.
 */
export const progressOfGoal: Interaction = async (context, { id }) => {
  requireSearchable(context);
  readInput(context, {});
  const record = await readWhole(context, id);
  const [parameter = []] = await progressOfTargets(context, [record]);
  const resource: fhir4.Parameters = { resourceType: 'Parameters', ...(parameter.length > 0 ? { parameter } : {}) };
  return { statusCode: 200, resource };
};
