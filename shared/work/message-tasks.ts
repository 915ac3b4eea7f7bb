import { createHash } from 'node:crypto';
import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { dateInterval } from '../search/date-range.ts';
import { isTold, recipientsOf, wasReadElsewhere } from './message-lists.ts';
import { poolOf } from './message-pools.ts';
import { nurses, poolNamed } from './pools.ts';
import { answersIn, threadOf } from './threads.ts';
import { triagedFor } from './triage.ts';
import { isOpen, nameIn } from './worklists.ts';

// https://hl7.org/fhir/R4/communication.html

type Message = fhir4.Communication;

const said = (resource: Resource | undefined): Message | undefined => resource as unknown as Message | undefined;

const ofPatient = /^(?:Patient|RelatedPerson)\//;

/** Whether these are words of a patient, or of who cares for one, whoever has written them down; also of one who is named in some version, or by an identifier alone. */
export const isOfPatient = ({ sender }: Pick<Message, 'sender'>): boolean =>
  ofPatient.test(nameIn(sender) ?? `${sender?.type ?? ''}/`);

/** https://hl7.org/fhir/R4/valueset-request-priority.html */
const urgent: ReadonlySet<string> = new Set(['urgent', 'asap', 'stat']);
const withdrawn: ReadonlySet<string> = new Set(['entered-in-error', 'not-done']);

const isUrgent = (message: Message | undefined): boolean =>
  message !== undefined && !withdrawn.has(message.status) && urgent.has(message.priority ?? '') && isOfPatient(message);

/** Those whose inbox a message is in, and who so answer it themselves. */
const people = /^(?:Practitioner|PractitionerRole|CareTeam|Patient|RelatedPerson)\//;

/** What was sent longer ago is no news. */
const newsMs = 30 * 86_400_000;

/** Whether a message was kept elsewhere before, and answered there: it says when it was received, and not by whom, or was sent long ago. */
export const isFromElsewhere = (message: Message, now: number): boolean =>
  wasReadElsewhere(message) || (dateInterval(message.sent ?? '')?.start ?? now) < now - newsMs;

/** Whether a patient has sent a message that nobody in particular is to answer. What is based on a task, such as a statement about an amendment, belongs to that. */
const isForPool = (message: Message | undefined, now: number): boolean =>
  message !== undefined &&
  isTold(message) &&
  isOfPatient(message) &&
  !isFromElsewhere(message, now) &&
  !recipientsOf(message).some((name) => people.test(name)) &&
  !(message.basedOn ?? []).some(({ reference = '' }) => /(?:^|\/)Task\//.test(reference));

/** A task to read and answer a message, by which it is known that an answer closes it. */
const toAnswer: fhir4.CodeableConcept = {
  coding: [{ system: 'https://concord.example/fhir/CodeSystem/work', code: 'answer-message' }],
};

/** Tasks about messages of one thread. */
const threadGroups = 'https://concord.example/fhir/NamingSystem/thread';

/** Which tasks are about one thread, and not which: a text is shown to whom a reference to the message that began it would be masked for. */
const groupOf = (thread: string): string => createHash('sha256').update(thread).digest('hex').slice(0, 32);

/** A Task by which a pool takes a message on, and says no word of it. */
export const taskToAnswer = (
  message: Resource,
  {
    name,
    now,
    baseUrl,
    pool,
    description,
    requester,
  }: Pick<RecordChange, 'name' | 'now' | 'baseUrl'> & {
    readonly pool: fhir4.CodeableConcept;
    readonly description: string;
    readonly requester?: string | undefined;
  },
): Resource => {
  const { subject, priority } = message as unknown as Message;
  const task: fhir4.Task = {
    resourceType: 'Task',
    groupIdentifier: { system: threadGroups, value: groupOf(threadOf(message, baseUrl) ?? name) },
    status: 'requested',
    intent: 'order',
    ...(priority === undefined ? {} : { priority }),
    code: toAnswer,
    description,
    focus: { reference: name },
    ...(subject?.reference === undefined ? {} : { for: { reference: subject.reference } }),
    authoredOn: new Date(now).toISOString(),
    ...(requester === undefined ? {} : { requester: { reference: requester } }),
    performerType: [pool],
  };
  return task as unknown as Resource;
};

/**
 * Words of a patient, or of who cares for one, that call for somebody: urgent ones for a nurse at once, those that name nobody for the pool of what they are about. A Task that names the message is
 * written with it, taken back with it as long as nobody has taken it on, handed on by triage, and completed by the answer.
 */
export const messageTasks = (change: RecordChange): readonly Raised[] => [
  ...opened(change),
  ...takenBack(change),
  ...handedOn(change),
  ...answered(change),
];

const opened = ({ before, next, ...change }: RecordChange): readonly Raised[] => {
  const [was, is] = [said(before), said(next)];
  if (!next || !is) return [];
  const open = (pool: fhir4.CodeableConcept, description: string): Raised[] => [
    { opens: taskToAnswer(next, { ...change, pool, description, requester: is.sender?.reference }) },
  ];
  if (isUrgent(is)) return isUrgent(was) ? [] : open(nurses, 'An urgent message has come. Read it and answer it');
  return isForPool(is, change.now) && !isForPool(was, change.now)
    ? open(poolNamed(poolOf(is)), 'A patient has written. Read it and answer it')
    : [];
};

/** Tasks about a message that are to change. Those that were asked for otherwise are others' to change. */
const tasksAbout = (change: (task: fhir4.Task) => fhir4.Task | undefined): Raised => ({
  of: 'Task',
  changes: (resource) => {
    const task = resource as unknown as fhir4.Task;
    const isOurs = task.code?.coding?.some(({ code }) => code === 'answer-message') ?? false;
    return isOurs && isOpen(task) ? (change(task) as unknown as Resource | undefined) : undefined;
  },
});

const takenBack = ({ name, before, next, now }: RecordChange): readonly Raised[] => {
  const was = said(before);
  const isGone = next === undefined || withdrawn.has(said(next)?.status ?? '');
  if (!isGone || !was || withdrawn.has(was.status) || !(isUrgent(was) || (isTold(was) && isOfPatient(was)))) return [];
  return [
    tasksAbout((task) =>
      task.focus?.reference === name && task.status === 'requested'
        ? changed(task, { status: 'cancelled' }, now)
        : undefined,
    ),
  ];
};

/** Triage gives the open task to another pool. A message that has none, or none any more, gets one: what is handed on is never lost. */
const handedOn = ({ before, next, ...change }: RecordChange): readonly Raised[] => {
  const pool = next && triagedFor(before, next);
  if (!next || pool === undefined) return [];
  const concept = poolNamed(pool);
  const description = 'A message was handed on. Read it and answer it';
  const isAbout = ({ focus }: fhir4.Task): boolean => focus?.reference === change.name;
  return [
    tasksAbout((task) => {
      const { owner: _theirs, ...rest } = task;
      return isAbout(task) ? changed(rest, { status: 'requested', performerType: [concept] }, change.now) : undefined;
    }),
    {
      opens: taskToAnswer(next, { ...change, pool: concept, description }),
      unlessChanged: (resource) => isAbout(resource as unknown as fhir4.Task),
    },
  ];
};

/** Words of staff in response to others. A machine acknowledges, and does not answer. */
const answersOf = (message: Resource | undefined, baseUrl: string): readonly string[] => {
  const is = said(message);
  if (!message || !is || !isTold(is) || isOfPatient(is)) return [];
  const sender = parseReference(is.sender?.reference ?? '', baseUrl);
  return sender.kind === 'record' && sender.type === 'Device' ? [] : answersIn(message, baseUrl);
};

/** Who answers a message has done what its task asks for, and for all messages of its thread that nobody else has taken on. */
const answered = ({ name, before, next, now, baseUrl }: RecordChange): readonly Raised[] => {
  const known = answersOf(before, baseUrl);
  const answers = answersOf(next, baseUrl).filter((each) => !known.includes(each));
  if (!next || answers.length === 0) return [];
  const thread = threadOf(next, baseUrl);
  const group = thread === undefined ? undefined : groupOf(thread);
  const output = [{ type: toAnswer, valueReference: { reference: name } }];
  return [
    tasksAbout((task) => {
      const { focus, groupIdentifier, status } = task;
      const isOfThread = group !== undefined && groupIdentifier?.value === group && status === 'requested';
      return answers.includes(focus?.reference ?? '') || isOfThread
        ? changed(task, { status: 'completed', output: [...(task.output ?? []), ...output] }, now)
        : undefined;
    }),
  ];
};

const changed = (task: fhir4.Task, elements: Partial<fhir4.Task>, now: number): fhir4.Task => ({
  ...task,
  ...elements,
  ...(Date.parse(task.authoredOn ?? '') > now ? {} : { lastModified: new Date(now).toISOString() }),
});
