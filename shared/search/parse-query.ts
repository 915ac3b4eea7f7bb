import type { SearchParameter } from '../fhir/search-parameter.ts';
import type { SearchLanguage } from './language.ts';
import { parseCondition } from './parse/condition.ts';
import type { ParseContext } from './parse/context.ts';
import { valueCounter } from './parse/criterion.ts';
import { parseList } from './parse/list.ts';
import { parseText } from './parse/text.ts';
import { invalidParameter, unsupportedParameter } from './refusal.ts';
import { isResultParameter, parseResultParameters } from './result-parameters.ts';
import type { Condition, SearchQuery, SearchWarning } from './search-query.ts';
import { parseTextQuery } from './text-query.ts';

export type * from './search-query.ts';

/** How a search is read. */
export interface SearchOptions extends SearchLanguage {
  /** `Prefer: handling=strict`: refuse what is unknown or not served instead of ignoring it with a warning. */
  readonly strict: boolean;
  readonly resourceType: string;
  /** The server's base without a slash at its end. */
  readonly baseUrl: string;
  /** Milliseconds since 1970, for `ap` with a date; the time of the call if absent. */
  readonly now?: number;
  /**
   * What other types can be searched by, for chains, `_has` and includes; undefined for a type that this function knows nothing of. What
   * leads through such types is refused as not supported. If absent, only the searched type is known, and nothing is included.
   */
  readonly parametersOf?: (resourceType: string) => readonly SearchParameter[] | undefined;
  /** Whether the type has a root element of this name; any name will do if absent. */
  readonly hasElement?: ((name: string) => boolean) | undefined;
}

/** More than any search has; a name is repeated in refusals. */
const longestName = 500;

/**
 * Reads the parameters of a search, whose values are percent-decoded already.
 *
 * @param parameters - what the type can be searched by.
 * @throws RecordError `invalid`, with the parameter's name as sent, for a modifier, prefix or value that breaks a rule; for a named query
 * and for what leads through types that are not known here; with `strict` also for what is unknown or not served; `too-costly` for too
 * many values.
 * @see https://hl7.org/fhir/R4/search.html
 */
export const parseSearchQuery = (
  parameters: readonly SearchParameter[],
  query: readonly (readonly [name: string, value: string])[],
  options: SearchOptions,
): SearchQuery => {
  const { strict, resourceType, baseUrl, now = Date.now(), parametersOf, parseFilter, units } = options;
  const context: ParseContext = {
    baseUrl,
    now,
    parametersOf: (type) => (type === resourceType ? parameters : parametersOf?.(type)),
    joins: parametersOf !== undefined,
    spend: valueCounter(),
    parseFilter,
    units,
  };
  const conditions: Condition[] = [];
  const warnings: SearchWarning[] = [];
  const understood: (readonly [string, string])[] = [];
  const result: (readonly [string, string])[] = [];
  const ignore = (parameter: string, message: string) => {
    if (strict) throw unsupportedParameter(parameter, message);
    warnings.push({ parameter, message });
  };
  for (const pair of withoutRepetitions(query)) {
    const [name, text] = pair;
    if (name.length > longestName) throw invalidParameter(`${name.slice(0, 50)}…`, 'The name is too long');
    if (isResultParameter(name.replace(/[:.].*$/s, ''))) result.push(pair);
    else {
      const condition =
        parseCommon(context, resourceType, name, text) ?? parseCondition(context, resourceType, name, text);
      if (condition) {
        conditions.push(condition);
        understood.push(pair);
      } else ignore(name, `${resourceType} has no such search parameter${strict ? '' : '; it was not used'}`);
    }
  }
  const managed = parseResultParameters(result, context, { resourceType, hasElement: options.hasElement }, ignore);
  return { conditions, ...managed, warnings, understood: [...understood, ...managed.understood] };
};

/**
 * A condition or an include that is repeated to the letter says nothing new, and would be looked up again. What can be given once is kept, to
 * be refused.
 */
const withoutRepetitions = (query: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] => {
  const said = new Set<string>();
  return query.filter(([name, text]) => {
    const whole = JSON.stringify([name, text]);
    const again = said.has(whole);
    said.add(whole);
    return !again || (isResultParameter(name) && !/^_(?:rev)?include$/.test(name));
  });
};

/** Parameters of every type that select by something else than elements. https://hl7.org/fhir/R4/search.html#all */
const parseCommon = (
  context: ParseContext,
  resourceType: string,
  name: string,
  text: string,
): Condition | undefined => {
  const [, code = '', suffix = ''] = /^(_\w+)(.*)$/s.exec(name) ?? [];
  if (!common.has(code)) return undefined;
  if (suffix !== '') throw invalidParameter(name, 'This parameter takes no modifier');
  switch (code) {
    case '_filter':
      if (!context.parseFilter) throw new Error('A filter is read, and its grammar was not loaded');
      return context.parseFilter(context, resourceType, text);
    case '_text':
    case '_content': {
      const query = parseTextQuery(name, parseText(name, text));
      return { kind: 'text', of: code === '_text' ? 'narrative' : 'content', query };
    }
    case '_list':
      return parseList(context, name, text);
    default:
      throw unsupportedParameter(name, 'Named queries (_query) are not supported');
  }
};

const common: ReadonlySet<string> = new Set(['_filter', '_text', '_content', '_list', '_query']);
