import { foldText } from './fold.ts';
import { invalidParameter } from './refusal.ts';

// The language of the OData specification for $search, whose words R4 recommends: https://hl7.org/fhir/R4/search.html#text

/** A search for words: single ones, phrases, and what AND, OR and NOT make of them. */
export type TextQuery =
  /** Folded words in a row, the last of them whole unless it is a prefix. */
  | { readonly words: string; readonly isPrefix: boolean }
  | { readonly all: readonly TextQuery[] }
  | { readonly any: readonly TextQuery[] }
  | { readonly not: TextQuery };

/** Parentheses within each other, and NOT before NOT. */
const deepestQuery = 16;
const mostTokens = 200;

/**
 * Reads `(bone OR liver) and "metastases of the lung" NOT benign*`. Words side by side must all be there; AND binds closer than OR; an
 * asterisk stands for the rest of a word.
 *
 * @throws RecordError `invalid` for a query that is none, has no words, or too many.
 */
export const parseTextQuery = (name: string, text: string): TextQuery => {
  const tokens = text.match(/"[^"]*"?|[()]|[^\s()"]+/g) ?? [];
  if (tokens.length > mostTokens)
    throw invalidParameter(name, `A text search has ${mostTokens} words and operators at most`);
  let at = 0;
  const isNext = (word: string): boolean => tokens[at]?.toUpperCase() === word;
  const accept = (word: string): boolean => {
    if (!isNext(word)) return false;
    at++;
    return true;
  };
  const either = (depth: number): TextQuery => {
    if (depth > deepestQuery) throw invalidParameter(name, `A text search has ${deepestQuery} levels at most`);
    const any = [both(depth)];
    while (accept('OR')) any.push(both(depth));
    const [only = { any }] = any;
    return any.length === 1 ? only : { any };
  };
  const both = (depth: number): TextQuery => {
    const all = [negated(depth)];
    while (at < tokens.length && !isNext('OR') && !isNext(')')) {
      accept('AND');
      all.push(negated(depth));
    }
    const [only = { all }] = all;
    return all.length === 1 ? only : { all };
  };
  const negated = (depth: number): TextQuery => {
    if (accept('NOT')) return { not: depth > deepestQuery ? either(depth + 1) : negated(depth + 1) };
    if (accept('(')) {
      const inner = either(depth + 1);
      if (!accept(')')) throw invalidParameter(name, 'A parenthesis is not closed');
      return inner;
    }
    return term(tokens[at++]);
  };
  const term = (token: string | undefined): TextQuery => {
    const words = token === undefined || /^(?:and|or|\))$/i.test(token) ? '' : foldText(token.replace(/^"|"$/g, ''));
    if (words === '') throw invalidParameter(name, 'A text search lists words or "phrases", joined by AND, OR and NOT');
    return { words, isPrefix: token?.endsWith('*') ?? false };
  };
  const query = either(1);
  if (at < tokens.length) throw invalidParameter(name, 'A parenthesis is not opened');
  return query;
};

/** Whether a text that `foldText` has made answers a query. */
export const answersText = (query: TextQuery, folded: string): boolean => {
  const padded = ` ${folded} `;
  const answers = (part: TextQuery): boolean => {
    if ('all' in part) return part.all.every(answers);
    if ('any' in part) return part.any.some(answers);
    if ('not' in part) return !answers(part.not);
    return padded.includes(part.isPrefix ? ` ${part.words}` : ` ${part.words} `);
  };
  return answers(query);
};
