import type { Asking } from '../access/question.ts';
import { referralIn, requestIn } from '../access/referral.ts';
import type { Resource } from '../fhir/resource.ts';
import { serviceRequest } from '../record-types/service-request.ts';
import { factsOfType } from '../record-types/subjects.ts';
import { doorRow } from '../store/door-rows.ts';
import { visitKey } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import { systemOf } from './own-system.ts';
import type { PlannedWrite } from './plan-write.ts';
import { mayAccess } from './require-access.ts';

type Context = Omit<RequestContext, 'recordType'>;

/** A record that is there. */
export type Kept = StoredRecord & { readonly resource: Resource };

/** Whether who keeps a request is told of its answer: its own, or one of an organisation that it has asked and whose answer it may read. */
export const isToldOf = async (
  context: Context,
  answer: StoredRecord,
  known: {
    readonly request: Kept;
    /** Of who keeps the request, to fulfil it. */
    readonly keepersTasks: readonly Kept[];
    readonly plans: readonly PlannedWrite[];
  },
): Promise<boolean> =>
  known.request.custodian === answer.custodian ||
  (isAsked(context, answer.custodian, known.request, known.keepersTasks) &&
    (await mayName(context, known.request)) &&
    (await mayReadAnswer(context, answer, known)));

/** Whether who keeps a request has asked an organisation for it: by the request itself, or by a task that is not the patient's own word. */
const isAsked = (
  { request: { baseUrl } }: Context,
  organization: string,
  { resource, updated }: Kept,
  tasks: readonly Kept[],
): boolean => {
  const said = { baseUrl, updated, first: false };
  const byStaff = tasks.filter(
    (each) =>
      !/(?:^|\/)(?:Patient|RelatedPerson)\//.test((each.resource as unknown as fhir4.Task).requester?.reference ?? ''),
  );
  return [referralIn(resource, said), ...byStaff.map((each) => requestIn(each.resource, said))].some((asked) =>
    asked?.to.includes(`Organization/${organization}`),
  );
};

/** Whether the caller may refer to another organisation's request: a condition of the commit asks for it else, and not of what the commit writes itself. */
const mayName = async (context: Context, request: StoredRecord): Promise<boolean> => {
  await context.sharing.lookUp([request]);
  const mayRead = mayAccess({ ...context, recordType: serviceRequest }, 'r', request);
  return context.sharing.known(request.chart)?.mayReferTo(request, mayRead) ?? false;
};

/**
 * Whether a clinician of who keeps a request may read its answer, with the visits of the same transaction: what may not be read is not told of either, and has answered nobody.
 */
const mayReadAnswer = async (
  context: Context,
  answer: StoredRecord,
  { request, plans }: { readonly request: Kept; readonly plans: readonly PlannedWrite[] },
): Promise<boolean> => {
  const { requester } = request.resource as unknown as fhir4.ServiceRequest;
  const { caller } = systemOf(context, request.custodian);
  const asking: Asking = {
    caller: { ...caller, subject: '', roles: ['physician'], fhirUser: requester?.reference ?? '' },
    chart: undefined,
  };
  const visits = plans.flatMap(({ recordType, next }) => {
    const visit = next.chart === answer.chart && next.resource ? recordType.visitOf?.(next) : undefined;
    if (!visit) return [];
    const inEmergency = context.sharing.known(next.chart)?.isOfEmergency(next);
    return [doorRow(visitKey(next), next.version, inEmergency ? { ...visit, emergency: true } : visit)];
  });
  const sharing = context.sharing.as(asking, { besides: visits });
  await sharing.lookUp([answer]);
  return mayAccess({ ...context, asking, sharing, recordType: factsOfType(answer.type) }, 'r', answer);
};

/** All tasks of a chart: a call for each megabyte of them. */
export const tasksIn = async ({ store, ahead }: Context, chart: string): Promise<readonly StoredRecord[]> => {
  const known = ahead?.tasks.get(chart);
  if (known) return known;
  const tasks: StoredRecord[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await store.chart(chart, 'Task', { order: 'key-order', pointers: 'none', after });
    tasks.push(...items);
    after = next;
  } while (after !== undefined);
  return tasks;
};
