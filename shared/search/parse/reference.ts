import { parseReference } from '../../fhir/references.ts';
import type { SearchParameter } from '../../fhir/search-parameter.ts';
import { hierarchies } from '../hierarchies.ts';
import { invalidParameter } from '../refusal.ts';
import type { Hierarchy, ReferenceValue } from '../search-query.ts';
import { splitVersion } from '../versioned-url.ts';
import { parseText } from './text.ts';

/**
 * Reads `id`, `Type/id`, that with `/_history/version`, an absolute or canonical URL, or a URN. A URL inside the base is the record there.
 *
 * @param resourceType - the type in `subject:Patient=…`.
 * @throws RecordError `invalid` for anything else, and for a value that contradicts the type in the name.
 * @see https://hl7.org/fhir/R4/search.html#reference
 */
export const parseReferenceValue = (
  name: string,
  text: string,
  { targets }: Pick<SearchParameter, 'targets'>,
  resourceType: string | undefined,
  baseUrl: string,
): ReferenceValue => {
  const value = parseText(name, text);
  const record = recordValue(value, baseUrl) ?? urlValue(value);
  if (!record)
    throw invalidParameter(name, 'A reference is an id, Type/id with a resource type that exists, or an absolute URL');
  if (resourceType === undefined) {
    const only = record.id !== undefined && targets?.length === 1 ? targets[0] : undefined;
    return { ...record, resourceType: record.resourceType ?? only };
  }
  if (record.id === undefined)
    throw invalidParameter(name, 'A type in the name of the parameter goes with records of this server only');
  if (record.resourceType !== undefined && record.resourceType !== resourceType) {
    throw invalidParameter(name, 'The reference and the name of the parameter give two types');
  }
  return { ...record, resourceType };
};

/**
 * Reads the value of `:above` or `:below`: a record in a hierarchy, or with `:below` a canonical whose version may go on.
 * https://hl7.org/fhir/R4/search.html#recursive
 *
 * @param searched - type of the records that are searched.
 * @throws RecordError `invalid` for what is in no hierarchy, or in one of several types' without saying whose.
 */
export const parseHierarchy = (
  name: string,
  text: string,
  parameter: Pick<SearchParameter, 'code' | 'targets'>,
  direction: 'above' | 'below',
  searched: string,
  baseUrl: string,
): Hierarchy | ReferenceValue => {
  const reference = parseReferenceValue(name, text, parameter, undefined, baseUrl);
  const { resourceType, id } = reference;
  if (id === undefined && direction === 'below') return reference;
  const possible = (parameter.targets ?? Object.keys(hierarchies)).filter((type) => Object.hasOwn(hierarchies, type));
  const type = resourceType ?? (possible.length === 1 ? possible[0] : undefined);
  const ways = type !== undefined && possible.includes(type) ? (hierarchies[type] ?? []) : [];
  const by = type === searched && ways.includes(parameter.code) ? parameter.code : ways[0];
  if (id === undefined || type === undefined || by === undefined) {
    throw invalidParameter(name, `:${direction} needs a record of a type that makes a hierarchy, such as Location/1`);
  }
  return { type: 'hierarchy', name, resourceType: type, id, direction, by };
};

const id = /^[A-Za-z0-9\-.]{1,64}$/;

const recordValue = (text: string, baseUrl: string): ReferenceValue | undefined => {
  const reference = parseReference(text, baseUrl);
  if (reference.kind === 'record') {
    const { type: resourceType, version } = reference;
    return { type: 'reference', resourceType, id: reference.id, url: undefined, version };
  }
  return id.test(text)
    ? { type: 'reference', resourceType: undefined, id: text, url: undefined, version: undefined }
    : undefined;
};

const urlValue = (text: string): ReferenceValue | undefined => {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:./.test(text)) return undefined;
  const [url, version] = splitVersion(text);
  return { type: 'reference', resourceType: undefined, id: undefined, url, version };
};
