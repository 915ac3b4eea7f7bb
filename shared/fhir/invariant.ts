/** A rule that R4 states as a FHIRPath expression. https://hl7.org/fhir/R4/conformance-rules.html#constraints */
export interface Invariant {
  /** Its key in the specification, such as `obs-6`. */
  readonly key: string;
  readonly severity: 'error' | 'warning';
  /** Where it applies, as the specification names the element: `Observation.component`. */
  readonly path: string;
  /** The rule in words. */
  readonly human: string;
  /** Set if the rule is about this child of the element, each of its values by itself: `telecom` for org-3. */
  readonly child?: string;
  /**
   * Whether the element, or one value of `child`, keeps the rule; also true where the expression gives nothing.
   * Relies on what the schema of the type has checked, and never throws then. A method, so that each rule may
   * declare the type of element that it is kept with.
   *
   * @param resource - `%resource`: the resource that the element is part of.
   * @param rootResource - `%rootResource`: the resource that contains it, else the same.
   */
  holds(element: unknown, resource: unknown, rootResource: unknown): boolean;
}

/** By type or path of a backbone element: the rules about it. */
export type InvariantsByType = Readonly<Record<string, readonly Invariant[]>>;
