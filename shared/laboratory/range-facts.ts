import { hasCode } from '../order-checks/observed.ts';
import { dateInterval } from '../search/date-range.ts';
import type { RangeFacts } from './interpretation.ts';

const sexForClinicalUse = 'http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse';
const sexParameters = 'http://terminology.hl7.org/CodeSystem/sex-parameter-for-clinical-use';

/**
 * What of a patient decides which range is meant, at some time. The sex for clinical use counts if it is the same throughout; `gender` never does.
 *
 * @param at - milliseconds since 1970.
 * @see https://hl7.org/fhir/extensions/StructureDefinition-patient-sexParameterForClinicalUse.html
 */
export const rangeFactsOf = (patient: fhir4.Patient | undefined, at: number): RangeFacts => ({
  sex: sexOf(patient, at),
  age: ageOf(patient, at),
});

const sexOf = (patient: fhir4.Patient | undefined, at: number): RangeFacts['sex'] => {
  const values = (patient?.extension ?? [])
    .filter(({ url, extension }) => url === sexForClinicalUse && isCurrent(extension, at))
    .flatMap(({ extension = [] }) => extension.filter(({ url }) => url === 'value'));
  const are = (code: string) =>
    values.length > 0 &&
    values.every(({ valueCodeableConcept }) => hasCode(valueCodeableConcept, sexParameters, [code]));
  if (are('male-typical')) return 'male';
  return are('female-typical') ? 'female' : undefined;
};

const isCurrent = (extension: readonly fhir4.Extension[] | undefined, at: number): boolean => {
  const period = extension?.find(({ url }) => url === 'period')?.valuePeriod;
  const [start, end] = [dateInterval(period?.start ?? ''), dateInterval(period?.end ?? '')];
  return (start?.start ?? at) <= at && (end?.end ?? at) >= at;
};

const dayMs = 86_400_000;

/** Completed years, months, weeks and days by the calendar; undefined unless the day of birth is known. */
const ageOf = (patient: fhir4.Patient | undefined, at: number): RangeFacts['age'] => {
  const born = /^\d{4}-\d{2}-\d{2}$/.test(patient?.birthDate ?? '')
    ? dateInterval(patient?.birthDate ?? '')
    : undefined;
  if (!born || born.start > at) return undefined;
  const [birth, now] = [new Date(born.start), new Date(at)];
  const months =
    (now.getUTCFullYear() - birth.getUTCFullYear()) * 12 +
    now.getUTCMonth() -
    birth.getUTCMonth() -
    (now.getUTCDate() < birth.getUTCDate() ? 1 : 0);
  const days = Math.floor((at - born.start) / dayMs);
  return { a: Math.floor(months / 12), mo: months, wk: Math.floor(days / 7), d: days };
};
