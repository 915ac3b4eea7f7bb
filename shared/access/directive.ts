/** Stands among what a rule names for what is not understood: it may be what is asked about, or not. */
export const unclear = '?';

/** Between two instants, in milliseconds since 1970, the second one not included; null where it is open. */
export type Span = readonly [from: number | null, to: number | null];

/**
 * A provision of a Consent, compiled: https://hl7.org/fhir/R4/consent.html. It holds for what meets all that it names; of what one element names,
 * any. What it does not name makes no difference. Stored as JSON, so a change of its meaning is a new layout.
 */
export interface Rule {
  /** Absent where it only groups what is within. */
  readonly type?: 'permit' | 'deny';
  /** It says more than is understood: what meets the rest may be meant, or not. */
  readonly unclear?: boolean;
  /** When it is in force. */
  readonly period?: Span;
  /** References to who receives: organisations, people, devices. */
  readonly recipients?: readonly string[];
  /** References to organisations that keep the record. */
  readonly custodians?: readonly string[];
  /** Codes of v3-ActReason. */
  readonly purposes?: readonly string[];
  /** `system|code`. */
  readonly labels?: readonly string[];
  /** Resource types. */
  readonly types?: readonly string[];
  /** `system|code`. */
  readonly codes?: readonly string[];
  /** When the care was given that a record is about. */
  readonly dates?: Span;
  /** `Type/id`; with `>` before it also of what refers to it. */
  readonly data?: readonly string[];
  /** Exceptions, of which deny wins. */
  readonly rules?: readonly Rule[];
}

/** What one Consent comes to. */
export interface Directive {
  /** The organisation that keeps the Consent: it opens what this organisation keeps, and closes whatever it names; where another one keeps the Patient, what it keeps itself. */
  readonly custodian: string;
  readonly rule: Rule;
  /** Whether it was given in a chart that is linked with the one that is asked about: it closes that one as well, and opens nothing there. */
  readonly closes?: true;
}
