import { beforeAll, describe, expect, it } from 'vitest';
import type { Resource } from '../../../shared/fhir/resource.ts';
import { builtInPack } from '../../../shared/order-checks/built-in.ts';
import { checkOrder, type PatientFacts } from '../../../shared/order-checks/check-order.ts';
import type { Pack } from '../../../shared/order-checks/knowledge.ts';
import { knownMedicines, rxnorm } from '../../../shared/order-checks/known-medicines.ts';
import { type Medications, medicineOf } from '../../../shared/order-checks/medicine.ts';
import { conditionCallsForCheck } from '../../../shared/order-checks/tells-of-pregnancy.ts';

let pack: Pack;
beforeAll(async () => {
  pack = await builtInPack();
});

const subject = { reference: 'Patient/p' };
const coded = (code: string): fhir4.CodeableConcept => ({ coding: [{ system: rxnorm, code }] });
const request = (elements: Partial<fhir4.MedicationRequest>): fhir4.MedicationRequest => ({
  resourceType: 'MedicationRequest',
  id: 'order',
  status: 'active',
  intent: 'order',
  subject,
  ...elements,
});
const medication = (elements: Partial<fhir4.Medication>): fhir4.Medication => ({
  resourceType: 'Medication',
  id: 'mixture',
  ...elements,
});
const warfarin = coded('11289');
const aspirin = coded('1191');
const nobodyKnows = coded('99999999');

describe('what a medicine is made of', () => {
  const partsOf = (record: fhir4.MedicationRequest, medications: Medications = new Map()) => {
    const { ingredients, complete } = medicineOf(record, knownMedicines(pack), medications);
    return [...ingredients, complete ? 'and no more' : 'and what is not known'];
  };

  it.each<[string, Partial<fhir4.MedicationRequest>, readonly string[]]>([
    ['a code', { medicationCodeableConcept: warfarin }, ['warfarin', 'and no more']],
    ['nothing', {}, ['and what is not known']],
    [
      'two codings of one medicine',
      {
        medicationCodeableConcept: {
          coding: [
            { system: 'https://hospital.example', code: '1' },
            { system: rxnorm, code: '11289' },
          ],
        },
      },
      ['warfarin', 'and no more'],
    ],
    [
      'a contained Medication with a code',
      { contained: [medication({ code: aspirin })], medicationReference: { reference: '#mixture' } },
      ['aspirin', 'and no more'],
    ],
    [
      'a contained Medication of ingredients',
      {
        contained: [medication({ ingredient: [{ itemCodeableConcept: warfarin }, { itemCodeableConcept: aspirin }] })],
        medicationReference: { reference: '#mixture' },
      },
      ['warfarin', 'aspirin', 'and no more'],
    ],
    [
      'an ingredient that nobody knows',
      {
        contained: [
          medication({ ingredient: [{ itemCodeableConcept: warfarin }, { itemCodeableConcept: nobodyKnows }] }),
        ],
        medicationReference: { reference: '#mixture' },
      },
      ['warfarin', 'and what is not known'],
    ],
    [
      'a known code with an ingredient that nobody knows',
      {
        contained: [medication({ code: aspirin, ingredient: [{ itemCodeableConcept: nobodyKnows }] })],
        medicationReference: { reference: '#mixture' },
      },
      ['aspirin', 'and what is not known'],
    ],
    [
      'an ingredient that is not active',
      {
        contained: [
          medication({
            ingredient: [{ itemCodeableConcept: warfarin }, { itemCodeableConcept: nobodyKnows, isActive: false }],
          }),
        ],
        medicationReference: { reference: '#mixture' },
      },
      ['warfarin', 'and no more'],
    ],
    [
      'a contained Substance',
      {
        contained: [
          { resourceType: 'Substance', id: 's', code: aspirin } as fhir4.Substance,
          medication({ ingredient: [{ itemReference: { reference: '#s' } }] }),
        ],
        medicationReference: { reference: '#mixture' },
      },
      ['aspirin', 'and no more'],
    ],
    [
      'a Medication that is made of itself',
      {
        contained: [medication({ ingredient: [{ itemReference: { reference: '#mixture' } }] })],
        medicationReference: { reference: '#mixture' },
      },
      ['and what is not known'],
    ],
    [
      'a reference to what is not shown',
      { medicationReference: { reference: 'Medication/9' } },
      ['and what is not known'],
    ],
    ['a reference with a name', { medicationReference: { display: 'Warfarin' } }, ['warfarin', 'and no more']],
  ])('is told by %s', (_, elements, parts) => {
    expect(partsOf(request(elements))).toEqual(parts);
  });

  it('is told by a Medication of its own', () => {
    const medications = new Map([['Medication/mixture', medication({ code: warfarin })]]);
    expect(partsOf(request({ medicationReference: { reference: 'Medication/mixture' } }), medications)).toEqual([
      'warfarin',
      'and no more',
    ]);
  });
});

describe('what an order is checked against', () => {
  const facts: PatientFacts = {
    patient: undefined,
    medicines: [],
    allergies: [],
    conditions: [],
    observations: [],
    medications: new Map(),
  };
  const found = (order: fhir4.MedicationRequest, medicines: PatientFacts['medicines']) =>
    checkOrder(order, { ...facts, medicines }, pack, 0).findings.map(
      ({ code, rule, record }) => `${rule ?? code} ${record ?? 'itself'}`,
    );

  it('is not the order itself, nor what it replaces, nor what tells of these', () => {
    const order = request({
      medicationCodeableConcept: warfarin,
      priorPrescription: { reference: 'MedicationRequest/old' },
    });
    expect(
      found(order, [
        order,
        request({ id: 'old', medicationCodeableConcept: warfarin }),
        {
          resourceType: 'MedicationStatement',
          id: 'told',
          status: 'active',
          subject,
          medicationCodeableConcept: warfarin,
          basedOn: [{ reference: 'MedicationRequest/order' }],
        },
        {
          resourceType: 'MedicationStatement',
          id: 'derived',
          status: 'active',
          subject,
          medicationCodeableConcept: warfarin,
          derivedFrom: [{ reference: 'MedicationRequest/old' }],
        },
        {
          resourceType: 'MedicationAdministration',
          id: 'given',
          status: 'in-progress',
          subject,
          effectiveDateTime: '2026-11-27',
          medicationCodeableConcept: warfarin,
          request: { reference: 'MedicationRequest/order' },
        },
        request({ id: 'other', medicationCodeableConcept: warfarin }),
      ]),
    ).toEqual(['duplicate-ingredient MedicationRequest/other']);
  });

  it('is told in plain words', () => {
    const order = request({ medicationCodeableConcept: coded('310965') });
    const taken = ['198014', '855332'].map((code) => request({ id: code, medicationCodeableConcept: coded(code) }));
    const allergy: fhir4.AllergyIntolerance = {
      resourceType: 'AllergyIntolerance',
      id: 'a',
      patient: subject,
      code: aspirin,
    };
    const value: fhir4.Observation = {
      resourceType: 'Observation',
      id: 'e',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '98979-8' }] },
      effectiveDateTime: '2026-11-01T08:00:00Z',
      valueQuantity: { value: 25, unit: 'mL/min/{1.73_m2}' },
    };
    const pregnant: fhir4.Condition = {
      resourceType: 'Condition',
      id: 'c',
      subject,
      recordedDate: '2026-10-01',
      code: { coding: [{ system: 'http://snomed.info/sct', code: '77386006' }] },
    };
    const { findings } = checkOrder(
      order,
      { ...facts, medicines: taken, allergies: [allergy], observations: [value], conditions: [pregnant] },
      pack,
      Date.parse('2026-11-27'),
    );
    expect(findings.map(({ text, source }) => `${text} [${source?.where}]`)).toEqual([
      'Ibuprofen with an allergy to aspirin: asthma, hives or anaphylaxis after one NSAID or aspirin may come back with any other. [section 4]',
      'Ibuprofen with warfarin. More bleeding, above all from the stomach. [section 7.3]',
      'Ibuprofen beside naproxen (NSAIDs and aspirin). Two NSAIDs: more bleeding and ulcers, no better effect. [section 7, other NSAIDs and salicylates]',
      'Ibuprofen in pregnancy: from week 20 too little amniotic fluid and harm to the child’s kidneys; from week 30 the ductus may close. Aspirin of 81 mg by order is another matter. [Recommendations]',
      'Ibuprofen with kidneys at 25 mL/min/1.73 m², 2026-11-01: avoid it. [chapter 4, cautionary notes for prescribing in people with CKD]',
    ]);
  });

  it('is also what it holds itself', () => {
    const order = request({
      contained: [medication({ ingredient: [{ itemCodeableConcept: warfarin }, { itemCodeableConcept: aspirin }] })],
      medicationReference: { reference: '#mixture' },
    });
    expect(found(order, [])).toEqual(['anticoagulants-nsaids itself']);
  });

  it('is a class twice only where one of the two is not in both', () => {
    const both = request({
      id: 'both',
      contained: [
        medication({
          ingredient: [coded('29046'), coded('52175')].map((itemCodeableConcept) => ({ itemCodeableConcept })),
        }),
      ],
      medicationReference: { reference: '#mixture' },
    });
    expect(found(request({ medicationCodeableConcept: coded('29046') }), [both])).toEqual([
      'duplicate-renin-angiotensin-blockers MedicationRequest/both',
      'duplicate-ingredient MedicationRequest/both',
    ]);
    expect(found({ ...both, id: 'again' }, [both])).toEqual([
      'duplicate-ingredient MedicationRequest/both',
      'duplicate-ingredient MedicationRequest/both',
    ]);
  });

  it.each([
    ['holds now', { start: '2020-01-01' }, []],
    ['is over', { start: '2020-01-01', end: '2024-01-01' }, ['pregnancy-unknown']],
    ['is to come', { start: '2030-01-01' }, ['pregnancy-unknown']],
  ])('asks of a pregnancy unless a sex for clinical use rules it out that %s', (_, period, open) => {
    const value = {
      coding: [
        { system: 'http://terminology.hl7.org/CodeSystem/sex-parameter-for-clinical-use', code: 'male-typical' },
      ],
    };
    const patient: fhir4.Patient = {
      resourceType: 'Patient',
      gender: 'male',
      birthDate: '1990-01-01',
      extension: [
        {
          url: 'http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse',
          extension: [
            { url: 'value', valueCodeableConcept: value },
            { url: 'period', valuePeriod: period },
          ],
        },
      ],
    };
    const order = request({ medicationCodeableConcept: coded('29046') });
    const { notChecked } = checkOrder(order, { ...facts, patient }, pack, Date.parse('2026-11-27'));
    expect(
      notChecked.filter(({ kind, code }) => kind === 'pregnancy' && code !== 'not-shown').map(({ code }) => code),
    ).toEqual(open);
  });

  it('takes a day for newer than the year that it is of: an old good value hides no new bad one', () => {
    const order = request({ medicationCodeableConcept: coded('6809') });
    const value = (id: string, effectiveDateTime: string, ml: number): fhir4.Observation => ({
      resourceType: 'Observation',
      id,
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '98979-8' }] },
      effectiveDateTime,
      valueQuantity: { value: ml, unit: 'mL/min/{1.73_m2}' },
    });
    const observations = [value('told', '2026', 90), value('measured', '2026-10-01T08:00:00Z', 20)];
    const { findings } = checkOrder(order, { ...facts, observations }, pack, Date.parse('2026-11-27'));
    expect(findings.map(({ code, record }) => `${code} ${record}`)).toEqual(['renal Observation/measured']);
  });

  it.each([
    ['2026', ['pregnancy-unknown']],
    ['2026-11', []],
  ])('takes that there is no pregnancy, told of %s, for no longer than it surely holds', (effectiveDateTime, open) => {
    const told: fhir4.Observation = {
      resourceType: 'Observation',
      id: 'told',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '82810-3' }] },
      effectiveDateTime,
      valueCodeableConcept: { coding: [{ system: 'http://snomed.info/sct', code: '60001007' }] },
    };
    const order = request({ medicationCodeableConcept: coded('29046') });
    const { notChecked } = checkOrder(order, { ...facts, observations: [told] }, pack, Date.parse('2026-11-27'));
    expect(notChecked.flatMap(({ code }) => (code.startsWith('pregnancy') ? [code] : []))).toEqual(open);
  });

  it.each([
    ['onsetPeriod', { onsetPeriod: { start: '2020-01-01' } }, { onsetPeriod: { start: '2026-10-01' } }],
    ['abatementPeriod', { abatementPeriod: { start: '2026-11-01' } }, {}],
    ['abatementString', { abatementString: 'in error' }, {}],
  ])('is checked again where another %s makes a pregnancy count', (_, before, next) => {
    const condition = (elements: object) =>
      ({
        resourceType: 'Condition',
        code: { coding: [{ system: 'http://snomed.info/sct', code: '77386006' }] },
        ...elements,
      }) as unknown as Resource;
    expect(conditionCallsForCheck(condition(before), condition(next))).toBe(true);
    expect(conditionCallsForCheck(condition(next), condition({ ...next, note: [{ text: 'x' }] }))).toBe(false);
  });

  it('tells the gravest first', () => {
    const order = request({ medicationCodeableConcept: coded('36567') });
    const others = ['83367', '21212'].map((code) => request({ id: code, medicationCodeableConcept: coded(code) }));
    expect(found(order, others)).toEqual([
      'onc-statins-cyp3a4-inhibitors MedicationRequest/21212',
      'duplicate-statins MedicationRequest/83367',
    ]);
  });

  it('has no rules of a kind that a pack is silent about, and says so', () => {
    const order = request({ medicationCodeableConcept: warfarin });
    const { notChecked } = checkOrder(order, facts, { ...pack, renal: [], pregnancy: [] }, 0);
    expect(notChecked.filter(({ code }) => code === 'no-rules').map(({ kind }) => kind)).toEqual([
      'pregnancy',
      'renal',
    ]);
  });
});
