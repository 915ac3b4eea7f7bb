/** System of UCUM's codes. https://hl7.org/fhir/R4/terminologies-systems.html */
export const ucum = 'http://unitsofmeasure.org';

/** UCUM's units, which few searches need. */
export type Units = typeof import('./ucum/units.lazy.ts');

/** Loads them. */
export const loadUnits = (): Promise<Units> => import('./ucum/units.lazy.ts');
