import { RecordError } from '../../errors.ts';
import { resourceTypes } from '../../fhir/generated/resource-types.ts';
import { isResourceType } from '../../fhir/references.ts';
import type { SearchParameter } from '../../fhir/search-parameter.ts';
import { invalidParameter, unsupportedParameter } from '../refusal.ts';
import type { Chain, Condition, Has, Target } from '../search-query.ts';
import { longestPath, type ParseContext, parameterOf } from './context.ts';
import { parseCriterion } from './criterion.ts';

/** Part of a parameter's name that is still to be read, and the name as sent. */
interface Name {
  readonly rest: string;
  readonly sent: string;
  /** Records gone through so far. */
  readonly depth: number;
}

/**
 * Reads one parameter: `code`, `code:modifier`, a chain of them, or `_has`.
 *
 * @param resourceType - type of the records that are searched.
 * @returns undefined if the type has no such parameter.
 * @throws RecordError `invalid` for what breaks a rule or is too long a path; `too-costly` for too many values; `not-supported` for what
 * leads through types that this function knows nothing of.
 */
export const parseCondition = (
  context: ParseContext,
  resourceType: string,
  name: string,
  text: string,
): Condition | undefined => condition(context, resourceType, { rest: name, sent: name, depth: 0 }, text);

const condition = (
  context: ParseContext,
  resourceType: string,
  { rest, sent, depth }: Name,
  text: string,
): Condition | undefined => {
  if (depth > longestPath) throw invalidParameter(sent, `A condition goes through ${longestPath} records at most`);
  if (/^_has(?::|$)/.test(rest)) return reverse(context, resourceType, { rest, sent, depth }, text);
  const [, code = '', modifier, next] = /^([^:.]*)(?::([^.]*))?(?:\.(.*))?$/s.exec(rest) ?? [];
  const parameter = parameterOf(context, resourceType, code);
  if (!parameter) return undefined;
  return next === undefined
    ? parseCriterion(context, resourceType, parameter, sent, modifier, text)
    : chain(context, parameter, modifier, { rest: next, sent, depth: depth + 1 }, text);
};

/** https://hl7.org/fhir/R4/search.html#chaining */
const chain = (
  context: ParseContext,
  parameter: SearchParameter,
  modifier: string | undefined,
  name: Name,
  text: string,
): Chain => {
  const targets = targetsBehind(context, parameter, modifier, name.sent, (resourceType) => {
    const found = condition(context, resourceType, name, text);
    return found && [found];
  });
  return { kind: 'chain', name: name.sent, parameter, targets };
};

/**
 * What each type that a reference may lead to makes of the rest: a parameter of one name may be another in another type, and then only the
 * types count that can make something of it.
 *
 * @throws RecordError the first refusal if none can; `not-supported` if nothing is known of them here.
 */
export const targetsBehind = (
  context: ParseContext,
  parameter: SearchParameter,
  modifier: string | undefined,
  name: string,
  conditionsOf: (resourceType: string) => readonly Condition[] | undefined,
): Target[] => {
  const types = typesBehind(parameter, modifier, name);
  context.spend(types.length, name); // a reference to anything, again and again, would branch without end
  let refusal: unknown;
  const targets = types.flatMap((resourceType): Target[] => {
    try {
      const conditions = conditionsOf(resourceType);
      return conditions ? [{ resourceType, conditions }] : [];
    } catch (error) {
      if (!(error instanceof RecordError) || error.kind !== 'invalid') throw error;
      refusal ??= error;
      return [];
    }
  });
  if (targets.length > 0) return targets;
  if (refusal !== undefined) throw refusal;
  throw types.some((type) => context.parametersOf(type))
    ? invalidParameter(name, `No type that ${parameter.code} may point at has the parameter that follows it`)
    : unsupportedParameter(name, `Chained parameters (${parameter.code}.…) are not supported here`);
};

/**
 * The types that a reference may lead to.
 *
 * @throws RecordError `invalid` if it is no reference, or cannot lead to the type in its modifier.
 */
const typesBehind = (
  { code, type, targets = resourceTypes }: SearchParameter,
  modifier: string | undefined,
  name: string,
): readonly string[] => {
  if (type !== 'reference') throw invalidParameter(name, `${code} is no reference, so nothing can be chained to it`);
  if (modifier === undefined) return targets;
  if (!targets.includes(modifier))
    throw invalidParameter(name, `A chain goes on from ${code} or ${code}:[type], with a type that it may point at`);
  return [modifier];
};

/** https://hl7.org/fhir/R4/search.html#has */
const reverse = (context: ParseContext, searched: string, { rest, sent, depth }: Name, text: string): Has => {
  const [, resourceType = '', code = '', next = ''] = /^_has:([^:.]*):([^:.]*):(.+)$/s.exec(rest) ?? [];
  if (!isResourceType(resourceType))
    throw invalidParameter(sent, '_has is followed by :[type]:[reference]:[parameter]');
  if (!context.parametersOf(resourceType))
    throw unsupportedParameter(sent, 'Reverse chaining (_has) is not supported here');
  const parameter = parameterOf(context, resourceType, code);
  if (parameter?.type !== 'reference' || !(parameter.targets ?? [searched]).includes(searched)) {
    throw invalidParameter(sent, `${resourceType} has no such reference to ${searched}`);
  }
  const found = condition(context, resourceType, { rest: next, sent, depth: depth + 1 }, text);
  if (!found) throw invalidParameter(sent, `${resourceType} has no such search parameter`);
  return { kind: 'has', name: sent, resourceType, parameter, conditions: [found] };
};
