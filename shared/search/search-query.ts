import type { SearchParameter } from '../fhir/search-parameter.ts';
import type { Interval } from './date-range.ts';
import type { DecimalRange, ExactRange } from './decimal-range.ts';
import type { TextQuery } from './text-query.ts';

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

/** `:of-type`: an identifier by one of its type's codings, and its value. https://hl7.org/fhir/R4/search.html#token */
export interface OfTypeValue {
  readonly type: 'of-type';
  readonly system: string;
  readonly code: string;
  readonly value: string;
}

/** `:in` and `:not-in`. https://hl7.org/fhir/R4/search.html#token */
export interface ValueSetValue {
  readonly type: 'value-set';
  /** Canonical address, or where the value set is. */
  readonly url: string;
}

export interface StringValue {
  readonly type: 'string';
  /** As sent, without escapes. */
  readonly value: string;
  /** What `foldText` makes of it. */
  readonly folded: string;
}

/** `:text` of a string. https://hl7.org/fhir/R4/search.html#text */
export interface TextValue {
  readonly type: 'text';
  readonly query: TextQuery;
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
  /** Undefined if any version will do; with `:below` the beginning of those that will. */
  readonly version: string | undefined;
}

/** `:above` and `:below` of a record in a hierarchy, itself included. https://hl7.org/fhir/R4/search.html#recursive */
export interface Hierarchy {
  readonly type: 'hierarchy';
  /** The parameter's name as sent. */
  readonly name: string;
  readonly resourceType: string;
  readonly id: string;
  readonly direction: 'above' | 'below';
  /** Search parameter of that type whose reference makes the hierarchy: what it points at is above. */
  readonly by: string;
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
  /** For converting into other units. */
  readonly exact: ExactRange;
}

/** https://hl7.org/fhir/R4/search.html#uri */
export interface UriValue {
  readonly type: 'uri';
  readonly value: string;
}

/** `near` of Location. https://hl7.org/fhir/R4/location.html#search */
export interface NearValue {
  readonly type: 'near';
  /** Degrees. */
  readonly latitude: number;
  readonly longitude: number;
  readonly kilometres: number;
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
  | OfTypeValue
  | ValueSetValue
  | StringValue
  | TextValue
  | ReferenceValue
  | Hierarchy
  | DateValue
  | NumberValue
  | QuantityValue
  | UriValue
  | NearValue
  | CompositeValue
  | MissingValue;

/** One parameter of a search: met if any of its values matches. */
export interface Criterion {
  readonly kind: 'criterion';
  /** The parameter's name as sent. */
  readonly name: string;
  readonly parameter: SearchParameter;
  /**
   * `missing`, `exact`, `contains`, `not`, `text`, `identifier`, `above`, `below`, `in`, `not-in`, `of-type` or the type in
   * `subject:Patient`, which the values already carry. Values of `:text` have the type `string` or `text`, those of `:identifier` the type
   * `token`.
   */
  readonly modifier: string | undefined;
  readonly values: readonly CriterionValue[];
}

/** Conditions on records of one type, all of which must be met. */
export interface Target {
  readonly resourceType: string;
  readonly conditions: readonly Condition[];
}

/** `subject:Patient.name`: what a reference points at meets the conditions of its type. https://hl7.org/fhir/R4/search.html#chaining */
export interface Chain {
  readonly kind: 'chain';
  /** The parameter's name as sent. */
  readonly name: string;
  /** The reference that is followed. */
  readonly parameter: SearchParameter;
  /** One for each type that it may point at and that has the next parameter. */
  readonly targets: readonly Target[];
}

/** `_has:Observation:patient:code`: a record of a type refers to this one and meets the conditions. https://hl7.org/fhir/R4/search.html#has */
export interface Has {
  readonly kind: 'has';
  /** The parameter's name as sent. */
  readonly name: string;
  /** Type of the records that refer to this one. */
  readonly resourceType: string;
  /** The reference that they do it by. */
  readonly parameter: SearchParameter;
  readonly conditions: readonly Condition[];
}

/** `_list`: the record stands in any of the lists. https://hl7.org/fhir/R4/search.html#list */
export interface InList {
  readonly kind: 'list';
  /** Ids of List records. */
  readonly ids: readonly string[];
  /** `current-allergies` for `$current-allergies`. https://hl7.org/fhir/R4/lifecycle.html#current */
  readonly functions: readonly string[];
}

/** `_text` and `_content`: words of the narrative, or of every text in the record. https://hl7.org/fhir/R4/search.html#text */
export interface TextSearch {
  readonly kind: 'text';
  readonly of: 'narrative' | 'content';
  readonly query: TextQuery;
}

/** Operators of `_filter` that no prefix or modifier expresses. https://hl7.org/fhir/R4/search_filter.html#ops */
export type Comparator = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'lt' | 'ge' | 'le';

/** One test of a `_filter` that is no criterion: a text or token, in either case of letters; a number or date that an element's contains. */
export interface Comparison {
  readonly kind: 'comparison';
  readonly parameter: SearchParameter;
  readonly comparator: Comparator;
  readonly value: StringValue | TokenValue | NumberValue | DateValue;
}

/** `characteristic[code eq x].value eq y`: one element of a composite meets the conditions, whose parameters select from it. */
export interface InElement {
  readonly kind: 'element';
  readonly parameter: SearchParameter;
  readonly conditions: readonly Condition[];
}

export interface AllOf {
  readonly kind: 'all';
  readonly conditions: readonly Condition[];
}

export interface AnyOf {
  readonly kind: 'any';
  readonly conditions: readonly Condition[];
}

export interface Not {
  readonly kind: 'not';
  readonly condition: Condition;
}

/** What a record must meet. Those after `InList` come from `_filter` alone. */
export type Condition = Criterion | Chain | Has | TextSearch | InList | Comparison | InElement | AllOf | AnyOf | Not;

/** `_include` and `_revinclude`. https://hl7.org/fhir/R4/search.html#include */
export interface Include {
  readonly kind: 'include' | 'revinclude';
  /** Whether it also applies to what was included. */
  readonly iterate: boolean;
  /** Type of the records whose references are followed; undefined for any. */
  readonly source: string | undefined;
  /** The references that are followed; undefined for any. */
  readonly parameter: SearchParameter | undefined;
  /** Type that they must point at; undefined for any. */
  readonly target: string | undefined;
}

/** One rule of `_sort`. */
export interface SortRule {
  readonly parameter: SearchParameter;
  readonly descending: boolean;
}

export type Summary = 'true' | 'false' | 'text' | 'data' | 'count';
export type Total = 'none' | 'estimate' | 'accurate';

/** Which of the resources within others are wanted. https://hl7.org/fhir/R4/search.html#contained */
export interface Contained {
  readonly search: 'false' | 'true' | 'both';
  readonly answer: 'container' | 'contained';
}

/** A parameter that was not used, and why. */
export interface SearchWarning {
  /** Its name as sent. */
  readonly parameter: string;
  readonly message: string;
}

/** A search as it was understood. */
export interface SearchQuery {
  /** All of them must be met. */
  readonly conditions: readonly Condition[];
  /** Most matches on a page, 0 to 1,000. Zero asks for the number of matches only, like `_summary=count`. */
  readonly count: number | undefined;
  readonly summary: Summary | undefined;
  readonly total: Total | undefined;
  /** Most important rule first; empty if the order does not matter. */
  readonly sort: readonly SortRule[];
  /** Names of the root elements that are wanted; undefined for all. */
  readonly elements: readonly string[] | undefined;
  readonly includes: readonly Include[];
  readonly contained: Contained;
  /** Whether the answer is to tell how it was found. Concord's own. */
  readonly explain: boolean;
  readonly warnings: readonly SearchWarning[];
  /** The parameters that are used, for the `self` link. https://hl7.org/fhir/R4/search.html#conformance */
  readonly understood: readonly (readonly [name: string, value: string])[];
}
