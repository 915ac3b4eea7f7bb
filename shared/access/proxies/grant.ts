import type { LegalBasis } from '../question.ts';

// All times are in milliseconds since 1970. Stored as JSON, so a change of a meaning is a new layout.

/** Who recorded something, on what evidence. */
export interface Recorded {
  readonly at: number;
  /** Reference to who recorded it. */
  readonly by: string;
  readonly organization: string;
  /** Reference to a document of the chart, or what was seen, in words. */
  readonly evidence: { readonly reference?: string; readonly text?: string };
}

/** The right of somebody to act for a patient. */
export interface Grant {
  readonly kind: 'grant';
  /** Reference to the person: a RelatedPerson of the chart, or a Patient. */
  readonly proxy: string;
  readonly basis: LegalBasis;
  readonly rights: 'read' | 'act';
  readonly from?: number | undefined;
  /** The first moment at which it holds no more. */
  readonly until?: number | undefined;
  /** Since when a power of attorney counts: a licensed person has found that the patient cannot decide. */
  readonly activated?: number | undefined;
  readonly granted: Recorded;
  readonly ended?: Recorded | undefined;
}

/** That a patient decides alone though not of age, by marriage, service or a court's word. */
export interface Emancipation {
  readonly kind: 'emancipation';
  readonly since: number;
  readonly recorded: Recorded;
}
