import type { Pack } from './knowledge.ts';

let pack: Pack | undefined;

/** The pack that Concord brings along, read when an order is first checked. Tests hold it to the format of all packs. */
export const builtInPack = async (): Promise<Pack> => {
  pack ??= await read();
  return pack;
};

const read = async (): Promise<Pack> => {
  const [sources, ingredients, products, classes, interactions, allergies, duplicates, pregnancy, renal] =
    await Promise.all([
      import('./pack/sources.data.ts').then((texts) => texts.sources),
      import('./pack/ingredients.data.ts').then((texts) => texts.ingredients),
      import('./pack/products.data.ts').then((texts) => texts.products),
      import('./pack/classes.data.ts').then((texts) => texts.classes),
      import('./pack/interactions.data.ts').then((texts) => texts.interactions),
      import('./pack/allergies.data.ts').then((texts) => texts.allergies),
      import('./pack/duplicates.data.ts').then((texts) => texts.duplicates),
      import('./pack/pregnancy.data.ts').then((texts) => texts.pregnancy),
      import('./pack/renal.data.ts').then((texts) => texts.renal),
    ]);
  return {
    edition: 'concord-2026.11',
    date: '2026-11-27',
    licence:
      'Facts of the sources named in each row, in words of this project, under its own licence. RxNorm codes: courtesy of the U.S. National Library of Medicine, which endorses nothing here. SNOMED CT and LOINC codes under the terms of SNOMED International and of the Regenstrief Institute.',
    sources: JSON.parse(sources) as Pack['sources'],
    ingredients: JSON.parse(ingredients) as Pack['ingredients'],
    products: JSON.parse(products) as Pack['products'],
    classes: JSON.parse(classes) as Pack['classes'],
    interactions: JSON.parse(interactions) as Pack['interactions'],
    allergies: JSON.parse(allergies) as Pack['allergies'],
    duplicates: JSON.parse(duplicates) as Pack['duplicates'],
    pregnancy: JSON.parse(pregnancy) as Pack['pregnancy'],
    renal: JSON.parse(renal) as Pack['renal'],
  };
};
