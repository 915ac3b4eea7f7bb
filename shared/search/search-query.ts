import type { SearchParameter } from '../fhir/search-parameter.ts';
import type { Interval } from './date-range.ts';
import type { DecimalRange } from './decimal-range.ts';

/** How an ordered value compares. https://hl7.org/fhir/R4/search.html#prefix */
export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';

/** `code`, `system|code`, `|code` or `system|`. https://hl7.org/fhir/R4/search.html#token */
export interface TokenValue {
  readonly type: 'token';
  /** Undefined if any will do, empty if there must be none. */
  readonly system: string | undefined;
  /** Undefined if any code of the system will do; never empty. */
  readonly code: string | undefined;
}

export interface StringValue {
  readonly type: 'string';
  /** As sent, without escapes. */
  readonly value: string;
  /** What `foldText` makes of it. */
  readonly folded: string;
}

/** Either `id`, with or without its type, or `url`. https://hl7.org/fhir/R4/search.html#reference */
export interface ReferenceValue {
  readonly type: 'reference';
  /** Undefined if any type that the parameter may point at will do. */
  readonly resourceType: string | undefined;
  /** Id of a record of this server, however the client wrote the reference. */
  readonly id: string | undefined;
  /** An absolute address elsewhere, a canonical or a URN, without its version. */
  readonly url: string | undefined;
  /** Undefined if any version will do. */
  readonly version: string | undefined;
}

/** https://hl7.org/fhir/R4/search.html#date */
export interface DateValue extends Interval {
  readonly type: 'date';
  readonly prefix: Prefix;
  /** The date without its prefix. */
  readonly text: string;
}

/** `low` and `high` bound what `eq` and `ap` accept; the other prefixes compare with `value` exactly. https://hl7.org/fhir/R4/search.html#number */
export interface NumberValue extends DecimalRange {
  readonly type: 'number';
  readonly prefix: Prefix;
}

/** https://hl7.org/fhir/R4/search.html#quantity */
export interface QuantityValue extends DecimalRange {
  readonly type: 'quantity';
  readonly prefix: Prefix;
  /** Undefined if any will do. */
  readonly system: string | undefined;
  /** Code of the unit, or without a system also the unit as people write it; undefined if any will do. */
  readonly code: string | undefined;
}

/** https://hl7.org/fhir/R4/search.html#uri */
export interface UriValue {
  readonly type: 'uri';
  readonly value: string;
}

/** One value for each component of the parameter, in their order. https://hl7.org/fhir/R4/search.html#composite */
export interface CompositeValue {
  readonly type: 'composite';
  readonly parts: readonly CriterionValue[];
}

/** `:missing=true` or `false`. https://hl7.org/fhir/R4/search.html#missing */
export interface MissingValue {
  readonly type: 'missing';
  readonly missing: boolean;
}

export type CriterionValue =
  | TokenValue
  | StringValue
  | ReferenceValue
  | DateValue
  | NumberValue
  | QuantityValue
  | UriValue
  | CompositeValue
  | MissingValue;

/** One parameter of a search: met if any of its values matches. A resource must meet all criteria of a query. */
export interface Criterion {
  readonly parameter: SearchParameter;
  /**
   * `missing`, `exact`, `contains`, `not`, `text`, `identifier`, `above`, `below` or the type in `subject:Patient`, which the values
   * already carry. Values of `:text` have the type `string`, those of `:identifier` the type `token`.
   */
  readonly modifier: string | undefined;
  readonly values: readonly CriterionValue[];
}

/** One rule of `_sort`. */
export interface SortRule {
  readonly parameter: SearchParameter;
  readonly descending: boolean;
}

export type Summary = 'true' | 'false' | 'text' | 'data' | 'count';
export type Total = 'none' | 'estimate' | 'accurate';

/** A parameter that was not used, and why. */
export interface SearchWarning {
  /** Its name as sent. */
  readonly parameter: string;
  readonly message: string;
}

/** A search as it was understood. */
export interface SearchQuery {
  /** All of them must be met. */
  readonly criteria: readonly Criterion[];
  /** Most matches on a page, 0 to 1,000. Zero asks for the number of matches only, like `_summary=count`. */
  readonly count: number | undefined;
  readonly summary: Summary | undefined;
  readonly total: Total | undefined;
  /** Most important rule first; empty if the order does not matter. */
  readonly sort: readonly SortRule[];
  /** Names of the root elements that are wanted; undefined for all. */
  readonly elements: readonly string[] | undefined;
  readonly warnings: readonly SearchWarning[];
  /** The parameters that are used, for the `self` link. https://hl7.org/fhir/R4/search.html#conformance */
  readonly understood: readonly (readonly [name: string, value: string])[];
}
