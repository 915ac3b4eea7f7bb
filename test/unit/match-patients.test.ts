import { describe, expect, it } from 'vitest';
import { matchPatients } from '../../shared/matching/grade.ts';
import { areNicknames } from '../../shared/matching/nicknames.ts';
import { areSimilar, jaroWinkler } from '../../shared/matching/similar.ts';
import { weights } from '../../shared/matching/weights.ts';

const ann: fhir4.Patient = {
  resourceType: 'Patient',
  name: [{ family: 'Okafor', given: ['Elizabeth', 'Jane'] }],
  gender: 'female',
  birthDate: '1980-02-03',
  telecom: [{ system: 'phone', value: '+1 (555) 010-2030' }],
  address: [{ line: ['12 North Street'], city: 'Springfield', postalCode: '12345-6789' }],
};
const named = (family: string, ...given: string[]): Partial<fhir4.Patient> => ({ name: [{ family, given }] });
const bare: fhir4.Patient = { resourceType: 'Patient' };

/** The level of one field, of Ann and of whom the elements make of her. */
const levelOf = (field: string, elements: Partial<fhir4.Patient>, of: Partial<fhir4.Patient> = {}) =>
  matchPatients({ ...ann, ...of }, { ...ann, ...elements }).findings.find((finding) => finding.field === field)?.level;

describe('what is found of', () => {
  it.each<[string, string, Partial<fhir4.Patient>, Partial<fhir4.Patient>?]>([
    ['family', 'same', named('OKAFÓR', 'Elizabeth')],
    ['family', 'same', named('Delacruz'), named('de la Cruz')],
    ['family', 'part', named('Okafor-Smith')],
    ['family', 'part', named('Lopez'), named('García López')],
    ['family', 'swapped', named('Ngozi', 'Okafor'), named('Okafor', 'Ngozi')],
    ['family', 'similar', named('Okafro')],
    ['family', 'similar', named('Ohkafor')],
    ['family', 'different', named('Smith')],
    ['family', 'former', { name: [{ family: 'Smith' }, { family: 'Okafor', use: 'maiden' }] }],
    ['family', 'former', { name: [{ family: 'Okafor', period: { end: '2001' } }] }],
    ['given', 'same', named('Okafor', 'Elizabeth')],
    ['given', 'same', named('Okafor', 'Élizabeth')],
    ['given', 'nickname', named('Okafor', 'Liz')],
    ['given', 'similar', named('Okafor', 'Elizabteh')],
    ['given', 'other', named('Okafor', 'Jane')],
    ['given', 'initial', named('Okafor', 'E.')],
    ['given', 'different', named('Okafor', 'Susan')],
    ['given', 'swapped', named('Ngozi', 'Okafor'), named('Okafor', 'Ngozi')],
    ['given', 'same', { name: [{ text: 'Elizabeth Okafor' }] }],
    ['given', 'same', { name: [{ text: 'Okafor, Elizabeth' }] }],
    ['birthDate', 'same', {}],
    ['birthDate', 'swapped', { birthDate: '1980-03-02' }],
    ['birthDate', 'digits', { birthDate: '1980-02-08' }],
    ['birthDate', 'digits', { birthDate: '1908-02-03' }],
    ['birthDate', 'digits', { birthDate: '1980-02-30' }],
    ['birthDate', 'partly', { birthDate: '1980' }],
    ['birthDate', 'different', { birthDate: '1979' }],
    ['birthDate', 'different', { birthDate: '1983-02-08' }],
    ['gender', 'different', { gender: 'male' }],
    ['phone', 'same', { telecom: [{ system: 'sms', value: '555-010-2030' }] }],
    ['phone', 'different', { telecom: [{ system: 'phone', value: '5550102031' }] }],
    ['address', 'same', { address: [{ line: ['12 N. St'], city: 'elsewhere', postalCode: '12345' }] }],
    ['address', 'postalCode', { address: [{ line: ['13 North Street'], postalCode: '12345' }] }],
    ['address', 'city', { address: [{ city: 'springfield' }] }],
    ['address', 'different', { address: [{ city: 'Shelbyville' }] }],
    ['birthOrder', 'different', { multipleBirthInteger: 2 }, { multipleBirthInteger: 1 }],
  ])('%s: %s', (field, level, elements, of) => {
    expect(levelOf(field, elements, of)).toBe(level);
  });

  it.each(['name', 'gender', 'birthDate', 'telecom', 'address'])(
    '%s is nothing where one does not tell it',
    (element) => {
      const { [element as 'gender']: _, ...without } = ann;

      const told = matchPatients(ann, ann).findings.map(({ field }) => field);
      const untold = matchPatients(ann, without).findings.map(({ field }) => field);

      expect(untold.length).toBeLessThan(told.length);
      expect(matchPatients(bare, ann).findings).toEqual([]);
    },
  );

  it('identifiers: the same of one system; another one only where people have one in life', () => {
    const identified = (system: string, value: string): Partial<fhir4.Patient> => ({ identifier: [{ system, value }] });
    const ssn = 'http://hl7.org/fhir/sid/us-ssn';

    expect(levelOf('identifier', identified(ssn, '123-45-6789'), identified(ssn, '123456789'))).toBe('same');
    expect(levelOf('identifier', identified(ssn, '1'), identified(ssn, '2'))).toBe('different');
    expect(levelOf('identifier', identified('urn:mrn', '1'), identified('urn:mrn', '2'))).toBeUndefined();
    expect(levelOf('identifier', identified('urn:a', '1'), identified('urn:b', '1'))).toBeUndefined();
  });
});

describe('a grade', () => {
  const gradeOf = (elements: Partial<fhir4.Patient>, of: Partial<fhir4.Patient> = {}) => {
    const { grade } = matchPatients({ ...ann, ...of }, { ...ann, ...elements });
    return grade;
  };

  it('is certain where names, birth date and a contact agree, and for no name alone', () => {
    expect(matchPatients(ann, ann)).toMatchObject({ grade: 'certain', limit: undefined });
    const names = { ...bare, name: ann.name ?? [], gender: 'female' as const };
    expect(matchPatients(names, names)).toMatchObject({
      grade: 'possible',
      score: expect.toSatisfy((s: number) => s <= 0.85),
    });
    const born = { ...names, birthDate: '1980-02-03' };
    expect(matchPatients(born, born)).toMatchObject({ grade: 'probable', limit: expect.any(String) });
  });

  it('is never more than possible for twins', () => {
    expect(gradeOf(named('Okafor', 'Susan'))).toBe('possible');
    expect(gradeOf({ multipleBirthInteger: 2 }, { multipleBirthInteger: 1 })).toBe('possible');
  });

  it('survives one slip: a nickname, a turned date, another address, a married name', () => {
    for (const elements of [
      named('Okafor', 'Betty'),
      { birthDate: '1980-03-02' },
      { birthDate: '1980-02-08' },
      { address: [{ city: 'Shelbyville', postalCode: '99999' }] },
      { telecom: [{ system: 'phone' as const, value: '5559999999' }] },
      named('Smith-Okafor', 'Elizabeth'),
    ]) {
      expect(['certain', 'probable'], JSON.stringify(elements)).toContain(gradeOf(elements));
    }
  });

  it('is probable for an identifier alone, certain with what agrees besides', () => {
    const one: fhir4.Patient = { ...bare, identifier: [{ system: 'urn:mrn', value: '7' }] };

    expect(matchPatients(one, one)).toMatchObject({ grade: 'probable' });
    expect(matchPatients({ ...one, birthDate: '1980-02-03' }, { ...one, birthDate: '1980-02-03' })).toMatchObject({
      grade: 'certain',
    });
  });

  it('is certainly-not for a stranger of the same gender', () => {
    const stranger: fhir4.Patient = { ...bare, ...named('Smith', 'John'), gender: 'female', birthDate: '1955-11-30' };

    expect(matchPatients(ann, stranger)).toMatchObject({ grade: 'certainly-not', score: 0 });
  });

  it('does not depend on who is asked about whom', () => {
    const other = { ...ann, ...named('Okafro', 'Liz'), birthDate: '1980-03-02' };

    expect(matchPatients(ann, other).score).toBe(matchPatients(other, ann).score);
  });
});

describe('the table of weights', () => {
  it.each(Object.entries(weights))('of %s counts what is the same for, what differs against', (_, levels) => {
    const bits = (level: { m: number; u: number }) => Math.log2(level.m / level.u);
    const all = levels as Record<string, { m: number; u: number }>;

    expect(bits(levels.same)).toBeGreaterThan(0);
    expect(bits(all.different ?? { m: 0, u: 1 })).toBeLessThan(0);
    expect(Object.values(all).every(({ m, u }) => m > 0 && u > 0 && m <= 1 && u <= 1)).toBe(true);
  });
});

describe('texts', () => {
  it('are compared as Winkler compares them', () => {
    // Values of his table: W. Winkler (1990).
    expect(jaroWinkler('martha', 'marhta')).toBeCloseTo(0.961, 3);
    expect(jaroWinkler('dwayne', 'duane')).toBeCloseTo(0.84, 2);
    expect(jaroWinkler('dixon', 'dicksonx')).toBeCloseTo(0.813, 3);
    expect(jaroWinkler('abc', 'xyz')).toBe(0);
    expect(areSimilar('ann', 'ian')).toBe(false);
  });

  it('of given names are nicknames of one another, or of a third', () => {
    expect(areNicknames('William', 'Bill')).toBe(true);
    expect(areNicknames('Bob', 'Rob')).toBe(true);
    expect(areNicknames('William', 'Robert')).toBe(false);
    expect(areNicknames('Unheard', 'Unheard')).toBe(false);
  });
});
