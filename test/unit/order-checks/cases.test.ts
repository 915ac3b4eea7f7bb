import { beforeAll, describe, expect, it } from 'vitest';
import { builtInPack } from '../../../shared/order-checks/built-in.ts';
import { checkOrder, type OrderCheck, type PatientFacts } from '../../../shared/order-checks/check-order.ts';
import type { TakesMedicine } from '../../../shared/order-checks/current-medicines.ts';
import { interrupts, type Pack } from '../../../shared/order-checks/knowledge.ts';
import { rxnorm } from '../../../shared/order-checks/known-medicines.ts';
import { checkKinds, notCheckedWords } from '../../../shared/order-checks/words.ts';
import {
  type AllergyTold,
  checkedAt,
  type Named,
  type OrderCheckCase,
  orderCheckCases,
  type Taken,
} from '../../support/order-check-cases.ts';

let pack: Pack;
beforeAll(async () => {
  pack = await builtInPack();
});

const subject = { reference: 'Patient/p' };
const concept = (name: Named): fhir4.CodeableConcept =>
  typeof name === 'string' ? { coding: [{ system: rxnorm, code: name }] } : name;

const order = (of: Named): fhir4.MedicationRequest => ({
  resourceType: 'MedicationRequest',
  id: 'order',
  status: 'draft',
  intent: 'order',
  subject,
  medicationCodeableConcept: concept(of),
});

const isTaken = (given: Named | Taken): given is Taken => typeof given === 'object' && 'of' in given;

const takes = (given: Named | Taken, row: number): TakesMedicine => {
  const {
    of,
    type = 'MedicationRequest',
    status = 'active',
    intent = 'order',
    doNotPerform,
  } = isTaken(given) ? given : { of: given };
  const record = { resourceType: type, id: `m${row + 1}`, status, subject, medicationCodeableConcept: concept(of) };
  return {
    ...record,
    ...(type === 'MedicationRequest' ? { intent, ...(doNotPerform ? { doNotPerform } : {}) } : {}),
  } as TakesMedicine;
};

const status = (kind: string, code: string): fhir4.CodeableConcept => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/allergyintolerance-${kind}`, code }],
});

const allergy = (
  {
    to,
    clinical = 'active',
    verification = 'confirmed',
    type,
    criticality,
    category = 'medication',
    severity,
  }: AllergyTold,
  row: number,
): fhir4.AllergyIntolerance => ({
  resourceType: 'AllergyIntolerance',
  id: `a${row + 1}`,
  patient: subject,
  code: concept(to),
  category: [category],
  clinicalStatus: status('clinical', clinical),
  verificationStatus: status('verification', verification),
  ...(type === undefined ? {} : { type }),
  ...(criticality === undefined ? {} : { criticality }),
  ...(severity === undefined ? {} : { reaction: [{ severity, manifestation: [{ text: 'something' }] }] }),
});

/** `gender` is always the other one, which must not count. */
const patient = (which: OrderCheckCase['patient'] = 'male-typical'): fhir4.Patient => {
  const birthDate = { child: '2020-02-03', old: '1950-02-03' }[which as string] ?? '1990-02-03';
  const code = which === 'child' || which === 'old' ? 'female-typical' : which;
  return {
    resourceType: 'Patient',
    id: 'p',
    birthDate,
    gender: code === 'male-typical' ? 'female' : 'male',
    ...(code === 'untold'
      ? {}
      : {
          extension: [
            {
              url: 'http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse',
              extension: [
                {
                  url: 'value',
                  valueCodeableConcept: {
                    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/sex-parameter-for-clinical-use', code }],
                  },
                },
              ],
            },
          ],
        }),
  };
};

const noneKnown: AllergyTold = { to: { coding: [{ system: 'http://snomed.info/sct', code: '716186003' }] } };

/** Good kidneys, so that only cases of kidneys have to tell of them. */
const goodKidneys: NonNullable<OrderCheckCase['observations']> = [98, 94].map((value, row) => ({
  code: { coding: [{ system: 'http://loinc.org', code: row === 0 ? '98979-8' : '35591-7' }] },
  effectiveDateTime: '2026-11-02',
  valueQuantity: { value, code: 'mL/min', unit: 'mL/min', system: 'http://unitsofmeasure.org' },
}));

const kidneyCodes = ['33914-3', '98979-8', '35591-7', '88293-6', '88294-4'];
const tellsKidneys = (given: OrderCheckCase): boolean =>
  given.source.includes('kidneys') ||
  (given.observations ?? []).some(({ code }) => kidneyCodes.includes(code.coding?.[0]?.code ?? ''));

const factsOf = (given: OrderCheckCase): PatientFacts => ({
  patient: patient(given.patient),
  medicines: (given.taken ?? ['198440']).map(takes),
  allergies: (given.allergies ?? [noneKnown]).map(allergy),
  conditions: given.conditions ?? [],
  observations: [...(given.observations ?? []), ...(tellsKidneys(given) ? [] : goodKidneys)].map(
    (observation, row): fhir4.Observation => ({
      resourceType: 'Observation',
      id: `o${row + 1}`,
      status: 'final',
      ...observation,
    }),
  ),
  medications: new Map(),
});

const checked = (given: OrderCheckCase): OrderCheck =>
  checkOrder(order(given.order), factsOf(given), pack, Date.parse(checkedAt));

describe('an order is checked', () => {
  it('by at least 150 cases, each with a source and a name of its own', () => {
    expect(orderCheckCases.length).toBeGreaterThanOrEqual(150);
    expect(new Set(orderCheckCases.map(({ what }) => what)).size).toBe(orderCheckCases.length);
    expect(orderCheckCases.filter(({ source }) => source.length < 4)).toEqual([]);
  });

  it.each(orderCheckCases.map((given) => [given.what, given] as const))('%s', (_, given) => {
    const { findings, notChecked, edition } = checked(given);

    expect(
      findings.map(({ severity, rule, code, record }) => `${severity} ${rule ?? code} ${record?.split('/')[1]}`),
    ).toEqual(given.found ?? []);
    expect(notChecked.filter(({ code }) => code !== 'not-shown').map(({ kind, code }) => `${kind} ${code}`)).toEqual(
      given.open ?? [],
    );
    for (const finding of findings) {
      expect(finding.interrupts).toBe(interrupts(finding.severity));
      expect(finding.source?.url ?? 'no rule', finding.rule).toMatch(finding.rule ? /^https:/ : /^no rule$/);
      expect(finding.text).toMatch(/^.{20,}[.]$/);
    }
    expect(edition).toBe(pack.edition);
  });

  it('always says that what is not shown was not looked at, for each kind, and all else in the words of one list', () => {
    for (const given of orderCheckCases) {
      const { notChecked } = checked(given);
      expect(notChecked.filter(({ code }) => code === 'not-shown').map(({ kind }) => kind)).toEqual(checkKinds);
      for (const { code, text } of notChecked) expect(text).toBe(notCheckedWords[code]);
    }
  });

  it('by nothing without a pack, and says so for each kind', () => {
    const given = orderCheckCases[0] as OrderCheckCase;
    const { findings, notChecked, edition } = checkOrder(
      order(given.order),
      factsOf(given),
      undefined,
      Date.parse(checkedAt),
    );
    expect(findings).toEqual([]);
    expect(edition).toBeUndefined();
    expect(notChecked.map(({ kind, code }) => `${kind} ${code}`)).toEqual([
      ...checkKinds.map((kind) => `${kind} no-pack`),
      ...checkKinds.map((kind) => `${kind} not-shown`),
    ]);
  });
});
