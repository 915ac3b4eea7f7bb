import type { Resource } from '../fhir/resource.ts';

/** Conditions that are a pregnancy: SNOMED CT, and ICD-10-CM's chapters on it that are none of the time after it. */
const pregnancies: readonly string[] = ['77386006', '72892002'];
const icd10Pregnancies = /^(?:Z33\.1|Z34|O09|O1[0-6]|O2[0-9])/;

/** Whether the code of a condition is that of a pregnancy. */
export const isPregnancyCode = (code: unknown): boolean =>
  ((code as fhir4.CodeableConcept | undefined)?.coding ?? []).some(
    ({ system, code: each = '' }) =>
      (system === 'http://snomed.info/sct' && pregnancies.includes(each)) ||
      (system === 'http://hl7.org/fhir/sid/icd-10-cm' && icd10Pregnancies.test(each)),
  );

/** What decides whether a pregnancy counts. */
const said = [
  'clinicalStatus',
  'verificationStatus',
  'onsetDateTime',
  'onsetPeriod',
  'abatementDateTime',
  'abatementPeriod',
  'abatementAge',
  'abatementRange',
  'abatementString',
  'recordedDate',
];

/** A condition that newly says, or says otherwise, that the patient is pregnant: the few that speak against orders. Others cost nothing. */
export const conditionCallsForCheck = (before: Resource | undefined, next: Resource): boolean =>
  isPregnancyCode(next['code']) &&
  (!before ||
    !isPregnancyCode(before['code']) ||
    said.some((name) => JSON.stringify(before[name]) !== JSON.stringify(next[name])));
