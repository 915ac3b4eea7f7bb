import { comparePatients } from './compare.ts';
import { type Field, type Finding, prior, weightOfFinding } from './weights.ts';

/** https://hl7.org/fhir/R4/valueset-match-grade.html */
export type Grade = 'certain' | 'probable' | 'possible' | 'certainly-not';

export interface Match {
  /** From 0 to 1: how likely it is that both are one person. */
  readonly score: number;
  readonly grade: Grade;
  readonly findings: readonly Finding[];
  /** Why the grade is no better than the score alone would make it. */
  readonly limit: string | undefined;
}

/** Scores from which on a grade is given. */
const thresholds = { certain: 0.995, probable: 0.9, possible: 0.2 } as const;
/** Scores that a match may have at most where a rule holds its grade down. */
const highest = { probable: 0.98, possible: 0.85 } as const;

/** How well two patients match, and why. Pure. */
export const matchPatients = (a: fhir4.Patient, b: fhir4.Patient): Match => {
  const findings = comparePatients(a, b);
  const bits = findings.reduce((sum, finding) => sum + weightOfFinding(finding), prior);
  const likely = 1 / (1 + 2 ** -bits);
  const limited = limitOf(findings);
  const score = Math.round(Math.min(likely, limited ? highest[limited.grade] : 1) * 10_000) / 10_000;
  const grade =
    score >= thresholds.certain
      ? 'certain'
      : score >= thresholds.probable
        ? 'probable'
        : score >= thresholds.possible
          ? 'possible'
          : 'certainly-not';
  return { score, grade, findings, limit: limited && likely > score ? limited.reason : undefined };
};

/**
 * What no sum of weights makes up for, since findings are not independent: a family shares its name, its home and its telephone, twins the birth date
 * too, and a namesake may be born on the same day.
 */
const limitOf = (
  findings: readonly Finding[],
): { readonly grade: 'probable' | 'possible'; readonly reason: string } | undefined => {
  const level = (field: Field) => findings.find((finding) => finding.field === field)?.level;
  const agrees = (field: Field) => ![undefined, 'different'].includes(level(field));
  const identified = level('identifier') === 'same';
  const born = ['same', 'swapped', 'digits'].includes(level('birthDate') ?? '');
  if (level('given') === 'different' || level('birthOrder') === 'different') {
    return { grade: 'possible', reason: 'Relatives and twins have everything in common but the given name' };
  }
  if (!identified && !born) return { grade: 'possible', reason: 'Neither an identifier nor the birth date agrees' };
  if (level('identifier') === 'different' || level('birthDate') === 'different') {
    return { grade: 'probable', reason: 'The identifier or the birth date is another one' };
  }
  const named = agrees('family') && agrees('given');
  const reached = ['phone', 'email'].some((field) => level(field as Field) === 'same') || level('address') === 'same';
  if (
    identified ? !(agrees('family') || agrees('given') || born) : !(named && reached && level('birthDate') === 'same')
  ) {
    return { grade: 'probable', reason: 'Too little agrees beside what namesakes have in common' };
  }
  return undefined;
};
