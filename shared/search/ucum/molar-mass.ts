import type { Resource } from '../../fhir/resource.ts';

const loinc = 'http://loinc.org';

/**
 * Substances whose laboratory codes are reported as a mass or as an amount: grams per mole, and the LOINC codes of both kinds.
 *
 * Masses follow from the formula and the standard atomic weights of IUPAC (https://ciaaw.org/atomic-weights.htm), to three decimals; the test computes
 * them. Formulas are those of PubChem, https://pubchem.ncbi.nlm.nih.gov/compound/ with the number given; names are those of LOINC,
 * https://loinc.org/ with the code.
 */
export const substances: readonly (readonly [gramsPerMole: string, codes: string])[] = [
  // Glucose, C6H12O6, compound/5793
  ['180.156', '2345-7 14749-6 2339-0 15074-8 1558-6 14771-0 2350-7 15076-3 41653-7'],
  // Cholesterol, also in HDL, LDL, VLDL and all but HDL, C27H46O, compound/5997
  [
    '386.664',
    '2093-3 14647-2 2085-9 14646-4 2089-1 13457-7 18262-6 22748-8 39469-2 69419-0 43396-1 70204-3 13458-5 25371-6 66126-4',
  ],
  // Triglyceride, taken for triolein, C57H104O6, compound/5497163
  ['885.453', '2571-8 14927-8'],
  // Creatinine, C4H7N3O, compound/588
  ['113.120', '2160-0 14682-9 38483-4 59826-8 2161-8 14683-7'],
  // Urea, CH4N2O, compound/1176
  ['60.056', '3091-6 22664-7'],
  // Urea nitrogen: N2, what each molecule of urea holds
  ['28.014', '3094-0 14937-7 6299-2 59570-2'],
  // Calcium, Ca
  ['40.078', '17861-6 2000-8 49765-1'],
  // Bilirubin, total, direct and indirect, C33H36N4O6, compound/5280352
  ['584.673', '1975-2 14631-6 1968-7 14629-0 1971-1 14630-8'],
  // Urate, measured as uric acid, C5H4N4O3, compound/1175
  ['168.112', '3084-1 14933-6'],
  // Phosphate, measured as phosphorus, P
  ['30.974', '2777-1 14879-1'],
  // Magnesium, Mg
  ['24.305', '19123-9 2601-3'],
  // Iron, Fe
  ['55.845', '2498-4 14798-3'],
  // Cortisol, C21H30O5, compound/5754
  ['362.466', '2143-6 14675-3'],
  // Testosterone, C19H28O2, compound/6013
  ['288.431', '2986-8 14913-8'],
  // Thyroxine, free, C15H11I4NO4, compound/5819
  ['776.872', '3024-7 14920-3'],
];

let massByCode: ReadonlyMap<string, string> | undefined;

const massOf = (concept: fhir4.CodeableConcept | undefined): string | undefined => {
  massByCode ??= new Map(substances.flatMap(([mass, codes]) => codes.split(' ').map((code) => [code, mass] as const)));
  for (const { system, code } of concept?.coding ?? []) {
    const mass = system === loinc && code !== undefined ? massByCode.get(code) : undefined;
    if (mass !== undefined) return mass;
  }
  return undefined;
};

/**
 * Grams per mole of what a quantity of this resource measures: by the code of the component that holds it, else of the resource.
 * Undefined where the substance is not known.
 */
export const molarMassFor = (quantity: unknown, { code, component }: Resource): string | undefined => {
  const parts = Array.isArray(component) ? (component as fhir4.ObservationComponent[]) : [];
  const part = parts.find(({ valueQuantity }) => valueQuantity === quantity);
  return massOf(part ? part.code : (code as fhir4.CodeableConcept | undefined));
};
