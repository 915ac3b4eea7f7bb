import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { type OrderVersion, reachesBack, type Standing, standingWithin } from '../../prescriptions/standing.ts';
import type { KnownDispense } from '../../prescriptions/supply.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import type { Interval } from '../../search/date-range.ts';
import { linkedPage } from '../../store/linked-page.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { mayAccess } from '../require-access.ts';

type Context = Omit<RequestContext, 'recordType'>;

/** Ids of the orders that a reference names, of this server. */
export const ordersIn = ({ request: { baseUrl } }: Context, resource: Resource | undefined): string[] => {
  const named = [resource?.['authorizingPrescription'] ?? [], resource?.['request'] ?? []].flat() as fhir4.Reference[];
  return [
    ...new Set(
      named.flatMap(({ reference = '' }) => {
        const parsed = parseReference(reference, baseUrl);
        return parsed.kind === 'record' && parsed.type === 'MedicationRequest' ? [parsed.id] : [];
      }),
    ),
  ];
};

/** Pages of a type in a chart that are read, of 1 MB each: some twenty thousand, the newest. */
const mostPages = 10;

/** Dispenses of a chart, as `shownOf` gives them. */
export const dispensesOf = (context: Context, chart: string): Promise<StoredRecord[]> =>
  shownOf(context, chart, 'MedicationDispense');

/** Records of a type in a chart, and in those merged with it, that the caller of this context may see: one Query a started megabyte. */
export const shownOf = async (context: Context, chart: string, type: string): Promise<StoredRecord[]> => {
  const records: StoredRecord[] = [];
  let after: string | undefined;
  let linked: Awaited<ReturnType<typeof linkedPage>>['linked'] | undefined;
  for (let page = 1; page <= mostPages; page++) {
    const read = await linkedPage(context.store.whole, chart, type, { after }, linked);
    linked = read.linked;
    records.push(...read.items.map(({ record }) => record));
    after = read.next;
    if (after === undefined) break;
  }
  await context.sharing.lookUp(records);
  const facts = { ...context, recordType: factsOfType(type) };
  return records.filter((record) => record.resource && !record.originators && mayAccess(facts, 'r', record));
};

/** Those of them that are of an order. */
export const ofOrder = (context: Context, dispenses: readonly StoredRecord[], order: string): KnownDispense[] =>
  dispenses.flatMap(({ resource, updated }) =>
    resource && ordersIn(context, resource).includes(order) ? [{ resource, updated }] : [],
  );

const versionsAtOnce = 50;

/** How an order stood at a time, which may be a whole day. Two calls more, only for a time before its current version, and again for each fifty versions since. */
export const standingThen = async (
  { store }: Pick<Context, 'store'>,
  order: StoredRecord,
  time: Interval,
): Promise<Standing> => {
  const versions: OrderVersion[] = [order];
  let before: number | undefined = order.version;
  while (before !== undefined && before > 1 && !reachesBack(versions, time.start)) {
    const { items } = await store.whole.history(order, { before, limit: versionsAtOnce });
    versions.push(...items);
    before = items.at(-1)?.version;
  }
  return standingWithin(versions, time);
};
