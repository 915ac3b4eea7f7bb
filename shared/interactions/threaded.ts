import { RecordError } from '../errors.ts';
import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { linkedWith } from '../store/chart-links.ts';
import type { StoredRecord } from '../store/rows.ts';
import { answeredIn, inThread, threadOf } from '../work/threads.ts';
import type { Answered } from './answered.ts';
import type { RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { mayAccess } from './require-access.ts';

/**
 * An answer to a message, which says to which thread it belongs. One read of what it answers, where that was not known before; none of all others of the thread. What its writer may not
 * see begins no thread, and is refused or not as any reference is.
 *
 * @param chart - in which the answer is.
 * @param before - its version so far.
 * @throws RecordError `business-rule` for an answer to a message about another patient. An organisation's own system tells what others have kept, and is not refused.
 */
export const threaded = async (
  context: RequestContext,
  chart: string,
  resource: Resource,
  before: Resource | undefined,
): Promise<Answered> => {
  const { baseUrl } = context.request;
  const earlier = before && threadOf(before, baseUrl);
  const parent = answeredIn(resource, baseUrl);
  if (parent === undefined) return { resource, notices: [] };
  const isKnown = earlier !== undefined && before && answeredIn(before, baseUrl) === parent;
  const { thread, answers } = isKnown ? { thread: earlier } : await begunBy(context, chart, resource, parent);
  if (thread === undefined) return { resource, notices: [] };
  const told = withSpellingOf(inThread(resource, thread, earlier, baseUrl), resource);
  return { resource: told, notices: [], ...(answers ? { answers } : {}) };
};

/** The thread of what is answered, and what that says, if it is stored. */
interface Begun {
  readonly thread?: string;
  readonly answers?: Resource;
}

const begunBy = async (context: RequestContext, chart: string, answer: Resource, parent: string): Promise<Begun> => {
  const { baseUrl } = context.request;
  let name = parent;
  // What the same transaction writes is not there yet.
  for (const seen = new Set<string>(); ; ) {
    const said = context.saying?.(name);
    if (!said) break;
    const next = answeredIn(said, baseUrl);
    if (next === undefined || seen.has(next)) return { thread: name };
    seen.add(next);
    name = next;
  }
  const record = await messageNamed(context, name);
  if (!record?.resource) return {};
  if (!(await isAboutSame(context, chart, answer, record))) {
    if (context.asking.caller.roles.includes('system')) return {};
    throw new RecordError('business-rule', 'An answer is about the patient whom the message is about', {
      reason: 'other-patients-message',
      expression: 'Communication.inResponseTo[0]',
    });
  }
  // Of what another organisation keeps, the writer may not know what it names.
  const isOwn = record.custodian === (context.asking.caller.organization ?? record.custodian);
  return { thread: (isOwn ? threadOf(record.resource, baseUrl) : undefined) ?? name, answers: record.resource };
};

const messageNamed = async (context: RequestContext, name: string): Promise<StoredRecord | undefined> => {
  const address = await locate(context, 'Communication', name.slice('Communication/'.length));
  const record = address && (await context.store.whole.read(address));
  if (!record) return undefined;
  await context.sharing.lookUp([record]);
  return mayAccess(context, 'r', record) ? record : undefined;
};

/** Whether an answer stands where the message does: in the chart of one person, or in none. */
const isAboutSame = async (
  { recordType, store }: RequestContext,
  chart: string,
  answer: Resource,
  message: StoredRecord,
): Promise<boolean> => {
  const isOfNobody = recordType.patientsOf(answer).length === 0;
  if (isOfNobody || message.place === '') return isOfNobody && message.place === '';
  return message.chart === chart || (await linkedWith(store, chart)).some((linked) => linked.chart === message.chart);
};
