import type { RecordType } from '../../record-types/define-record-type.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import { type SearchTypes, searchTypes } from '../../record-types/search-types.ts';
import type { TerminologyFacts } from '../../search/facts.ts';
import { comparesUnits, lookupsOf, terminologyOf } from '../../search/joins.ts';
import { languageOf } from '../../search/language.ts';
import { parseSearchQuery, type SearchQuery } from '../../search/parse-query.ts';
import { parseSystemQuery } from '../../search/parse-system-query.ts';
import { unsupportedParameter } from '../../search/refusal.ts';
import type { Condition, SortRule } from '../../search/search-query.ts';
import { loadUnits } from '../../search/units.ts';
import type { CallNotes } from '../../store/call-notes.ts';
import { requireExplainer } from './explain.ts';
import { finding } from './finding.ts';
import { type Part, type Searched, together } from './parts.ts';
import { planSearch, type SearchPlan } from './plan.ts';
import { Run, type SearchContext, type SearchRequest } from './run.ts';

/** A search that is understood, and has read no record yet that it is about. */
export interface OpenSearch {
  readonly run: Run;
  /** How the result is presented: the same for all types. */
  readonly query: SearchQuery;
  readonly searched: readonly Searched[];
  /** Plans it; to this end, what it refers to may be read. */
  readonly parts: () => Promise<readonly Part[]>;
}

/** The same of one type. */
interface OpenTypeSearch extends OpenSearch {
  readonly planned: () => Promise<SearchPlan>;
}

/** Names and values of a request's search, percent-decoded. */
type Sent = readonly (readonly [string, string])[];

/** Names and values that lead to records of other types. */
const leadsElsewhere = ([name, value]: readonly [string, string]): boolean =>
  /\.|^_(?:has|include|revinclude|list)\b|:(?:above|below)$/.test(name) || (name === '_filter' && value.includes('.'));

/** AuditEvents are no records, but rows of logs, so no search of records leads to them. */
const parametersIn = (request: SearchRequest, types: SearchTypes) => (name: string) => {
  const type = name === 'AuditEvent' ? undefined : types.get(name);
  return type && parametersOf(request, type);
};

/** What a type can be searched by, as far as that looks at what the caller is shown. */
const parametersOf = ({ hidesParameter }: SearchRequest, { name, searchParameters }: SearchType) =>
  hidesParameter ? searchParameters.filter(({ code }) => !hidesParameter(name, code)) : searchParameters;

/** What a search looks among beside what is sent: a compartment. */
export interface Scope {
  /** What the records of a type meet that are in it. */
  readonly membership?: (recordType: SearchType) => Condition;
  /** Whether it is a patient's: what is in the patient's chart is in it, so that a page needs few more rows than it shows. */
  readonly ofPatient?: boolean;
}

/**
 * Reads a search of the context's type.
 *
 * @throws RecordError as `parseSearchQuery` and `loadTerminology` do.
 */
export const openSearch = async (
  context: SearchContext,
  sent: Sent,
  { strict, ...scope }: Scope & { readonly strict: boolean },
): Promise<OpenTypeSearch> => {
  const { recordType, ...request } = context;
  const types = sent.some(leadsElsewhere) ? await searchTypes() : undefined;
  const query = parseSearchQuery(parametersOf(request, recordType), sent, {
    ...readingOf(request, strict),
    ...(await languageOf(sent)),
    resourceType: recordType.name,
    hasElement: elementsOf(recordType),
    ...(types ? { parametersOf: parametersIn(request, types) } : {}),
  });
  const searched = within(scope, [{ recordType, query }]);
  const search = await opened(request, types, { query, searched }, scope, (parts) => parts);
  const planned = async () => {
    const [part] = await search.parts();
    if (!part) throw new Error('A search of one type has one part');
    return part;
  };
  return { ...search, planned };
};

/**
 * Reads a search of several types.
 *
 * @param names - those that can be searched.
 * @throws RecordError as `parseSystemQuery` and `loadTerminology` do.
 */
export const openSearchAcross = async (
  request: SearchRequest,
  sent: Sent,
  names: readonly string[],
  scope: Scope = {},
): Promise<OpenSearch> => {
  const types = await searchTypes();
  const { byType, presented } = parseSystemQuery(names, sent, {
    ...readingOf(request, request.request.prefer.strict),
    ...(await languageOf(sent)),
    parametersOf: parametersIn(request, types),
  });
  const searched = [...byType].flatMap(([name, query]): Searched[] => {
    const recordType = types.get(name);
    return recordType ? [{ recordType, query }] : [];
  });
  return opened(request, types, { query: presented, searched: within(scope, searched) }, scope, together);
};

/** Whether a type that this function serves has an element of a name: of others it knows no schema. */
const elementsOf = (
  type: SearchType & Partial<Pick<RecordType, 'schema'>>,
): ((name: string) => boolean) | undefined => {
  const { schema } = type;
  return (
    schema &&
    ((name) =>
      name === 'resourceType' ||
      schema.propertiesOf(name).length > 0 ||
      // `valueQuantity` is a property of `value[x]`
      [...name.matchAll(/[A-Z]/g)].some(({ index }) =>
        schema.propertiesOf(name.slice(0, index)).some((property) => property.name === name),
      ))
  );
};

const readingOf = ({ request, now }: SearchRequest, strict: boolean) => ({ strict, baseUrl: request.baseUrl, now });

const within = ({ membership }: Scope, searched: readonly Searched[]): Searched[] =>
  searched.map(({ recordType, query }) => ({
    recordType,
    query: membership ? { ...query, conditions: [membership(recordType), ...query.conditions] } : query,
  }));

const opened = async (
  asked: SearchRequest,
  types: SearchTypes | undefined,
  { query, searched }: Pick<OpenSearch, 'query' | 'searched'>,
  { ofPatient = false }: Scope,
  grouped: (parts: readonly Part[]) => readonly Part[],
): Promise<OpenSearch> => {
  refuseContained(query);
  const notes = query.explain ? await notesFor(asked) : undefined;
  // What is shared is looked up beside the notes: they must not tell a chart that is hidden from one that is empty.
  const request = notes ? { ...asked, store: notes.store, audit: asked.audit.over(notes.store) } : asked;
  const conditions = [...new Set(searched.flatMap((each) => each.query.conditions))];
  const run = new Run(request, types, await terminologyFor(request, conditions));
  run.notes = notes;
  run.looksAtReferences = searched.some(({ query: own }) => looksAtReferences(own));
  if (searched.some((each) => comparesUnits(each.query.conditions, each.query.sort))) run.units = await loadUnits();
  const includes = query.summary === 'count' || query.count === 0 ? [] : query.includes;
  const follows = lookupsOf(conditions).length > 0;
  const following = follows || includes.length > 0 ? await import('./following.lazy.ts') : undefined;
  const joins = follows && following ? new following.Joins(run, finding) : undefined;
  const planOf = async ({ recordType, query: own }: Searched): Promise<SearchPlan> => {
    const plan = await (joins?.planned(recordType, own.conditions) ?? planSearch(run.of(recordType), own.conditions));
    return ofPatient && own.conditions.length === 1 && plan.plan.kind === 'charts' ? { ...plan, exact: true } : plan;
  };
  return {
    run,
    query,
    searched,
    parts: async () => {
      await joins?.begin(conditions);
      const parts: Part[] = [];
      for (const each of searched) {
        const plan = await planOf(each);
        for (const chart of plan.charts) run.named.add(chart);
        parts.push({ ...plan, searched: [each] });
      }
      const [chart, ...others] = run.named;
      if (chart !== undefined && others.length === 0) following?.readAheadOf(run, finding, includes, chart);
      return grouped(parts);
    },
  };
};

/** A patient who is named is the one whose chart it is. */
const looksAtReferences = ({ conditions, sort, includes }: SearchQuery): boolean =>
  includes.some(({ kind }) => kind === 'revinclude') ||
  conditions.some((each) => each.kind !== 'criterion' || isReference(each)) ||
  sort.some(isReference);

const isReference = ({ parameter }: Pick<SortRule, 'parameter'>): boolean =>
  parameter.type === 'reference' && parameter.code !== 'patient' && parameter.code !== 'subject';

/** What the conditions ask of code systems and value sets; undefined where they ask nothing, as most do. */
const terminologyFor = async (
  request: SearchRequest,
  conditions: readonly Condition[],
): Promise<TerminologyFacts | undefined> => {
  const needed = terminologyOf(conditions);
  if (needed.valueSets.length === 0 && needed.codes.length === 0) return undefined;
  return (await import('../terms/search-terms.lazy.ts')).loadTerminology(request, needed);
};

const notesFor = async ({ asking, store }: SearchRequest): Promise<CallNotes> => {
  requireExplainer(asking);
  return new (await import('./explanation.lazy.ts')).CallNotes(store);
};

const refuseContained = ({ contained }: SearchQuery): void => {
  if (contained.search !== 'false') {
    throw unsupportedParameter('_contained', 'What stands within other records is not searched for');
  }
};
