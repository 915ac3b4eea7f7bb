import { describe, expect, it } from 'vitest';
import { addedTo, PackError, parsePack } from '../../../shared/order-checks/parse-pack.ts';

const source = { id: 'our-formulary', title: 'Formulary of the hospital', url: 'https://formulary.example/2026' };
const small = {
  edition: 'ours-1',
  date: '2026-11-01',
  licence: 'Ours',
  sources: [source],
  ingredients: [
    { id: 'alpha', name: 'alpha', rxcui: ['1'], source: ['our-formulary'] },
    { id: 'beta', name: 'beta' },
  ],
  products: [{ of: ['alpha', 'beta'], rxcui: ['10', '11'] }],
  classes: [{ id: 'greek', name: 'Greek letters', members: ['alpha', 'beta'], source: 'our-formulary', where: 'p. 1' }],
  interactions: [
    {
      id: 'alpha-greek',
      between: ['alpha', 'greek'],
      severity: 'serious',
      text: 'Not both.',
      source: 'our-formulary',
      where: 'p. 2',
    },
  ],
};

const problemsOf = (pack: object): readonly string[] => {
  try {
    parsePack(JSON.stringify(pack));
  } catch (error) {
    if (error instanceof PackError) return error.problems;
    throw error;
  }
  return [];
};

describe('a pack that a deployment gives', () => {
  it('is read, and lists that it leaves out are empty', () => {
    expect(parsePack(JSON.stringify(small))).toEqual({
      ...small,
      allergies: [],
      duplicates: [],
      pregnancy: [],
      renal: [],
    });
  });

  it.each([
    ['no JSON', '{"edition":', ['it is no JSON']],
    ['no object', '[]', ['the pack: must be object']],
  ])('is refused if it is %s', (_, content, problems) => {
    expect(() => parsePack(content)).toThrow(expect.objectContaining({ name: 'PackError', problems }));
  });

  it.each([
    ['a date that is none', { date: '2026-13-01' }, 'date: must be a date'],
    ['an element that nobody knows', { colour: 'red' }, 'the pack: nobody knows colour'],
    [
      'a severity that nobody knows',
      { interactions: [{ ...small.interactions[0], severity: 'bad' }] },
      'interactions[0].severity: must be one of contraindicated, serious, moderate',
    ],
    [
      'a rule of three sides',
      { interactions: [{ ...small.interactions[0], between: ['alpha', 'beta', 'beta'] }] },
      'interactions[0].between: is too long',
    ],
    [
      'a code that is none',
      { products: [{ of: ['alpha'], rxcui: ['1O'] }] },
      'products[0].rxcui[0]: must be an RxNorm code',
    ],
    [
      'a class without members',
      { classes: [{ ...small.classes[0], members: [] }] },
      'classes[0].members: is empty or too small',
    ],
    [
      'a member that is not there',
      { classes: [{ ...small.classes[0], members: ['gamma'] }] },
      'classes[0] greek: there is no ingredient gamma',
    ],
    [
      'a product of what is not there',
      { products: [{ of: ['gamma'], rxcui: ['12'] }] },
      'products[0]: there is no ingredient gamma',
    ],
    [
      'a side that is not there',
      { interactions: [{ ...small.interactions[0], between: ['alpha', 'roman'] }] },
      'interactions[0] alpha-greek: there is no ingredient or class roman',
    ],
    [
      'a source that is not there',
      { interactions: [{ ...small.interactions[0], source: 'hearsay' }] },
      'interactions[0] alpha-greek: there is no source hearsay',
    ],
    [
      'a code of an unknown source',
      { ingredients: [{ ...small.ingredients[0], source: ['hearsay'] }, small.ingredients[1]] },
      'ingredients[0] alpha: there is no source hearsay',
    ],
    [
      'a rule that is there twice',
      { interactions: [small.interactions[0], small.interactions[0]] },
      'alpha-greek is there twice',
    ],
    [
      'a code that means two things',
      { products: [{ of: ['alpha', 'beta'], rxcui: ['1'] }] },
      'the code 1 of http://www.nlm.nih.gov/research/umls/rxnorm means alpha and alpha + beta',
    ],
    [
      'a code of another system that means two things',
      {
        ingredients: [
          small.ingredients[0],
          { ...small.ingredients[1], codes: [{ system: 'http://snomed.info/sct', code: '7' }] },
        ],
        classes: [{ ...small.classes[0], codes: [{ system: 'http://snomed.info/sct', code: '7' }] }],
      },
      'the code 7 of http://snomed.info/sct means beta and greek',
    ],
    [
      'one id for an ingredient and a class',
      { classes: [{ ...small.classes[0], id: 'alpha' }], interactions: [] },
      'ingredients[0] alpha: a class has this id, too',
    ],
    [
      'duplicates of an ingredient',
      {
        duplicates: [
          { id: 'twice', class: 'alpha', severity: 'moderate', text: 'One.', source: 'our-formulary', where: 'p. 3' },
        ],
      },
      'duplicates[0] twice: there is no class alpha',
    ],
    [
      'an allergy rule to what is not there',
      {
        allergies: [
          {
            id: 'cross',
            allergicTo: 'gamma',
            against: 'alpha',
            severity: 'moderate',
            text: 'May.',
            source: 'our-formulary',
            where: 'p. 3',
          },
        ],
      },
      'allergies[0] cross: there is no ingredient or class gamma',
    ],
    [
      'a threshold without a value',
      {
        renal: [
          {
            id: 'kidneys',
            of: 'alpha',
            measure: 'egfr',
            severity: 'moderate',
            text: 'Less.',
            source: 'our-formulary',
            where: 'p. 3',
          },
        ],
      },
      'renal[0] kidneys: one of below, atMost and above has to be given',
    ],
  ])('is refused for %s, with the row', (_, changed, problem) => {
    expect(problemsOf({ ...small, ...changed })).toContainEqual(expect.stringContaining(problem));
  });

  it('replaces rows of another one by id, and codes of products, and may name what is there', () => {
    const base = parsePack(JSON.stringify(small));
    const other = parsePack(
      JSON.stringify({
        edition: 'theirs-1',
        date: '2026-11-20',
        licence: 'Theirs',
        sources: [],
        products: [{ of: ['beta'], rxcui: ['11'] }],
        interactions: [{ ...small.interactions[0], severity: 'moderate' }],
        renal: [
          {
            id: 'kidneys',
            of: 'alpha',
            measure: 'egfr',
            below: 30,
            severity: 'serious',
            text: 'Less.',
            source: 'our-formulary',
            where: 'p. 3',
          },
        ],
      }),
      base,
    );

    const both = addedTo(base, other);

    expect(both).toMatchObject({ edition: 'ours-1 + theirs-1', date: '2026-11-20', licence: 'Ours Theirs' });
    expect(both.products).toEqual([
      { of: ['alpha', 'beta'], rxcui: ['10'] },
      { of: ['beta'], rxcui: ['11'] },
    ]);
    expect(both.interactions.map(({ severity }) => severity)).toEqual(['moderate']);
    expect(both.renal.map(({ id }) => id)).toEqual(['kidneys']);
    expect(both.ingredients).toEqual(base.ingredients);
  });
});
