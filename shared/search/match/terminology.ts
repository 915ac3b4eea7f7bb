import type { SearchValue } from '../../fhir/search-parameter.ts';
import type { TerminologyFacts } from '../facts.ts';
import { unsupportedParameter } from '../refusal.ts';
import type { TokenValue, ValueSetValue } from '../search-query.ts';
import { matchesToken } from './token.ts';

/** `:in`: whether any of an element's codes is in a value set. https://hl7.org/fhir/R4/search.html#token */
export const matchesValueSet = (
  { url }: ValueSetValue,
  target: SearchValue,
  terminology: TerminologyFacts | undefined,
  name: string,
): boolean => {
  const members = terminology?.members(url);
  if (!members) throw unsupportedParameter(name, 'This value set is not known here');
  return codesOf(target).some(({ system, code }) => code !== undefined && members.has(system, code));
};

/**
 * `:below`: whether any of an element's codes is the searched one or is subsumed by it; `:above`: whether it subsumes it. Of MIME types,
 * what is below is the same type with parameters. https://hl7.org/fhir/R4/search.html#token
 */
export const matchesSubsumed = (
  token: TokenValue,
  direction: 'above' | 'below',
  target: SearchValue,
  terminology: TerminologyFacts | undefined,
  name: string,
): boolean => {
  if (matchesToken(token, target)) return true;
  const searched = token.code;
  if (searched === undefined) return false;
  if (isMimeType(token)) {
    const found = target.value;
    if (typeof found !== 'string') return false;
    return direction === 'below' ? found.startsWith(`${searched};`) : searched.startsWith(`${found};`);
  }
  if (!terminology) throw unsupportedParameter(name, 'No code systems are known here');
  return codesOf(target).some(({ system, code }) => {
    if (code === undefined || (token.system && system !== undefined && system !== token.system)) return false;
    const inSystem = system ?? (token.system || undefined);
    return direction === 'below'
      ? terminology.ancestors(inSystem, code).has(searched)
      : terminology.ancestors(inSystem, searched).has(code);
  });
};

/** Whether a token is the type of a file, whose codes need no code system. https://hl7.org/fhir/R4/search.html#mimetype */
export const isMimeType = ({ system, code }: TokenValue): boolean => !system && (code?.includes('/') ?? false);

/** The codings of an element; a `code` has the system that its binding implies, and none of its own. */
const codesOf = ({
  type,
  value,
}: SearchValue): readonly { system?: string | undefined; code?: string | undefined }[] => {
  if (type === 'CodeableConcept') return (value as fhir4.CodeableConcept).coding ?? [];
  if (type === 'Coding' || type === 'Quantity') return [value as fhir4.Coding];
  return typeof value === 'string' ? [{ code: value }] : [];
};
