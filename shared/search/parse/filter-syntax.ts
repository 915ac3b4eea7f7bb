import { invalidParameter } from '../refusal.ts';
import { longestPath } from './context.ts';

// The grammar of https://hl7.org/fhir/R4/search_filter.html#intro

/** One name of a path, with the filter in brackets behind it. */
export interface PathStep {
  readonly name: string;
  readonly filter: FilterSyntax | undefined;
}

/** A filter as it is written. */
export type FilterSyntax =
  | { readonly kind: 'all' | 'any'; readonly filters: readonly FilterSyntax[] }
  | { readonly kind: 'not'; readonly filter: FilterSyntax }
  | { readonly kind: 'test'; readonly path: readonly PathStep[]; readonly operator: string; readonly value: string };

const longestFilter = 4_000;
const deepestFilter = 16;

/**
 * Reads a filter. `and` and `or` are taken from left to right, neither before the other.
 *
 * @returns the filter, and how many tests it has.
 * @throws RecordError `invalid` for what breaks the grammar, is too long or too deep.
 */
export const parseFilterSyntax = (name: string, text: string): { syntax: FilterSyntax; tests: number } => {
  if (text.length > longestFilter) throw invalidParameter(name, `A filter has ${longestFilter} letters at most`);
  const reader = new FilterReader(name, text);
  const syntax = reader.filter(1);
  reader.end();
  return { syntax, tests: reader.tests };
};

class FilterReader {
  readonly #name: string;
  readonly #text: string;
  #at = 0;
  tests = 0;

  constructor(name: string, text: string) {
    this.#name = name;
    this.#text = text;
  }

  filter(depth: number): FilterSyntax {
    if (depth > deepestFilter) throw this.#broken(`A filter has ${deepestFilter} levels at most`);
    let left = this.#operand(depth);
    for (;;) {
      const joint = this.#take(/\s*(and|or)(?=[\s(])/y);
      if (joint === undefined) return left;
      const kind = joint === 'and' ? 'all' : 'any';
      const right = this.#operand(depth);
      left = { kind, filters: left.kind === kind ? [...left.filters, right] : [left, right] };
    }
  }

  end(): void {
    if (this.#take(/\s*(.)/sy) !== undefined) throw this.#broken('Tests are joined by and or or');
  }

  #operand(depth: number): FilterSyntax {
    const open = this.#take(/\s*((?:not\s*)?\()/y);
    if (open === undefined) return this.#test(depth);
    const filter = this.filter(depth + 1);
    if (this.#take(/\s*(\))/y) === undefined) throw this.#broken('A parenthesis is not closed');
    return open === '(' ? filter : { kind: 'not', filter };
  }

  #test(depth: number): FilterSyntax {
    this.tests++;
    const path: PathStep[] = [];
    do {
      const name = this.#take(path.length === 0 ? /\s*([_A-Za-z][-\w]*)/y : /([_A-Za-z][-\w]*)/y);
      if (name === undefined) throw this.#broken('A test is: path operator value, such as birthdate ge 2014-10-10');
      const filter = this.#take(/(\[)/y) === undefined ? undefined : this.filter(depth + 1);
      if (filter !== undefined && this.#take(/\s*(\])/y) === undefined) throw this.#broken('A bracket is not closed');
      path.push({ name, filter });
      if (path.length > longestPath + 1) throw this.#broken(`A path goes through ${longestPath} records at most`);
    } while (this.#take(/(\.)/y) !== undefined);
    if (path.at(-1)?.filter !== undefined) throw this.#broken('A bracket is followed by a dot and a name');
    const operator = this.#take(/\s+(eq|ne|co|sw|ew|gt|lt|ge|le|ap|sa|eb|pr|po|ss|sb|in|ni|re)(?=\s)/y);
    if (operator === undefined) throw this.#broken('A path is followed by an operator, such as eq');
    return { kind: 'test', path, operator, value: this.#value() };
  }

  #value(): string {
    const quoted = this.#take(/\s+("(?:[^"\\]|\\.)*")/sy);
    const value = quoted === undefined ? this.#take(/\s+([^\s\])]+)/y) : this.#json(quoted);
    if (value === undefined || value === '' || value.startsWith('"'))
      throw this.#broken('An operator is followed by a value');
    return value;
  }

  #json(text: string): string {
    try {
      return String(JSON.parse(text));
    } catch {
      throw this.#broken('A text in quotation marks is written as in JSON');
    }
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found[1];
  }

  #broken(message: string): Error {
    return invalidParameter(this.#name, message);
  }
}
