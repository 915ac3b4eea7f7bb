import type { Caller } from '../access/caller.ts';
import { isOrder } from '../access/referral.ts';
import type { Resource } from '../fhir/resource.ts';
import { isOpen, nameIn } from './worklists.ts';

/** Of a request: what has answered it. The server alone writes it. */
export const answerUrl = 'https://concord.example/fhir/StructureDefinition/answer';

const isAnswer = ({ url }: fhir4.Extension): boolean => url === answerUrl;

/** A request with its list of extensions changed; without one, if nothing is left in it. */
const withExtensions = (resource: Resource, extension: readonly fhir4.Extension[]): Resource => {
  const { extension: _before, ...rest } = resource as Resource & { extension?: unknown };
  return (extension.length === 0 ? rest : { ...rest, extension }) as Resource;
};

const extensionsOf = (resource: Resource | undefined): readonly fhir4.Extension[] =>
  (resource?.extension ?? []) as readonly fhir4.Extension[];

/** A version of a request with the answers that are known. What a client makes of them counts for nothing; the organisation's own system imports what was, and takes nothing away either: interfaces know of no answers. */
export const keepAnswers = (
  before: Resource | undefined,
  next: Resource,
  { roles }: Pick<Caller, 'roles'>,
): Resource => {
  const [known, said] = [extensionsOf(before).filter(isAnswer), extensionsOf(next)];
  const told = new Set(before ? answersIn(before) : []);
  const isNew = ({ valueReference }: fhir4.Extension) => !told.has(valueReference?.reference ?? '');
  const imported = roles.includes('system') ? said.filter(isAnswer).filter(isNew) : [];
  if (known.length === 0 && !said.some((each) => isAnswer(each) && !imported.includes(each))) return next;
  return withExtensions(next, [...said.filter((each) => !isAnswer(each)), ...known, ...imported]);
};

/** https://hl7.org/fhir/R4/extension-request-statusreason.html */
const reasonUrl = 'http://hl7.org/fhir/StructureDefinition/request-statusReason';

const withdrawn: fhir4.CodeableConcept = { text: 'What had answered this was withdrawn' };

/** `Type/id` of what has answered a request. */
export const answersIn = (request: Resource): readonly string[] =>
  extensionsOf(request).flatMap((each) => (isAnswer(each) ? (each.valueReference?.reference ?? []) : []));

/**
 * Whether one answer is all that a request asks for: an order, to be carried out once, of which all is understood. Who asks for treatment each week, or for ten sessions, says when that is done.
 */
export const isDoneByAnswer = (resource: Resource): boolean => {
  const { status, occurrenceTiming, quantityQuantity, quantityRatio, quantityRange } =
    resource as unknown as fhir4.ServiceRequest;
  const repeated = occurrenceTiming ?? quantityQuantity ?? quantityRatio ?? quantityRange;
  return isOrder(resource) && repeated === undefined && /^(?:active|on-hold|completed)$/.test(status);
};

/** A request that is done by this answer. */
export const requestAnswered = (request: Resource, answer: string): Resource => {
  if (answersIn(request).includes(answer)) return request;
  const kept = extensionsOf(request).filter(({ url }) => url !== reasonUrl);
  return withExtensions({ ...request, status: 'completed' }, [
    ...kept,
    { url: answerUrl, valueReference: { reference: answer } },
  ]);
};

/** A request without this answer: to be done again, if it had no other. */
export const requestUnanswered = (request: Resource, answer: string): Resource => {
  if (!answersIn(request).includes(answer)) return request;
  const kept = extensionsOf(request).filter((each) => !isAnswer(each) || each.valueReference?.reference !== answer);
  if (kept.some(isAnswer) || request.status !== 'completed') return withExtensions(request, kept);
  return withExtensions({ ...request, status: 'active' }, [
    ...kept.filter(({ url }) => url !== reasonUrl),
    { url: reasonUrl, valueCodeableConcept: withdrawn },
  ]);
};

const work = 'https://concord.example/fhir/CodeSystem/work';

const isOutput = ({ type }: fhir4.TaskOutput): boolean =>
  type.coding?.some(({ system, code }) => system === work && code === 'answer') ?? false;

const names = (answer: string) => (output: fhir4.TaskOutput) =>
  isOutput(output) && output.valueReference?.reference === answer;

/** When a task was changed, unless it says that it was asked for later than that. */
const changedAt = ({ authoredOn = '' }: fhir4.Task, now: number): Partial<fhir4.Task> =>
  Date.parse(authoredOn) > now ? {} : { lastModified: new Date(now).toISOString() };

/** When the work of a task was done, unless it says that it began later than that. */
const doneAt = ({ executionPeriod }: fhir4.Task, now: number): Partial<fhir4.Task> =>
  Date.parse(executionPeriod?.start ?? '') > now
    ? {}
    : { executionPeriod: { ...executionPeriod, end: new Date(now).toISOString() } };

/** A task to fulfil a request that was answered: done, with the answer as what came of it. One that is over otherwise stays as it is. */
export const taskAnswered = (resource: Resource, answer: string, now: number): Resource => {
  const task = resource as unknown as fhir4.Task;
  const { output = [] } = task;
  if (!(isOpen(task) || task.status === 'completed') || output.some(names(answer))) return resource;
  const told: fhir4.TaskOutput = {
    type: { coding: [{ system: work, code: 'answer', display: 'Answer to the request' }] },
    valueReference: { reference: answer },
  };
  const outputs: Partial<fhir4.Task> = { output: [...output, told], ...changedAt(task, now) };
  if (task.status === 'completed') return { ...task, ...outputs } as unknown as Resource;
  // Why it waited is no reason any more.
  const { statusReason: _before, ...rest } = task;
  return { ...rest, status: 'completed', ...doneAt(task, now), ...outputs } as unknown as Resource;
};

/**
 * A task whose answer was withdrawn: under way again, if it had no other.
 *
 * @param reopened - whether the request is to be done again.
 */
export const taskUnanswered = (
  resource: Resource,
  answer: string,
  { reopened, now }: { readonly reopened: boolean; readonly now: number },
): Resource => {
  const { output: before = [], ...rest } = resource as unknown as fhir4.Task;
  const output = before.filter((each) => !names(answer)(each));
  const had = output.length < before.length;
  const goesOn = rest.status === 'completed' && (had || reopened) && !output.some(isOutput);
  if (!had && !goesOn) return resource;
  const task: fhir4.Task = {
    ...rest,
    ...changedAt(rest, now),
    ...(output.length === 0 ? {} : { output }),
  };
  if (!goesOn) return task as unknown as Resource;
  const { executionPeriod: { end: _ended, ...began } = {}, ...others } = task;
  return {
    ...others,
    status: 'in-progress',
    statusReason: withdrawn,
    ...(Object.keys(began).length === 0 ? {} : { executionPeriod: began }),
  } as unknown as Resource;
};

/** To look at an answer, and not to do what was asked for. */
const readAnswer: fhir4.CodeableConcept = {
  coding: [{ system: work, code: 'read-answer', display: 'Read what has answered a request' }],
};

/**
 * The task by which whoever of the staff has asked reads an answer, so that a request that is done does not go unnoticed; undefined where nobody of them has asked, or the same person answers.
 *
 * @param by - reference to who writes the answer.
 */
export const taskToRead = (
  { id, resource }: { readonly id: string; readonly resource: Resource },
  answer: string,
  { by, now }: { readonly by: string; readonly now: number },
): Resource | undefined => {
  const { requester, subject, priority } = resource as unknown as fhir4.ServiceRequest;
  const asker = nameIn(requester);
  if (asker === undefined || asker === by || !/^Practitioner(?:Role)?\//.test(asker)) return undefined;
  const task: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    ...(priority === undefined ? {} : { priority }),
    code: readAnswer,
    description: 'What you have asked for was answered. Read it',
    focus: { reference: answer },
    basedOn: [{ reference: `ServiceRequest/${id}` }],
    for: subject,
    authoredOn: new Date(now).toISOString(),
    owner: { reference: asker },
  };
  return task as unknown as Resource;
};

/** Whether a task is to read this answer. */
export const isToRead = (resource: Resource, answer: string): boolean => {
  const { code, focus } = resource as unknown as fhir4.Task;
  const isReading = code?.coding?.some((each) => each.system === work && each.code === 'read-answer') ?? false;
  return isReading && focus?.reference === answer;
};

/** A task to read an answer that was withdrawn: not to be read any more; or to be looked at again, where somebody has read it already. */
export const readingWithdrawn = (resource: Resource, now: number): Resource => {
  const task = resource as unknown as fhir4.Task;
  const status = isOpen(task) ? 'cancelled' : task.status === 'completed' ? 'in-progress' : undefined;
  if (status === undefined) return resource;
  return { ...task, status, statusReason: withdrawn, ...changedAt(task, now) } as unknown as Resource;
};
