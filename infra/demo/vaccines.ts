import { cvx } from './concepts.ts';

/** A vaccine and the ages at which its doses are due, in months, each with the age at which it is too late for that dose. */
export interface Vaccine {
  readonly concept: fhir4.CodeableConcept;
  readonly doses: readonly (readonly [fromMonths: number, toMonths: number])[];
}

/** After the schedules for children and adults that were in use in the sample years: https://www.cdc.gov/vaccines/hcp/imz-schedules */
export const vaccines: readonly Vaccine[] = [
  {
    concept: cvx('08', 'Hep B, adolescent or pediatric'),
    doses: [
      [0, 2],
      [2, 6],
      [6, 18],
    ],
  },
  {
    concept: cvx('119', 'rotavirus, monovalent'),
    doses: [
      [2, 4],
      [4, 8],
    ],
  },
  {
    concept: cvx('20', 'DTaP'),
    doses: [
      [2, 4],
      [4, 6],
      [6, 15],
      [15, 48],
      [48, 84],
    ],
  },
  {
    concept: cvx('49', 'Hib (PRP-OMP)'),
    doses: [
      [2, 4],
      [4, 12],
      [12, 60],
    ],
  },
  {
    concept: cvx('133', 'Pneumococcal conjugate PCV 13'),
    doses: [
      [2, 4],
      [4, 6],
      [6, 12],
      [12, 60],
    ],
  },
  {
    concept: cvx('10', 'IPV'),
    doses: [
      [2, 4],
      [4, 6],
      [6, 48],
      [48, 84],
    ],
  },
  {
    concept: cvx('03', 'MMR'),
    doses: [
      [12, 48],
      [48, 144],
    ],
  },
  {
    concept: cvx('21', 'varicella'),
    doses: [
      [12, 48],
      [48, 144],
    ],
  },
  {
    concept: cvx('83', 'Hep A, ped/adol, 2 dose'),
    doses: [
      [12, 18],
      [18, 36],
    ],
  },
  { concept: cvx('115', 'Tdap'), doses: [[132, 216]] },
  {
    concept: cvx('114', 'meningococcal MCV4P'),
    doses: [
      [132, 192],
      [192, 228],
    ],
  },
  { concept: cvx('121', 'zoster'), doses: [[720, 960]] },
  { concept: cvx('33', 'pneumococcal polysaccharide PPV23'), doses: [[780, 1_200]] },
];

/** Due every ten years from the age of 21. */
export const tetanus = cvx('113', 'Td (adult) preservative free');

/** Months in which the vaccine against influenza is given, from 1 for January. */
export const influenzaMonths: readonly number[] = [9, 10, 11, 12, 1, 2, 3];

/** Due every year from the age of six months. */
export const influenza = cvx('140', 'Influenza, seasonal, injectable, preservative free');
