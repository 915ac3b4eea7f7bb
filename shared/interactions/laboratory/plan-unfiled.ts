import type { Resource } from '../../fhir/resource.ts';
import { criticalIn } from '../../laboratory/critical-findings.ts';
import { usualLimits } from '../../laboratory/critical-limits.ts';
import type { UnfiledReason } from '../../laboratory/filing.ts';
import type { Message } from '../../laboratory/message.ts';
import { taskToResolve, unfiledReport } from '../../laboratory/unfiled.ts';
import { task } from '../../record-types/task.ts';
import { loadUnits } from '../../search/units.ts';
import type { RowKey } from '../../store/keys.ts';
import type { RequestContext } from '../context.ts';
import { planCreate } from '../plan-write.ts';
import { knowing, knownIn } from './filler-row.ts';
import type { PlannedFiling } from './plan-filing.ts';

/**
 * Plans that a message waits in no chart, with a Task for the laboratory to say whose it is. One that waits already is not kept twice.
 *
 * @param at - the row of its filler's number, and what was read there.
 */
export const planUnfiled = async (
  context: RequestContext,
  message: Message,
  reason: UnfiledReason,
  { row, expected }: { readonly row: RowKey; readonly expected: readonly string[] },
): Promise<PlannedFiling> => {
  const { store, now } = context;
  const known = knownIn(expected);
  const waits = known.waiting.get(message.key);
  const filed = { reason, remarks: [] };
  if (waits !== undefined)
    return { plans: [], filed: { ...filed, outcome: 'repeated', report: `DiagnosticReport/${waits}` }, context };
  const [chart, ofTask] = [store.ids.newChart(), store.ids.newChart()];
  const report = { address: { type: 'DiagnosticReport', chart, place: '' }, id: chart };
  const name = `DiagnosticReport/${chart}`;
  const own = { ...context, known: new Map([...context.known, [name, report.address] as const]) };
  const resource = unfiledReport(message, reason, `Task/${ofTask}`);
  const plan = await planCreate(own, { resource, warnings: [] }, report);
  const ofTasks = { ...own, recordType: task };
  const toResolve = await planCreate(
    ofTasks,
    { resource: taskToResolve(name, await isCritical(context, message), now), warnings: [] },
    { address: { type: 'Task', chart: ofTask, place: '' }, id: ofTask },
  );
  const change = knowing(row, expected, { ...known, waiting: new Map([...known.waiting, [message.key, chart]]) });
  return {
    plans: [
      {
        ...plan,
        next: { ...plan.next, resource: unfiledReport(message, reason, `Task/${ofTask}`) },
        guards: [...plan.guards, change],
      },
      toResolve,
    ],
    filed: { ...filed, outcome: 'unfiled', report: name },
    context: own,
  };
};

const isCritical = async ({ policy }: RequestContext, { report, results }: Message): Promise<boolean> => {
  const [units, limits] = [await loadUnits(), policy.criticalResults?.limits ?? usualLimits];
  return [report, ...results].some((each) => criticalIn(each as unknown as Resource, limits, units).length > 0);
};
