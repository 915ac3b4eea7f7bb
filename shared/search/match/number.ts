import type { SearchValue } from '../../fhir/search-parameter.ts';
import type { DecimalRange } from '../decimal-range.ts';
import type { NumberValue, Prefix } from '../search-query.ts';

/** What a number in a record may be: from `low` to `high`, which both belong to it unless it is open there. */
export interface NumberInterval {
  readonly low: number;
  readonly high: number;
  readonly lowOpen?: boolean;
  readonly highOpen?: boolean;
}

/** Whether a number stands to the searched one as its prefix says. https://hl7.org/fhir/R4/search.html#number */
export const matchesNumber = (number: NumberValue, { value }: SearchValue): boolean =>
  typeof value === 'number' && compareNumber(number.prefix, number, { low: value, high: value });

/** `eq`, `ne` and `ap` go by the searched number's range, the others by its exact value. https://hl7.org/fhir/R4/search.html#prefix */
export const compareNumber = (prefix: Prefix, searched: DecimalRange, target: NumberInterval): boolean => {
  const { value } = searched;
  const { low, high, lowOpen = false, highOpen = false } = target;
  switch (prefix) {
    case 'eq':
      // the value itself too: with 17 digits, its range may be too narrow for doubles
      return searched.low <= low && (high < searched.high || high === value);
    case 'ne':
      return !compareNumber('eq', searched, target);
    case 'gt':
      return high > value;
    case 'lt':
      return low < value;
    case 'ge':
      return high > value || (high === value && !highOpen);
    case 'le':
      return low < value || (low === value && !lowOpen);
    case 'sa':
      return low > value || (low === value && lowOpen);
    case 'eb':
      return high < value || (high === value && highOpen);
    case 'ap':
      return low <= searched.high && searched.low <= high;
  }
};
