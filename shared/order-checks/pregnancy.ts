import { dateInterval } from '../search/date-range.ts';
import { type Finding, finding } from './findings.ts';
import type { Pack } from './knowledge.ts';
import { type KnownMedicines, membersOf, nameOf } from './known-medicines.ts';
import type { Medicine } from './medicine.ts';
import { dayMs, hasCode, loinc, observedOf, recordOf, snomed } from './observed.ts';
import { isPregnancyCode } from './tells-of-pregnancy.ts';
import { pregnancyStatus } from './tells-of-state.ts';
import { type NotChecked, notChecked } from './words.ts';

const pregnant = { [snomed]: ['77386006'], [loinc]: ['LA15173-0'] };
const notPregnant = { [snomed]: ['60001007'], [loinc]: ['LA26683-5'] };

/** How long a statement holds: a pregnancy until 43 weeks after it was told, its absence for four weeks. */
export const holdsDays = { pregnant: 301, notPregnant: 28 } as const;

/** Ages in which a pregnancy is possible, both included. */
export const possibleYears = { from: 10, to: 60 } as const;

/** What the records of a patient say of a pregnancy. */
export interface PregnancyFacts {
  readonly observations: readonly fhir4.Observation[];
  readonly conditions: readonly fhir4.Condition[];
  readonly patient: fhir4.Patient | undefined;
  readonly now: number;
}

type Pregnancy =
  | { readonly is: 'pregnant'; readonly record: string | undefined }
  | { readonly is: 'not-pregnant' | 'impossible' | 'unknown' };

/** What speaks against an order because of a pregnancy. Neither `gender` nor a name says anything of one. */
export const pregnancyAgainst = (
  order: Medicine,
  facts: PregnancyFacts,
  pack: Pack,
  known: KnownMedicines,
): { readonly findings: readonly Finding[]; readonly notChecked: readonly NotChecked[] } => {
  const clashes = pack.pregnancy.flatMap((rule) => {
    const id = order.ingredients.find((each) => membersOf(rule.of, known).includes(each));
    return id === undefined ? [] : [{ rule, id }];
  });
  if (clashes.length === 0) return { findings: [], notChecked: [] };
  const pregnancy = pregnancyOf(facts);
  if (pregnancy.is === 'unknown') return { findings: [], notChecked: [notChecked('pregnancy', 'pregnancy-unknown')] };
  if (pregnancy.is !== 'pregnant') return { findings: [], notChecked: [] };
  const findings = clashes.map(({ rule, id }) =>
    finding(
      {
        kind: 'pregnancy',
        code: 'pregnancy',
        severity: rule.severity,
        text: `${nameOf(id, known)} in pregnancy: ${rule.text}`,
        record: pregnancy.record,
        rule,
      },
      pack,
    ),
  );
  return { findings, notChecked: [] };
};

/** A pregnancy on the problem list counts until it is ended there, whatever else is observed; else the newest statement decides as long as it holds. */
const pregnancyOf = ({ observations, conditions, patient, now }: PregnancyFacts): Pregnancy => {
  const condition = conditions.find((each) => isPregnancy(each, now));
  if (condition) return { is: 'pregnant', record: recordOf(condition) };
  const [newest] = observedOf(observations, pregnancyStatus, now);
  const value = newest?.observation.valueCodeableConcept;
  // Of a time that is told of in part, a pregnancy holds as long as it may, and its absence no longer than it must.
  if (newest && isOneOf(value, pregnant) && now - newest.at <= holdsDays.pregnant * dayMs)
    return { is: 'pregnant', record: recordOf(newest.observation) };
  if (newest && isOneOf(value, notPregnant) && now - newest.from <= holdsDays.notPregnant * dayMs)
    return { is: 'not-pregnant' };
  return { is: mayBePregnant(patient, now) ? 'unknown' : 'impossible' };
};

const isOneOf = (
  value: fhir4.CodeableConcept | undefined,
  codes: Readonly<Record<string, readonly string[]>>,
): boolean => Object.entries(codes).some(([system, each]) => hasCode(value, system, each));

const isPregnancy = (condition: fhir4.Condition, now: number): boolean => {
  const { code, clinicalStatus, verificationStatus, onsetDateTime, onsetPeriod, recordedDate } = condition;
  const isOver =
    Object.keys(condition).some((element) => element.startsWith('abatement')) ||
    ['inactive', 'remission', 'resolved'].includes(clinicalStatus?.coding?.[0]?.code ?? '') ||
    ['refuted', 'entered-in-error'].includes(verificationStatus?.coding?.[0]?.code ?? '');
  if (!isPregnancyCode(code) || isOver) return false;
  const begun = dateInterval(onsetDateTime ?? onsetPeriod?.start ?? recordedDate ?? '');
  return begun !== undefined && begun.start <= now && now - begun.end <= holdsDays.pregnant * dayMs;
};

const sexForClinicalUse = 'http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse';
const sexParameters = 'http://terminology.hl7.org/CodeSystem/sex-parameter-for-clinical-use';

/**
 * Unless the sex for clinical use is that of men throughout, or the age is out of question. What is not known may be.
 * https://hl7.org/fhir/extensions/StructureDefinition-patient-sexParameterForClinicalUse.html
 */
const mayBePregnant = (patient: fhir4.Patient | undefined, now: number): boolean => {
  const sexes = (patient?.extension ?? [])
    .filter(({ url, extension }) => url === sexForClinicalUse && isCurrent(extension, now))
    .flatMap(({ extension = [] }) => extension.filter(({ url }) => url === 'value'));
  const isMale = ({ valueCodeableConcept }: fhir4.Extension): boolean =>
    hasCode(valueCodeableConcept, sexParameters, ['male-typical']);
  if (sexes.length > 0 && sexes.every(isMale)) return false;
  const born = dateInterval(patient?.birthDate ?? '');
  if (!born) return true;
  const yearMs = 365.25 * dayMs;
  return (now - born.start) / yearMs >= possibleYears.from && (now - born.end) / yearMs < possibleYears.to + 1;
};

const isCurrent = (extension: readonly fhir4.Extension[] | undefined, now: number): boolean => {
  const period = extension?.find(({ url }) => url === 'period')?.valuePeriod;
  const [start, end] = [dateInterval(period?.start ?? ''), dateInterval(period?.end ?? '')];
  return (start?.start ?? now) <= now && (end?.end ?? now) >= now;
};
