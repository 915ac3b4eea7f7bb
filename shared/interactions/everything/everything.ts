import { RecordError } from '../../errors.ts';
import { information } from '../../fhir/operation-outcome.ts';
import { isResourceType } from '../../fhir/references.ts';
import type { PagePosition } from '../../http/page-token.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { dateInterval } from '../../search/date-range.ts';
import type { LinkedChart } from '../../store/chart-links.ts';
import type { Address } from '../../store/keys.ts';
import type { linkedPage } from '../../store/linked-page.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Answer, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import type { OperationInput } from '../operation-input.ts';
import { notFound, requireReadable } from '../require-access.ts';
import { coverage, entriesOf, entryOf, nextLink, selfLink } from '../searchset.ts';
import { fillPage } from './fill-page.ts';
import { mayRead, withReferenced } from './referenced.ts';
import { UnseenRecords } from './unseen-records.ts';

const usualPage = 1_000;
const largestPage = 1_000;

/**
 * A record is shown from some time before its client asks for changes: the time of a version is that of its request, and a transaction in parts may
 * commit half a minute later. So nobody misses what was under way when they last asked. Milliseconds.
 */
const underWayMs = 60_000;

/** What both operations take. https://hl7.org/fhir/R4/encounter-operation-everything.html */
export const everythingInput = {
  _since: { type: 'instant' },
  _type: { type: 'code', many: true },
  _count: { type: 'integer' },
} as const;

/** What is asked for. */
export interface Everything {
  /** The record that it is all about, and where it is. */
  readonly id: string;
  readonly address: Address;
  /** Whether a record of the chart is part of it; all are if absent. */
  readonly holds?: ((record: StoredRecord) => boolean) | undefined;
  /** True also looks at what belongs elsewhere and refers to records of the chart. */
  readonly mentions?: boolean;
  readonly input: OperationInput<typeof everythingInput>;
  /** Reads a page of a chart: these operations have a file of their own, with nothing of the store in it. */
  readonly readPage: typeof linkedPage;
}

/**
 * Shows a page of a chart: what is asked for and the caller may read, and with it what that refers to, in this chart or elsewhere, each once
 * a page. One Query, and one BatchGet for what is referred to.
 *
 * @param page - where the `next` link that this request follows goes on.
 * @throws RecordError `not-found` or `deleted`, as a read of the record that it is about; `invalid` for a type that does not exist.
 */
export const showEverything = async (
  context: RequestContext,
  { id, address, holds, mentions = false, input, readPage }: Everything,
  page: PagePosition | undefined,
): Promise<Answer> => {
  const { store, audit, now } = context;
  const { chart } = address;
  const query = pairsOf(input);
  const types = typesIn(input._type);
  const limit = pageSize(input._count);
  const since = input._since === undefined ? undefined : (dateInterval(input._since)?.start ?? 0) - underWayMs;
  const [after, before = 0, ...known] = Array.isArray(page?.position) ? (page.position as Position) : [];
  const unseen = new UnseenRecords(context, before);
  const name = `${address.type}/${id}`;
  const isPart = (record: StoredRecord) =>
    (types?.has(record.type) ?? true) && (since === undefined || record.updated >= since) && (holds?.(record) ?? true);
  const found = await audit.traced(
    { interaction: 'operation', chart, what: [name], query: queryText(name, '$everything', query) },
    async () => {
      const about = context.sharing.read(address);
      const filled = fillPage(store, {
        readPage,
        chart,
        type: types?.size === 1 ? [...types][0] : undefined,
        after,
        linked: after === undefined ? undefined : known,
        limit,
        mentions,
        consider: (records) => context.sharing.lookUp(records),
        wanted: (record) => (mayRead(context, record) || unseen.meets(record)) && isPart(record),
        mayGoOn: async () => {
          const record = await about;
          return record !== undefined && mayRead(context, record);
        },
      });
      const [record, filledPage] = await Promise.all([about, filled]);
      return { record, ...filledPage };
    },
    ({ record }) => void requireReadable(context, record),
  );
  const charts = new Set([chart, ...found.linked.map((linked) => linked.chart)]);
  const { shown, others, leftOut } = await withReferenced(context, found.items, {
    type: (type) => types?.has(type) ?? true,
    // What nothing leaves out is shown by itself, on this page or on another one.
    address: (at) => holds !== undefined || since !== undefined || !charts.has(at.chart),
    record: (record) => !charts.has(record.chart) || !isPart(record),
  });
  await traceOthers(context, [...shown.map(({ record }) => record), ...others], chart, `${address.type}/$everything`);
  await context.view.prepare([...shown.map(({ record }) => record), ...others]);
  const next = shown.length < found.items.length ? shown.at(-1)?.key : found.next;
  // Behind the last page, so that which one tells of it says nothing of what it is; and of all types, or it would tell of one.
  const outcome = next === undefined && types?.size !== 1 && found.record ? unseen.outcomeFor(found.record) : undefined;
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    timestamp: new Date(now).toISOString(),
    meta: coverage,
    ...(after === undefined && next === undefined ? { total: shown.length } : {}),
    link: [
      selfLink(context, query),
      ...(next === undefined
        ? []
        : [nextLink(context, { query, position: [next, unseen.met, ...found.linked] satisfies Position })]),
    ],
    ...entriesOf([
      ...shown.map(({ record }) => entryOf(context, record)),
      ...others.map((record) => entryOf(context, record, 'include')),
      ...(outcome ? [{ resource: outcome, search: { mode: 'outcome' as const } }] : []),
      ...(leftOut === 0 ? [] : [{ resource: tooLarge(leftOut), search: { mode: 'outcome' as const } }]),
    ]),
  };
  return { statusCode: 200, resource: bundle };
};

/** Where a page goes on: the key behind which it begins, whether something was unseen before, and the charts that were found to be linked. */
type Position = [after: string, unseen: 0 | 1, ...linked: LinkedChart[]];

/** Where a record of this id is. @throws RecordError `not-found`. */
export const addressed = async (context: RequestContext, id: string): Promise<Address> => {
  const address = await locate(context, context.recordType.name, id);
  if (!address) throw notFound(context);
  return address;
};

type Texts = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** What a link repeats of the input. */
export const pairsOf = (input: Texts): [string, string][] =>
  Object.entries(input).flatMap(([name, value]) =>
    [value ?? []].flat().map((each): [string, string] => [name, String(each)]),
  );

export const queryText = (name: string, operation: string, query: readonly (readonly [string, string])[]): string => {
  const path = `${name}/${operation}`;
  return query.length === 0 ? path : `${path}?${query.map((pair) => pair.join('=')).join('&')}`;
};

/** The types that are asked for; undefined for all. A value may hold several. */
export const typesIn = (values: readonly string[]): ReadonlySet<string> | undefined => {
  const types = values.flatMap((value) => value.split(','));
  if (!types.every(isResourceType)) {
    throw new RecordError('invalid', 'There is no such resource type', { expression: '_type' });
  }
  return types.length === 0 ? undefined : new Set(types);
};

const pageSize = (count: number = usualPage): number => {
  if (count < 0) throw new RecordError('invalid', '_count is not negative', { expression: '_count' });
  return Math.min(Math.max(count, 1), largestPage);
};

const tooLarge = (count: number): fhir4.OperationOutcome =>
  information('warning', [
    {
      message: `${count} of the records that these refer to are too large to come along; read them by their references`,
      code: 'too-long',
    },
  ]);

/**
 * What has another chart for its home: that one's log tells of it too. Directory and knowledge are nobody's.
 *
 * @param query - what the operation is called there, without whose chart was asked for.
 */
export const traceOthers = async (
  { audit }: RequestContext,
  records: readonly StoredRecord[],
  chart: string,
  query: string,
): Promise<void> => {
  const others = Map.groupBy(
    records.filter((record) => {
      const { directory, subject } = factsOfType(record.type);
      return record.chart !== chart && !directory && subject !== 'knowledge';
    }),
    (record) => record.chart,
  );
  await audit.record(
    [...others].map(([home, shown]) => ({
      interaction: 'operation',
      chart: home,
      what: shown.map((record) => `${record.type}/${record.id}`),
      query,
    })),
  );
};
