import { escapeValue, splitValue, unescapeValue } from '../escape.ts';
import { invalidParameter } from '../refusal.ts';
import type { OfTypeValue, TokenValue } from '../search-query.ts';

/**
 * Reads `code`, `system|code`, `|code` or `system|`. https://hl7.org/fhir/R4/search.html#token
 *
 * @throws RecordError `invalid` if both are empty or there are further bars.
 */
export const parseToken = (name: string, text: string): TokenValue => {
  const parts = splitValue(text, '|').map(unescapeValue);
  const [first, second, ...further] = parts;
  if (first === undefined || further.length > 0 || parts.includes(undefined)) {
    throw invalidParameter(
      name,
      'A token is code, system|code, |code or system|; a bar or backslash that belongs to it is written \\| or \\\\',
    );
  }
  if (second === undefined) return { type: 'token', system: undefined, code: first };
  if (first === '' && second === '') throw invalidParameter(name, 'A token names a system, a code or both');
  return { type: 'token', system: first, code: second === '' ? undefined : second };
};

/**
 * Reads `system|code|value` of an identifier's type and value. https://hl7.org/fhir/R4/search.html#token
 *
 * @throws RecordError `invalid` unless all three are there.
 */
export const parseOfType = (name: string, text: string): OfTypeValue => {
  const [system, code, value, ...further] = splitValue(text, '|').map(unescapeValue);
  if (!system || !code || !value || further.length > 0) {
    throw invalidParameter(name, 'An identifier by its type is system|code|value, and none of them is empty');
  }
  return { type: 'of-type', system, code, value };
};

/** Writes a token as `parseToken` reads it. */
export const printToken = ({ system, code }: TokenValue): string =>
  system === undefined ? escapeValue(code ?? '') : `${escapeValue(system)}|${escapeValue(code ?? '')}`;
