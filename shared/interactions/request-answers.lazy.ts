import { isToFulfilRequest } from '../access/referral.ts';
import type { Resource } from '../fhir/resource.ts';
import { serviceRequest } from '../record-types/service-request.ts';
import { task } from '../record-types/task.ts';
import type { StoredRecord } from '../store/rows.ts';
import {
  answersIn,
  isDoneByAnswer,
  isToRead,
  readingWithdrawn,
  requestAnswered,
  requestUnanswered,
  taskAnswered,
  taskToRead,
  taskUnanswered,
} from '../work/answered-request.ts';
import type { RequestContext } from './context.ts';
import { locateAll } from './locate.ts';
import type { PlannedWrite } from './plan-write.ts';
import { restated } from './restated.ts';
import { isToldOf, type Kept, tasksIn } from './told-of-answer.ts';

/** An answer to a request, and the write that gives it or takes it back. */
export interface Answering {
  /** `ServiceRequest/id`. */
  readonly request: string;
  readonly answer: 'given' | 'withdrawn';
  readonly by: PlannedWrite;
}

/** What a transaction writes already. */
interface Written {
  /** All of it. */
  readonly plans: readonly PlannedWrite[];
  /** `Type/id` of what the client sends, which is left as it is. */
  readonly sent: ReadonlySet<string>;
  /** The charts of the person whose chart this is. */
  readonly ofPerson: (chart: string) => Promise<readonly string[]>;
  /** Plans a record that an organisation's own system begins. */
  readonly open: (resource: Resource, custodian: string) => Promise<PlannedWrite>;
}

type Context = Omit<RequestContext, 'recordType'>;

const nameOf = ({ type, id }: Pick<StoredRecord, 'type' | 'id'>): string => `${type}/${id}`;

/**
 * The same writes, and those of requests that are answered by them, or are so no more, and of tasks to fulfil these: tasks of who keeps the request, if that has asked whoever answers and may read the
 * answer, and of who gives it. The requests are read beside one Query of the tasks of each chart; where another organisation keeps a request, what is shared with that takes another one.
 */
export const withRequestsAnswered = async (
  context: Context,
  answering: readonly Answering[],
  written: Written,
): Promise<readonly PlannedWrite[]> => {
  const planned = new Map(written.plans.map((plan) => [nameOf(plan.next), plan]));
  const isNew = (name: string): boolean => planned.get(name)?.interaction === 'create';
  // A note that is for its author alone answers nobody; and what is asked for by the same transaction, nobody has a task for.
  const asked = answering.filter(({ request, by }) => !by.next.originators && !isNew(request));
  const ids = asked.map(({ request }) => request.slice('ServiceRequest/'.length));
  const ahead = ids.flatMap((id) => context.ahead?.orders.get(`ServiceRequest/${id}`) ?? []);
  const unread = ids.filter((id) => !ahead.some((record) => record.id === id));
  const addresses = await locateAll(context, 'ServiceRequest', unread);
  const charts = [...new Set([...ahead, ...addresses].map(({ chart }) => chart))];
  const read = await Promise.all([
    addresses.length === 0 ? Promise.resolve([]) : context.store.readMany(addresses),
    ...charts.map((each) => tasksIn(context, each)),
  ]);
  const found = [ahead, ...read].flat().filter((record): record is Kept => record.resource !== undefined);
  const said = new Map(found.map((record) => [nameOf(record), planned.get(nameOf(record))?.next ?? record]));
  const begun: { readonly task: Resource; readonly custodian: string }[] = [];
  // Given first: where an answer replaces one that is withdrawn, nothing is open meanwhile.
  const inOrder = [...asked].sort((one, other) => (one.answer < other.answer ? -1 : 1));
  for (const each of inOrder) {
    const request = said.get(each.request);
    const { chart } = each.by.next;
    if (!request?.resource) continue;
    // What a wrong merge let answer the request of somebody else is taken back once it is undone, too.
    const isTold = each.answer === 'withdrawn' && answersIn(request.resource).includes(nameOf(each.by.next));
    if (!isTold && request.chart !== chart && !(await written.ofPerson(request.chart)).includes(chart)) continue;
    const tasks = [...said.values()].filter((record): record is Kept => record.type === 'Task' && !!record.resource);
    const known = { request: request as Kept, tasks, plans: written.plans };
    const { changes, toRead } = await madeOf(context, each, known);
    for (const [record, resource] of changes)
      if (!written.sent.has(nameOf(record))) said.set(nameOf(record), { ...record, resource });
    if (toRead) begun.push({ task: toRead, custodian: request.custodian });
  }
  const changed = found.flatMap((current) => {
    const resource = said.get(nameOf(current))?.resource;
    const before = planned.get(nameOf(current))?.next.resource ?? current.resource;
    return resource && resource !== before ? [{ current, resource }] : [];
  });
  const restatements = await Promise.all(
    changed.map(async ({ current, resource }): Promise<PlannedWrite> => {
      const plan = planned.get(nameOf(current));
      if (plan) return { ...plan, next: { ...plan.next, resource } };
      return restated(context, current.type === 'Task' ? task : serviceRequest, current, resource);
    }),
  );
  const again = new Set(restatements.map(({ next }) => nameOf(next)));
  const opened = await Promise.all(begun.map(({ task: toRead, custodian }) => written.open(toRead, custodian)));
  return [...written.plans.filter(({ next }) => !again.has(nameOf(next))), ...restatements, ...opened];
};

type Change = readonly [record: StoredRecord, resource: Resource];

/** What an answer makes of its request and of tasks, and the task to read it, if somebody is to. */
interface Made {
  readonly changes: readonly Change[];
  readonly toRead?: Resource | undefined;
}

const madeOf = async (
  context: Context,
  { request: requestName, answer, by: { next } }: Answering,
  known: { readonly request: Kept; readonly tasks: readonly Kept[]; readonly plans: readonly PlannedWrite[] },
): Promise<Made> => {
  const { request } = known;
  const { now } = context;
  const name = nameOf(next);
  const fulfilling = known.tasks.filter(({ resource }) =>
    isToFulfilRequest(resource, requestName, context.request.baseUrl),
  );
  const ownTasks = fulfilling.filter(({ custodian }) => custodian === next.custodian);
  const keepersTasks = fulfilling.filter(
    ({ custodian }) => custodian === request.custodian && custodian !== next.custodian,
  );
  if (answer === 'withdrawn') {
    const resource = requestUnanswered(request.resource, name);
    const reopened = resource !== request.resource && answersIn(resource).length === 0;
    const toRead = known.tasks.filter((each) => each.custodian === request.custodian && isToRead(each.resource, name));
    return {
      changes: [
        [request, resource],
        ...[...ownTasks, ...keepersTasks].map((each): Change => {
          const goesOn = reopened && each.custodian === request.custodian;
          return [each, taskUnanswered(each.resource, name, { reopened: goesOn, now })];
        }),
        ...toRead.map((each): Change => [each, readingWithdrawn(each.resource, now)]),
      ],
    };
  }
  if (!isDoneByAnswer(request.resource)) return { changes: [] };
  const closes = await isToldOf(context, next, { ...known, keepersTasks });
  const answered = (each: Kept): Change => [each, taskAnswered(each.resource, name, now)];
  if (!closes) return { changes: ownTasks.map(answered) };
  const resource = requestAnswered(request.resource, name);
  const by = context.asking.caller.fhirUser;
  return {
    changes: [[request, resource], ...[...ownTasks, ...keepersTasks].map(answered)],
    toRead: resource === request.resource ? undefined : taskToRead(request, name, { by, now }),
  };
};
