import type { Life } from './life.ts';
import type { Random } from './random.ts';

/** Somebody or something outside the chart that it refers to. */
export interface ChartParty {
  readonly reference: string;
  readonly display: string;
}

/** Who looks after the patient of a chart. */
export interface ChartStaff {
  readonly physician: ChartParty;
  readonly nurse: ChartParty;
  /** Who performs laboratory work: a person, or an organisation. */
  readonly laboratory: ChartParty;
}

/** The organisation that keeps a chart. */
export interface ChartOrganization extends ChartParty {
  /** Its name on the net, below `.example`; systems of identifiers are addresses there. */
  readonly domain: string;
  readonly location?: ChartParty;
}

/** A chart in the making. */
export interface Chart {
  readonly random: Random;
  readonly life: Life;
  readonly subject: ChartParty;
  readonly organization: ChartOrganization;
  readonly staff: ChartStaff;
  /** `urn:uuid:…` for an entry that is added later. */
  readonly newReference: () => string;
  /** Adds an entry, and returns the reference by which others find it. */
  readonly add: (resource: fhir4.FhirResource, reference?: string) => string;
}

/** One visit of the patient. Instants are milliseconds since 1970. */
export interface Visit {
  readonly kind: VisitKind;
  readonly encounter: fhir4.Reference;
  readonly start: number;
  readonly end: number;
  /** What is charged for, the visit itself first. */
  readonly services: { readonly concept: fhir4.CodeableConcept; readonly price: number }[];
}

export type VisitKind = 'check-up' | 'follow-up' | 'symptom' | 'emergency' | 'inpatient';

/** A FHIR Reference to a party, with its name. */
export const named = ({ reference, display }: ChartParty): fhir4.Reference => ({ reference, display });
