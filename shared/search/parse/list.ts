import { splitValue } from '../escape.ts';
import { invalidParameter } from '../refusal.ts';
import type { InList } from '../search-query.ts';
import type { ParseContext } from './context.ts';

/**
 * Reads ids of lists, and functions such as `$current-allergies`. https://hl7.org/fhir/R4/search.html#list
 *
 * @throws RecordError `invalid` for anything else.
 */
export const parseList = (context: ParseContext, name: string, text: string): InList => {
  const parts = splitValue(text, ',');
  context.spend(parts.length, name);
  const ids = parts.filter((part) => /^[A-Za-z0-9\-.]{1,64}$/.test(part));
  const functions = parts.flatMap((part) => /^\$([a-z]+(?:-[a-z]+)*)$/.exec(part)?.[1] ?? []);
  if (ids.length + functions.length < parts.length)
    throw invalidParameter(name, 'A list is the id of a List, or a function such as $current-allergies');
  return { kind: 'list', ids, functions };
};
