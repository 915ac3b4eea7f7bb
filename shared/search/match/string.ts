import type { SearchParameter, SearchValue } from '../../fhir/search-parameter.ts';
import { foldText } from '../fold.ts';
import type { StringValue, TextValue } from '../search-query.ts';
import { answersText } from '../text-query.ts';

/** Whether an element begins with a text, or contains or is it. https://hl7.org/fhir/R4/search.html#string */
export const matchesString = (
  text: StringValue,
  modifier: string | undefined,
  parameter: Pick<SearchParameter, 'code'>,
  target: SearchValue,
): boolean => {
  if (modifier === 'exact') return partsOf(target).some((part) => part.normalize() === text.value.normalize());
  if (modifier === 'contains') return partsOf(target).some((part) => foldText(part).includes(text.folded));
  return searchedTexts(parameter, target).some((candidate) => candidate.startsWith(text.folded));
};

/** `:text`: whether the words of an element answer the search. https://hl7.org/fhir/R4/search.html#text */
export const matchesText = ({ query }: TextValue, target: SearchValue): boolean =>
  answersText(query, partsOf(target).map(foldText).join(' \n '));

/** Whether a text begins with what is searched for. */
export const foldedStarts = (text: StringValue, candidate: string): boolean =>
  foldText(candidate).startsWith(text.folded);

/**
 * The folded texts that a search for the beginning of this element is compared with: each part of a name or address, and what follows
 * each of its spaces, so that both names of "Carreno Quinones" are found. https://hl7.org/fhir/R4/search.html#string
 */
export const searchedTexts = ({ code }: Pick<SearchParameter, 'code'>, target: SearchValue): string[] => {
  const folded = partsOf(target).map(foldText);
  const byWord = target.type === 'HumanName' || target.type === 'Address' || code === 'family';
  return byWord ? folded.flatMap(fromEachWord) : folded;
};

const fromEachWord = (text: string): string[] => {
  const starts = [text];
  for (let space = text.indexOf(' '); space >= 0; space = text.indexOf(' ', space + 1))
    starts.push(text.slice(space + 1));
  return starts;
};

/** The elements of type string in a name or address, or the text itself. */
export const partsOf = ({ type, value }: SearchValue): string[] => {
  if (typeof value === 'string') return [value];
  if (type === 'HumanName') {
    const { text, family, given, prefix, suffix } = value as fhir4.HumanName;
    return present([text, family, ...(given ?? []), ...(prefix ?? []), ...(suffix ?? [])]);
  }
  if (type === 'Address') {
    const { text, line, city, district, state, postalCode, country } = value as fhir4.Address;
    return present([text, ...(line ?? []), city, district, state, postalCode, country]);
  }
  return [];
};

/** A primitive in a list may be null where it has only extensions. */
const present = (texts: readonly (string | null | undefined)[]): string[] =>
  texts.filter((text) => text !== undefined && text !== null);
