import { parseReference } from '../../fhir/references.ts';
import type { SearchParameter, SearchValue } from '../../fhir/search-parameter.ts';
import { localReference } from '../local-reference.ts';
import type { ReferenceValue, TokenValue } from '../search-query.ts';
import { splitVersion } from '../versioned-url.ts';
import { matchesToken } from './token.ts';

/**
 * Whether an element points at what is searched for, relative or absolute. Its version counts only if the search names one.
 * https://hl7.org/fhir/R4/search.html#reference
 */
export const matchesReference = (
  { resourceType, id, url, version }: ReferenceValue,
  modifier: string | undefined,
  { targets }: Pick<SearchParameter, 'targets'>,
  target: SearchValue,
  baseUrl: string,
): boolean => {
  const text = referenceText(target);
  if (text === undefined) return false;
  const [address, addressVersion] = splitVersion(text);
  if (version !== undefined && !(modifier === 'below' ? goesOn(addressVersion, version) : version === addressVersion))
    return false;
  if (url !== undefined) return address === url;
  const reference = parseReference(address, baseUrl);
  if (reference.kind !== 'record' || reference.id !== id) return false;
  return resourceType === undefined ? (targets?.includes(reference.type) ?? true) : reference.type === resourceType;
};

/** Whether `1.0` goes on from `1`, as `10` does not. https://hl7.org/fhir/R4/search.html#versions */
const goesOn = (version: string | undefined, beginning: string): boolean =>
  version === beginning || (version?.startsWith(`${beginning}.`) ?? false);

/** `:above` and `:below`: whether an element points at one of the records found. https://hl7.org/fhir/R4/search.html#recursive */
export const matchesHierarchy = (
  target: SearchValue,
  baseUrl: string,
  found: { has(reference: string): boolean },
): boolean => {
  const local = localReference(referenceText(target) ?? '', baseUrl);
  return local !== undefined && found.has(local);
};

/** `:identifier`: whether the reference carries this identifier. https://hl7.org/fhir/R4/search.html#reference */
export const matchesIdentifier = (token: TokenValue, { type, value }: SearchValue): boolean => {
  const identifier = type === 'Reference' ? (value as fhir4.Reference).identifier : undefined;
  return identifier !== undefined && matchesToken(token, { type: 'Identifier', value: identifier });
};

/** What a Reference, a canonical or URI, an Attachment or a nested resource points at. */
export const referenceText = ({ value }: SearchValue): string | undefined => {
  if (typeof value === 'string') return value;
  const { reference, url, resourceType, id } = value as {
    readonly reference?: string;
    readonly url?: string;
    readonly resourceType?: string;
    readonly id?: string;
  };
  if (resourceType !== undefined) return id === undefined ? undefined : `${resourceType}/${id}`;
  return reference ?? url;
};
