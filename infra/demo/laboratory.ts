import { loinc } from './concepts.ts';

/** Something that is measured, with the values of a healthy adult. */
export interface Analyte {
  readonly concept: fhir4.CodeableConcept;
  readonly unit: string;
  /** Bounds of the reference range. */
  readonly low: number;
  readonly high: number;
  readonly decimals: number;
  /** How it follows from others of its panel, named by code; undefined if it is measured by itself. */
  readonly from: ((valueOf: (code: string) => number) => number) | undefined;
}

const analyte = (
  code: string,
  display: string,
  unit: string,
  low: number,
  high: number,
  decimals: number,
  from?: Analyte['from'],
): Analyte => ({ concept: loinc(code, display), unit, low, high, decimals, from });

export const glucose = analyte('2339-0', 'Glucose [Mass/volume] in Blood', 'mg/dL', 70, 99, 0);
export const hemoglobinA1c = analyte('4548-4', 'Hemoglobin A1c/Hemoglobin.total in Blood', '%', 4.2, 5.6, 1);
export const ldlCholesterol = analyte(
  '18262-6',
  'Cholesterol in LDL [Mass/volume] by Direct assay',
  'mg/dL',
  60,
  129,
  0,
);
/** LDL, HDL and a fifth of the triglycerides, which VLDL carries. */
const totalCholesterol = analyte(
  '2093-3',
  'Cholesterol [Mass/volume] in Serum or Plasma',
  'mg/dL',
  125,
  199,
  0,
  (of) => of('18262-6') + of('2085-9') + of('2571-8') / 5,
);
export const thyrotropin = analyte('3016-3', 'Thyrotropin [Units/volume] in Serum or Plasma', 'm[IU]/L', 0.4, 4, 2);

/** Analytes that are reported together. */
export interface Panel {
  readonly concept: fhir4.CodeableConcept;
  readonly analytes: readonly Analyte[];
}

export type PanelName = 'basic metabolic' | 'lipid' | 'blood count' | 'diabetes' | 'thyroid';

export const panels: Readonly<Record<PanelName, Panel>> = {
  'basic metabolic': {
    concept: loinc('51990-0', 'Basic metabolic panel - Blood'),
    analytes: [
      glucose,
      analyte('6299-2', 'Urea nitrogen [Mass/volume] in Blood', 'mg/dL', 7, 20, 0),
      analyte('38483-4', 'Creatinine [Mass/volume] in Blood', 'mg/dL', 0.6, 1.3, 2),
      analyte('49765-1', 'Calcium [Mass/volume] in Blood', 'mg/dL', 8.6, 10.2, 1),
      analyte('2947-0', 'Sodium [Moles/volume] in Blood', 'mmol/L', 136, 144, 0),
      analyte('6298-4', 'Potassium [Moles/volume] in Blood', 'mmol/L', 3.6, 5.1, 1),
      analyte('2069-3', 'Chloride [Moles/volume] in Blood', 'mmol/L', 98, 107, 0),
      analyte('20565-8', 'Carbon dioxide, total [Moles/volume] in Blood', 'mmol/L', 22, 29, 0),
    ],
  },
  lipid: {
    concept: loinc('57698-3', 'Lipid panel with direct LDL - Serum or Plasma'),
    analytes: [
      totalCholesterol,
      analyte('2571-8', 'Triglyceride [Mass/volume] in Serum or Plasma', 'mg/dL', 50, 149, 0),
      ldlCholesterol,
      analyte('2085-9', 'Cholesterol in HDL [Mass/volume] in Serum or Plasma', 'mg/dL', 40, 75, 0),
    ],
  },
  'blood count': {
    concept: loinc('58410-2', 'CBC panel - Blood by Automated count'),
    analytes: [
      analyte('6690-2', 'Leukocytes [#/volume] in Blood by Automated count', '10*3/uL', 4.5, 11, 1),
      analyte(
        '789-8',
        'Erythrocytes [#/volume] in Blood by Automated count',
        '10*6/uL',
        4.1,
        5.6,
        2,
        (of) => (of('718-7') / of('786-4') / of('787-2')) * 1_000,
      ),
      analyte('718-7', 'Hemoglobin [Mass/volume] in Blood', 'g/dL', 12, 17, 1),
      analyte(
        '4544-3',
        'Hematocrit [Volume Fraction] of Blood by Automated count',
        '%',
        36,
        50,
        1,
        (of) => (of('718-7') / of('786-4')) * 100,
      ),
      analyte('787-2', 'MCV [Entitic volume] by Automated count', 'fL', 80, 98, 1),
      analyte(
        '785-6',
        'MCH [Entitic mass] by Automated count',
        'pg',
        27,
        33,
        1,
        (of) => (of('787-2') * of('786-4')) / 100,
      ),
      analyte('786-4', 'MCHC [Mass/volume] by Automated count', 'g/dL', 32, 36, 1),
      analyte('777-3', 'Platelets [#/volume] in Blood by Automated count', '10*3/uL', 150, 400, 0),
    ],
  },
  diabetes: {
    concept: loinc('55399-0', 'Diabetes tracking panel'),
    analytes: [hemoglobinA1c, glucose],
  },
  thyroid: {
    concept: thyrotropin.concept, // a test of its own, reported alone
    analytes: [thyrotropin],
  },
};
