import type { SearchValue } from '../../fhir/search-parameter.ts';
import type { TerminologyFacts } from '../facts.ts';
import { unsupportedParameter } from '../refusal.ts';
import type { TokenValue, ValueSetValue } from '../search-query.ts';
import { matchesToken } from './token.ts';

/** What an element was selected by, and what is known of terminology. */
export interface CodeContext {
  readonly resourceType: string;
  /** Code of the search parameter. */
  readonly parameter: string;
  /** The parameter's name as sent, for a refusal. */
  readonly name: string;
  readonly terminology: TerminologyFacts | undefined;
}

/** `:in`: whether any of an element's codes is in a value set. https://hl7.org/fhir/R4/search.html#token */
export const matchesValueSet = ({ url }: ValueSetValue, target: SearchValue, context: CodeContext): boolean => {
  const members = context.terminology?.members(url);
  if (!members) throw unsupportedParameter(context.name, 'This value set is not known here');
  return codesOf(target, context).some(({ system, code }) => code !== undefined && members.has(system, code));
};

/**
 * `:below`: whether any of an element's codes is the searched one or is subsumed by it; `:above`: whether it subsumes it. Of MIME types,
 * what is below is the same type with parameters, and of `image` every image. https://hl7.org/fhir/R4/search.html#token
 */
export const matchesSubsumed = (
  token: TokenValue,
  direction: 'above' | 'below',
  target: SearchValue,
  context: CodeContext,
): boolean => {
  if (matchesToken(token, target)) return true;
  const searched = token.code;
  if (searched === undefined) return false;
  if (isMimeType(token, context.parameter)) {
    const found = target.value;
    if (typeof found !== 'string') return false;
    const within = (narrow: string, wide: string) =>
      narrow.startsWith(`${wide};`) || (!wide.includes('/') && narrow.startsWith(`${wide}/`));
    return direction === 'below' ? within(found, searched) : within(searched, found);
  }
  const { terminology } = context;
  if (!terminology) throw unsupportedParameter(context.name, 'No code systems are known here');
  const asked = token.system;
  return codesOf(target, context).some(({ system, code }) => {
    // a code has no system of its own; its binding may imply one
    const isOther = target.type === 'code' ? asked && system && asked !== system : asked !== (system ?? '');
    if (code === undefined || (asked !== undefined && isOther)) return false;
    const inSystem = system ?? (asked || undefined);
    return direction === 'below'
      ? terminology.ancestors(inSystem, code).has(searched)
      : terminology.ancestors(inSystem, searched).has(code);
  });
};

/**
 * Whether a token is the type of a file, or the first part of one, whose codes need no code system. https://hl7.org/fhir/R4/search.html#mimetype
 *
 * @param parameter - code of the search parameter.
 */
export const isMimeType = ({ system, code }: TokenValue, parameter: string): boolean =>
  !system && ((code?.includes('/') ?? false) || /^content-?type$/.test(parameter));

/** The codings of an element; a `code` has the system that its binding implies. */
const codesOf = (
  { type, value }: SearchValue,
  { terminology, resourceType, parameter }: CodeContext,
): readonly { system?: string | undefined; code?: string | undefined }[] => {
  if (type === 'CodeableConcept') return (value as fhir4.CodeableConcept).coding ?? [];
  if (type === 'Coding' || type === 'Quantity') return [value as fhir4.Coding];
  if (typeof value !== 'string') return [];
  const implied = type === 'code' ? terminology?.systemsOf(resourceType, parameter, value) : undefined;
  return implied?.length ? implied.map((system) => ({ system, code: value })) : [{ code: value }];
};
