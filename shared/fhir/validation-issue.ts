/** One thing that is to be said of a resource, ready to become an OperationOutcome.issue. */
export interface ValidationIssue {
  /** `information` tells of a check that could not be made. */
  readonly severity: 'error' | 'warning' | 'information';
  /** https://hl7.org/fhir/R4/valueset-issue-type.html */
  readonly code:
    | 'conflict'
    | 'duplicate'
    | 'structure'
    | 'required'
    | 'value'
    | 'invariant'
    | 'code-invalid'
    | 'too-long'
    | 'not-supported';
  /** Where, as a FHIRPath expression: `Observation.component[0].valueQuantity.unit`. */
  readonly expression: string;
  /** Which rule; never repeats the offending value, which may be a patient's. */
  readonly message: string;
  /** What programs read beside the words. */
  readonly extension?: fhir4.Extension[];
}
