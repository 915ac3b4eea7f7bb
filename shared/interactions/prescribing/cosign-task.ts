import type { Resource } from '../../fhir/resource.ts';
import { cosignOrder, isOrderTask, orderTask } from '../../prescriptions/order-tasks.ts';
import { task } from '../../record-types/task.ts';
import type { Address } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { physicians } from '../../work/pools.ts';
import { isOpen } from '../../work/worklists.ts';
import type { RequestContext } from '../context.ts';
import { systemOf } from '../own-system.ts';
import { type PlannedWrite, planCreate, planUpdate } from '../plan-write.ts';

// The Task that asks for the signature of an order stands at the order's own place in the chart, under the order's own id: so who signs reads both at once.

const { requireChange: _byHand, ...byServer } = task;

const ofServer = (context: RequestContext, custodian: string): RequestContext => ({
  ...context,
  recordType: byServer,
  asking: systemOf(context, custodian),
});

/** The Task of an order, whatever its state; undefined if it has none. One read. */
export const cosignTask = async ({ store }: RequestContext, order: Address): Promise<StoredRecord | undefined> => {
  const found = await store.read({ ...order, type: task.name });
  return isOrderTask(found?.resource, cosignOrder) ? found : undefined;
};

/** What is asked of whom, until when. */
interface Asked {
  /** `Type/id` of who took the order down, and of who gave it. */
  readonly recorder: string;
  readonly prescriber: string;
  /** Milliseconds since 1970. */
  readonly due: number;
}

/** The Task to sign an order, written with that. */
export const planAsked = async (
  context: RequestContext,
  { next: { type, id, chart, place, custodian, resource: order } }: PlannedWrite,
  { recorder, prescriber, due }: Asked,
): Promise<PlannedWrite> => {
  const resource: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: orderTask(cosignOrder, 'Sign an order that was taken down for you, or deny it'),
    focus: { reference: `${type}/${id}` },
    for: order?.['subject'] as fhir4.Reference,
    authoredOn: new Date(context.now).toISOString(),
    requester: { reference: recorder },
    owner: { reference: prescriber },
    performerType: [physicians],
    restriction: { period: { end: new Date(due).toISOString() } },
  };
  const at = { address: { type: task.name, chart, place }, id };
  const own = ofServer(context, custodian);
  const plan = await planCreate(own, { resource: resource as unknown as Resource, warnings: [] }, at);
  // What it names is named by the order.
  return { ...plan, recordType: task, checks: [] };
};

/** The Task, done by who signed, whoever was asked. One that is over stays so. */
export const signedTask = async (
  context: RequestContext,
  current: StoredRecord,
  signer: string,
): Promise<PlannedWrite[]> =>
  isOpen(current.resource as unknown as fhir4.Task) ? [await planDone(context, current, 'Signed by', signer)] : [];

/**
 * A Task that is done, by what its output names.
 *
 * @param name - `Type/id`.
 */
export const planDone = async (
  context: RequestContext,
  current: StoredRecord,
  text: string,
  name: string,
): Promise<PlannedWrite> => {
  const asked = current.resource as unknown as fhir4.Task;
  const done: fhir4.Task = {
    ...asked,
    status: 'completed',
    lastModified: new Date(context.now).toISOString(),
    output: [...(asked.output ?? []), { type: { text }, valueReference: { reference: name } }],
  };
  const resource = done as unknown as Resource;
  const plan = await planUpdate(ofServer(context, current.custodian), { resource, warnings: [] }, current);
  return { ...plan, recordType: task, checks: [] };
};
