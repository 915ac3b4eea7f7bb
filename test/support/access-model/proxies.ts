// Who may act for a patient and what is kept from them, read from docs/access.md and written without a look at the code that it judges.

export interface ModelGrant {
  readonly basis: 'parent' | 'guardian' | 'attorney' | 'executor';
  /** Dates of time zone Z, as `2026-03-01`. */
  readonly granted: string;
  readonly start?: string;
  readonly end?: string;
  readonly activated?: string;
  readonly isEnded: boolean;
}

export interface ModelPatient {
  readonly birthDate?: string;
  readonly died?: string;
  readonly emancipated?: string;
}

const laws = {
  cautious: { sexual: 12, infection: 12, mental: 12, substance: 12, unclear: 12 },
  'US-CA': { sexual: 0, infection: 12, mental: 12, substance: 12, unclear: 12 },
  'US-WA': { sexual: 0, infection: 14, mental: 13, substance: 13, unclear: 13 },
} as const;
export type ModelJurisdiction = keyof typeof laws;

/** The same day some years later, as text; the day after the 28th where there is no 29th of February. */
const later = (date: string, years: number): string => {
  const year = Number(date.slice(0, 4)) + years;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const rest = date.slice(4) === '-02-29' && !leap ? '-03-01' : date.slice(4);
  return `${String(year).padStart(4, '0')}${rest}`;
};

/** Days are compared as text, and whoever has died is no more of an age than then. */
export const mayActByModel = (grant: ModelGrant, { birthDate, died, emancipated }: ModelPatient, today: string) => {
  const { basis, start, end, activated, isEnded, granted } = grant;
  if (isEnded || (start && today < start) || (end && today > end)) return false;
  const isDead = died !== undefined && died <= today;
  if (basis === 'executor') return isDead;
  if (isDead) return false;
  if (basis === 'attorney') return activated !== undefined && activated <= today;
  if (!birthDate) return false;
  const isFree = (day: string) => day >= later(birthDate, 18) || (emancipated !== undefined && day >= emancipated);
  return !isFree(today) || (basis === 'guardian' && isFree(granted));
};

/** The same where a merge has made other charts this patient's: each may say that the right is over, and none that it is not. */
export const mayActInMergedByModel = (
  grant: ModelGrant,
  own: ModelPatient,
  others: readonly ModelPatient[],
  today: string,
): boolean =>
  mayActByModel(grant, own, today) &&
  others.every((other) => {
    if (grant.basis === 'executor') return true;
    if (other.died !== undefined && other.died <= today) return false;
    // Nobody is too old for who was given the right to decide for an adult, nor where no age is told.
    return grant.basis === 'attorney' || !other.birthDate || mayActByModel(grant, other, today);
  });

/** What a record is about, for the model: one of the kinds of care, what is marked as the patient's own, what is closed without a reason, or nothing. */
export type ModelMatter = 'sexual' | 'infection' | 'mental' | 'substance' | 'own' | 'unclear' | 'nothing';

export const isKeptByModel = (
  matter: ModelMatter,
  { basis }: ModelGrant,
  { birthDate, died }: ModelPatient,
  today: string,
  jurisdiction: ModelJurisdiction,
): boolean => {
  const day = died !== undefined && died <= today ? died : today;
  const isMinor = !birthDate || day < later(birthDate, 18);
  const isParent = basis === 'parent' || basis === 'guardian';
  if (matter === 'nothing') return false;
  if (matter === 'own') return isMinor || isParent;
  return isMinor && (!birthDate || day >= later(birthDate, laws[jurisdiction][matter]));
};

type ModelReferences = readonly (readonly [from: number, to: number])[];

/** Whatever refers to what is kept is kept, and the members of a panel that is kept, step by step. */
export const keptWithReferences = (
  kept: readonly boolean[],
  references: ModelReferences,
  members: ModelReferences,
): readonly boolean[] => {
  const next = kept.map(
    (is, index) =>
      is ||
      [...references, ...members].some(([from, to]) => from === index && kept[to]) ||
      members.some(([panel, member]) => member === index && kept[panel]),
  );
  return next.every((is, index) => is === kept[index]) ? kept : keptWithReferences(next, references, members);
};

/** Which of a patient's numbers and addresses are shown to whom: confidential ones go with what is the patient's own. */
export const shownNumbersByModel = (
  numbers: readonly { readonly value: string; readonly restriction?: string }[],
  ...[grant, patient, today, jurisdiction]: [ModelGrant, ModelPatient, string, ModelJurisdiction]
): readonly string[] =>
  numbers
    .filter(
      ({ restriction }) => restriction !== 'confidential' || !isKeptByModel('own', grant, patient, today, jurisdiction),
    )
    .map(({ value }) => value);
