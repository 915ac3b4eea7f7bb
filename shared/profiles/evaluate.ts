import { referencedType } from '../fhir/fhirpath-runtime.ts';
import { type Element, elementsOf } from './elements.ts';
import type { Expression } from './profile.ts';

type Collection = readonly unknown[];
type Truth = boolean | undefined;

const asElement = (value: unknown): Element => ({
  value,
  children: typeof value === 'object' ? (value as Element['children']) : {},
  property: '',
});

/** A collection as a criterion: one value that is no boolean is true. https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections */
const truthOf = ([value]: Collection): Truth => (value === undefined ? undefined : value !== false);

const not = (truth: Truth): Truth => (truth === undefined ? undefined : !truth);

/** https://hl7.org/fhirpath/N1/#or */
const either = (left: Truth, right: Truth): Truth =>
  left === true || right === true ? true : left === undefined || right === undefined ? undefined : false;

/** Luhn's algorithm over `80840` and the number: the five digits add 24. https://www.cms.gov/Regulations-and-Guidance/Administrative-Simplification/NationalProvIdentStand */
const hasNpiCheckDigit = (number: string): Truth => {
  if (!/^\d{10}$/.test(number)) return undefined;
  let sum = 24;
  for (let at = 0; at < 10; at++) {
    const digit = Number(number[at]) * (at % 2 === 0 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
};

/**
 * Evaluates a rule of a profile. What has only extensions in the place of its value counts as being there.
 *
 * @param focus - the element that the rule is about.
 * @see https://hl7.org/fhirpath/N1/
 */
const evaluate = ([operator, first, second]: Expression, focus: Collection): Collection => {
  if (operator === 'literal') return [first];
  if (operator === 'this') return focus;
  const items = first === null ? focus : evaluate(first, focus);
  const truth = truthOf(items);
  const each = (of: (item: unknown) => Truth): Collection => items.map(of).filter((found) => found !== undefined);
  const other = (): Collection => evaluate(second as Expression, focus);
  const known = (result: Truth): Collection => (result === undefined ? [] : [result]);
  switch (operator) {
    case 'member':
      return items.flatMap((item) => elementsOf(asElement(item), second).map(({ value }) => value));
    case 'exists':
      return [items.length > 0];
    case 'empty':
      return [items.length === 0];
    case 'where':
      return items.filter((item) => truthOf(evaluate(second, [item])) === true);
    case 'matches':
      return each((item) => (typeof item === 'string' ? new RegExp(second, 'u').test(item) : undefined));
    case 'refers':
      return each((item) => {
        const type = referencedType(item as fhir4.Reference);
        return type === undefined ? undefined : type === second;
      });
    case 'npi':
      return each((item) => hasNpiCheckDigit(String(item)));
    case '=': {
      const others = other();
      if (items.length === 0 || others.length === 0) return [];
      return [items.length === others.length && items.every((item, at) => item === others[at])];
    }
    case 'or':
      return known(either(truth, truthOf(other())));
    case 'and':
      return known(not(either(not(truth), not(truthOf(other())))));
    case 'implies':
      return known(either(not(truth), truthOf(other())));
    case 'xor':
      return [truth !== truthOf(other())];
  }
};

/** Whether an element meets a rule. One that comes to neither true nor false is met. */
export const holds = (expression: Expression, element: unknown): boolean =>
  truthOf(evaluate(expression, [element])) !== false;
