import type { Resource } from '../fhir/resource.ts';
import { physicians } from '../work/pools.ts';
import { isOpen, nameIn, onCallUrl, ownerOf } from '../work/worklists.ts';
import { criticalCode, isTaskFor } from './critical-tasks.ts';

const work = 'https://concord.example/fhir/CodeSystem/work';
const coded = (code: string, display: string): fhir4.CodeableConcept => ({ coding: [{ system: work, code, display }] });

/** Codes of Tasks that somebody who completes them has read a result for. */
export const readingCodes = ['read-answer', 'review-result', criticalCode] as const;

export const isReading = (resource: Resource): boolean => readingCodes.some((code) => isTaskFor(resource, code));

const taskOf = (resource: Resource): fhir4.Task => resource as unknown as fhir4.Task;
const at = (time: number): string => new Date(time).toISOString();
const minuteMs = 60_000;

/** Until when a change of what was reviewed is looked at. */
const reviewMs = 24 * 60 * minuteMs;

/** What a Task about a result names, and never what the result says: whoever manages tasks may see it. */
interface About {
  /** `Type/id` of the result. */
  readonly name: string;
  /** Whose it is. */
  readonly subject: fhir4.Reference | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The Task by which a critical result is acknowledged: by who has asked for it, once it is overdue by who covers, then by who is on call. */
export const criticalTask = (
  { name, subject, now }: About,
  {
    owner,
    basedOn,
    toldBy,
    acknowledgeMinutes = 30,
    onCallMinutes = 60,
    onCall,
  }: {
    readonly owner: string | undefined;
    readonly basedOn: readonly string[];
    readonly toldBy: string | undefined;
    readonly acknowledgeMinutes?: number | undefined;
    readonly onCallMinutes?: number | undefined;
    /** Reference to who is on call; the whole organisation if undefined. */
    readonly onCall: string | undefined;
  },
): Resource => {
  const task: fhir4.Task = {
    resourceType: 'Task',
    extension: [
      {
        url: onCallUrl,
        extension: [
          ...(onCall === undefined ? [] : [{ url: 'who', valueReference: { reference: onCall } }]),
          { url: 'from', valueInstant: at(now + onCallMinutes * minuteMs) },
        ],
      },
    ],
    status: 'requested',
    intent: 'order',
    priority: 'stat',
    code: coded(criticalCode, 'Acknowledge a critical result'),
    description: 'A result has come that cannot wait. Read it, and acknowledge it by $acknowledge',
    focus: { reference: name },
    ...(basedOn.length > 0 ? { basedOn: basedOn.map((reference) => ({ reference })) } : {}),
    ...(subject ? { for: subject } : {}),
    authoredOn: at(now),
    ...(toldBy === undefined ? {} : { requester: { reference: toldBy } }),
    performerType: [physicians],
    ...(owner === undefined ? {} : { owner: { reference: owner } }),
    restriction: { period: { start: at(now), end: at(now + acknowledgeMinutes * minuteMs) } },
  };
  return task as unknown as Resource;
};

/** What has changed: a version that somebody may have read. */
const changed = (version: string): fhir4.TaskInput => ({
  type: coded('changed-result', 'What it said before'),
  valueReference: { reference: version },
});

/** The Task of somebody who has reviewed what has changed since. */
export const reviewAgain = (
  { name, subject, now }: About,
  {
    owner,
    versions,
    urgent,
  }: { readonly owner: string | undefined; readonly versions: readonly string[]; readonly urgent: boolean },
): Resource => {
  const task: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    priority: urgent ? 'stat' : 'urgent',
    code: coded('review-result', 'Review a result'),
    description: 'What you have reviewed has changed. Read it again, and say so by $review',
    focus: { reference: name },
    ...(subject ? { for: subject } : {}),
    authoredOn: at(now),
    performerType: [physicians],
    ...(owner === undefined ? {} : { owner: { reference: owner } }),
    restriction: { period: { start: at(now), end: at(now + reviewMs) } },
    input: versions.map(changed),
  };
  return task as unknown as Resource;
};

/** A Task that says that somebody has reviewed a result of which no Task had told. */
export const reviewed = ({ name, subject, now }: About, owner: string, version: string): Resource => {
  const task: fhir4.Task = {
    resourceType: 'Task',
    status: 'completed',
    intent: 'order',
    code: coded('review-result', 'Review a result'),
    focus: { reference: name },
    ...(subject ? { for: subject } : {}),
    authoredOn: at(now),
    owner: { reference: owner },
    executionPeriod: { end: at(now) },
    output: [reviewedVersion(version)],
  };
  return task as unknown as Resource;
};

const reviewedVersion = (version: string): fhir4.TaskOutput => ({
  type: coded('reviewed-version', 'What was reviewed'),
  valueReference: { reference: version },
});

const modified = (task: fhir4.Task, now: number): Partial<fhir4.Task> =>
  Date.parse(task.authoredOn ?? '') > now ? {} : { lastModified: at(now) };

const ended = (task: fhir4.Task, now: number): Partial<fhir4.Task> =>
  Date.parse(task.executionPeriod?.start ?? '') > now
    ? {}
    : { executionPeriod: { ...task.executionPeriod, end: at(now) } };

/** An open Task that says that its result was reviewed by whoever has it. */
export const reviewDone = (resource: Resource, owner: string, version: string, now: number): Resource => {
  const { statusReason: _before, ...task } = taskOf(resource);
  return {
    ...task,
    status: 'completed',
    owner: task.owner ?? { reference: owner },
    ...ended(task, now),
    ...modified(task, now),
    output: [...(task.output ?? []), reviewedVersion(version)],
  } as unknown as Resource;
};

/** Who acknowledged a critical result, when, and the version whose values were read back, which so stand nowhere else. */
export const acknowledged = (
  resource: Resource,
  {
    by,
    time,
    version,
    now,
  }: { readonly by: string; readonly time: string; readonly version: string; readonly now: number },
): Resource => {
  const { statusReason: _before, ...task } = taskOf(resource);
  return {
    ...task,
    status: 'completed',
    ...ended(task, now),
    ...modified(task, now),
    output: [
      ...(task.output ?? []),
      {
        type: coded('read-back', 'What was read back: the critical values of'),
        valueReference: { reference: version },
      },
      { type: coded('acknowledged-by', 'Who read it back'), valueReference: { reference: by } },
      { type: coded('acknowledged-at', 'When'), valueDateTime: time },
    ],
  } as unknown as Resource;
};

/** An open Task that is told that what it asks somebody to read has changed: so nobody completes it at the same moment for what was there before. */
export const toldOfChange = (resource: Resource, version: string, now: number): Resource => {
  const task = taskOf(resource);
  return { ...task, input: [...(task.input ?? []), changed(version)], ...modified(task, now) } as unknown as Resource;
};

/** A Task to acknowledge what is critical no more. */
export const criticalNoMore = (resource: Resource, version: string, now: number): Resource => {
  const task = taskOf(toldOfChange(resource, version, now));
  const text = 'The result was corrected or withdrawn, and is critical no more';
  return { ...task, status: 'cancelled', statusReason: { text } } as unknown as Resource;
};

/** `Type/id` of who has reviewed a result by completing a Task; `pool` where the Task does not tell; undefined where nobody has. */
export const reviewerIn = (resource: Resource): string | undefined => {
  const task = taskOf(resource);
  if (task.status !== 'completed') return undefined;
  const by = task.output?.findLast(({ type }) => type.coding?.some(({ code }) => code === 'acknowledged-by'));
  return nameIn(by?.valueReference) ?? ownerOf(task) ?? 'pool';
};

/** `Type/id` of the result that a Task is about. */
export const resultOf = (resource: Resource): string | undefined => nameIn(taskOf(resource).focus);

export const isToBeDone = (resource: Resource): boolean => isOpen(taskOf(resource));
