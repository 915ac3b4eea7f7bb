import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import type { SearchType } from '../record-types/search-type.ts';
import { comparesUnits, requireSelfContained } from '../search/joins.ts';
import { languageOf } from '../search/language.ts';
import { matches, type RecordFacts } from '../search/matches.ts';
import { parseSearchQuery } from '../search/parse-query.ts';
import { isResultParameter } from '../search/result-parameters.ts';
import { loadUnits } from '../search/units.ts';
import { refusedSubscription } from './refusal.ts';
import type { RequestedFilter } from './requested.ts';

/** Filters that were read: whether a record meets all of them. */
export type Filter = (resource: Resource, facts: Pick<RecordFacts, 'id' | 'lastUpdated'>) => boolean;

const mostParameters = 50;

/**
 * Reads filters of one type. A record itself decides whether it meets them: what would have to look into other records, value sets or hierarchies of
 * codes is refused, for what these say changes without the record.
 *
 * @param type - that all of them are of.
 * @throws RecordError `business-rule`, naming the filter and the parameter.
 */
export const readFilters = async (
  type: SearchType,
  filters: readonly RequestedFilter[],
  { baseUrl, now }: { readonly baseUrl: string; readonly now: number },
): Promise<Filter> => {
  const read = await Promise.all(
    filters.map(async ({ expression, text }) => {
      const sent = [...new URLSearchParams(text.slice(text.indexOf('?') + 1))];
      if (sent.length === 0 || sent.length > mostParameters)
        throw refused(expression, `A search has 1 to ${mostParameters} parameters`);
      const [result] = sent.find(([name]) => isResultParameter(name.replace(/[:.].*$/s, ''))) ?? [];
      if (result !== undefined)
        throw refused(expression, `${shown(result)} says how results are shown, and there are none here`);
      return parsed(type, sent, expression, { baseUrl, now });
    }),
  );
  const conditions = read.flat();
  const units = comparesUnits(conditions, []) ? { units: await loadUnits() } : {};
  return (resource, facts) => matches(conditions, resource, { ...facts, baseUrl, ...units });
};

const parsed = async (
  type: SearchType,
  sent: readonly (readonly [string, string])[],
  expression: string,
  at: { readonly baseUrl: string; readonly now: number },
) => {
  try {
    const query = parseSearchQuery(type.searchParameters, sent, {
      ...at,
      ...(await languageOf(sent)),
      strict: true,
      resourceType: type.name,
    });
    requireSelfContained(query);
    return query.conditions;
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    const { expression: parameter = '', message } = error.details[0] ?? { message: error.message };
    throw refused(expression, parameter === '' ? message : `${shown(parameter)}: ${message}`);
  }
};

/** A name as it was sent may be of any length. */
const shown = (name: string): string => (name.length > 60 ? `${name.slice(0, 60)}…` : name);

const refused = (expression: string, message: string): RecordError =>
  refusedSubscription('criteria-not-served', expression, message);
