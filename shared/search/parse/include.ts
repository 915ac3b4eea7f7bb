import { isResourceType } from '../../fhir/references.ts';
import { invalidParameter } from '../refusal.ts';
import type { Include } from '../search-query.ts';
import { type ParseContext, parameterOf } from './context.ts';

const notServed = 'Including other resources is not supported here; none were included';

/** Each is a search of its own. */
export const mostIncludes = 50;

/**
 * Reads `Source:parameter`, `Source:parameter:Target`, `Source:*` or `*`. https://hl7.org/fhir/R4/search.html#include
 *
 * @param name - `_include` or `_revinclude`, with or without `:iterate`.
 * @param searched - type of the records that are searched.
 * @returns the reason as text, if it could never include anything.
 * @throws RecordError `invalid` for another modifier, another form, or a type that does not exist.
 */
export const parseInclude = (context: ParseContext, searched: string, name: string, text: string): Include | string => {
  const [, kind, iterate] = /^_(include|revinclude)(:iterate)?$/.exec(name) ?? [];
  if (kind === undefined) throw invalidParameter(name, 'This parameter takes no modifier but :iterate');
  const [first = '', code, target, ...further] = text.split(':');
  const isStar = first === '*' && code === undefined;
  if (
    !isStar &&
    (!isResourceType(first) || !code || further.length > 0 || (target !== undefined && !isResourceType(target)))
  )
    throw invalidParameter(
      name,
      'An include is [type]:[reference] or [type]:[reference]:[type], with types that exist',
    );
  const include = {
    kind: kind === 'include' ? ('include' as const) : ('revinclude' as const),
    iterate: iterate !== undefined,
    target,
  };
  if (!context.joins) return notServed;
  if (isStar) return { ...include, source: kind === 'include' ? searched : undefined, parameter: undefined };
  if (!context.parametersOf(first)) return notServed;
  const parameter = code === '*' ? undefined : parameterOf(context, first, code ?? '');
  if (code !== '*' && parameter?.type !== 'reference') return `${first} has no such reference; none were included`;
  if (target !== undefined && parameter?.targets && !parameter.targets.includes(target))
    return `This reference of ${first} cannot point at a ${target}; none were included`;
  const leads =
    include.iterate ||
    (kind === 'include'
      ? first === searched
      : (target ?? searched) === searched && (parameter?.targets?.includes(searched) ?? true));
  return leads
    ? { ...include, source: first, parameter }
    : `Nothing that is found has this reference, or is its target; with :iterate it also applies to what is included`;
};
