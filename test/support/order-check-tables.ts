import type { IngredientClass, Pack, RenalRule, Sourced } from '../../shared/order-checks/knowledge.ts';
import { checkKinds, notCheckedWords } from '../../shared/order-checks/words.ts';

/** A table of docs/order-checks.md: its heads, of which the first tells it from others, and its rows. */
export interface DocumentTable {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The tables of docs/order-checks.md, made of a pack. */
export const rowsOf = (pack: Pack): Readonly<Record<string, DocumentTable>> => {
  const names = new Map([...pack.ingredients, ...pack.classes].map(({ id, name }) => [id, name]));
  const isListed = ({ id }: Sourced): boolean => id.startsWith('onc-');
  const name = (id: string): string => names.get(id) ?? id;
  const cited = ({ source, where }: Sourced): string => `\`${source}\`, ${where}`;
  const interactions = (heads: string, listed: boolean): DocumentTable => ({
    heads: [heads, 'one side', 'other side', 'severity', 'what may happen', 'source'],
    rows: pack.interactions
      .filter((rule) => isListed(rule) === listed)
      .map((rule) => [`\`${rule.id}\``, ...rule.between.map(name), rule.severity, rule.text, cited(rule)]),
  });
  const members = ({ members: each }: IngredientClass): string => each.map(name).join(', ');
  return {
    words: {
      heads: ['code', 'in words'],
      rows: Object.entries(notCheckedWords).map(([code, words]) => [`\`${code}\``, words]),
    },
    kinds: { heads: ['kind'], rows: checkKinds.map((kind) => [`\`${kind}\``]) },
    list: interactions('pair of the list', true),
    interactions: interactions('further pair', false),
    allergies: {
      heads: ['allergy rule', 'allergic to', 'ordered', 'severity', 'why', 'source'],
      rows: pack.allergies.map((rule) => [
        `\`${rule.id}\``,
        name(rule.allergicTo),
        name(rule.against),
        rule.severity,
        rule.text,
        cited(rule),
      ]),
    },
    duplicates: {
      heads: ['duplicate', 'one at a time of', 'severity', 'why', 'source'],
      rows: pack.duplicates.map((rule) => [`\`${rule.id}\``, name(rule.class), rule.severity, rule.text, cited(rule)]),
    },
    pregnancy: {
      heads: ['pregnancy rule', 'medicine', 'severity', 'why', 'source'],
      rows: pack.pregnancy.map((rule) => [`\`${rule.id}\``, name(rule.of), rule.severity, rule.text, cited(rule)]),
    },
    renal: {
      heads: ['kidney rule', 'medicine', 'applies', 'severity', 'why', 'source'],
      rows: pack.renal.map((rule) => [
        `\`${rule.id}\``,
        name(rule.of),
        `${rule.measure === 'egfr' ? 'eGFR' : 'clearance'} ${threshold(rule)}`,
        rule.severity,
        rule.text,
        cited(rule),
      ]),
    },
    classes: {
      heads: ['class', 'called', 'members', 'source'],
      rows: pack.classes.map((each) => [`\`${each.id}\``, each.name, members(each), cited(each)]),
    },
    sources: {
      heads: ['source', 'what it is', 'address'],
      rows: pack.sources.map(({ id, title, url }) => [`\`${id}\``, title, `<${url}>`]),
    },
  };
};

const threshold = ({ below, atMost, above }: RenalRule): string => {
  if (below !== undefined) return `below ${below}`;
  return atMost === undefined ? `above ${above}` : `at most ${atMost}`;
};
