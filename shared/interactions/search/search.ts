import { information } from '../../fhir/operation-outcome.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import { project } from '../../search/project.ts';
import { compareKeysBy, type SortKeys, sortKeysOf } from '../../search/sort.ts';
import type { Position } from '../../store/candidates.ts';
import { largeBytesIn } from '../../store/large-bodies.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { presented } from '../../store/rows.ts';
import type { Interaction } from '../context.ts';
import { requireTypeAccess } from '../require-access.ts';
import {
  askedPage,
  entriesOf,
  entryOf,
  largestPageBytes,
  nextLink,
  pageParameter,
  selfLink,
  weightOf,
} from '../searchset.ts';
import { included } from './includes.ts';
import { matching } from './matching.ts';
import { type OpenSearch, openSearch } from './open.ts';
import type { SearchPlan } from './plan.ts';
import { callsPerPage, type SearchContext, tooCostly } from './run.ts';
import { traced } from './trace.ts';

const usualPage = 50;
/** Records that one request may sort. */
const mostSorted = 10_000;
/** Bytes of JSON that those of them may have whose bodies are large: all are in memory at once. */
const mostLargeSorted = 50_000_000;

/** FHIR search, `GET /{type}?…` and `POST /{type}/_search`. https://hl7.org/fhir/R4/search.html */
export const searchRecords: Interaction = async (context) => {
  requireTypeAccess(context, 's');
  const asked = askedPage(context);
  const sent = asked?.query ?? context.request.query.filter(([name]) => name !== pageParameter);
  const opened = await openSearch(context, sent, { strict: context.request.prefer.strict });
  const search = { ...opened, plan: await opened.planned() };
  const found = await traced(
    search.run,
    () => find(context.recordType, search, asked?.position as Position | undefined),
    ({ matches, others }) => [...matches, ...others].map((record) => [typeOf(search, record), record] as const),
  );
  return { statusCode: 200, resource: searchset(context, search, sent, found) };
};

/** A search that knows how it goes about. */
interface PlannedSearch extends OpenSearch {
  readonly plan: SearchPlan;
}

const typeOf = ({ run }: OpenSearch, { type }: StoredRecord): SearchType =>
  type === run.context.recordType.name ? run.context.recordType : (run.types?.get(type) ?? run.context.recordType);

/** A page of matches, or only how many there are. */
interface Found {
  readonly matches: readonly StoredRecord[];
  /** What is included with them. */
  readonly others: readonly StoredRecord[];
  /** How many match in all, where that is known. */
  readonly total: number | undefined;
  readonly next: Position | undefined;
}

const find = async (recordType: SearchType, search: PlannedSearch, from: Position | undefined): Promise<Found> => {
  const { summary, count, sort } = search.query;
  if (summary === 'count' || count === 0) {
    return { matches: [], others: [], total: await countAll(recordType, search), next: undefined };
  }
  return sort.length > 0 ? sortedPage(recordType, search, from) : page(recordType, search, from);
};

/** A match, and the position behind it. */
interface Placed {
  readonly record: StoredRecord;
  readonly position: Position;
}

const page = async (recordType: SearchType, search: PlannedSearch, from: Position | undefined): Promise<Found> => {
  const { run, query, plan } = search;
  const size = query.count ?? usualPage;
  // One row more than the page tells whether there is another page.
  const rowLimit = plan.exact ? size + 1 : undefined;
  // What it took to see where references lead does not make a page shorter.
  const pauseAt = run.calls + callsPerPage;
  const reading = { from, rowLimit, pauseAt };
  const found: Placed[] = [];
  let bytes = 0;
  let last = from;
  let ended = true;
  for await (const { record, position } of matching(run, recordType, { ...query, plan: plan.plan }, reading)) {
    if (record) {
      bytes += weightOf(record.resource ?? {});
      if (found.length === size || (found.length > 0 && bytes > largestPageBytes)) {
        ended = false;
        break;
      }
      found.push({ record, position });
    }
    last = position;
    if (run.calls >= pauseAt) {
      ended = false;
      break;
    }
  }
  const shown = await withIncludes(search, found);
  const next =
    shown.matches.length < found.length ? found[shown.matches.length - 1]?.position : ended ? undefined : last;
  const whole = from === undefined && next === undefined;
  const full = found.length === size || next === undefined;
  const total = whole
    ? found.length
    : full && query.total === 'accurate'
      ? await countAll(recordType, search)
      : undefined;
  return { ...shown, total, next };
};

/** As many of the matches as an answer can hold with what they include, at least one. */
const withIncludes = async (
  { run, query }: OpenSearch,
  found: readonly Placed[],
): Promise<Pick<Found, 'matches' | 'others'>> => {
  let matches = found.map(({ record }) => record);
  while (query.includes.length > 0 && matches.length > 0) {
    const others = await included(run, query.includes, matches);
    const bytes = [...matches, ...(others ?? [])].reduce((sum, { resource }) => sum + weightOf(resource ?? {}), 0);
    if (others && bytes <= largestPageBytes) return { matches, others };
    if (matches.length === 1) throw tooCostly('_include');
    matches = matches.slice(0, matches.length >> 1);
  }
  return { matches, others: [] };
};

const countAll = async (recordType: SearchType, { run, query, plan }: PlannedSearch): Promise<number> => {
  let total = 0;
  for await (const { record } of matching(run, recordType, { ...query, plan: plan.plan })) {
    if (record) total++;
    run.requireAffordable('_summary');
  }
  return total;
};

const sortedPage = async (
  recordType: SearchType,
  search: PlannedSearch,
  from: Position | undefined,
): Promise<Found> => {
  const { run, query, plan } = search;
  const all: { readonly record: StoredRecord; readonly keys: SortKeys }[] = [];
  let large = 0;
  for await (const { record } of matching(run, recordType, { ...query, plan: plan.plan })) {
    run.requireAffordable('_sort');
    if (!record) continue;
    all.push({ record, keys: sortKeysOf(query.sort, { resource: presented(record), lastUpdated: record.updated }) });
    large += largeBytesIn(record);
    if (all.length > mostSorted || large > mostLargeSorted) throw tooCostly('_sort');
  }
  const order = compareKeysBy(query.sort);
  const compare = (a: SortKeys, aId: string, b: SortKeys, bId: string) =>
    order(a, b) || (aId === bId ? 0 : aId < bId ? -1 : 1);
  all.sort((a, b) => compare(a.keys, a.record.id, b.keys, b.record.id));
  // A page begins behind what the last one ended with, wherever that stands now.
  const [lastKeys, lastId] = from ? (JSON.parse(String(from[0])) as [SortKeys, string]) : [];
  const start =
    lastKeys && lastId !== undefined
      ? all.findIndex(({ keys, record }) => compare(keys, record.id, lastKeys, lastId) > 0)
      : 0;
  const placed: Placed[] = [];
  let bytes = 0;
  const size = query.count ?? usualPage;
  for (const { record, keys } of start < 0 ? [] : all.slice(start, start + size)) {
    bytes += weightOf(record.resource ?? {});
    if (placed.length > 0 && bytes > largestPageBytes) break;
    placed.push({ record, position: [JSON.stringify([keys, record.id])] });
  }
  const shown = await withIncludes(search, placed);
  const more = start >= 0 && start + shown.matches.length < all.length;
  return { ...shown, total: all.length, next: more ? placed[shown.matches.length - 1]?.position : undefined };
};

const searchset = (
  context: SearchContext,
  search: PlannedSearch,
  sent: readonly (readonly [string, string])[],
  { matches, others, total, next }: Found,
): fhir4.Bundle => {
  const { query, plan } = search;
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
  const entry = (record: StoredRecord, mode: 'match' | 'include') =>
    projected(search, record, entryOf(context, record, mode));
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    ...(total === undefined ? {} : { total }),
    link: [
      selfLink(context, query.understood),
      ...(next === undefined ? [] : [nextLink(context, { query: sent, position: next })]),
    ],
    ...entriesOf([
      ...matches.map((record) => entry(record, 'match')),
      ...others.map((record) => entry(record, 'include')),
      ...(warnings.length === 0
        ? []
        : [{ resource: information('warning', warnings), search: { mode: 'outcome' as const } }]),
    ]),
  };
};

/** Named elements are those of the searched type; a summary is one of whatever it shows. https://hl7.org/fhir/R4/search.html#summary */
const projected = (search: PlannedSearch, record: StoredRecord, entry: fhir4.BundleEntry): fhir4.BundleEntry => {
  const { summary, elements } = search.query;
  const asked = entry.search?.mode === 'match' ? { summary, elements } : { summary };
  const { elements: table } = typeOf(search, record);
  return {
    ...entry,
    resource: project(entry.resource as unknown as Resource, asked, table) as unknown as fhir4.FhirResource,
  };
};
