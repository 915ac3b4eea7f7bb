import type { LegalBasis } from '../question.ts';
import { type Ages, kindsOfCare } from './ages.ts';
import type { Matter } from './confidential.ts';
import type { Emancipation, Grant } from './grant.ts';

/** Whether a right is in force, or why not. Stable: `$proxies` shows it. */
export type Standing =
  | 'in-force'
  | 'not-yet'
  | 'ended'
  | 'age-unknown'
  | 'of-age'
  | 'not-activated'
  | 'deceased'
  | 'not-deceased';

/** What a Patient tells of a life, as far as the law goes by it. Times are in milliseconds since 1970. */
interface Life {
  /** The earliest birth that the record may mean: so nobody is taken for younger than they are. */
  readonly born: number | undefined;
  /** Undefined for who is alive. */
  readonly died: number | undefined;
}

const lifeOf = ({ birthDate, deceasedBoolean, deceasedDateTime }: fhir4.Patient, now: number): Life => {
  const born = birthDate === undefined ? Number.NaN : Date.parse(birthDate);
  const died = deceasedDateTime === undefined ? Number.NaN : Date.parse(deceasedDateTime);
  const isDead = deceasedDateTime === undefined ? deceasedBoolean === true : !(died > now);
  return {
    born: Number.isNaN(born) ? undefined : born,
    died: isDead ? (Number.isNaN(died) ? now : died) : undefined,
  };
};

/** The birthday on which somebody has this many years. */
const birthday = (born: number, years: number): number => {
  const date = new Date(born);
  return Date.UTC(date.getUTCFullYear() + years, date.getUTCMonth(), date.getUTCDate());
};

/**
 * Whether a right to act for a patient is in force. A parent's and a guardian's ends by itself when the patient comes of age or is emancipated; a guardian's that
 * was recorded after that is an adult's guardian's. A power of attorney counts once it is activated; it and those end with the patient's death, and an executor's
 * begins there. Pure.
 *
 * @param now - in milliseconds since 1970.
 */
export const standingOf = (
  grant: Omit<Grant, 'kind' | 'proxy' | 'rights'>,
  patient: fhir4.Patient,
  emancipation: Emancipation | undefined,
  ages: Ages,
  now: number,
): Standing => {
  const { basis, from, until, activated, granted, ended } = grant;
  if (ended || (until !== undefined && now >= until)) return 'ended';
  if (from !== undefined && now < from) return 'not-yet';
  const { born, died } = lifeOf(patient, now);
  if (basis === 'executor') return died === undefined ? 'not-deceased' : 'in-force';
  if (died !== undefined) return 'deceased';
  if (basis === 'attorney') return activated !== undefined && activated <= now ? 'in-force' : 'not-activated';
  if (born === undefined) return 'age-unknown';
  const free = Math.min(birthday(born, ages.majority), emancipation?.since ?? Number.POSITIVE_INFINITY);
  if (now < free) return 'in-force';
  return basis === 'guardian' && granted.at >= free ? 'in-force' : 'of-age';
};

/**
 * What is kept from somebody who acts for a patient: what a minor of this age may consent to alone. Nothing from who decides for an adult that was never a parent's
 * charge here. Of whom the age is not known, all of it. What is old is judged by the age of today, which hides more than that of the day of care. Pure.
 */
export const keptFrom = (
  basis: LegalBasis,
  patient: fhir4.Patient,
  { majority, alone, unclear }: Ages,
  now: number,
): ReadonlySet<Matter> => {
  const { born, died = now } = lifeOf(patient, now);
  const isMinor = born === undefined || died < birthday(born, majority);
  if (!isMinor && basis !== 'parent' && basis !== 'guardian') return new Set();
  const has = (years: number | undefined) =>
    years !== undefined && (born === undefined || died >= birthday(born, years));
  return new Set<Matter>([
    'own',
    ...(isMinor ? kindsOfCare.filter((kind) => has(alone[kind])) : []),
    ...(isMinor && has(unclear) ? (['unclear'] as const) : []),
  ]);
};

/** What a chart says of its patient, as far as a right to act for the patient goes by it. */
export interface SaidOfPatient {
  readonly patient: fhir4.Patient;
  readonly emancipation: Emancipation | undefined;
}

/**
 * What a right lets its holder not see; undefined if it is not in force. It is in force by what the chart says that it was recorded in, and ends as well by what is said in a chart that a merge
 * has made the same person's: that the patient decides alone there, or has died. What is kept is what either keeps; a chart that tells no age keeps nothing. Pure.
 *
 * @param now - in milliseconds since 1970.
 */
export const keptOfPerson = (
  grant: Omit<Grant, 'kind' | 'proxy' | 'rights'>,
  own: SaidOfPatient,
  elsewhere: readonly SaidOfPatient[],
  ages: Ages,
  now: number,
): ReadonlySet<Matter> | undefined => {
  const standing = ({ patient, emancipation }: SaidOfPatient) => standingOf(grant, patient, emancipation, ages, now);
  if (standing(own) !== 'in-force' || elsewhere.map(standing).some(hasEnded)) return undefined;
  const told = [own, ...elsewhere.filter(({ patient }) => patient.birthDate !== undefined)];
  return new Set(told.flatMap(({ patient }) => [...keptFrom(grant.basis, patient, ages, now)]));
};

/** Whether a life ends a right. */
const hasEnded = (standing: Standing): boolean => standing === 'of-age' || standing === 'deceased';
