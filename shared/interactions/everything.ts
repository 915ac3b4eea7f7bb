import { decide, type TypeFacts } from '../access/decide.ts';
import { isDirectory, subjectOf } from '../record-types/subjects.ts';
import type { LinkedChart } from '../store/chart-links.ts';
import type { Shown } from '../store/chart-page.ts';
import { linkedPage } from '../store/linked-page.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Interaction, RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { notFound, requireReadable, requireTypeAccess } from './require-access.ts';
import {
  askedPage,
  countOf,
  entriesOf,
  entryOf,
  largestPageBytes,
  nextLink,
  requireOnly,
  selfLink,
  weightOf,
} from './searchset.ts';

const usualPage = 1_000;
const largestPage = 1_000;

/**
 * `GET /Patient/{id}/$everything`: the patient and every record of the patient's chart that the caller may see, in the order of
 * their types; those of linked charts among them. One Query a page. https://hl7.org/fhir/R4/patient-operation-everything.html
 */
export const everything: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'r');
  requireOnly(context, ['_count']);
  const { store, audit, request } = context;
  const asked = askedPage(context);
  const counted = asked?.query ?? request.query.filter(([name]) => name === '_count');
  const limit = Math.max(countOf(counted, usualPage, largestPage), 1);
  const address = await locate(context, 'Patient', id);
  if (!address) throw notFound(context);
  const [after, ...known] = Array.isArray(asked?.position) ? (asked.position as [string, ...LinkedChart[]]) : [];
  const page = await audit.traced(
    { interaction: 'operation', chart: address.chart, what: [`Patient/${id}`], query: `Patient/${id}/$everything` },
    async () => {
      const options = { order: 'key-order', after, limit } as const;
      const read = linkedPage(store, address.chart, undefined, options, after === undefined ? undefined : known);
      const [patient, found] = await Promise.all([store.read(address), read]);
      return { patient, ...found };
    },
    ({ patient }) => void requireReadable(context, patient),
  );
  const visible = page.items.filter(({ record }) => maySee(context, record));
  const { shown, cutAt } = withinBytes(visible);
  await traceOthers(context, shown, address.chart);
  const next = cutAt ?? page.next;
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    ...(after === undefined && next === undefined ? { total: shown.length } : {}),
    link: [
      selfLink(context, counted),
      ...(next === undefined ? [] : [nextLink(context, { query: counted, position: [next, ...page.linked] })]),
    ],
    ...entriesOf(shown.map((record) => entryOf(context, record))),
  };
  return { statusCode: 200, resource: bundle };
};

/** What stands in the chart and has another one for its home: that one's log tells of it too. */
const traceOthers = async (
  { audit }: RequestContext,
  records: readonly StoredRecord[],
  chart: string,
): Promise<void> => {
  const others = Map.groupBy(
    records.filter((record) => record.chart !== chart),
    (record) => record.chart,
  );
  await audit.record(
    [...others].map(([home, shown]) => ({
      interaction: 'operation',
      chart: home,
      what: shown.map(({ type, id }) => `${type}/${id}`),
      query: 'Patient/$everything',
    })),
  );
};

const maySee = ({ asking }: RequestContext, record: StoredRecord): boolean => {
  const type: TypeFacts = { name: record.type, subject: subjectOf(record.type), directory: isDirectory(record.type) };
  return decide(asking, 'r', type, record).permit;
};

/** As many records as an answer can hold, and the key behind which the rest begins. */
const withinBytes = (items: readonly Shown[]): { shown: StoredRecord[]; cutAt: string | undefined } => {
  let bytes = 0;
  let last: string | undefined;
  const shown: StoredRecord[] = [];
  for (const { record, key } of items) {
    bytes += weightOf(record.resource ?? {});
    if (bytes > largestPageBytes && last !== undefined && last !== key) return { shown, cutAt: last };
    shown.push(record);
    last = key;
  }
  return { shown, cutAt: undefined };
};
