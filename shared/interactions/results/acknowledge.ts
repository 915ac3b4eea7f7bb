import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import { criticalIn } from '../../laboratory/critical-findings.ts';
import { usualLimits } from '../../laboratory/critical-limits.ts';
import { criticalCode, isTaskFor } from '../../laboratory/critical-tasks.ts';
import { allReadBack } from '../../laboratory/read-back.ts';
import { acknowledged, isToBeDone, resultOf } from '../../laboratory/review-tasks.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { dateInterval } from '../../search/date-range.ts';
import { loadUnits } from '../../search/units.ts';
import type { ExistenceCheck } from '../../store/commit.ts';
import { presented, type StoredRecord } from '../../store/rows.ts';
import { answerTo, ofVersion } from '../answers.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { lookAt } from '../look-at.ts';
import { readInput } from '../operation-input.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from '../require-access.ts';
import { restated } from '../restated.ts';
import { save } from '../save.ts';
import { requireVersion, requireWritable } from '../update.ts';
import { acknowledgeInput } from './input.ts';

/** Who acts on a critical result. Others, such as a laboratory, record who has read it back to them. */
export const clinicians: ReadonlySet<string> = new Set(['physician', 'nurse']);

/**
 * `POST Task/{id}/$acknowledge`: a critical result has reached somebody, who has read it back. What was read back is compared with the result as it is now; the Task then names who, when and the version whose values these
 * were. One read of the Task, one of the result, one transaction. Acknowledged already, it is answered as it is.
 *
 * @throws RecordError `not-found`; `forbidden` to who may not read the result; `invalid` for a laboratory that does not say `by` whom, or for a time to come; `business-rule` `not-critical`, `read-back-differs`, `illegal-move`.
 */
export const acknowledge: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'u');
  const input = readInput(context, acknowledgeInput);
  const by = byWhom(context, input.by);
  const { now, policy } = context;
  const time = input.time ?? new Date(now).toISOString();
  if ((dateInterval(time)?.start ?? 0) > now)
    throw new RecordError('invalid', 'It was not acknowledged yet at this time', { expression: 'time' });
  const current = await readTraced(context, 'Task', id);
  const task = current.resource;
  if (!task || !isTaskFor(task, criticalCode))
    throw new RecordError('business-rule', 'This task is not about a critical result', {
      reason: 'not-critical',
      expression: 'Task.code',
    });
  await requireWritable(context, current, 'u');
  requireVersion(context, current);
  const isDone = (task as unknown as fhir4.Task).status === 'completed';
  if (isDone) return { statusCode: 200, resource: presented(context.view.of(current)), ...ofVersion(current) };
  if (!isToBeDone(task))
    throw new RecordError('business-rule', 'What is over is not acknowledged', {
      reason: 'illegal-move',
      expression: 'Task.status',
    });
  const [type = '', resultId = ''] = (resultOf(task) ?? '').split('/');
  const recordType = factsOfType(type);
  const reading = { ...context, recordType: { ...context.recordType, ...recordType } };
  requireTypeAccess(reading, 'r');
  const result = await readTraced(reading, type, resultId);
  const critical = criticalIn(result.resource, policy.criticalResults?.limits ?? usualLimits, await loadUnits());
  if (!allReadBack(critical, input.readBack))
    throw new RecordError('business-rule', 'What was read back is not what the result says. Read it again', {
      reason: 'read-back-differs',
      expression: 'readBack',
    });
  const version = `${type}/${resultId}/_history/${result.version}`;
  const resource = acknowledged(task, { by, time, version, now });
  const told = await restated(context, context.recordType, current, resource);
  const plan = by === context.asking.caller.fhirUser ? told : { ...told, checks: [await mustExist(context, by)] };
  await save(context, [plan]);
  return answerTo(context, plan);
};

const byWhom = ({ asking, request }: RequestContext, named: fhir4.Reference | undefined): string => {
  const { roles, fhirUser } = asking.caller;
  const parsed = parseReference(named?.reference ?? '', request.baseUrl);
  if (parsed.kind === 'record' && /^Practitioner(?:Role)?$/.test(parsed.type)) return `${parsed.type}/${parsed.id}`;
  if (!named && roles.some((role) => clinicians.has(role)) && fhirUser.startsWith('Practitioner/')) return fhirUser;
  throw new RecordError('invalid', 'Name the Practitioner who has read it back', { expression: 'by' });
};

/** Who is named has to be somebody. */
const mustExist = async (context: RequestContext, by: string): Promise<ExistenceCheck> => {
  const [type = '', id = ''] = by.split('/');
  const address = await locate(context, type, id);
  if (!address)
    throw new RecordError('invalid', 'Nobody is known by this name', {
      reason: 'reference-not-found',
      expression: 'by',
    });
  return { address, label: 'by' };
};

const readTraced = async (context: RequestContext, type: string, id: string): Promise<StoredRecord> => {
  const address = await locate(context, type, id);
  if (!address) throw notFound(context);
  const look = {
    interaction: 'operation',
    what: [`${type}/${id}`],
    query: `${type}/${id}/$acknowledge`,
    may: (last: StoredRecord) => mayAccess(context, 'r', last),
  } as const;
  return requireReadable(
    context,
    await lookAt(context, address, look, (found) => void requireReadable(context, found)),
  );
};
