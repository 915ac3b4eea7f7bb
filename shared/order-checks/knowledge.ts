/**
 * What order checks know: ingredients, products, classes and rules, each row with its source. The format is that of the packs that a deployment may give
 * (docs/order-checks.md); `parse-pack.ts` checks one.
 */
export interface Pack {
  /** Tells one pack from another, such as `2026.11`. Findings name it. */
  readonly edition: string;
  /** Edition of the pack that it adds to; it stands alone, if absent. */
  readonly addsTo?: string | undefined;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly licence: string;
  readonly sources: readonly Source[];
  readonly ingredients: readonly Ingredient[];
  readonly products: readonly Product[];
  readonly classes: readonly IngredientClass[];
  readonly interactions: readonly Interaction[];
  readonly allergies: readonly AllergyRule[];
  readonly duplicates: readonly DuplicateRule[];
  readonly pregnancy: readonly PregnancyRule[];
  readonly renal: readonly RenalRule[];
}

export interface Source {
  readonly id: string;
  readonly title: string;
  readonly url: string;
}

/** An active ingredient, whichever its salt. */
export interface Ingredient {
  readonly id: string;
  readonly name: string;
  /** Other names of it. A record without a code that is known is known by one of these, if it says nothing else. */
  readonly also?: readonly string[] | undefined;
  /** Of the ingredient, its salts and its brands. */
  readonly rxcui?: readonly string[] | undefined;
  /** Of other systems, such as the substance of an allergy. */
  readonly codes?: readonly Code[] | undefined;
  /** Where its codes were found. */
  readonly source?: readonly string[] | undefined;
}

export interface Code {
  readonly system: string;
  readonly code: string;
}

/** RxNorm codes of products with the same ingredients. */
export interface Product {
  readonly of: readonly string[];
  readonly rxcui: readonly string[];
}

export interface Sourced {
  readonly id: string;
  /** `id` of a source. */
  readonly source: string;
  /** The place in it: a table, a section. */
  readonly where: string;
}

export interface IngredientClass extends Sourced {
  readonly name: string;
  readonly also?: readonly string[] | undefined;
  /** Ids of ingredients. */
  readonly members: readonly string[];
  /** Codes that mean the whole class, as an allergy may have. */
  readonly codes?: readonly Code[] | undefined;
}

export const severities = ['contraindicated', 'serious', 'moderate'] as const;
export type Severity = (typeof severities)[number];

/** Whether somebody has to answer before the order goes on. What does not interrupt is shown beside it. */
export const interrupts = (severity: Severity): boolean => severity !== 'moderate';

interface Rule extends Sourced {
  readonly severity: Severity;
  /** What may happen, in a sentence. */
  readonly text: string;
}

/** Each side is an ingredient or a class. Of one class with itself, two different ingredients. */
export interface Interaction extends Rule {
  readonly between: readonly [string, string];
}

/** Who is allergic to one side may react to the other. */
export interface AllergyRule extends Rule {
  readonly allergicTo: string;
  readonly against: string;
}

export interface DuplicateRule extends Rule {
  readonly class: string;
}

export interface PregnancyRule extends Rule {
  readonly of: string;
}

export interface RenalRule extends Rule {
  readonly of: string;
  /** `egfr`: mL/min/1.73 m²; `clearance`: of creatinine, mL/min. */
  readonly measure: 'egfr' | 'clearance';
  /** One of the three: applies below this value, the value itself not counted. */
  readonly below?: number | undefined;
  /** Applies at this value and below. */
  readonly atMost?: number | undefined;
  /** Applies above this value, the value itself not counted. */
  readonly above?: number | undefined;
}
