import { isOfNumberType } from '../../laboratory/report-numbers.ts';
import { serviceRequest } from '../../record-types/service-request.ts';
import { guardedIds } from '../../store/bearers.ts';
import type { UniqueChange } from '../../store/commit.ts';
import { identifierPartition } from '../../store/index-rows.ts';
import { guardKey } from '../../store/keys.ts';
import type { RequestContext } from '../context.ts';

// An order that an interface brings is created on the condition that its number's row is as it was. A report that finds no order changes that row, so that of the two at once one looks again.

/** The row of an order's number: ids of the orders that were made under it, or of the report that found none. */
export type OrderRow = Pick<UniqueChange, 'key'> & { readonly expected: readonly string[] };

/** The row of the number by which a report's order is made: the placer's, else the filler's; undefined without one. One call. */
export const orderRowOf = async (
  { store }: RequestContext,
  organization: string,
  { identifier = [] }: fhir4.DiagnosticReport,
): Promise<OrderRow | undefined> => {
  const [number] = ['PLAC', 'FILL'].flatMap((type) => identifier.filter((each) => isOfNumberType(each, type)));
  if (number?.system === undefined || number.value === undefined) return undefined;
  const key = guardKey(identifierPartition(store, serviceRequest, organization, number.system, number.value));
  return { key, expected: await guardedIds(store, key) };
};

const ofReport = 'report ';

/** Whether an order was made under the number that is not among these: they were read before it was there. */
export const namesAnother = (row: OrderRow | undefined, orders: readonly { readonly id: string }[]): boolean =>
  row?.expected.some((id) => !id.startsWith(ofReport) && !orders.some((order) => order.id === id)) ?? false;

/** That a report has found no order. @param message - differs from all before. */
export const findingNone = ({ key, expected }: OrderRow, message: string): UniqueChange => ({
  key,
  expected,
  add: [`${ofReport}${message}`],
  remove: [],
  replaces: true,
});
