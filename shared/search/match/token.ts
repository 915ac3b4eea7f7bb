import type { SearchValue } from '../../fhir/search-parameter.ts';
import { ignoringCase } from '../../terminology/ignoring-case.ts';
import type { OfTypeValue, StringValue, TokenValue } from '../search-query.ts';
import { foldedStarts } from './string.ts';

/** Systems that the binding of a `code` may imply. The element itself carries none, so a search may name it or leave it out. */
const impliedSystem = /^(?:https?:\/\/(?:terminology\.)?hl7\.org\/|http:\/\/unitsofmeasure\.org$|urn:ietf:|urn:iso:)/;
const specialValues = 'http://terminology.hl7.org/CodeSystem/special-values';

/** Whether an element is what the token names. https://hl7.org/fhir/R4/search.html#token */
export const matchesToken = (token: TokenValue, { type, value }: SearchValue): boolean => {
  switch (type) {
    case 'CodeableConcept':
      return (value as fhir4.CodeableConcept).coding?.some((coding) => isCoding(token, coding)) ?? false;
    case 'Coding':
      return isCoding(token, value as fhir4.Coding);
    case 'Quantity': {
      const { system, code, unit } = value as fhir4.Quantity;
      return isPair(token, system, code) || (token.system === undefined && token.code === unit);
    }
    case 'Identifier': {
      const { system, value: code } = value as fhir4.Identifier;
      return isPair(token, system, code);
    }
    case 'Reference': {
      const { identifier } = value as fhir4.Reference;
      return identifier !== undefined && isPair(token, identifier.system, identifier.value);
    }
    case 'ContactPoint': {
      const { system, value: code } = value as fhir4.ContactPoint;
      return isPair(lowerCase(token), system, code?.toLowerCase());
    }
    case 'code':
      return token.system !== undefined && impliedSystem.test(token.system)
        ? token.code === undefined || token.code === value
        : isPair(token, undefined, value as string);
    case 'boolean':
      return isPair(token.system === specialValues ? { ...token, system: undefined } : token, undefined, String(value));
    case 'string':
    case 'markdown':
      return isPair(lowerCase(token), undefined, (value as string).toLowerCase());
    default:
      return typeof value === 'string' && isPair(token, undefined, value);
  }
};

const isCoding = (token: TokenValue, { system, code }: fhir4.Coding): boolean =>
  system !== undefined && ignoringCase.has(system)
    ? isPair(lowerCase(token), system, code?.toLowerCase())
    : isPair(token, system, code);

const lowerCase = (token: TokenValue): TokenValue => ({ ...token, code: token.code?.toLowerCase() });

const isPair = (token: TokenValue, system: string | undefined, code: string | undefined): boolean =>
  (token.code === undefined || token.code === code) && (token.system === undefined || token.system === (system ?? ''));

/** `:of-type`: whether an identifier has this value and any of its type's codings is this one. https://hl7.org/fhir/R4/search.html#token */
export const matchesOfType = ({ system, code, value }: OfTypeValue, target: SearchValue): boolean => {
  if (target.type !== 'Identifier') return false;
  const identifier = target.value as fhir4.Identifier;
  const token: TokenValue = { type: 'token', system, code };
  return identifier.value === value && (identifier.type?.coding?.some((coding) => isCoding(token, coding)) ?? false);
};

/** `:text`: whether the text or a display begins with this, as a string search does. https://hl7.org/fhir/R4/search.html#token */
export const matchesTokenText = (text: StringValue, target: SearchValue): boolean =>
  textsOf(target).some((candidate) => candidate !== undefined && foldedStarts(text, candidate));

const textsOf = ({ type, value }: SearchValue): (string | undefined)[] => {
  switch (type) {
    case 'CodeableConcept': {
      const { text, coding = [] } = value as fhir4.CodeableConcept;
      return [text, ...coding.map(({ display }) => display)];
    }
    case 'Coding':
      return [(value as fhir4.Coding).display];
    case 'Identifier':
      return [(value as fhir4.Identifier).type?.text];
    case 'Reference':
      return [(value as fhir4.Reference).display];
    case 'string':
    case 'markdown':
      return [value as string];
    default:
      return [];
  }
};
