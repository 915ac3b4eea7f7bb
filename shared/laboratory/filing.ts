/**
 * A report as a laboratory sends it, with all that belongs to it. What is in it is kept to the letter: ranges, flags and units too. Table in docs/laboratory.md.
 */
export interface Filing {
  /**
   * With the filler's number among its `identifier` (type FILL of `v2-0203`, with a `system` or an `assigner`), and perhaps the placer's (type PLAC). Its `subject` may be left out, and so may `result`
   * and `specimen`, which are made of the following. `issued` is the filler's time of this message (OBR-22).
   */
  readonly report: fhir4.DiagnosticReport;
  /** Its results, without `subject`. Those without an `identifier` are told apart by their code and, where several have the same one, their order. */
  readonly results: readonly fhir4.Observation[];
  /** Each with an `identifier` or `accessionIdentifier`, without `subject`. `id` is a name by which `specimen` of report and results may refer to it, as `#id`. */
  readonly specimens: readonly fhir4.Specimen[];
  /** Whose it is, by identifiers and demographics, as `Patient/$match` compares them. Not asked if the report has a `subject` with a reference. */
  readonly patient?: fhir4.Patient | undefined;
  /** The filler's count of messages about this report, where it has one. Without, `issued` tells which is newer. */
  readonly version?: number | undefined;
}

/**
 * What became of it: a new report; a newer state of one that is known; the same message once more, which changes nothing; an older message, kept without being shown as current; or nobody could say whose
 * it is, so that it waits for somebody to look.
 */
export type FilingOutcome = 'filed' | 'revised' | 'repeated' | 'late' | 'unfiled';

/** Why a report waits. */
export type UnfiledReason = 'no-patient' | 'several-patients' | 'uncertain-patient' | 'other-patient';

/** What a filing comes to. */
export interface Filed {
  readonly outcome: FilingOutcome;
  /** `DiagnosticReport/id`, in its chart, or as it waits in none. */
  readonly report: string;
  /** `ServiceRequest/id` of the order that it was matched with. */
  readonly order?: string | undefined;
  /** Why it waits, if it does. */
  readonly reason?: UnfiledReason | undefined;
  /** What the sender should know of, such as a number that several orders bear. */
  readonly remarks: readonly string[];
}
