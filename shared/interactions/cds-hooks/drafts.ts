import type { HookRequest } from '../../cds-hooks/hook-request.ts';
import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { countedStates, uncountedIntents } from '../../order-checks/current-medicines.ts';
import { medicationRequest } from '../../record-types/medication-request.ts';
import { linkedWith } from '../../store/chart-links.ts';
import type { RequestContext } from '../context.ts';
import { chartsOf } from '../locate.ts';
import { namingRecords } from '../order-checks/facts.ts';
import { parseBody } from '../parse-body.ts';
import { orderReplacedBy } from '../prescribing/replaced-order.ts';

type Context = Omit<RequestContext, 'recordType'>;
type Order = fhir4.MedicationRequest;

/** The orders that a hook is asked about. */
export interface Drafts {
  /** All orders of medicines that are being drafted: they count against each other. */
  readonly orders: readonly Order[];
  /** Those of them that are asked about. */
  readonly asked: readonly Order[];
  /** How many of those that are asked about are orders of something else. */
  readonly others: number;
}

const placeOf = (index: number): string => `context.draftOrders.entry[${index}].resource`;
const wrong = (expression: string, message: string): RecordError => new RecordError('invalid', message, { expression });

/**
 * Takes what is drafted, before anything is read: what is no legal FHIR is refused, with the place.
 *
 * @throws RecordError `malformed`, `invalid`.
 */
export const draftsIn = ({ drafts, selections }: HookRequest): Drafts => {
  const names = drafts.map(({ resourceType, id }) => (id === undefined ? undefined : `${resourceType}/${id}`));
  names.forEach((name, index) => {
    if (name !== undefined && names.indexOf(name) !== index)
      throw wrong(`${placeOf(index)}.id`, 'This id is there twice');
  });
  selections?.forEach((name, index) => {
    if (!names.includes(name))
      throw wrong(`context.selections[${index}]`, 'This is none of the orders that are drafted');
  });
  const isAsked = (index: number): boolean => selections?.includes(names[index] ?? '') ?? true;
  const orders = drafts.flatMap((resource, index) =>
    resource.resourceType === 'MedicationRequest' ? [{ order: orderIn(resource, index), index }] : [],
  );
  return {
    orders: orders.map(({ order }) => order),
    asked: orders.flatMap(({ order, index }) => (isAsked(index) ? [order] : [])),
    others: drafts.filter(({ resourceType }, index) => resourceType !== 'MedicationRequest' && isAsked(index)).length,
  };
};

const begins = ['draft', ...countedStates.MedicationRequest];

const orderIn = (resource: fhir4.FhirResource, index: number): Order => {
  const order = legal(resource, index) as unknown as Order;
  if (begins.includes(order.status)) return order;
  throw wrong(`${placeOf(index)}.status`, 'An order that is over is none that is drafted');
};

const legal = (resource: fhir4.FhirResource, index: number): Resource => {
  try {
    return parseBody(medicationRequest, resource).resource;
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    const details = error.details.map((detail) => ({
      ...detail,
      expression: detail.expression?.replace(/^MedicationRequest/, placeOf(index)) ?? placeOf(index),
    }));
    throw new RecordError('invalid', error.message, { reason: 'validation', details });
  }
};

/**
 * Requires that each order is for the patient of a chart, or of one merged with it: an order for somebody else would be checked against the wrong chart.
 *
 * @throws RecordError `invalid`.
 */
export const requireSamePatient = async (context: Context, { orders }: Drafts, chart: string): Promise<void> => {
  const charts = await Promise.all(
    orders.map(async ({ subject }) => (await chartsOf(context, [subject.reference ?? '']))[0]),
  );
  if (charts.every((each) => each === chart)) return;
  const linked = new Set([chart, ...(await linkedWith(context.store, chart)).map((each) => each.chart)]);
  const stray = charts.findIndex((each) => each === undefined || !linked.has(each));
  if (stray >= 0)
    throw new RecordError('invalid', 'An order is for another patient than the context names', {
      expression: 'context.draftOrders',
    });
};

/** An order as it is checked: what it is to replace, and goes on all the same, counts against it as when it is signed. */
export const asChecked = async (context: Context, order: Order, chart: string): Promise<Order> => {
  const named = namingRecords(context, order as unknown as Resource) as unknown as Order;
  if (!named.priorPrescription) return named;
  const replaced = await orderReplacedBy(context, chart, order, context.asking.caller.organization ?? '');
  if (replaced) return named;
  const { priorPrescription: _goesOn, ...besides } = named;
  return besides;
};

/** A draft as it counts against others that are signed with it. */
export const inForce = (order: Order): Order => ({
  ...order,
  status: 'active',
  intent: uncountedIntents.includes(order.intent) ? 'order' : order.intent,
});
