import type { SearchValue } from '../../fhir/search-parameter.ts';
import type { UriValue } from '../search-query.ts';
import { splitVersion } from '../versioned-url.ts';

/**
 * Whether a URI is the searched one, begins with it (`:below`) or is what it begins with (`:above`); case counts. A canonical matches with
 * or without the version it names. https://hl7.org/fhir/R4/search.html#uri
 *
 * @param version - business version of the resource, for `url=http://example.org/ValueSet/1|2.0`.
 */
export const matchesUri = (
  { value: searched }: UriValue,
  modifier: string | undefined,
  { type, value }: SearchValue,
  version: unknown,
): boolean => {
  if (typeof value !== 'string') return false;
  if (modifier === 'below') return value.startsWith(searched);
  if (modifier === 'above') return searched.startsWith(value);
  if (value === searched) return true;
  if (type === 'canonical') return splitVersion(value)[0] === searched;
  const [url, searchedVersion] = splitVersion(searched);
  return searched.includes('|') && url === value && searchedVersion === version;
};
