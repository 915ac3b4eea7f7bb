import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Resource } from '../../shared/fhir/resource.ts';
import { channelsOf, goesAnotherWay, languageOf, ways, withoutConfidential } from '../../shared/people/contact.ts';

const now = Date.parse('2026-05-04T12:00:00Z');
const restricted = (code: string) => ({
  extension: [{ url: 'https://concord.example/fhir/StructureDefinition/contact-restriction', valueCode: code }],
});
const confidential = restricted('confidential');
const patient = (elements: Partial<fhir4.Patient>): fhir4.Patient => ({ resourceType: 'Patient', ...elements });
const mode = (code: string): fhir4.CodeableConcept => ({
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', code }],
});
const sms: fhir4.CodeableConcept = {
  coding: [{ system: 'https://concord.example/fhir/CodeSystem/work', code: 'sms' }],
};
const used = (contact: object) => ({
  extension: [{ url: 'https://concord.example/fhir/StructureDefinition/contact-used', ...contact }],
});

describe('the ways by which a patient is reached', () => {
  const valuesOf = (elements: Partial<fhir4.Patient>) =>
    channelsOf(patient(elements), now).map(({ telecom, address }) => telecom?.value ?? address?.city);

  it('are in the order of the patient, addresses last, without what is not in use', () => {
    const telecom: fhir4.ContactPoint[] = [
      { system: 'phone', value: 'third' },
      { system: 'phone', value: 'second', rank: 2 },
      { system: 'phone', value: 'old', use: 'old' },
      { system: 'email', value: 'first', rank: 1 },
      { system: 'email', value: 'over', period: { end: '2026-05-03' } },
      { system: 'email', value: 'not yet', period: { start: '2026-05-05' } },
      { system: 'email', value: 'not', ...restricted('do-not-use') },
      { system: 'sms' },
    ];

    expect(valuesOf({ telecom, address: [{ city: 'Springfield' }] })).toEqual([
      'first',
      'second',
      'third',
      'Springfield',
    ]);
  });

  it('are the confidential ones alone, as long as there is one', () => {
    const phone = { system: 'phone', value: 'home' } as const;
    const own = { system: 'phone', value: 'own', ...confidential } as const;

    expect(valuesOf({ telecom: [phone, own] })).toEqual(['own']);
    expect(valuesOf({ telecom: [phone], address: [{ city: 'Springfield', ...confidential }] })).toEqual([
      'Springfield',
    ]);
    expect(valuesOf({ telecom: [phone, { ...own, period: { end: '2026-05-03' } }] })).toEqual(['home']);
  });

  it('come with language and interpreter, as far as anybody has said', () => {
    const spoken = (text: string, preferred?: boolean) => ({
      language: { text },
      ...(preferred === undefined ? {} : { preferred }),
    });

    expect(languageOf(patient({}))).toEqual({ language: undefined, interpreter: undefined });
    expect(languageOf(patient({ communication: [spoken('French'), spoken('Somali', true)] })).language).toEqual({
      text: 'Somali',
    });
    expect(languageOf(patient({ communication: [spoken('French'), spoken('Somali')] })).language).toEqual({
      text: 'French',
    });
  });
});

describe('a message to a patient with a confidential way', () => {
  const home: fhir4.ContactPoint = { system: 'phone', value: '555 0101' };
  const mobile: fhir4.ContactPoint = { system: 'phone', use: 'mobile', value: '555-0102', ...confidential };
  const mail: fhir4.ContactPoint = { system: 'email', value: 'me@x.example', ...confidential };
  const flat: fhir4.Address = { line: ['1 Elm'], postalCode: '12345' };
  const box: fhir4.Address = { line: ['Box 1'], postalCode: '12345', ...confidential };

  it.each<[string, Partial<fhir4.Patient>, Partial<fhir4.Communication>, boolean]>([
    ['nothing asked for', { telecom: [home] }, { medium: [mode('EMAILWRIT')] }, false],
    ['the way asked for', { telecom: [mobile] }, { medium: [mode('PHONE')] }, false],
    ['a mobile, by sms', { telecom: [mobile] }, { medium: [sms] }, false],
    ['a phone that is none, by sms', { telecom: [{ ...home, ...confidential }] }, { medium: [sms] }, true],
    ['another way', { telecom: [mail] }, { medium: [mode('PHONE')] }, true],
    ['two ways, one of them another', { telecom: [mail] }, { medium: [mode('EMAILWRIT'), mode('PHONE')] }, true],
    ['a way not understood', { telecom: [mail] }, { medium: [{ text: 'By email' }] }, true],
    ['in the record', { telecom: [mail] }, { medium: [mode('ONLINEWRIT'), mode('FACE')] }, false],
    ['by no medium', { telecom: [mail] }, {}, false],
    ['one of two telephones', { telecom: [home, mobile] }, { medium: [mode('PHONE')] }, true],
    [
      'the right one of two telephones',
      { telecom: [home, mobile] },
      { medium: [mode('PHONE')], ...used({ valueContactPoint: { value: '(555) 0102' } }) },
      false,
    ],
    [
      'the wrong one of two telephones',
      { telecom: [home, mobile] },
      { medium: [mode('PHONE')], ...used({ valueContactPoint: home }) },
      true,
    ],
    [
      'the right telephone and a wrong one',
      { telecom: [home, mobile] },
      {
        medium: [mode('PHONE')],
        extension: [mobile, home].flatMap((valueContactPoint) => used({ valueContactPoint }).extension ?? []),
      },
      true,
    ],
    [
      'a telephone and an address, both right',
      { telecom: [home, mobile], address: [flat, box] },
      {
        medium: [mode('PHONE'), mode('MAILWRIT')],
        extension: [{ valueContactPoint: mobile }, { valueAddress: box }].flatMap((each) => used(each).extension ?? []),
      },
      false,
    ],
    [
      'the right address',
      { address: [flat, box] },
      { medium: [mode('MAILWRIT')], ...used({ valueAddress: { line: ['Box 1'], postalCode: '12345' } }) },
      false,
    ],
    [
      'the wrong address',
      { address: [flat, box] },
      { medium: [mode('MAILWRIT')], ...used({ valueAddress: flat }) },
      true,
    ],
    ['an address where a telephone is asked for', { telecom: [mobile] }, { medium: [mode('MAILWRIT')] }, true],
  ])('by %s', (_, elements, message, expected) => {
    expect(goesAnotherWay(message, patient(elements), now)).toBe(expected);
  });
});

describe('what is left of a record without confidential ways', () => {
  it('is all else, and no narrative', () => {
    const record = patient({
      id: '1',
      text: { status: 'generated', div: '<div>555</div>' },
      name: [{ text: 'Ann' }],
      telecom: [
        { system: 'phone', value: '555', ...confidential },
        { system: 'phone', value: '556' },
      ],
      address: [{ city: 'Springfield', ...confidential }],
    }) as unknown as Resource;

    expect(withoutConfidential(record)).toEqual(
      patient({ id: '1', name: [{ text: 'Ann' }], telecom: [{ system: 'phone', value: '556' }] }),
    );
  });

  it('is the record itself where there are none', () => {
    const record = patient({ text: { status: 'generated', div: '<div>x</div>' }, telecom: [{ value: '556' }] });
    const other = { resourceType: 'Observation', extension: used({ valueContactPoint: { value: '1' } }).extension };

    expect(withoutConfidential(record as unknown as Resource)).toBe(record);
    expect(withoutConfidential(other as unknown as Resource)).toBe(other);
  });
});

it('docs/people.md says which way each medium goes', () => {
  const document = readFileSync(path.resolve(import.meta.dirname, '../../docs/people.md'), 'utf8');
  const rows = [...document.matchAll(/^\| `(https?:[^|]*)\\\|([^`]+)`\s*\| (\w+)\s*\|$/gm)].map(
    ([, system, code, way]) => ({ system, code, way }),
  );

  expect(rows).toEqual(ways);
});
