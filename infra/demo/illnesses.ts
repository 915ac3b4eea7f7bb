import { rxNorm, snomed } from './concepts.ts';
import type { PanelName } from './laboratory.ts';

/** A medicine as it is prescribed. */
export interface Medicine {
  readonly concept: fhir4.CodeableConcept;
  readonly instruction: string;
  /** How often it is taken a day. */
  readonly timesADay: number;
  /** For how many days one prescription lasts. */
  readonly days: number;
  /** Must not be given to who is allergic to penicillin. */
  readonly penicillin?: boolean;
}

const medicine = (
  code: string,
  display: string,
  instruction: string,
  timesADay: number,
  days: number,
  penicillin = false,
): Medicine => ({ concept: rxNorm(code, display), instruction, timesADay, days, penicillin });

/** An illness that stays. */
export interface ChronicIllness {
  readonly concept: fhir4.CodeableConcept;
  /** Share of those old enough who have it. */
  readonly prevalence: number;
  /** Youngest age at onset, in years. */
  readonly fromAge: number;
  readonly medicines: readonly Medicine[];
  /** Laboratory work at a check of the illness. */
  readonly panel?: PanelName;
  readonly procedure?: fhir4.CodeableConcept;
  readonly plan?: {
    readonly category: fhir4.CodeableConcept;
    readonly activities: readonly fhir4.CodeableConcept[];
    readonly goals: readonly string[];
  };
}

const diet = snomed('160670007', 'Diabetic diet');
const exercise = snomed('229065009', 'Exercise therapy');

export const hypertension: ChronicIllness = {
  concept: snomed('59621000', 'Essential hypertension'),
  prevalence: 0.4,
  fromAge: 32,
  medicines: [
    medicine('314076', 'lisinopril 10 MG Oral Tablet', 'One tablet in the morning', 1, 90),
    medicine('308136', 'amlodipine 2.5 MG Oral Tablet', 'One tablet in the evening', 1, 90),
  ],
  panel: 'basic metabolic',
  plan: {
    category: snomed('443402002', 'Lifestyle education regarding hypertension'),
    activities: [snomed('183063000', 'Low salt diet education'), exercise],
    goals: ['Blood pressure below 130/80 mmHg'],
  },
};

export const diabetes: ChronicIllness = {
  concept: snomed('44054006', 'Diabetes mellitus type 2'),
  prevalence: 0.16,
  fromAge: 38,
  medicines: [
    medicine('861007', 'metformin hydrochloride 500 MG Oral Tablet', 'One tablet twice a day with meals', 2, 90),
  ],
  panel: 'diabetes',
  plan: {
    category: snomed('698360004', 'Diabetes self management plan'),
    activities: [diet, exercise],
    goals: ['Hemoglobin A1c below 7.0 %', 'Weight reduced by 5 %'],
  },
};

export const hyperlipidemia: ChronicIllness = {
  concept: snomed('55822004', 'Hyperlipidemia'),
  prevalence: 0.35,
  fromAge: 35,
  medicines: [medicine('312961', 'simvastatin 20 MG Oral Tablet', 'One tablet in the evening', 1, 90)],
  panel: 'lipid',
  plan: {
    category: snomed('736285004', 'Hyperlipidemia clinical management plan'),
    activities: [exercise, { text: 'Low fat diet' }],
    goals: ['LDL cholesterol below 100 mg/dL'],
  },
};

export const asthma: ChronicIllness = {
  concept: snomed('195967001', 'Asthma'),
  prevalence: 0.1,
  fromAge: 3,
  medicines: [
    medicine(
      '745679',
      '200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler',
      'Two puffs when short of breath, at most four times a day',
      4,
      60,
    ),
  ],
  procedure: snomed('127783003', 'Spirometry'),
  plan: {
    category: snomed('699728000', 'Asthma self management'),
    activities: [{ text: 'Avoid known triggers' }, exercise],
    goals: ['No attack at night for three months'],
  },
};

export const hypothyroidism: ChronicIllness = {
  concept: snomed('40930008', 'Hypothyroidism'),
  prevalence: 0.08,
  fromAge: 25,
  medicines: [medicine('966247', 'levothyroxine sodium 0.05 MG Oral Tablet', 'One tablet before breakfast', 1, 90)],
  panel: 'thyroid',
};

export const chronicIllnesses: readonly ChronicIllness[] = [
  hypertension,
  diabetes,
  hyperlipidemia,
  asthma,
  hypothyroidism,
  {
    concept: snomed('370143000', 'Major depressive disorder'),
    prevalence: 0.12,
    fromAge: 16,
    medicines: [medicine('312941', 'sertraline 50 MG Oral Tablet', 'One tablet in the morning', 1, 60)],
    procedure: snomed('171207006', 'Depression screening'),
    plan: {
      category: { ...snomed('734163000', 'Care plan'), text: 'Mental health care plan' },
      activities: [snomed('228557008', 'Cognitive and behavioral therapy')],
      goals: ['Sleeps six hours a night'],
    },
  },
  {
    concept: snomed('239873007', 'Osteoarthritis of knee'),
    prevalence: 0.2,
    fromAge: 50,
    medicines: [
      medicine(
        '313782',
        'acetaminophen 325 MG Oral Tablet',
        'Two tablets when in pain, at most three times a day',
        3,
        30,
      ),
    ],
  },
  {
    concept: snomed('235595009', 'Gastroesophageal reflux disease'),
    prevalence: 0.15,
    fromAge: 24,
    medicines: [
      medicine('198051', 'omeprazole 20 MG Delayed Release Oral Capsule', 'One capsule before breakfast', 1, 60),
    ],
  },
];

/** An illness or injury that passes. */
export interface AcuteIllness {
  readonly concept: fhir4.CodeableConcept;
  /** How likely, compared with the others: a whole number. */
  readonly weight: number;
  readonly medicines: readonly Medicine[];
  readonly procedures: readonly fhir4.CodeableConcept[];
  /** Ages at which it happens, in years. */
  readonly ages: readonly [from: number, to: number];
  /** Where it is treated. */
  readonly at: 'office' | 'emergency' | 'ward';
  readonly feverish?: boolean;
}

const amoxicillin = medicine(
  '562251',
  'amoxicillin 250 MG / clavulanate 125 MG Oral Tablet',
  'One tablet three times a day',
  3,
  10,
  true,
);
/** What is given instead to who is allergic to penicillin. */
export const azithromycin = medicine(
  '308460',
  'azithromycin 250 MG Oral Tablet',
  'Two tablets on the first day, then one a day',
  1,
  5,
);
const ibuprofen = medicine('310965', 'ibuprofen 200 MG Oral Tablet', 'One tablet three times a day after meals', 3, 7);

export const acuteIllnesses: readonly AcuteIllness[] = [
  {
    concept: snomed('444814009', 'Viral sinusitis'),
    weight: 20,
    medicines: [],
    procedures: [],
    ages: [0, 120],
    at: 'office',
  },
  {
    concept: snomed('195662009', 'Acute viral pharyngitis'),
    weight: 15,
    medicines: [],
    procedures: [],
    ages: [0, 120],
    at: 'office',
    feverish: true,
  },
  {
    concept: snomed('10509002', 'Acute bronchitis'),
    weight: 10,
    medicines: [ibuprofen],
    procedures: [snomed('23426006', 'Measurement of respiratory function')],
    ages: [6, 120],
    at: 'office',
    feverish: true,
  },
  {
    concept: snomed('43878008', 'Streptococcal sore throat'),
    weight: 6,
    medicines: [medicine('834102', 'penicillin V potassium 500 MG Oral Tablet', 'One tablet twice a day', 2, 10, true)],
    procedures: [snomed('117015009', 'Throat culture')],
    ages: [6, 60],
    at: 'office',
    feverish: true,
  },
  {
    concept: snomed('65363002', 'Otitis media'),
    weight: 8,
    medicines: [amoxicillin],
    procedures: [],
    ages: [6, 16],
    at: 'office',
    feverish: true,
  },
  {
    concept: snomed('44465007', 'Sprain of ankle'),
    weight: 5,
    medicines: [ibuprofen],
    procedures: [],
    ages: [6, 80],
    at: 'emergency',
  },
  {
    concept: snomed('283371005', 'Laceration of forearm'),
    weight: 3,
    medicines: [],
    procedures: [snomed('288086009', 'Suture open wound')],
    ages: [3, 90],
    at: 'emergency',
  },
  {
    concept: snomed('233604007', 'Pneumonia'),
    weight: 2,
    medicines: [azithromycin],
    procedures: [snomed('399208008', 'Plain chest X-ray')],
    ages: [6, 120],
    at: 'ward',
    feverish: true,
  },
  {
    concept: snomed('85189001', 'Acute appendicitis'),
    weight: 1,
    medicines: [],
    procedures: [snomed('80146002', 'Appendectomy')],
    ages: [5, 60],
    at: 'ward',
    feverish: true,
  },
];

/** What somebody may be allergic to. https://hl7.org/fhir/R4/allergyintolerance.html */
export const allergies: readonly {
  readonly concept: fhir4.CodeableConcept;
  readonly category: 'food' | 'medication' | 'environment';
  readonly manifestation: fhir4.CodeableConcept;
  readonly penicillin?: boolean;
}[] = [
  {
    concept: snomed('91936005', 'Allergy to penicillin'),
    category: 'medication',
    manifestation: snomed('126485001', 'Urticaria'),
    penicillin: true,
  },
  {
    concept: snomed('91935009', 'Allergy to peanuts'),
    category: 'food',
    manifestation: snomed('39579001', 'Anaphylaxis'),
  },
  {
    concept: snomed('300913006', 'Shellfish allergy'),
    category: 'food',
    manifestation: snomed('126485001', 'Urticaria'),
  },
  {
    concept: snomed('232350006', 'House dust mite allergy'),
    category: 'environment',
    manifestation: snomed('70076002', 'Rhinitis'),
  },
];
