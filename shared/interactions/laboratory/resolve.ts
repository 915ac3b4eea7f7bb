import { RecordError } from '../../errors.ts';
import { filedMarkOf } from '../../laboratory/filed-mark.ts';
import { digestIn } from '../../laboratory/message-order.ts';
import { filingIn, isUnfiled, settled } from '../../laboratory/unfiled.ts';
import { diagnosticReport } from '../../record-types/diagnostic-report.ts';
import { task } from '../../record-types/task.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { systemOf } from '../own-system.ts';
import { type PlannedWrite, planUpdate } from '../plan-write.ts';
import { named } from '../record-named.ts';
import { type ReadableRecord, recordToChange } from '../record-to-change.ts';
import { filedAs } from './file.ts';
import { resolveInput } from './input.ts';
import { planFiling, requireFiler } from './plan-filing.ts';

/**
 * `DiagnosticReport/{id}/$resolve`: somebody says whose a report is that waits. It is filed as it came, among all messages of its number; what waited is entered in error, and its Task is done.
 *
 * @throws RecordError `forbidden`; `not-found`; `version-conflict`; `invalid`; `business-rule` for what does not wait, or whose number is filed in another chart.
 */
export const resolve: Interaction = (context, { id }) => {
  const organization = requireFiler(context);
  const { patient } = readInput(context, resolveInput);
  const subject = { reference: named(context, patient, 'patient', 'Patient') };
  return filedAs(context, async () => {
    const unfiled = await recordToChange(context, id, '$resolve');
    if (!isUnfiled(unfiled.resource))
      throw new RecordError('business-rule', 'This report does not wait for anybody to say whose it is', {
        reason: 'not-unfiled',
        expression: 'DiagnosticReport',
      });
    const filing = filingIn(unfiled.resource);
    const mark = filedMarkOf(unfiled.resource);
    const sent = { ...filing, report: { ...filing.report, subject } };
    const planned = await planFiling(context, sent, { digest: digestIn(mark.messages[0] ?? '') });
    if (planned.filed.reason !== undefined)
      throw new RecordError(
        'business-rule',
        'What this laboratory has sent under the number before is filed in another chart',
        {
          reason: 'filed-elsewhere',
          expression: 'patient',
        },
      );
    const own = { ...planned.context, asking: systemOf(context, organization) };
    const kept = await planUpdate(
      { ...own, recordType: diagnosticReport },
      { resource: settled(unfiled.resource, planned.filed.report), warnings: [] },
      unfiled,
    );
    return { ...planned, plans: [...planned.plans, kept, ...(await planDone(own, unfiled, mark.task))] };
  });
};

const over: ReadonlySet<unknown> = new Set(['completed', 'cancelled', 'failed', 'rejected', 'entered-in-error']);

/** The Task to say whose the report is, done. */
const planDone = async (
  context: RequestContext,
  { custodian }: ReadableRecord,
  name: string | undefined,
): Promise<readonly PlannedWrite[]> => {
  const decoded = context.store.ids.decode((name ?? '').slice('Task/'.length));
  const current = decoded && (await context.store.read({ type: 'Task', ...decoded }));
  if (!current?.resource || current.custodian !== custodian || over.has(current.resource['status'])) return [];
  const resource = { ...current.resource, status: 'completed', lastModified: new Date(context.now).toISOString() };
  return [await planUpdate({ ...context, recordType: task }, { resource, warnings: [] }, current)];
};
