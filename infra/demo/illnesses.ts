import { rxNorm, snomed } from './concepts.ts';
import type { PanelName } from './laboratory.ts';

/** A medicine as it is prescribed. */
export interface Medicine {
  readonly concept: fhir4.CodeableConcept;
  readonly instruction: string;
  /** What is taken at a time: so many tablets, capsules or puffs. Undefined where it changes from day to day or is not counted. */
  readonly dose: number | undefined;
  readonly form: keyof typeof medicineForms;
  /** How often it is taken a day; at most, where it is taken only when needed. */
  readonly timesADay: number;
  /** For how many days one prescription lasts. */
  readonly days: number;
  /** Whether it is taken when needed. */
  readonly asNeeded: boolean;
  /** Must not be given to who is allergic to penicillin. */
  readonly penicillin: boolean;
  /** What is given instead to a child of less than twelve years. */
  readonly forChild: Medicine | undefined;
}

/** https://terminology.hl7.org/CodeSystem-v3-orderableDrugForm.html, and how it is taken in SNOMED CT. */
export const medicineForms = {
  tablet: { code: 'TAB', unit: 'tablet', route: snomed('26643006', 'Oral route') },
  capsule: { code: 'CAP', unit: 'capsule', route: snomed('26643006', 'Oral route') },
  puff: { code: 'PUFF', unit: 'puff', route: snomed('447694001', 'Respiratory tract route') },
} as const;

interface Use extends Partial<Pick<Medicine, 'dose' | 'form' | 'asNeeded' | 'penicillin' | 'forChild'>> {
  readonly instruction: string;
  readonly timesADay: number;
  readonly days: number;
}

const medicine = (code: string, display: string, use: Use): Medicine => ({
  concept: rxNorm(code, display),
  dose: undefined,
  form: 'tablet',
  asNeeded: false,
  penicillin: false,
  forChild: undefined,
  ...use,
});

/** One a day, until it is changed. */
const daily = (code: string, display: string, instruction: string, use: Partial<Use> = {}): Medicine =>
  medicine(code, display, { instruction, dose: 1, timesADay: 1, days: 90, ...use });

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
    daily('314076', 'lisinopril 10 MG Oral Tablet', 'One tablet in the morning'),
    daily('308136', 'amlodipine 2.5 MG Oral Tablet', 'One tablet in the evening'),
  ],
  panel: 'basic metabolic',
  plan: {
    category: snomed('443402002', 'Lifestyle education regarding hypertension'),
    activities: [snomed('183063000', 'Low salt diet education'), exercise],
    goals: ['Blood pressure below 130/80 mmHg', 'Thirty minutes of exercise on five days a week'],
  },
};

export const diabetes: ChronicIllness = {
  concept: snomed('44054006', 'Diabetes mellitus type 2'),
  prevalence: 0.16,
  fromAge: 38,
  medicines: [
    daily('861007', 'metformin hydrochloride 500 MG Oral Tablet', 'One tablet twice a day with meals', {
      timesADay: 2,
    }),
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
  medicines: [daily('312961', 'simvastatin 20 MG Oral Tablet', 'One tablet in the evening')],
  panel: 'lipid',
  plan: {
    category: snomed('736285004', 'Hyperlipidemia clinical management plan'),
    activities: [exercise, { text: 'Low fat diet' }],
    goals: ['LDL cholesterol below 100 mg/dL', 'Thirty minutes of exercise on five days a week'],
  },
};

export const asthma: ChronicIllness = {
  concept: snomed('195967001', 'Asthma'),
  prevalence: 0.1,
  fromAge: 3,
  medicines: [
    medicine('745679', '200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler', {
      instruction: 'Two puffs when short of breath, at most four times a day',
      dose: 2,
      form: 'puff',
      timesADay: 4,
      days: 90,
      asNeeded: true,
    }),
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
  medicines: [daily('966247', 'levothyroxine sodium 0.05 MG Oral Tablet', 'One tablet before breakfast')],
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
    medicines: [daily('312941', 'sertraline 50 MG Oral Tablet', 'One tablet in the morning')],
    procedure: snomed('171207006', 'Depression screening'),
    plan: {
      category: { ...snomed('734163000', 'Care plan'), text: 'Mental health care plan' },
      activities: [snomed('228557008', 'Cognitive and behavioral therapy')],
      goals: ['Sleeps six hours a night', 'Takes part in the therapy every week'],
    },
  },
  {
    concept: snomed('239873007', 'Osteoarthritis of knee'),
    prevalence: 0.2,
    fromAge: 50,
    medicines: [
      medicine('313782', 'acetaminophen 325 MG Oral Tablet', {
        instruction: 'Two tablets when in pain, at most three times a day',
        dose: 2,
        timesADay: 3,
        days: 30,
        asNeeded: true,
      }),
    ],
  },
  {
    concept: snomed('235595009', 'Gastroesophageal reflux disease'),
    prevalence: 0.15,
    fromAge: 24,
    medicines: [
      daily('198051', 'omeprazole 20 MG Delayed Release Oral Capsule', 'One capsule before breakfast', {
        form: 'capsule',
      }),
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
  /** How often it can befall a person in a few years; four times if absent. */
  readonly atMost?: number;
}

const amoxicillin = medicine('308182', 'amoxicillin 250 MG Oral Capsule', {
  instruction: 'One capsule three times a day',
  dose: 1,
  form: 'capsule',
  timesADay: 3,
  days: 10,
  penicillin: true,
});
const penicillin = medicine('834102', 'penicillin V potassium 500 MG Oral Tablet', {
  instruction: 'One tablet twice a day',
  dose: 1,
  timesADay: 2,
  days: 10,
  penicillin: true,
  forChild: medicine('834061', 'penicillin V potassium 250 MG Oral Tablet', {
    instruction: 'One tablet twice a day',
    dose: 1,
    timesADay: 2,
    days: 10,
    penicillin: true,
  }),
});
/** What is given instead to who is allergic to penicillin. */
export const azithromycin = medicine('308460', 'azithromycin 250 MG Oral Tablet', {
  instruction: 'Two tablets on the first day, then one a day',
  timesADay: 1,
  days: 5,
  forChild: medicine('308460', 'azithromycin 250 MG Oral Tablet', {
    instruction: 'One tablet a day for three days',
    dose: 1,
    timesADay: 1,
    days: 3,
  }),
});
const ibuprofen = medicine('310965', 'ibuprofen 200 MG Oral Tablet', {
  instruction: 'One tablet three times a day after meals',
  dose: 1,
  timesADay: 3,
  days: 7,
  forChild: medicine('198405', 'ibuprofen 100 MG Oral Tablet', {
    instruction: 'One tablet three times a day after meals',
    dose: 1,
    timesADay: 3,
    days: 5,
  }),
});

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
    medicines: [penicillin],
    procedures: [snomed('117015009', 'Throat culture')],
    ages: [6, 60],
    at: 'office',
    feverish: true,
    atMost: 2,
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
    atMost: 2,
  },
  {
    concept: snomed('233604007', 'Pneumonia'),
    weight: 2,
    medicines: [azithromycin],
    procedures: [snomed('399208008', 'Plain chest X-ray')],
    ages: [6, 120],
    at: 'ward',
    feverish: true,
    atMost: 1,
  },
  {
    concept: snomed('85189001', 'Acute appendicitis'),
    weight: 1,
    medicines: [],
    procedures: [snomed('80146002', 'Appendectomy')],
    ages: [5, 60],
    at: 'ward',
    feverish: true,
    atMost: 1,
  },
];

/** What somebody may be allergic to, and how badly. https://hl7.org/fhir/R4/allergyintolerance.html */
export const allergies: readonly {
  readonly concept: fhir4.CodeableConcept;
  readonly category: 'food' | 'medication' | 'environment';
  readonly criticality: 'low' | 'high';
  readonly manifestation: fhir4.CodeableConcept;
  readonly severity: 'mild' | 'moderate' | 'severe';
  readonly penicillin?: boolean;
}[] = [
  {
    concept: snomed('91936005', 'Allergy to penicillin'),
    category: 'medication',
    criticality: 'high',
    manifestation: snomed('126485001', 'Urticaria'),
    severity: 'moderate',
    penicillin: true,
  },
  {
    concept: snomed('91935009', 'Allergy to peanuts'),
    category: 'food',
    criticality: 'high',
    manifestation: snomed('39579001', 'Anaphylaxis'),
    severity: 'severe',
  },
  {
    concept: snomed('300913006', 'Shellfish allergy'),
    category: 'food',
    criticality: 'low',
    manifestation: snomed('126485001', 'Urticaria'),
    severity: 'mild',
  },
  {
    concept: snomed('232350006', 'House dust mite allergy'),
    category: 'environment',
    criticality: 'low',
    manifestation: snomed('70076002', 'Rhinitis'),
    severity: 'mild',
  },
];
