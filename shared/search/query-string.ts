import type { SearchQuery } from './search-query.ts';

/** The parameters that a search used, as the query of its `self` link. https://hl7.org/fhir/R4/search.html#conformance */
export const toQueryString = ({ understood }: Pick<SearchQuery, 'understood'>): string =>
  understood.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
