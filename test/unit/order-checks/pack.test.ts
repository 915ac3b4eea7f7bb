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
    for (const { id, rxcui, codes, source } of pack.ingredients)
      expect(source !== undefined, id).toBe(rxcui !== undefined || codes !== undefined);
  });
});

const counts = {
  sources: 115,
  ingredients: 849,
  'ingredients with a code': 434,
  'codes of products': 3908,
  classes: 83,
  interactions: 38,
  allergies: 35,
  duplicates: 25,
  pregnancy: 39,
  renal: 44,
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
const withoutCode: readonly string[] = [
  'cisapride',
  'domperidone',
  'droperidol',
  'halofantrine',
  'ibutilide',
  'levomethadyl',
  'mesoridazine',
  'probucol',
  'procainamide',
  'sparfloxacin',
  'sulpiride',
];

describe('the codes of the sample charts', () => {
  it.each([
    ['1660014', '1 ML Epinephrine 1 MG/ML Injection', 'epinephrine'],
    ['1000126', '1 ML medroxyprogesterone acetate 150 MG/ML Injection', 'medroxyprogesterone'],
    ['1719286', '10 ML Furosemide 10 MG/ML Injection', 'furosemide'],
    ['895994', '120 ACTUAT Fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler', 'fluticasone'],
    ['1807510', '150 ML vancomycin 5 MG/ML Injection', 'vancomycin'],
    ['745679', '200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler', 'albuterol'],
    ['860975', '24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet', 'metformin'],
    ['866414', '24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]', 'metoprolol'],
    ['198031', '24hr nicotine transdermal patch', 'nicotine'],
    ['834357', '3 ML Amiodarone hydrocholoride 50 MG/ML Prefilled Syringe', 'amiodarone'],
    [
      '896209',
      '60 ACTUAT Fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler',
      'fluticasone + salmeterol',
    ],
    ['245134', '72 HR Fentanyl 0.025 MG/HR Transdermal System', 'fentanyl'],
    ['282464', 'Acetaminophen 160 MG Oral Tablet', 'acetaminophen'],
    [
      '1043400',
      'Acetaminophen 21.7 MG/ML / Dextromethorphan Hydrobromide 1 MG/ML / doxylamine succinate 0.417 MG/ML Oral Solution',
      'acetaminophen + dextromethorphan + doxylamine',
    ],
    ['857005', 'Acetaminophen 325 MG / HYDROcodone Bitartrate 7.5 MG Oral Tablet', 'acetaminophen + hydrocodone'],
    ['313782', 'Acetaminophen 325 MG Oral Tablet', 'acetaminophen'],
    ['197361', 'Amlodipine 5 MG Oral Tablet', 'amlodipine'],
    ['562251', 'Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet', 'amoxicillin + clavulanate'],
    ['308182', 'Amoxicillin 250 MG Oral Capsule', 'amoxicillin'],
    ['308192', 'Amoxicillin 500 MG Oral Tablet', 'amoxicillin'],
    ['1190795', 'Atropine Sulfate 1 MG/ML Injectable Solution', 'atropine'],
    ['477045', 'Chlorpheniramine Maleate 2 MG/ML Oral Solution', 'chlorpheniramine'],
    ['1363309', 'Chlorpheniramine Maleate 4 MG Oral Tablet', 'chlorpheniramine'],
    ['309362', 'Clopidogrel 75 MG Oral Tablet', 'clopidogrel'],
    ['197604', 'Digoxin 0.125 MG Oral Tablet', 'digoxin'],
    ['831533', 'Errin 28 Day Pack', 'norethindrone'],
    ['389221', 'Etonogestrel 68 MG Drug Implant', 'etonogestrel'],
    ['316049', 'Hydrochlorothiazide 25 MG', 'hydrochlorothiazide'],
    ['106258', 'Hydrocortisone 10 MG/ML Topical Cream', 'hydrocortisone'],
    ['198405', 'Ibuprofen 100 MG Oral Tablet', 'ibuprofen'],
    ['310965', 'Ibuprofen 200 MG Oral Tablet', 'ibuprofen'],
    ['757594', 'Jolivette 28 Day Pack', 'norethindrone'],
    ['1856546', 'Kyleena 19.5 MG Intrauterine System', 'levonorgestrel'],
    ['315971', 'Lasix 40mg', 'furosemide'],
    ['748879', 'Levora 0.15/30 28 Day Pack', 'ethinyl-estradiol + levonorgestrel'],
    ['861467', 'Meperidine Hydrochloride 50 MG Oral Tablet', 'meperidine'],
    ['105586', 'Methotrexate 10 MG Oral Tablet', 'methotrexate'],
    ['807283', 'Mirena 52 MG Intrauterine System', 'levonorgestrel'],
    ['198014', 'Naproxen 500 MG Oral Tablet', 'naproxen'],
    ['849574', 'Naproxen sodium 220 MG Oral Tablet', 'naproxen'],
    ['978950', 'Natazia 28 Day Pack', 'dienogest + estradiol'],
    ['705129', 'Nitroglycerin 0.4 MG/ACTUAT Mucosal Spray', 'nitroglycerin'],
    ['1367439', 'NuvaRing 0.12/0.015 MG per 24HR 21 Day Vaginal Ring', 'ethinyl-estradiol + etonogestrel'],
    ['834102', 'Penicillin V Potassium 500 MG Oral Tablet', 'penicillin-v'],
    ['749762', 'Seasonique 91 Day Pack', 'ethinyl-estradiol + levonorgestrel'],
    ['312961', 'Simvastatin 20 MG Oral Tablet', 'simvastatin'],
    ['316672', 'Simvistatin 10 MG', 'simvastatin'],
    ['751905', 'Trinessa 28 Day Pack', 'ethinyl-estradiol + norgestimate'],
    ['897718', 'Verapamil Hydrochloride 40 MG', 'verapamil'],
    ['2001499', 'Vitamin B 12 5 MG/ML Injectable Solution', 'vitamin-b12'],
    ['855332', 'Warfarin Sodium 5 MG Oral Tablet', 'warfarin'],
    ['748856', 'Yaz 28 Day Pack', 'drospirenone + ethinyl-estradiol'],
    ['308136', 'amLODIPine 2.5 MG Oral Tablet', 'amlodipine'],
    ['1049630', 'diphenhydrAMINE Hydrochloride 25 MG Oral Tablet', 'diphenhydramine'],
    ['310325', 'ferrous sulfate 325 MG Oral Tablet', 'iron'],
    ['1659131', 'piperacillin 2000 MG / tazobactam 250 MG Injection', 'piperacillin + tazobactam'],
    ['835603', 'tramadol hydrochloride 50 MG Oral Tablet', 'tramadol'],
  ])('%s, %s, is %s', (code, display, ingredients) => {
    const meaning = meaningOf({ coding: [{ system: rxnorm, code }] }, knownMedicines(pack));
    expect(meaning?.ingredients.join(' + '), display).toBe(ingredients);
  });
});
