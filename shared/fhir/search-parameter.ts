/** The kinds of search parameter. https://hl7.org/fhir/R4/search.html#ptypes */
export type SearchParameterType =
  | 'token'
  | 'string'
  | 'reference'
  | 'date'
  | 'number'
  | 'quantity'
  | 'uri'
  | 'composite'
  | 'special';

/** One element that a search parameter selects, with its FHIR datatype, since a token may be a Coding, a code, an Identifier … */
export interface SearchValue {
  /** FHIR datatype: `CodeableConcept`, `Coding`, `code`, `Identifier`, `Period`, `dateTime`, `HumanName`, `Reference` … */
  readonly type: string;
  readonly value: unknown;
}

/** Part of a composite parameter; `values` is given one element that the composite's own `values` selected. */
export interface SearchParameterComponent {
  readonly code: string;
  readonly type: SearchParameterType;
  readonly targets?: readonly string[];
  readonly values: (element: unknown) => SearchValue[];
}

/** A search parameter of one resource type, generated from its R4 definition. */
export interface SearchParameter {
  /** Its name in a URL, such as `birthdate`. */
  readonly code: string;
  /** Canonical address of its definition. */
  readonly url: string;
  readonly type: SearchParameterType;
  /** Types that a reference parameter may point at. */
  readonly targets?: readonly string[];
  /** The elements selected from a resource, in document order. Never throws for a resource that its schema accepts. */
  readonly values: (resource: unknown) => SearchValue[];
  /** Only for composites. */
  readonly components?: readonly SearchParameterComponent[];
}

/** Canonical address of one of R4's own search parameters. https://hl7.org/fhir/R4/searchparameter-registry.html */
export const definedBy = (id: string): string => `http://hl7.org/fhir/SearchParameter/${id}`;

/** A parameter as generated: without the address where R4's rule gives it, its type and code joined by a hyphen. */
export type GeneratedSearchParameter = Omit<SearchParameter, 'url'> & { readonly url?: string };

/**
 * The search parameters of one type, each with its address. Most follow R4's rule, and would else be a tenth of the largest function.
 *
 * @param type - resource type, or `Resource` for those of every type.
 */
export const searchParametersOf = (
  type: string,
  own: readonly GeneratedSearchParameter[],
): readonly SearchParameter[] =>
  own.map((parameter) => ({ url: definedBy(`${type}-${parameter.code.replace(/^_/, '')}`), ...parameter }));
