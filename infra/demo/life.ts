import { dayMs, yearMs } from './calendar.ts';
import { allergies, type ChronicIllness, chronicIllnesses } from './illnesses.ts';
import { familyNames, givenNames, languages, maritalStates, streets, towns } from './names.ts';
import type { Random } from './random.ts';

/** What is decided about an invented person before anything is written down. Instants are milliseconds since 1970. */
export interface Life {
  readonly sex: 'female' | 'male';
  readonly given: string;
  readonly middle: string;
  readonly family: string;
  readonly street: string;
  readonly town: (typeof towns)[number];
  readonly phone: string;
  readonly language: (typeof languages)[number];
  readonly maritalStatus: (typeof maritalStates)[number] | undefined;
  readonly birth: number;
  readonly death: number | undefined;
  /** Nothing happens later: death, or the present. */
  readonly end: number;
  readonly smoking: 'never' | 'former';
  /** In cm. */
  readonly adultHeight: number;
  /** Body mass index at 18 years, and what it gains a decade. */
  readonly bodyMassIndex: number;
  readonly gain: number;
  /** Age at onset in years of each illness that stays, in order of onset. */
  readonly illnesses: readonly { readonly illness: ChronicIllness; readonly onsetAge: number }[];
  readonly allergies: readonly (typeof allergies)[number][];
}

/** Invents a person who lives at the instant `now`, or died in the eight years before. */
export const inventLife = (random: Random, now: number): Life => {
  const sex = random.pick(['female', 'male'] as const);
  const age = random.chance(0.2) ? random.between(2, 18) : random.between(18, 90);
  const death = random.chance(age > 60 ? 0.22 : 0.02) ? now - random.between(20, 2_900) * dayMs : undefined;
  const end = death ?? now;
  const birth = Math.floor((end - age * yearMs) / dayMs) * dayMs;
  return {
    sex,
    given: random.pick(givenNames[sex]),
    middle: random.pick(givenNames[sex]),
    family: random.pick(familyNames),
    street: `${random.whole(1, 240)} ${random.pick(streets)}`,
    town: random.pick(towns),
    phone: `555-01${String(random.whole(0, 99)).padStart(2, '0')}`, // numbers that are kept for fiction
    language: random.pick(languages),
    maritalStatus: age < 20 ? undefined : random.pick(maritalStates),
    birth,
    death,
    end,
    smoking: age > 45 && random.chance(0.35) ? 'former' : 'never', // long before the years of the chart
    adultHeight: random.normal(sex === 'female' ? 163 : 176, 6.5),
    bodyMassIndex: random.normal(22.5, 2),
    gain: random.normal(1, 0.6),
    illnesses: chronicIllnesses
      .filter(({ fromAge, prevalence }) => age > fromAge + 1 && random.chance(prevalence))
      .map((illness) => ({ illness, onsetAge: random.between(illness.fromAge, age - 0.5) }))
      .sort((a, b) => a.onsetAge - b.onsetAge),
    allergies: random.chance(0.2) ? [random.pick(allergies)] : [],
  };
};

/** Age in years at an instant. */
export const ageAt = ({ birth }: Life, instant: number): number => (instant - birth) / yearMs;

/** Share of the adult height and of the adult body mass index by age in years; straight lines between. */
const growth = [
  [0, 0.29, 0.62],
  [1, 0.44, 0.77],
  [2, 0.5, 0.75],
  [4, 0.59, 0.71],
  [8, 0.74, 0.72],
  [12, 0.87, 0.83],
  [15, 0.97, 0.93],
  [18, 1, 1],
] as const;

const grown = (age: number): { height: number; bodyMassIndex: number } => {
  const above = growth.findIndex(([at]) => at > age);
  const to = growth[above];
  const from = growth[above - 1];
  if (!to || !from) return { height: 1, bodyMassIndex: 1 };
  const part = (age - from[0]) / (to[0] - from[0]);
  return { height: from[1] + part * (to[1] - from[1]), bodyMassIndex: from[2] + part * (to[2] - from[2]) };
};

/** Height in cm and weight in kg at an instant, before what a day adds. */
export const bodyAt = (life: Life, instant: number): { height: number; weight: number } => {
  const age = ageAt(life, instant);
  const share = grown(age);
  const height = life.adultHeight * share.height;
  const index = life.bodyMassIndex * share.bodyMassIndex + life.gain * (Math.max(0, Math.min(age, 65) - 18) / 10);
  return { height, weight: index * (height / 100) ** 2 };
};
