// UCUM's units and how they convert, and the substances of which masses are amounts: for searches that compare quantities, or distances.

export { canonicalQuantity, conversion, convertedRange, convertRange } from './convert.ts';
export { molarMassFor } from './molar-mass.ts';
export { isUnit } from './unit.ts';
