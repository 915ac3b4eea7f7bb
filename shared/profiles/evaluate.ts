import { referencedType } from '../fhir/fhirpath-runtime.ts';
import { type Element, elementsOf } from './elements.ts';
import type { Expression } from './profile.ts';

type Collection = readonly unknown[];

const asElement = (value: unknown): Element => ({
  value,
  children: typeof value === 'object' ? (value as Element['children']) : {},
  property: '',
});

/** A collection as a criterion: one value that is no boolean is true. https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections */
const truthOf = ([value]: Collection): boolean | undefined =>
  value === undefined ? undefined : typeof value !== 'boolean' || value;

const known = (truth: boolean | undefined): Collection => (truth === undefined ? [] : [truth]);

const not = (truth: boolean | undefined): boolean | undefined => (truth === undefined ? undefined : !truth);

/** https://hl7.org/fhirpath/N1/#or */
const either = (left: boolean | undefined, right: boolean | undefined): boolean | undefined =>
  left === true || right === true ? true : left === undefined || right === undefined ? undefined : false;

/** Luhn's algorithm over `80840` and the number: the five digits add 24. https://www.cms.gov/Regulations-and-Guidance/Administrative-Simplification/NationalProvIdentStand */
const hasNpiCheckDigit = (number: string): boolean | undefined => {
  if (!/^\d{10}$/.test(number)) return undefined;
  const sum = [...number].map(Number).reduce((total, digit, at) => {
    const doubled = at % 2 === 0 ? digit * 2 : digit;
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 24);
  return sum % 10 === 0;
};

/**
 * Evaluates a rule of a profile. What has only extensions in the place of its value counts as being there.
 *
 * @param focus - the element that the rule is about.
 * @see https://hl7.org/fhirpath/N1/
 */
const evaluate = (expression: Expression, focus: Collection): Collection => {
  const of = (operand: Expression | null) => (operand === null ? focus : evaluate(operand, focus));
  const truth = (operand: Expression | null) => truthOf(of(operand));
  switch (expression[0]) {
    case 'literal':
      return [expression[1]];
    case 'this':
      return focus;
    case 'member':
      return of(expression[1]).flatMap((item) => elementsOf(asElement(item), expression[2]).map(({ value }) => value));
    case 'exists':
      return [of(expression[1]).length > 0];
    case 'empty':
      return [of(expression[1]).length === 0];
    case 'where':
      return of(expression[1]).filter((item) => truthOf(evaluate(expression[2], [item])) === true);
    case 'matches':
      return of(expression[1]).flatMap((item) =>
        typeof item === 'string' ? [new RegExp(expression[2], 'u').test(item)] : [],
      );
    case 'refers':
      return of(expression[1]).flatMap((item) => {
        const type = referencedType(item as fhir4.Reference);
        return type === undefined ? [] : [type === expression[2]];
      });
    case 'npi':
      return of(expression[1]).flatMap((item) => known(hasNpiCheckDigit(String(item))));
    case '=': {
      const [left, right] = [of(expression[1]), of(expression[2])];
      if (left.length === 0 || right.length === 0) return [];
      return [left.length === right.length && left.every((item, at) => item === right[at])];
    }
    case 'or':
      return known(either(truth(expression[1]), truth(expression[2])));
    case 'and':
      return known(not(either(not(truth(expression[1])), not(truth(expression[2])))));
    case 'implies':
      return known(either(not(truth(expression[1])), truth(expression[2])));
    case 'xor': {
      const [left, right] = [truth(expression[1]), truth(expression[2])];
      return left === undefined || right === undefined ? [] : [left !== right];
    }
  }
};

/** Whether an element meets a rule. One that comes to neither true nor false is met. */
export const holds = (expression: Expression, element: unknown): boolean =>
  truthOf(evaluate(expression, [element])) !== false;
