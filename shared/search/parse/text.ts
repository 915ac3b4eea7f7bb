import { unescapeValue } from '../escape.ts';
import { foldText } from '../fold.ts';
import { invalidParameter } from '../refusal.ts';
import type { StringValue, UriValue } from '../search-query.ts';

/**
 * Takes the escapes out of a value.
 *
 * @throws RecordError `invalid` for a backslash that escapes nothing.
 */
export const parseText = (name: string, text: string): string => {
  const value = unescapeValue(text);
  if (value === undefined) throw invalidParameter(name, 'A backslash that belongs to a value is written \\\\');
  return value;
};

/**
 * Reads a string. https://hl7.org/fhir/R4/search.html#string
 *
 * @throws RecordError `invalid` if it has only punctuation and spaces, which would match everything.
 */
export const parseString = (name: string, text: string, modifier: string | undefined): StringValue => {
  const value = parseText(name, text);
  const folded = foldText(value);
  if (folded === '' && modifier !== 'exact')
    throw invalidParameter(name, 'A text to search for has a letter or a digit');
  return { type: 'string', value, folded };
};

/** Reads a URI. `:above` and `:below` are for URLs, not for URNs. https://hl7.org/fhir/R4/search.html#uri */
export const parseUri = (name: string, text: string, modifier: string | undefined): UriValue => {
  const value = parseText(name, text);
  if (modifier !== undefined && /^urn:/i.test(value)) {
    throw invalidParameter(name, 'The modifiers :above and :below apply to URLs, not to URNs');
  }
  return { type: 'uri', value };
};
