import { type SearchTypes, searchTypes } from '../../record-types/search-types.ts';
import { terminologyOf } from '../../search/joins.ts';
import { parseSearchQuery, type SearchQuery } from '../../search/parse-query.ts';
import { unsupportedParameter } from '../../search/refusal.ts';
import { loadTerminology } from '../terminology.ts';
import { Joins } from './joins.ts';
import type { SearchPlan } from './plan.ts';
import { Run, type SearchContext } from './run.ts';

/** A search that is understood, and has read no record yet that it is about. */
export interface OpenSearch {
  readonly run: Run;
  readonly query: SearchQuery;
  /** Plans it; to this end, what it refers to may be read. */
  readonly planned: () => Promise<SearchPlan>;
}

/** Names and values that lead to records of other types. */
const leadsElsewhere = ([name, value]: readonly [string, string]): boolean =>
  /\.|^_(?:has|include|revinclude|list)\b|:(?:above|below)$/.test(name) || (name === '_filter' && value.includes('.'));

/** AuditEvents are no records, but rows of logs, so no search of records leads to them. */
const parametersIn = (types: SearchTypes) => (name: string) =>
  name === 'AuditEvent' ? undefined : types.get(name)?.searchParameters;

/**
 * Reads a search of the context's type.
 *
 * @param sent - names and values, percent-decoded.
 * @throws RecordError as `parseSearchQuery` and `loadTerminology` do.
 */
export const openSearch = async (
  context: SearchContext,
  sent: readonly (readonly [string, string])[],
  { strict }: { readonly strict: boolean },
): Promise<OpenSearch> => {
  const { recordType, request, now } = context;
  const types = sent.some(leadsElsewhere) ? await searchTypes() : undefined;
  const query = parseSearchQuery(recordType.searchParameters, sent, {
    strict,
    resourceType: recordType.name,
    baseUrl: request.baseUrl,
    now,
    ...(types ? { parametersOf: parametersIn(types) } : {}),
  });
  if (query.contained.search !== 'false') {
    throw unsupportedParameter('_contained', 'What stands within other records is not searched for');
  }
  const run = new Run(context, types, await loadTerminology(context, terminologyOf(query.conditions)));
  const joins = new Joins(run);
  return {
    run,
    query,
    planned: async () => {
      await joins.begin(query.conditions);
      const plan = await joins.planned(recordType, query.conditions);
      for (const chart of plan.charts) run.named.add(chart);
      return plan;
    },
  };
};
