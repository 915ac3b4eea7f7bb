import { refusedRow } from '../audit/audit-row.ts';
import type { Access } from '../audit/audit-trail.ts';
import { RecordError } from '../errors.ts';
import { information } from '../fhir/operation-outcome.ts';
import type { Resource } from '../fhir/resource.ts';
import { criteriaOf, requireSelfContained } from '../search/joins.ts';
import { matches } from '../search/matches.ts';
import { parseSearchQuery } from '../search/parse-query.ts';
import { project } from '../search/project.ts';
import { meaningAll } from '../search/same-patient.ts';
import type { SearchQuery } from '../search/search-query.ts';
import { compareBy } from '../search/sort.ts';
import { type Candidate, candidates, type Position } from '../store/candidates.ts';
import type { LinkedChart } from '../store/chart-links.ts';
import { largeBytesIn } from '../store/large-bodies.ts';
import type { StoredRecord } from '../store/rows.ts';
import { presented } from '../store/rows.ts';
import type { Interaction, RequestContext } from './context.ts';
import { planSearch, type SearchPlan } from './plan-search.ts';
import { mayAccess, requireTypeAccess } from './require-access.ts';
import {
  askedPage,
  entriesOf,
  largestPageBytes,
  matchEntry,
  nextLink,
  pageParameter,
  selfLink,
  weightOf,
} from './searchset.ts';

const usualPage = 50;
/** Calls to DynamoDB that one page may take. A page that has taken them ends, with a link to what follows. */
const callsPerPage = 60;
/** Counting and sorting have no pages, so they may take more, and then give up. A thousand charts fit. */
const callsPerCount = 1_100;
/** Records that one request may sort. */
const mostSorted = 10_000;
/** Bytes of JSON that those of them may have whose bodies are large: all are in memory at once. */
const mostLargeSorted = 50_000_000;

/** FHIR search, `GET /{type}?…` and `POST /{type}/_search`. https://hl7.org/fhir/R4/search.html */
export const searchRecords: Interaction = async (context) => {
  requireTypeAccess(context, 's');
  const asked = askedPage(context);
  const sent = asked?.query ?? context.request.query.filter(([name]) => name !== pageParameter);
  const query = parseSearchQuery(context.recordType.searchParameters, sent, {
    strict: context.request.prefer.strict,
    resourceType: context.recordType.name,
    baseUrl: context.request.baseUrl,
  });
  requireSelfContained(query);
  const criteria = criteriaOf(query.conditions);
  const planned = await planSearch(context, criteria);
  const plan = { ...planned, exact: planned.exact && criteria.length === query.conditions.length };
  const found = await tracedSearch(context, plan, query, asked?.position as Position | undefined);
  return { statusCode: 200, resource: searchset(context, plan, query, sent, found) };
};

/** A page of matches, or only how many there are. */
interface Found {
  readonly records: readonly StoredRecord[];
  /** How many match in all, where that is known. */
  readonly total: number | undefined;
  readonly next: Position | undefined;
  /** Charts that were looked into and are not the caller's to see. */
  readonly hidden: ReadonlySet<string>;
}

/**
 * Searches, and leaves its trace: beside the search where the request names its charts, else before the answer leaves. A chart that the
 * caller turned out not to see gets a second row that says so. Only the log of the one patient that a search names holds its values:
 * elsewhere, also where a reference or an id names the chart, they could be another patient's.
 */
const tracedSearch = async (
  context: RequestContext,
  plan: SearchPlan,
  query: SearchQuery,
  from: Position | undefined,
): Promise<Found> => {
  const { audit, recordType } = context;
  const access = (chart: string, what: readonly string[] = []): Access => ({
    interaction: 'search-type',
    chart,
    what,
    query: queryText(context, plan.charts.length === 1 && plan.charts.includes(chart) && namesPatient(context)),
  });
  const touched = (records: readonly StoredRecord[]): Access[] => {
    const ofPatients = recordType.directory || recordType.subject === 'knowledge' ? [] : records;
    return [...Map.groupBy(ofPatients, ({ chart }) => chart)].map(([chart, shown]) =>
      access(
        chart,
        shown.map(({ type, id }) => `${type}/${id}`),
      ),
    );
  };
  if (plan.charts.length > 0) {
    const rows = plan.charts.map((chart) => audit.row(access(chart)));
    const [found] = await Promise.all([find(context, plan, query, from), audit.write(rows)]);
    await audit.write(rows.filter((_, index) => found.hidden.has(plan.charts[index] ?? '')).map(refusedRow));
    // What links and pointers have led to stands in the log of its own chart too.
    await audit.record(touched(found.records.filter(({ chart }) => !plan.charts.includes(chart))));
    return found;
  }
  const found = await find(context, plan, query, from);
  const accesses = touched(found.records);
  await audit.record(accesses.length > 0 ? accesses : [access(logOf(context))]);
  return found;
};

const namesPatient = ({ request }: RequestContext): boolean =>
  request.query.some(([name]) => /^(?:patient|subject)(?::|$)/.test(name));

const queryText = ({ recordType, request }: RequestContext, withValues: boolean): string =>
  `${recordType.name}?${request.query.map(([name, value]) => (withValues ? `${name}=${value}` : name)).join('&')}`;

/** Where a search is noted that concerns nobody's chart. */
const logOf = ({ asking }: RequestContext): string => asking.chart ?? asking.caller.organization ?? '';

const find = (
  context: RequestContext,
  plan: SearchPlan,
  query: SearchQuery,
  from: Position | undefined,
): Promise<Found> => {
  if (query.summary === 'count' || query.count === 0) return count(context, plan, query);
  return query.sort.length > 0 ? sortedPage(context, plan, query, from) : page(context, plan, query, from);
};

/** What a search reads with: how far it may go, whom it means, and which charts turned out to be none of the caller's business. */
const reading = (context: RequestContext, { conditions }: SearchQuery, rowLimit: number | undefined) => {
  const state = { calls: 0, conditions, hidden: new Set<string>() };
  const options = {
    rowLimit,
    spend: () => {
      state.calls++;
    },
    // All records of a chart have one custodian: the first tells whether the rest is worth reading, and nobody learns how many there are.
    mayEnter: (record: StoredRecord) => {
      const may = mayAccess(context, 's', record);
      if (!may) state.hidden.add(record.chart);
      return may;
    },
    onLinked: (linked: readonly LinkedChart[]) => {
      state.conditions = meaningAll(
        state.conditions,
        linked.map(({ patient }) => patient),
      );
    },
  };
  return { state, options };
};

const page = async (
  context: RequestContext,
  plan: SearchPlan,
  query: SearchQuery,
  from: Position | undefined,
): Promise<Found> => {
  const size = query.count ?? usualPage;
  // One row more than the page tells whether there is another page.
  const { state, options } = reading(context, query, plan.exact ? size + 1 : undefined);
  const records: StoredRecord[] = [];
  const { hidden } = state;
  let bytes = 0;
  let last = from;
  for await (const { record, position } of candidates(context.store, context.recordType, plan.plan, from, options)) {
    if (record && isMatch(context, state, record)) {
      bytes += weightOf(record.resource ?? {});
      if (records.length === size || (records.length > 0 && bytes > largestPageBytes)) {
        return { records, total: await totalIfAsked(context, plan, query), next: last, hidden };
      }
      records.push(record);
    } else if (record && !mayAccess(context, 's', record)) hidden.add(record.chart);
    last = position;
    if (state.calls >= callsPerPage) return { records, total: undefined, next: last, hidden };
  }
  const total = from === undefined ? records.length : await totalIfAsked(context, plan, query);
  return { records, total, next: undefined, hidden };
};

const totalIfAsked = async (
  context: RequestContext,
  plan: SearchPlan,
  query: SearchQuery,
): Promise<number | undefined> => (query.total === 'accurate' ? (await count(context, plan, query)).total : undefined);

const count = async (context: RequestContext, plan: SearchPlan, query: SearchQuery): Promise<Found> => {
  let total = 0;
  const { state, options } = reading(context, query, undefined);
  for await (const { record } of bounded(context, plan, options, state)) {
    if (record && isMatch(context, state, record)) total++;
  }
  return { records: [], total, next: undefined, hidden: state.hidden };
};

const sortedPage = async (
  context: RequestContext,
  plan: SearchPlan,
  query: SearchQuery,
  from: Position | undefined,
): Promise<Found> => {
  const all: StoredRecord[] = [];
  let large = 0;
  const { state, options } = reading(context, query, undefined);
  for await (const { record } of bounded(context, plan, options, state)) {
    if (!record || !isMatch(context, state, record)) continue;
    all.push(record);
    large += largeBytesIn(record);
    if (all.length > mostSorted || large > mostLargeSorted) throw tooCostly('_sort');
  }
  const order = compareBy(query.sort);
  const views = all.map((record) => ({
    record,
    view: { resource: presented(record), lastUpdated: record.updated },
  }));
  views.sort((a, b) => order(a.view, b.view) || (a.record.id < b.record.id ? -1 : 1));
  const start = Number(from?.[0] ?? 0);
  const end = start + (query.count ?? usualPage);
  const records: StoredRecord[] = [];
  let bytes = 0;
  for (const { record } of views.slice(start, end)) {
    bytes += weightOf(record.resource ?? {});
    if (records.length > 0 && bytes > largestPageBytes) break;
    records.push(record);
  }
  const shown = start + records.length;
  return { records, total: all.length, next: shown < all.length ? [shown] : undefined, hidden: state.hidden };
};

/** All candidates, or a refusal where a request would have to read too much. */
async function* bounded(
  context: RequestContext,
  plan: SearchPlan,
  options: Parameters<typeof candidates>[4],
  state: { readonly calls: number },
): AsyncGenerator<Candidate> {
  for await (const candidate of candidates(context.store, context.recordType, plan.plan, undefined, options)) {
    yield candidate;
    if (state.calls > callsPerCount) {
      throw tooCostly(context.request.query.some(([name]) => name === '_sort') ? '_sort' : '_summary');
    }
  }
}

const tooCostly = (parameter: string) =>
  new RecordError(
    'too-costly',
    'This would read too many charts at once; narrow the search, for instance to a patient',
    {
      expression: parameter,
    },
  );

const isMatch = (
  context: RequestContext,
  { conditions }: Pick<SearchQuery, 'conditions'>,
  record: StoredRecord,
): boolean =>
  record.resource !== undefined &&
  mayAccess(context, 's', record) &&
  matches(conditions, record.resource, {
    id: record.id,
    lastUpdated: record.updated,
    baseUrl: context.request.baseUrl,
  });

const searchset = (
  context: RequestContext,
  plan: SearchPlan,
  query: SearchQuery,
  sent: readonly (readonly [string, string])[],
  { records, total, next }: Found,
): fhir4.Bundle => {
  const walked = plan.indexed
    ? []
    : [
        {
          message:
            'No index serves this search: it walks through all charts, some at a time. Name a patient to make it quick.',
        },
      ];
  const ignored = query.warnings.map(({ parameter, message }) => ({
    message,
    expression: parameter,
    code: 'not-supported' as const,
  }));
  const warnings = [...ignored, ...walked];
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    ...(total === undefined ? {} : { total }),
    link: [
      selfLink(context, query.understood),
      ...(next === undefined ? [] : [nextLink(context, { query: sent, position: next })]),
    ],
    ...entriesOf([
      ...records.map((record) => projected(context, query, matchEntry(context, record))),
      ...(warnings.length === 0
        ? []
        : [{ resource: information('warning', warnings), search: { mode: 'outcome' as const } }]),
    ]),
  };
};

/** https://hl7.org/fhir/R4/search.html#summary */
const projected = (
  { recordType }: RequestContext,
  query: SearchQuery,
  entry: fhir4.BundleEntry,
): fhir4.BundleEntry => ({
  ...entry,
  resource: project(entry.resource as unknown as Resource, query, recordType.elements) as unknown as fhir4.FhirResource,
});
