import { interrupts, type Pack, type Severity, type Sourced } from './knowledge.ts';
import type { CheckKind } from './words.ts';

/** What a finding is, for programs. */
export type FindingCode =
  | 'allergy-same'
  | 'allergy-cross'
  | 'allergy-past'
  | 'interaction'
  | 'duplicate-ingredient'
  | 'duplicate-class'
  | 'pregnancy'
  | 'renal';

/** Something that speaks against an order. */
export interface Finding {
  readonly kind: CheckKind;
  readonly code: FindingCode;
  readonly severity: Severity;
  /** Whether somebody has to answer before the order goes on. */
  readonly interrupts: boolean;
  /** In plain words, for who orders. */
  readonly text: string;
  /** `Type/id` of the record that it clashes with. */
  readonly record: string | undefined;
  /** `id` of the rule; undefined where no rule is needed, as for the very same ingredient. */
  readonly rule: string | undefined;
  readonly source: FindingSource | undefined;
  /** Of the pack that it was found by. */
  readonly edition: string;
}

export interface FindingSource {
  readonly title: string;
  readonly url: string;
  /** The place in it: a table, a section. */
  readonly where: string;
}

/** A finding with what follows from its severity and its rule. */
export const finding = (
  {
    rule,
    ...said
  }: Pick<Finding, 'kind' | 'code' | 'severity' | 'text' | 'record'> & { readonly rule?: Sourced | undefined },
  { sources, edition }: Pack,
): Finding => {
  const source = rule && sources.find(({ id }) => id === rule.source);
  return {
    ...said,
    text: `${said.text.charAt(0).toUpperCase()}${said.text.slice(1)}`,
    interrupts: interrupts(said.severity),
    rule: rule?.id,
    source: source && { title: source.title, url: source.url, where: rule.where },
    edition,
  };
};
