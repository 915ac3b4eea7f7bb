import type { SearchValue } from '../../fhir/search-parameter.ts';
import { exactRange, inDoubles } from '../decimal-range.ts';
import { foldText } from '../fold.ts';
import type { Comparator, Comparison, TokenValue } from '../search-query.ts';
import { timeOf } from './date.ts';
import { partsOf } from './string.ts';
import { matchesToken } from './token.ts';

/** Whether an element stands to a value as a test of `_filter` says. https://hl7.org/fhir/R4/search_filter.html#ops */
export const matchesComparison = ({ parameter, comparator, value }: Comparison, target: SearchValue): boolean => {
  switch (value.type) {
    case 'string':
      if (parameter.type === 'uri')
        return compareTexts(comparator, String(target.value).toLowerCase(), value.value.toLowerCase());
      return partsOf(target).some((part) => compareTexts(comparator, foldText(part), value.folded));
    case 'token':
      return matchesIgnoringCase(value, target) === (comparator === 'eq');
    case 'date': {
      const time = timeOf(target);
      return time !== undefined && time.start <= value.start && value.end <= time.end;
    }
    case 'number': {
      // what the digits of the record's number may stand for
      const range = typeof target.value === 'number' ? exactRange(String(target.value)) : undefined;
      const { low, high } = range ? inDoubles(range) : { low: Number.NaN, high: Number.NaN };
      return low <= value.value && value.value < high;
    }
  }
};

/** Folded texts, in the order of their code points. */
const compareTexts = (comparator: Comparator, text: string, searched: string): boolean => {
  switch (comparator) {
    case 'eq':
      return text === searched;
    case 'ne':
      return text !== searched;
    case 'co':
      return text.includes(searched);
    case 'sw':
      return text.startsWith(searched);
    case 'ew':
      return text.endsWith(searched);
    case 'gt':
      return text > searched;
    case 'lt':
      return text < searched;
    case 'ge':
      return text >= searched;
    case 'le':
      return text <= searched;
  }
};

/** Ids keep their case: https://hl7.org/fhir/R4/search.html#id */
const matchesIgnoringCase = (token: TokenValue, target: SearchValue): boolean =>
  target.type === 'id'
    ? matchesToken(token, target)
    : matchesToken({ ...token, code: token.code?.toLowerCase() }, { type: target.type, value: inLowerCase(target) });

const inLowerCase = ({ type, value }: SearchValue): unknown => {
  switch (type) {
    case 'CodeableConcept': {
      const { coding = [] } = value as fhir4.CodeableConcept;
      return { coding: coding.map(lowerCoding) };
    }
    case 'Coding':
    case 'Quantity':
      return lowerCoding(value as fhir4.Coding);
    case 'Identifier':
    case 'ContactPoint': {
      const { system, value: text } = value as fhir4.Identifier;
      return { system, value: text?.toLowerCase() };
    }
    default:
      return typeof value === 'string' ? value.toLowerCase() : value;
  }
};

const lowerCoding = (coding: fhir4.Coding): fhir4.Coding => ({
  ...coding,
  ...(coding.code !== undefined && { code: coding.code.toLowerCase() }),
});
