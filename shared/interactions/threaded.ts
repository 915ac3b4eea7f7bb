import { RecordError } from '../errors.ts';
import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { linkedWith } from '../store/chart-links.ts';
import type { Address } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import { answeredIn, answeredInEnd, inThread, threadOf } from '../work/threads.ts';
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
  const thread = isKnown ? earlier : await begunBy(context, chart, resource, parent);
  if (thread === undefined) return { resource, notices: [] };
  return { resource: withSpellingOf(inThread(resource, thread, earlier, baseUrl), resource), notices: [] };
};

/** The thread of what is answered; undefined if it belongs to none that the writer may go on. */
const begunBy = async (
  context: RequestContext,
  chart: string,
  answer: Resource,
  parent: string,
): Promise<string | undefined> => {
  const { baseUrl } = context.request;
  const name = context.saying ? answeredInEnd(context.saying, parent, baseUrl) : parent;
  // What the same transaction writes is not there yet. What is between answers the same patient's, or is refused itself.
  for (const each of new Set([parent, name])) {
    const address = context.saying?.(each) && (await addressed(context, each));
    if (address && !(await isAboutSame(context, chart, answer, address))) return refused(context);
  }
  if (context.saying?.(name)) return name;
  const record = await messageNamed(context, name);
  if (!record?.resource) return undefined;
  if (!(await isAboutSame(context, chart, answer, record))) return refused(context);
  // Of what another organisation keeps, and of others' psychotherapy notes, the writer may not know that it is named.
  const isOwn = record.custodian === (context.asking.caller.organization ?? record.custodian);
  const begun = isOwn ? threadOf(record.resource, baseUrl) : undefined;
  return begun === undefined || context.view.hiddenIn(record)(begun) ? name : begun;
};

/** What an organisation's own system tells is stored, and belongs to no thread. */
const refused = ({ asking }: RequestContext): undefined => {
  if (asking.caller.roles.includes('system')) return undefined;
  throw new RecordError('business-rule', 'An answer is about the patient whom the message is about', {
    reason: 'other-patients-message',
    expression: 'Communication.inResponseTo[0]',
  });
};

const addressed = (context: RequestContext, name: string): Promise<Address | undefined> =>
  locate(context, 'Communication', name.slice('Communication/'.length));

const messageNamed = async (context: RequestContext, name: string): Promise<StoredRecord | undefined> => {
  const address = await addressed(context, name);
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
  message: Address,
): Promise<boolean> => {
  const isOfNobody = recordType.patientsOf(answer).length === 0;
  if (isOfNobody || message.place === '') return isOfNobody && message.place === '';
  return message.chart === chart || (await linkedWith(store, chart)).some((linked) => linked.chart === message.chart);
};
