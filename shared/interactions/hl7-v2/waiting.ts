import { createHmac } from 'node:crypto';
import type { Resource } from '../../fhir/resource.ts';
import { patientKey } from '../../hl7-v2/mapping/messages.ts';
import type { Message } from '../../hl7-v2/message.ts';
import { saidAt } from '../../hl7-v2/reading.ts';
import { senderName } from '../../hl7-v2/sender.ts';
import type { Unfit } from '../../hl7-v2/unfit.ts';
import { frontDesk } from '../../work/pools.ts';
import { newPlace, type PlannedWrite, planCreate } from '../plan-write.ts';
import { senderOf } from './senders.ts';
import { contextOf, type FilingContext } from './typed.ts';

/** Media type of a message. https://hapifhir.github.io/hapi-hl7v2/hapi-hl7overhttp/specification.html */
export const er7 = 'x-application/hl7-v2+er7';

export const waitingSystem = 'https://concord.example/fhir/CodeSystem/hl7-v2-waiting';
/** Whose message waits, so that those of one patient are filed one after the other. */
export const waitingPatient = 'https://concord.example/fhir/sid/hl7-v2-waiting-patient';
const waitingMessage = 'https://concord.example/fhir/sid/hl7-v2-waiting-message';

/** States of a Task whose message waits; somebody may have taken it on. */
export const waitingStates = ['requested', 'received', 'accepted', 'ready', 'in-progress', 'on-hold'];

/** Whether a Task is of a message that waits. */
export const isWaiting = ({ code, status }: fhir4.Task): boolean =>
  waitingStates.includes(status) && code?.coding?.some(({ code: what }) => what === 'hl7-v2-message') === true;

const input = (text: string, value: Omit<fhir4.TaskInput, 'type'>): fhir4.TaskInput => ({ type: { text }, ...value });

/** Why a message waits, in a Task: nothing of what it says. */
export const reasonInTask = ({
  reason,
  message,
  at,
  code,
}: Unfit): Pick<fhir4.Task, 'businessStatus' | 'description'> => ({
  businessStatus: {
    coding: [
      { system: waitingSystem, code: reason },
      ...(code === undefined ? [] : [{ system: 'https://concord.example/fhir/CodeSystem/refusal', code }]),
    ],
  },
  description: `A message that came in waits. ${message} (${at})`,
});

/** Whose message it is and when that was said, as far as that can be read. */
const bearings = async (context: FilingContext, message: Message): Promise<{ patient?: string; at?: number }> => {
  try {
    const sender = await senderOf(context, message);
    const reading = { message, sender, event: '', happened: '' };
    const { system, value } = patientKey(reading, message);
    const { store, asking } = context;
    const hash = createHmac('sha256', store.keys.index).update(
      `hl7-v2|${asking.caller.organization}|${system}|${value}`,
    );
    return { patient: hash.digest('base64url'), at: saidAt(message, sender) };
  } catch {
    return {};
  }
};

/** What a laboratory flags as beyond its critical limits. https://terminology.hl7.org/CodeSystem-v2-0078.html */
const criticalFlags: readonly string[] = ['HH', 'LL', 'AA'];

/** Whether a result in a message cannot wait, as its laboratory says. */
const cannotWait = (message: Message): boolean =>
  message
    .all('OBX')
    .some((segment) => segment.field(8).repetitions.some((flag) => criticalFlags.includes(flag.part(1))));

/**
 * Plans what keeps a message that cannot be filed: the message as a Binary, and a Task for the front desk that says why it waits; stat, where
 * its laboratory calls a result critical.
 */
export const planWaiting = async (context: FilingContext, message: Message, why: Unfit): Promise<PlannedWrite[]> => {
  const { now } = context;
  const { patient, at } = await bearings(context, message);
  const content = {
    resourceType: 'Binary',
    contentType: er7,
    data: Buffer.from(message.text).toString('base64'),
  } as const;
  const binary = await planned(context, content);
  const name = `Binary/${binary.next.id}`;
  const sender = senderName(message.part('MSH', 3), message.part('MSH', 4));
  const controlId = message.part('MSH', 10);
  const task: Omit<fhir4.Task, 'id'> = {
    resourceType: 'Task',
    identifier: [
      { system: waitingMessage, value: `${sender}|${controlId}` },
      ...(patient === undefined ? [] : [{ system: waitingPatient, value: patient }]),
    ],
    status: 'requested',
    intent: 'order',
    ...(cannotWait(message) ? { priority: 'stat' as const } : {}),
    code: { coding: [{ system: 'https://concord.example/fhir/CodeSystem/work', code: 'hl7-v2-message' }] },
    ...reasonInTask(why),
    focus: { reference: name },
    performerType: [frontDesk],
    authoredOn: new Date(now).toISOString(),
    input: [
      input('sender', { valueString: sender }),
      input('control id', { valueString: controlId }),
      input('message type', { valueString: `${message.part('MSH', 9)}^${message.part('MSH', 9, 2)}` }),
      ...(at === undefined ? [] : [input('said at', { valueInstant: new Date(at).toISOString() })]),
    ],
  };
  const known = new Map([...context.known, [name, binary.next] as const]);
  return [binary, await planned({ ...context, known }, task)];
};

const planned = async (context: FilingContext, resource: object): Promise<PlannedWrite> => {
  const body = resource as unknown as Resource;
  const own = contextOf(context, body.resourceType);
  return planCreate(own, { resource: body, warnings: [] }, await newPlace(own, body));
};
