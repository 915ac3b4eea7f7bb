/** A profile, reduced to what it asks beyond R4. Made by `npm run generate`. https://hl7.org/fhir/R4/profiling.html */
export interface Profile {
  /** Last part of its address: `us-core-patient`. */
  readonly name: string;
  readonly type: string;
  /** Of the resource, or of the extension, as a whole. */
  readonly root: ElementRule;
}

/** What a profile asks of one element, at each place where it stands. */
export interface ElementRule {
  readonly min?: number;
  readonly max?: number;
  /** For an element that is named `value[x]`: how the properties may end that hold it, such as `Quantity`. */
  readonly types?: readonly string[];
  /** Types of resources that a reference may name. */
  readonly targets?: readonly string[];
  /** What a value has to have; a text, which may be fixed too, has to be the same. */
  readonly pattern?: unknown;
  readonly bindings?: readonly Binding[];
  /** Rules by the place in the list of all. */
  readonly rules?: readonly number[];
  /** Name of the profile of an extension. */
  readonly profile?: string;
  /** By the name of a JSON property, or of a choice: `valueQuantity`, `value[x]`. */
  readonly children?: Readonly<Record<string, ElementRule>>;
  readonly slices?: readonly Slice[];
}

/** Part of a repeating element. All of US Core's slicings are open: what belongs to none of the slices may be there. */
export interface Slice extends ElementRule {
  readonly name: string;
  /** By way of a discriminator, relative to the element: what must be met there by some value, to belong to the slice. */
  readonly match: Readonly<Record<string, Pick<ElementRule, 'pattern' | 'bindings'>>>;
}

/**
 * A value set that codes have to come from. https://hl7.org/fhir/R4/terminologies.html#strength; `preferred` and `example` ask for nothing.
 * `maximum` is what codes have to come from where there are any: https://hl7.org/fhir/R4/extension-elementdefinition-maxvalueset.html
 */
export interface Binding {
  readonly strength: 'required' | 'extensible' | 'maximum';
  readonly valueSet: string;
}

/** The codes of a value set, as far as they are held. */
export interface CodeTable {
  readonly url: string;
  /** By code system its codes, with blanks between them; null where it has codes of this system, and it is not known which. */
  readonly systems: Readonly<Record<string, string | null>>;
  /** Codes that do not belong to it, whatever `systems` says. */
  readonly excluded?: Readonly<Record<string, string>>;
  /** It includes others that are not held, so codes of any system may belong to it. */
  readonly open?: true;
}

/** A rule between elements. https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint */
export interface Rule {
  readonly key: string;
  /** `information`, and never met, if it tells of rules that are not held. */
  readonly severity: 'error' | 'warning' | 'information';
  readonly human: string;
  readonly expression: Expression;
}

/** The part of FHIRPath that the rules of profiles use; `null` stands for the element that a rule is about. */
export type Expression =
  | readonly ['literal', string | boolean]
  | readonly ['this']
  /** A choice is called `value[x]`. */
  | readonly ['member', Expression | null, string]
  | readonly ['exists' | 'empty', Expression | null]
  | readonly ['where' | 'and' | 'or' | 'xor' | 'implies' | '=', Expression | null, Expression]
  /** Whether it has a match of the pattern. */
  | readonly ['matches', Expression | null, string]
  /** `resolve() is Type`, decided by the reference alone. */
  | readonly ['refers', Expression | null, string]
  /** Whether the last of ten digits is the check digit of a National Provider Identifier. */
  | readonly ['npi', Expression | null];
