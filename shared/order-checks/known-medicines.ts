import type { Ingredient, IngredientClass, Pack } from './knowledge.ts';

export const rxnorm = 'http://www.nlm.nih.gov/research/umls/rxnorm';

/** A pack in the order in which it is asked. */
export interface KnownMedicines {
  readonly ingredients: ReadonlyMap<string, Ingredient>;
  readonly classes: ReadonlyMap<string, IngredientClass>;
  /** Ids of ingredients by `system|code` of a product, an ingredient, a salt or a brand. */
  readonly byCode: ReadonlyMap<string, readonly string[]>;
  readonly byName: ReadonlyMap<string, readonly string[]>;
  readonly classByCode: ReadonlyMap<string, string>;
  readonly classByName: ReadonlyMap<string, string>;
}

const known = new WeakMap<Pack, KnownMedicines>();

/** Made once for each pack. */
export const knownMedicines = (pack: Pack): KnownMedicines => {
  const made = known.get(pack) ?? inOrder(pack);
  known.set(pack, made);
  return made;
};

const inOrder = ({ ingredients, products, classes }: Pack): KnownMedicines => {
  const byCode = new Map<string, readonly string[]>();
  const byName = new Map<string, readonly string[]>();
  for (const { of, rxcui } of products) for (const code of rxcui) byCode.set(keyOf(rxnorm, code), of);
  for (const { id, name, also = [], rxcui = [], codes = [] } of ingredients) {
    for (const code of rxcui) byCode.set(keyOf(rxnorm, code), [id]);
    for (const { system, code } of codes) byCode.set(keyOf(system, code), [id]);
    for (const each of [name, ...also]) byName.set(plain(each), [id]);
  }
  const classByCode = new Map<string, string>();
  const classByName = new Map<string, string>();
  for (const { id, name, also = [], codes = [] } of classes) {
    for (const { system, code } of codes) classByCode.set(keyOf(system, code), id);
    for (const each of [name, ...also]) classByName.set(plain(each), id);
  }
  return {
    ingredients: new Map(ingredients.map((ingredient) => [ingredient.id, ingredient])),
    classes: new Map(classes.map((each) => [each.id, each])),
    byCode,
    byName,
    classByCode,
    classByName,
  };
};

const keyOf = (system: string, code: string): string => `${system}|${code}`;

/** A name as it is compared: without case, space at its ends and what SNOMED CT says of its kind. */
const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/ \((?:substance|product|finding|disorder|medicinal product|situation)\)$/, '')
    .trim();

/** What an element means. */
export interface Meaning {
  /** Ids of its ingredients. */
  readonly ingredients: readonly string[];
  /** Ids of classes that it names as a whole. */
  readonly classes: readonly string[];
}

/**
 * What a concept means to a pack: by any of its codes, else by its text or a display that is the very name of an ingredient or a class. Nothing is guessed
 * from a part of a name.
 *
 * @param names - what may stand before or after a name that means the same, such as `allergy to `.
 * @returns undefined if the pack does not know it.
 */
export const meaningOf = (
  { coding = [], text }: fhir4.CodeableConcept,
  { byCode, byName, classByCode, classByName }: KnownMedicines,
  names: RegExp = /^$/,
): Meaning | undefined => {
  const keys = coding.flatMap(({ system = '', code }) => (code === undefined ? [] : [keyOf(system, code)]));
  const ofCodes = {
    ingredients: unique(keys.flatMap((key) => byCode.get(key) ?? [])),
    classes: unique(keys.flatMap((key) => classByCode.get(key) ?? [])),
  };
  if (ofCodes.ingredients.length > 0 || ofCodes.classes.length > 0) return ofCodes;
  const said = [text, ...coding.map(({ display }) => display)].flatMap((name) =>
    name === undefined ? [] : [plain(name), plain(name).replace(names, '')],
  );
  const ofNames = {
    ingredients: unique(said.flatMap((name) => byName.get(name) ?? [])),
    classes: unique(said.flatMap((name) => classByName.get(name) ?? [])),
  };
  return ofNames.ingredients.length > 0 || ofNames.classes.length > 0 ? ofNames : undefined;
};

const unique = (ids: readonly string[]): readonly string[] => [...new Set(ids)];

/** The ingredients of an ingredient or a class that a rule names. */
export const membersOf = (id: string, { classes }: KnownMedicines): readonly string[] =>
  classes.get(id)?.members ?? [id];

export const nameOf = (id: string, { ingredients, classes }: KnownMedicines): string =>
  ingredients.get(id)?.name ?? classes.get(id)?.name ?? id;
