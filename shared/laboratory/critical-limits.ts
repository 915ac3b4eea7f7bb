/** Values at which somebody is told at once, at or beyond them. */
export interface CriticalLimit {
  /** LOINC codes of the tests, with blanks between them. */
  readonly codes: string;
  /** Code of UCUM; values in units that convert into it are compared with it. */
  readonly unit: string;
  readonly low?: number;
  readonly high?: number;
  /** Who says so. */
  readonly source: string;
}

/** Means of a national survey of 92 medical centres, for adults; beside the values of its abstract those of the table that its author publishes of it. */
const kost = 'Kost GJ. JAMA 1990;263:704-707, doi:10.1001/jama.263.5.704';

const limit = (codes: string, unit: string, low: number | undefined, high: number | undefined): CriticalLimit => ({
  codes,
  unit,
  ...(low === undefined ? {} : { low }),
  ...(high === undefined ? {} : { high }),
  source: kost,
});

/** What holds where a deployment names no limits of its own. Codes by https://loinc.org; read as a table in docs/results.md. */
export const usualLimits: readonly CriticalLimit[] = [
  limit('14749-6 15074-8', 'mmol/L', 2.6, 26.9), // glucose, as an amount
  limit('2345-7 2339-0 41653-7', 'mg/dL', 46, 484), // as a mass
  limit('2823-3 6298-4', 'mmol/L', 2.8, 6.2), // potassium
  limit('2823-3 6298-4', 'meq/L', 2.8, 6.2),
  limit('2951-2 2947-0', 'mmol/L', 120, 158), // sodium
  limit('2951-2 2947-0', 'meq/L', 120, 158),
  limit('2000-8', 'mmol/L', 1.65, 3.22), // calcium, as an amount
  limit('17861-6', 'mg/dL', 6.6, 12.9), // as a mass
  limit('2601-3', 'mmol/L', 0.41, 2.02), // magnesium, as an amount
  limit('19123-9', 'mg/dL', 1, 4.9), // as a mass
  limit('14879-1', 'mmol/L', 0.39, 2.87), // phosphate, as an amount
  limit('2777-1', 'mg/dL', 1.2, 8.9), // as a mass
  limit('2028-9', 'mmol/L', 11, 40), // carbon dioxide
  limit('2028-9', 'meq/L', 11, 40),
  limit('4544-3 20570-8', '%', 18, 61), // haematocrit
  limit('718-7', 'g/L', 66, 199), // haemoglobin
  limit('777-3 26515-7', '10*9/L', 37, 910), // platelets
  limit('6690-2 26464-8', '10*9/L', 2, 37), // leucocytes
  limit('5902-2', 's', undefined, 27), // prothrombin time
  limit('2744-1 11558-4', '[pH]', 7.21, 7.59), // of arterial blood, of blood
  limit('2019-8 11557-6', 'mm[Hg]', 19, 67), // carbon dioxide, its pressure
  limit('2703-7', 'mm[Hg]', 43, undefined), // oxygen, its pressure in arterial blood
];

/** What a network says of critical results, where it says it. Part of its policy. */
export interface CriticalResultsPolicy {
  /** In which time they are to be acknowledged; 30 minutes. */
  readonly acknowledgeMinutes?: number;
  /** After which time who is on call has them, too; 60 minutes. */
  readonly onCallMinutes?: number;
  /** Who is on call, by id of the organisation: a reference to a PractitionerRole or a Practitioner; the whole organisation where that is not said. */
  readonly onCall?: Readonly<Record<string, string>>;
  /** In place of the usual ones. */
  readonly limits?: readonly CriticalLimit[];
}
