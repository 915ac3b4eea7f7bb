import type { Resource } from '../fhir/resource.ts';
import { taskToRecollect, withoutSpecimen } from '../laboratory/recollection.ts';
import type { Raised } from '../record-types/define-record-type.ts';
import { serviceRequest } from '../record-types/service-request.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import { locateAll } from './locate.ts';
import type { PlannedWrite } from './plan-write.ts';
import { restated } from './restated.ts';

/** A specimen that is of no use, and the write that says so. */
export interface Recollecting {
  readonly what: Extract<Raised, { specimenFor: unknown }>;
  readonly by: PlannedWrite;
}

/**
 * Plans what unsatisfactory specimens call for: a task for each order, or one where no order is known, and the orders without the specimen. One call for the orders of all. Orders of other organisations
 * and charts stay as they are.
 *
 * @param plans - what the transaction writes already; what it says of an order is kept.
 * @param open - plans a record that an organisation's own system begins.
 */
export const withRecollections = async (
  context: Omit<RequestContext, 'recordType'>,
  recollecting: readonly Recollecting[],
  plans: readonly PlannedWrite[],
  open: (resource: Resource, custodian: string) => Promise<PlannedWrite>,
): Promise<readonly PlannedWrite[]> => {
  const { now, store } = context;
  const nameOf = ({ type, id }: Pick<StoredRecord, 'type' | 'id'>) => `${type}/${id}`;
  const planned = new Map(plans.map((plan) => [nameOf(plan.next), plan]));
  const ids = recollecting.flatMap(({ what }) => what.specimenFor.map((name) => name.slice('ServiceRequest/'.length)));
  const unread = ids.filter((id) => planned.get(`ServiceRequest/${id}`) === undefined);
  const addresses = await locateAll(context, 'ServiceRequest', unread);
  const read = addresses.length === 0 ? [] : await store.readMany(addresses);
  const orders = new Map([...read, ...plans.map(({ next }) => next)].map((record) => [nameOf(record), record]));
  const changed = new Map<string, Resource>();
  const begun: Promise<PlannedWrite>[] = [];
  for (const { what, by } of recollecting) {
    const { chart, custodian, resource } = by.next;
    const patient = resource?.['subject'] as fhir4.Reference | undefined;
    const own = what.specimenFor.flatMap((name) => {
      const order = orders.get(name);
      return order?.resource && order.chart === chart && order.custodian === custodian
        ? [{ name, resource: changed.get(name) ?? order.resource }]
        : [];
    });
    for (const order of own.length === 0 ? [undefined] : own) {
      begun.push(open(taskToRecollect(what.insteadOf, order, { patient, now }), custodian));
      if (order) changed.set(order.name, withoutSpecimen(order.resource, what.insteadOf));
    }
  }
  const restatements = read.flatMap((current) => {
    const resource = changed.get(nameOf(current));
    return resource && resource !== current.resource ? [restated(context, serviceRequest, current, resource)] : [];
  });
  return [...plans, ...(await Promise.all([...restatements, ...begun]))];
};
