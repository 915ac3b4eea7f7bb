import { stringifyJson, withSpellingOf } from './json.ts';

/** The number of a quantity as it is written, with all its digits: `7.0` says more than `7`. https://hl7.org/fhir/R4/datatypes.html#decimal */
export const writtenValue = (quantity: fhir4.Quantity): string | undefined => {
  const { value } = quantity;
  if (value === undefined) return undefined;
  return /^\{"value":(.*)\}$/.exec(stringifyJson(withSpellingOf({ value }, quantity)))?.[1];
};
