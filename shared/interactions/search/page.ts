import { compareKeysBy, type SortKeys, sortKeysOf } from '../../search/sort.ts';
import type { Position } from '../../store/candidates/plan.ts';
import { presented, type StoredRecord } from '../../store/rows.ts';
import { largestPageBytes, weightOf } from '../searchset.ts';
import { eachOnce } from './each-once.ts';
import { finding } from './finding.ts';
import type { OpenSearch } from './open.ts';
import { matchingParts, type Part } from './parts.ts';
import { callsPerPage, tooCostly } from './run.ts';

const usualPage = 50;
/** Records that one request may sort. */
const mostSorted = 10_000;

/** A search that knows how it goes about. */
export interface PlannedSearch extends Omit<OpenSearch, 'parts'> {
  readonly parts: readonly Part[];
}

/** A page of matches, or only how many there are. */
export interface Found {
  readonly matches: readonly StoredRecord[];
  /** What is included with them. */
  readonly others: readonly StoredRecord[];
  /** How many match in all, where that is known. */
  readonly total: number | undefined;
  readonly next: Position | undefined;
}

/** Finds a page of what a search asks for, from a position on. */
export const findPage = async (search: PlannedSearch, from: Position | undefined): Promise<Found> => {
  const { summary, count, sort } = search.query;
  if (summary === 'count' || count === 0) {
    const asking = count === 0 ? '_count' : '_summary';
    return { matches: [], others: [], total: await countAll(search, asking), next: undefined };
  }
  // A position within a chart: the first page came in the order of the chart.
  const goesOn = from !== undefined && from.length > 1;
  const inOrder = sort.length === 0 || goesOn || (!from && isInChartsOrder(search));
  const found = inOrder ? await page(search, from, { byDate: sort.length > 0 && !goesOn }) : undefined;
  return found ?? sortedPage(search, from);
};

/** Whether the newest records of one type in one chart are asked for first, by the date that places are made of. */
const isInChartsOrder = ({ query: { sort }, parts }: PlannedSearch): boolean => {
  const [rule, ...rules] = sort;
  const [part, ...others] = parts;
  if (!rule?.descending || !part || rules.length + others.length > 0 || part.plan.kind !== 'charts') return false;
  const [{ recordType }, ...types] = part.searched;
  if (part.plan.charts.length !== 1 || types.length > 0 || part.plan.mentions) return false;
  return rule.parameter.code === recordType.boundedBy;
};

/** A match, and the position behind it. */
interface Placed {
  readonly record: StoredRecord;
  readonly position: Position;
}

/**
 * A page in the order of the plan.
 *
 * @returns undefined if that should be the order of the type's date, and turns out not to be.
 */
const page = async (
  search: PlannedSearch,
  from: Position | undefined,
  { byDate }: { readonly byDate: boolean },
): Promise<Found | undefined> => {
  const { run, query, parts } = search;
  const size = query.count ?? usualPage;
  // One row more than the page tells whether there is another page.
  // What it took to see where references lead does not make a page shorter.
  const pauseAt = run.calls + callsPerPage;
  let isOrdered = true;
  const onDisorder = byDate ? () => void (isOrdered = false) : undefined;
  const reading = { from, rowLimit: size + 1, pauseAt, onDisorder };
  const found: Placed[] = [];
  let bytes = 0;
  let last = from;
  let ended = true;
  for await (const { record, position, othersFollow = false } of eachOnce(matchingParts(run, parts, reading))) {
    if (!isOrdered) return undefined;
    if (record) {
      bytes += weightOf(record.resource ?? {});
      if (found.length === size || (found.length > 0 && bytes > largestPageBytes)) {
        ended = false;
        break;
      }
      found.push({ record, position });
    }
    last = position;
    if (run.calls >= pauseAt && !othersFollow) {
      ended = false;
      break;
    }
  }
  const shown = await withIncludes(search, found);
  const next =
    shown.matches.length < found.length ? found[shown.matches.length - 1]?.position : ended ? undefined : last;
  const whole = from === undefined && next === undefined;
  const counted = !whole && query.total === 'accurate' ? await countAll(search, '_total') : undefined;
  const total = whole ? found.length : counted;
  return { ...shown, total, next };
};

/** As many of the matches as an answer can hold with what they include, at least one. */
const withIncludes = async (
  { run, query }: PlannedSearch,
  found: readonly Placed[],
): Promise<Pick<Found, 'matches' | 'others'>> => {
  let matches = found.map(({ record }) => record);
  if (query.includes.length === 0) return { matches, others: [] };
  const { included } = await import('./following.lazy.ts');
  while (matches.length > 0) {
    const others = await included(run, finding, query.includes, matches);
    const bytes = [...matches, ...(others ?? [])].reduce((sum, { resource }) => sum + weightOf(resource ?? {}), 0);
    if (others && bytes <= largestPageBytes) return { matches, others };
    const [first] = query.includes;
    if (matches.length === 1) throw tooCostly(`_${first?.kind ?? 'include'}`);
    matches = matches.slice(0, matches.length >> 1);
  }
  return { matches, others: [] };
};

/** So few matches can be told apart by counting them under one condition after the other: their charts' logs tell of the count. */
const mostTelling = 50;

/** A record as a log tells of it, with no more than what it says of whose it is: fifty may have 200 MB. */
const withoutContent = (record: StoredRecord): StoredRecord => {
  const { resourceType, securityContext } = record.resource ?? { resourceType: record.type };
  return { ...record, resource: { resourceType, securityContext } };
};

/** @param asking - the parameter that wants to know, for a refusal. */
const countAll = async ({ run, parts, searched }: PlannedSearch, asking: string): Promise<number> => {
  let total = 0;
  const few: StoredRecord[] = [];
  for await (const { record } of eachOnce(matchingParts(run, parts))) {
    if (record) {
      total++;
      if (few.length <= mostTelling) few.push(withoutContent(record));
    }
    run.requireAffordable(asking);
  }
  for (const record of total <= mostTelling ? few : []) {
    const counted = searched.find(({ recordType }) => recordType.name === record.type);
    if (counted) run.decidedBy(counted.recordType, record);
  }
  return total;
};

const sortedPage = async (search: PlannedSearch, from: Position | undefined): Promise<Found> => {
  const { run, query, parts, searched } = search;
  const rules = new Map(searched.map((each) => [each.recordType.name, each.query.sort]));
  const all: { readonly record: StoredRecord; readonly keys: SortKeys }[] = [];
  for await (const { record } of eachOnce(matchingParts(run, parts))) {
    run.requireAffordable('_sort');
    if (!record) continue;
    const held = { resource: presented(run.context.view.of(record)), lastUpdated: record.updated };
    all.push({ record, keys: sortKeysOf(rules.get(record.type) ?? [], held, run.units) });
    run.hold(record, '_sort');
    if (all.length > mostSorted) throw tooCostly('_sort');
  }
  const order = compareKeysBy(query.sort);
  const compare = (a: SortKeys, aName: string, b: SortKeys, bName: string) =>
    order(a, b) || (aName === bName ? 0 : aName < bName ? -1 : 1);
  const nameOf = ({ type, id }: StoredRecord) => `${type}/${id}`;
  all.sort((a, b) => compare(a.keys, nameOf(a.record), b.keys, nameOf(b.record)));
  // A page begins behind what the last one ended with, wherever that stands now.
  const [lastKeys, lastName] = from ? (JSON.parse(String(from[0])) as [SortKeys, string]) : [];
  const start =
    lastKeys && lastName !== undefined
      ? all.findIndex(({ keys, record }) => compare(keys, nameOf(record), lastKeys, lastName) > 0)
      : 0;
  const placed: Placed[] = [];
  let bytes = 0;
  const size = query.count ?? usualPage;
  for (const { record, keys } of start < 0 ? [] : all.slice(start, start + size)) {
    bytes += weightOf(record.resource ?? {});
    if (placed.length > 0 && bytes > largestPageBytes) break;
    placed.push({ record, position: [JSON.stringify([keys, nameOf(record)])] });
  }
  const shown = await withIncludes(search, placed);
  const more = start >= 0 && start + shown.matches.length < all.length;
  return { ...shown, total: all.length, next: more ? placed[shown.matches.length - 1]?.position : undefined };
};
