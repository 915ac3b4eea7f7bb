/** Any FHIR resource whose structure its schema has accepted, or the store has returned. */
export interface Resource {
  readonly resourceType: string;
  readonly id?: string;
  readonly meta?: fhir4.Meta;
  readonly [element: string]: unknown;
}
