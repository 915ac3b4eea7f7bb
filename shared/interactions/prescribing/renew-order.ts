import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { isOrderTask, renewOrder } from '../../prescriptions/order-tasks.ts';
import { isOrder, signedOrder, signedPart, withUnsignedFlag } from '../../prescriptions/orders.ts';
import { renewalOf, renewedOrder, requireRenewable, withLabelsOf } from '../../prescriptions/renewals.ts';
import { keepMarks, markOf, memberOf, renewedUrl, signatureOf, withMarks } from '../../signing/signature.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { isOpen } from '../../work/worklists.ts';
import { answerTo, shown } from '../answers.ts';
import type { PlannedInteraction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { chartFacts } from '../order-checks/facts.ts';
import { guardOf } from '../order-checks/guard.ts';
import { shownOf } from '../order-use/orders-used.ts';
import { systemOf } from '../own-system.ts';
import { parseBody } from '../parse-body.ts';
import { newPlace, planCreate, referenceError } from '../plan-write.ts';
import { type ReadableRecord, recordToChange } from '../record-to-change.ts';
import { requireSigner } from '../signing/signer.ts';
import { planByServer } from './by-server.ts';
import { planDone } from './cosign-task.ts';
import { renewOrderInput } from './input.ts';
import { judgeOrder, overridingBy, requireAlive } from './judge-order.ts';
import { licenceOf } from './licensed.ts';
import { prescribers } from './prescribers.ts';

/**
 * `MedicationRequest/{id}/$renew`: a prescriber orders once more what an order says, or with `order` something else in its place. The new one is signed under the same checks as by `$sign`, the old one
 * is over, and the Task that asked for it is done, in one transaction. Of several who renew an order one does; who has renewed it as it was is answered with the new one again.
 *
 * @throws RecordError `forbidden`; `not-found`; `version-conflict`; `invalid`; `conflict` where another has answered; `business-rule`: `order-unsigned`, `not-renewable`, and those of `$sign`.
 */
export const planOrderRenewed: PlannedInteraction = async (context, { id }) => {
  const signer = requireSigner(context, prescribers);
  const { task, order, overrideReason } = readInput(context, renewOrderInput);
  const overriding = overridingBy(signer, overrideReason);
  const { organization = '' } = context.asking.caller;
  const address = await locate(context, context.recordType.name, id);
  const [guard, prior, facts, requireLicence, asked, requests] = await Promise.all([
    address && guardOf(context, address.chart, organization),
    recordToChange(context, id, '$renew'),
    address && chartFacts(context, address.chart),
    licenceOf(context, signer),
    task && readTask(context, task),
    address && shownOf({ ...context, asking: systemOf(context, organization) }, address.chart, 'Task'),
  ]);
  requireLicence();
  if (!facts || !guard || !requests) throw new Error('An order that was read has an address');
  const renewed = markOf(prior.resource, renewedUrl);
  // Who asks once more wants more than was ordered then.
  if (renewed && isAsking(asked)) throw answeredAlready();
  if (renewed) return { plans: [], answer: await again(context, renewed, signer, order !== undefined) };
  requireRenewable(prior.resource);
  if (task) requireAsked(context, asked, prior);
  requireAlive(facts.patient);
  const { resource, warnings } = order ? changedOrder(context, order, prior) : unchanged(prior.resource);
  const place = await newPlace(context, resource);
  const { authoredOn: _then, ...said } = resource;
  const content = signedOrder(
    {
      ...said,
      id: place.id,
      status: 'draft',
      requester: { reference: signer },
      priorPrescription: { reference: `${prior.type}/${prior.id}` },
    } as Resource,
    signer,
    context.now,
  );
  const { requireChange: _byHand, keeps: _byServer, ...recordType } = context.recordType;
  const mark = signatureOf(signedPart(content), { signer, at: context.now, version: 1 });
  const signed = withUnsignedFlag(withMarks(keepMarks(undefined, content), [mark]));
  const plan = await planCreate({ ...context, recordType }, { resource: signed, warnings }, place);
  const name = `${plan.next.type}/${plan.next.id}`;
  const judged = await judgeOrder(context, plan, {
    counted: content,
    facts,
    overriding,
    query: `${prior.type}/${prior.id}/$renew`,
  });
  const told = {
    ...plan,
    recordType: context.recordType,
    guards: [...plan.guards, guard(plan.next)],
    warnings: [...plan.warnings, ...judged.warnings],
  };
  const over = withUnsignedFlag(
    renewedOrder(prior.resource, { as: name, by: signer, changed: order !== undefined, now: context.now }),
  );
  const others = requests.filter(
    (each) =>
      isAsking(each) &&
      each.id !== asked?.id &&
      each.custodian === prior.custodian &&
      focusOf(context, each) === prior.id,
  );
  const done = await Promise.all(
    [asked ?? [], others].flat().map((each) => planDone(context, each, 'Renewed as', name)),
  );
  return {
    plans: [told, await planByServer(context, over, prior), ...judged.issues, ...done],
    answer: answerTo(context, told),
  };
};

/** Who has renewed an order as it was, and asks again, has it done once. */
const again = async (context: RequestContext, mark: fhir4.Extension, signer: string, changing: boolean) => {
  const isSame = memberOf(mark, 'by')?.valueReference?.reference === signer && !changing;
  const as = parseReference(memberOf(mark, 'as')?.valueReference?.reference ?? '', context.request.baseUrl);
  if (!isSame || memberOf(mark, 'changed')?.valueBoolean || as.kind !== 'record') throw answeredAlready();
  return shown(context, await recordToChange(context, as.id, '$renew'));
};

const answeredAlready = () =>
  new RecordError('conflict', 'Somebody has answered this already: read the order and the Task again', {
    reason: 'answered-already',
  });

const unchanged = (prior: Resource) => ({ resource: renewalOf(prior), warnings: [] });

/** What is ordered instead: by itself a whole order for the same patient. */
const changedOrder = (context: RequestContext, order: Resource, { resource: prior }: ReadableRecord) => {
  const { id: _id, ...sent } = order;
  const parsed = parseBody(context.recordType, { ...sent, status: 'draft' });
  const invalid = (element: string, message: string) =>
    new RecordError('invalid', message, { expression: `MedicationRequest.${element}` });
  if (!isOrder(parsed.resource)) throw invalid('intent', 'What is proposed or planned is no order');
  const [was, is] = [prior, parsed.resource].map(({ subject }) => {
    const named = parseReference((subject as fhir4.Reference | undefined)?.reference ?? '', context.request.baseUrl);
    return named.kind === 'record' ? named.id : undefined;
  });
  if (was === undefined || was !== is) throw invalid('subject', 'What replaces an order is for the same patient');
  return { ...parsed, resource: withLabelsOf(prior, parsed.resource) };
};

const readTask = async (context: RequestContext, task: fhir4.Reference): Promise<StoredRecord | undefined> => {
  const named = parseReference(task.reference ?? '', context.request.baseUrl);
  const address =
    named.kind === 'record' && named.type === 'Task' ? await locate(context, 'Task', named.id) : undefined;
  return address && context.store.read(address);
};

/** Whether a Task asks for a renewal, and has no answer yet. */
const isAsking = (task: StoredRecord | undefined): boolean =>
  isOrderTask(task?.resource, renewOrder) && isOpen(task?.resource as unknown as fhir4.Task);

/** Id of the order that a Task asks for; undefined where it names none. */
const focusOf = ({ request }: RequestContext, task: StoredRecord | undefined): string | undefined => {
  const { focus } = (task?.resource ?? {}) as Partial<fhir4.Task>;
  if (focus?.reference === undefined) return undefined;
  const named = parseReference(focus.reference, request.baseUrl);
  return named.kind === 'record' && named.type === 'MedicationRequest' ? named.id : '';
};

/**
 * Requires a Task of the same chart that asks for this renewal, for that of the order which this one has renewed, or for one that it does not name, and has no answer yet.
 *
 * @throws RecordError `invalid` as for one that is not there; `conflict`.
 */
const requireAsked = (context: RequestContext, task: StoredRecord | undefined, order: ReadableRecord): void => {
  const { priorPrescription } = order.resource as unknown as fhir4.MedicationRequest;
  const before = parseReference(priorPrescription?.reference ?? '', context.request.baseUrl);
  const focus = focusOf(context, task);
  const isForThis = focus === undefined || focus === order.id || (before.kind === 'record' && focus === before.id);
  const isOfChart = task?.chart === order.chart && task.custodian === order.custodian;
  if (!task || !isOfChart || !isForThis || !isOrderTask(task.resource, renewOrder))
    throw referenceError([{ expression: 'task' }]);
  if (!isAsking(task)) throw answeredAlready();
};
