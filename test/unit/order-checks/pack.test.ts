import { beforeAll, describe, expect, it } from 'vitest';
import { builtInPack } from '../../../shared/order-checks/built-in.ts';
import type { Pack } from '../../../shared/order-checks/knowledge.ts';
import { knownMedicines, meaningOf, membersOf, rxnorm } from '../../../shared/order-checks/known-medicines.ts';
import { inconsistencies, parsePack } from '../../../shared/order-checks/parse-pack.ts';

let pack: Pack;
beforeAll(async () => {
  pack = await builtInPack();
});

describe('the pack that Concord brings along', () => {
  it('is in the format of all packs, with no name that leads nowhere and no code that means two things', () => {
    expect(inconsistencies(pack)).toEqual([]);
    expect(parsePack(JSON.stringify(pack))).toEqual(pack);
  });

  it('holds as much as its page says', () => {
    expect({
      sources: pack.sources.length,
      ingredients: pack.ingredients.length,
      'ingredients with a code': pack.ingredients.filter(({ rxcui }) => rxcui).length,
      'codes of products': pack.products.flatMap(({ rxcui }) => rxcui).length,
      classes: pack.classes.length,
      interactions: pack.interactions.length,
      allergies: pack.allergies.length,
      duplicates: pack.duplicates.length,
      pregnancy: pack.pregnancy.length,
      renal: pack.renal.length,
    }).toEqual(counts);
  });

  it('cites a source with an address and a place in it for each rule and class', () => {
    const addresses = new Map(pack.sources.map(({ id, url }) => [id, url]));
    const { classes, interactions, allergies, duplicates, pregnancy, renal } = pack;
    for (const { id, source, where } of [classes, interactions, allergies, duplicates, pregnancy, renal].flat()) {
      expect(addresses.get(source), id).toMatch(/^https:\/\//);
      expect(where.length, id).toBeGreaterThan(3);
    }
  });

  it('says of each code of an ingredient where it was found', () => {
    for (const { id, rxcui, source } of pack.ingredients) expect(source !== undefined, id).toBe(rxcui !== undefined);
  });
});

const counts = {
  sources: 113,
  ingredients: 849,
  'ingredients with a code': 329,
  'codes of products': 3908,
  classes: 83,
  interactions: 38,
  allergies: 35,
  duplicates: 25,
  pregnancy: 39,
  renal: 45,
};

describe('the high-priority list of Phansalkar et al. (2012)', () => {
  /** Each pair of the list, with how many drugs stand on each side. */
  const pairs = {
    'onc-amphetamines-mao-inhibitors': [12, 5],
    'onc-atazanavir-proton-pump-inhibitors': [1, 6],
    'onc-febuxostat-azathioprine': [1, 2],
    'onc-serotonin-mao-inhibitors': [11, 5],
    'onc-irinotecan-cyp3a4-inhibitors': [1, 23],
    'onc-narcotics-mao-inhibitors': [6, 5],
    'onc-tricyclics-mao-inhibitors': [8, 5],
    'onc-qt-qt': [40, 40],
    'onc-ramelteon-cyp1a2-inhibitors': [1, 4],
    'onc-protease-inhibitors-inducers': [10, 5],
    'onc-statins-cyp3a4-inhibitors': [2, 20],
    'onc-ergots-cyp3a4-inhibitors': [4, 15],
    'onc-tizanidine-cyp1a2-inhibitors': [1, 7],
    'onc-tranylcypromine-procarbazine': [1, 1],
    'onc-triptans-mao-inhibitors': [3, 3],
  };

  it('is there whole: fifteen pairs, each with all its members, all contraindicated', () => {
    const known = knownMedicines(pack);
    const found = pack.interactions.filter(({ id }) => id.startsWith('onc-'));
    expect(found).toHaveLength(15);
    expect(new Set(found.map(({ severity, source }) => `${severity} ${source}`))).toEqual(
      new Set(['contraindicated phansalkar-2012']),
    );
    expect(
      Object.fromEntries(found.map(({ id, between }) => [id, between.map((side) => membersOf(side, known).length)])),
    ).toEqual(pairs);
  });

  it('knows each of its members by a code, or says on its page that it does not', () => {
    const known = knownMedicines(pack);
    const coded = new Set([...known.byCode.values()].flat());
    const members = new Set(
      pack.interactions
        .filter(({ id }) => id.startsWith('onc-'))
        .flatMap(({ between }) => between.flatMap((side) => membersOf(side, known))),
    );
    expect([...members].filter((id) => !coded.has(id)).toSorted()).toEqual(withoutCode);
  });
});

/** Members of the list that no published code could be confirmed for: known by their names alone. */
const withoutCode: readonly string[] = [];

describe('the codes of the sample charts', () => {
  it.each([['197361', 'Amlodipine 5 MG Oral Tablet', 'amlodipine']])('%s, %s, is %s', (code, display, ingredients) => {
    const meaning = meaningOf({ coding: [{ system: rxnorm, code }] }, knownMedicines(pack));
    expect(meaning?.ingredients.join(' + '), display).toBe(ingredients);
  });
});
