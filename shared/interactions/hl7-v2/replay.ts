import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { Message } from '../../hl7-v2/message.ts';
import type { Unfit } from '../../hl7-v2/unfit.ts';
import type { Answer } from '../context.ts';
import { lookAgain } from '../look-again.ts';
import { type InputDefinition, readInput } from '../operation-input.ts';
import { type PlannedWrite, planUpdate } from '../plan-write.ts';
import { type ReadableRecord, recordToChange } from '../record-to-change.ts';
import { save } from '../save.ts';
import { searchRecords } from '../search/search.ts';
import { fileMessage, whyNot } from './file-message.ts';
import { requireInterface } from './receive.ts';
import { contextOf, type FilingContext, identifierToken } from './typed.ts';
import { isWaiting, reasonInTask, waitingPatient, waitingStates } from './waiting.ts';

/** Messages of one patient that are filed by one request. */
const mostAtOnce = 50;

export const discardInput = { reason: { type: 'string', min: 1 } } as const satisfies Readonly<
  Record<string, InputDefinition>
>;

/**
 * `POST /hl7/v2/waiting/{id}/$replay`, by the id of its Task: files a message that waits, and those of the same patient that were said before it and wait as well, in the order in which they were said. Each in a
 * transaction of its own, together with its Task.
 *
 * @returns Parameters with a `message` for each: its Task, and what became of it.
 * @throws RecordError `not-found`; `business-rule` `not-waiting`; `forbidden`.
 */
export const replay = async (context: FilingContext, id: string): Promise<Answer> => {
  requireInterface(context);
  const asked = await waitingTask(context, id);
  const parameter: fhir4.ParametersParameter[] = [];
  for (const task of await inTurn(context, asked)) {
    const why = await lookAgain(() => fileAgain(context, task));
    parameter.push({
      name: 'message',
      part: [
        { name: 'task', valueReference: { reference: `Task/${task}` } },
        { name: 'outcome', valueCode: why ? 'waits' : 'filed' },
        ...(why ? [{ name: 'reason', valueCode: why.reason }] : []),
      ],
    });
  }
  return { statusCode: 200, resource: { resourceType: 'Parameters', parameter } };
};

/**
 * `POST /hl7/v2/waiting/{id}/$discard`: a message that waits is never to be filed, for a `reason`. It stays as it is, with a Task that is rejected.
 *
 * @throws RecordError as `replay`.
 */
export const discard = async (context: FilingContext, id: string): Promise<Answer> => {
  requireInterface(context);
  const { reason } = readInput({ request: context.request }, discardInput);
  const task = await waitingTask(context, id, '$discard');
  const resource = { ...task.resource, status: 'rejected', statusReason: { text: reason } };
  await save(context, [await changed(context, task, resource)]);
  return { statusCode: 204 };
};

const waitingTask = async (context: FilingContext, id: string, operation = '$replay'): Promise<ReadableRecord> => {
  const task = await recordToChange(contextOf(context, 'Task', { method: 'POST' }), id, operation);
  if (!isWaiting(task.resource as unknown as fhir4.Task))
    throw new RecordError('business-rule', 'No message waits by this Task', { reason: 'not-waiting' });
  return task;
};

/** Ids of the Tasks whose messages come before this one, and its own. */
const inTurn = async (context: FilingContext, asked: ReadableRecord): Promise<string[]> => {
  const patient = (asked.resource as unknown as fhir4.Task).identifier?.find(
    ({ system }) => system === waitingPatient,
  )?.value;
  if (patient === undefined) return [asked.id];
  const query: [string, string][] = [
    ['identifier', identifierToken({ system: waitingPatient, value: patient })],
    ['status', waitingStates.join(',')],
    ['_count', '1000'],
  ];
  const { resource } = await searchRecords(contextOf(context, 'Task', { method: 'GET', query }), {
    id: '',
    version: '',
    type: '',
  });
  const others = ((resource as fhir4.Bundle).entry ?? []).flatMap(({ resource: task }) =>
    task?.resourceType === 'Task' && task.id !== asked.id ? [task as fhir4.Task] : [],
  );
  const own = asked.resource as unknown as fhir4.Task;
  const last = saidIn(own);
  return [...others.filter((task) => saidIn(task) <= last), own]
    .sort((a, b) => (saidIn(a) < saidIn(b) ? -1 : saidIn(a) > saidIn(b) ? 1 : 0))
    .slice(-mostAtOnce)
    .map(({ id = asked.id }) => id);
};

/** When what a message says was said, as its Task has it; the empty text if that is not known. */
const saidIn = ({ input }: fhir4.Task): string =>
  input?.find(({ type }) => type.text === 'said at')?.valueInstant ?? '';

/** @returns why it still waits; undefined if it is filed. */
const fileAgain = async (context: FilingContext, id: string): Promise<Unfit | undefined> => {
  const task = await waitingTask(context, id);
  const { focus } = task.resource as unknown as fhir4.Task;
  const binary = await recordToChange(
    contextOf(context, 'Binary', { method: 'POST' }),
    focus?.reference?.slice('Binary/'.length) ?? '',
    '$replay',
  );
  const message = new Message(
    Buffer.from((binary.resource as unknown as fhir4.Binary).data ?? '', 'base64').toString('utf8'),
  );
  try {
    await fileMessage(context, message, async () => ({
      plans: [await changed(context, task, { ...task.resource, status: 'completed' })],
    }));
    return undefined;
  } catch (error) {
    const why = whyNot(error);
    if (!why) throw error;
    const said = reasonInTask(why);
    if (said.description !== task.resource['description'])
      await save(context, [await changed(context, task, { ...task.resource, ...said })]);
    return why;
  }
};

const changed = (context: FilingContext, task: ReadableRecord, resource: object): Promise<PlannedWrite> =>
  planUpdate(contextOf(context, 'Task'), { resource: resource as unknown as Resource, warnings: [] }, task);
