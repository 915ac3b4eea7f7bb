import { type Finding, finding } from './findings.ts';
import type { AllergyRule, Pack, Severity } from './knowledge.ts';
import { type KnownMedicines, type Meaning, meaningOf, membersOf, nameOf } from './known-medicines.ts';
import type { Medicine } from './medicine.ts';
import { type NotChecked, notChecked } from './words.ts';

/**
 * Codes that say that there is no allergy: none at all, or none to a medicine. https://hl7.org/fhir/R4/allergyintolerance.html#9.1.1.2
 */
const noAllergies: readonly string[] = ['716186003', '409137002'];
/** The same in the summaries of other countries. https://hl7.org/fhir/uv/ips/CodeSystem-absent-unknown-uv-ips.html */
const ips = 'http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips';
const noAllergiesOfIps: readonly string[] = ['no-known-allergies', 'no-known-medication-allergies'];

const snomed = 'http://snomed.info/sct';

/** How the name of an allergy may begin or end. */
const namesOfAllergies =
  /^(?:drug )?(?:allergy|hypersensitivity|intolerance) to |^allergic to | (?:allergy|hypersensitivity|intolerance)$/;

const isNoAllergy = ({ code }: fhir4.AllergyIntolerance): boolean =>
  code?.coding?.some(({ system, code: each = '' }) =>
    system === ips ? noAllergiesOfIps.includes(each) : (system ?? snomed) === snomed && noAllergies.includes(each),
  ) ?? false;

const statusOf = (concept: fhir4.CodeableConcept | undefined): string | undefined => concept?.coding?.[0]?.code;

/** Refuted ones and those entered in error are none. https://hl7.org/fhir/R4/valueset-allergyintolerance-verification.html */
const isHeld = ({ verificationStatus }: fhir4.AllergyIntolerance): boolean =>
  !['refuted', 'entered-in-error'].includes(statusOf(verificationStatus) ?? '');

/** Inactive and resolved ones stop nobody, and are mentioned. Without a status an allergy counts. */
const isPast = ({ clinicalStatus }: fhir4.AllergyIntolerance): boolean =>
  ['inactive', 'resolved'].includes(statusOf(clinicalStatus) ?? '');

/** Whether what is said may be about a medicine: what is said to be of food or surroundings alone is not. */
const mayBeMedicine = ({ category }: fhir4.AllergyIntolerance): boolean =>
  category === undefined ||
  category.length === 0 ||
  category.some((each) => each === 'medication' || each === 'biologic');

/**
 * What allergies say against an order: to the very ingredient, to its class, or to one that it may cross-react with.
 *
 * @param allergies - all that are recorded, whatever their states.
 */
export const allergiesAgainst = (
  order: Medicine,
  allergies: readonly fhir4.AllergyIntolerance[],
  pack: Pack,
  known: KnownMedicines,
): { readonly findings: readonly Finding[]; readonly notChecked: readonly NotChecked[] } => {
  const held = allergies.filter(isHeld);
  const told = held.filter((allergy) => !isNoAllergy(allergy));
  const findings: Finding[] = [];
  const unknown: NotChecked[] = [];
  for (const allergy of told) {
    const meanings = meaningsOf(allergy, known);
    if (meanings.known.length > 0) findings.push(...findingsOf(order, allergy, meanings.known, pack, known));
    if (!meanings.complete && mayBeMedicine(allergy) && !isPast(allergy))
      unknown.push(notChecked('drug-allergy', 'allergen-unknown', recordOf(allergy)));
  }
  const isTold = held.some((allergy) => isNoAllergy(allergy) || mayBeMedicine(allergy));
  return { findings, notChecked: isTold ? unknown : [notChecked('drug-allergy', 'no-allergies-told')] };
};

const recordOf = ({ id }: fhir4.AllergyIntolerance): string | undefined =>
  id === undefined ? undefined : `AllergyIntolerance/${id}`;

/** What an allergy is to: its code, or the substances of its reactions where that is not known. */
const meaningsOf = (
  { code, reaction = [] }: fhir4.AllergyIntolerance,
  known: KnownMedicines,
): { readonly known: readonly Meaning[]; readonly complete: boolean } => {
  const whole = code && meaningOf(code, known, namesOfAllergies);
  const parts = reaction.flatMap(({ substance }) => (substance ? [meaningOf(substance, known, namesOfAllergies)] : []));
  const found = [whole, ...parts].filter((meaning) => meaning !== undefined);
  return { known: found, complete: whole !== undefined || (parts.length > 0 && !parts.includes(undefined)) };
};

const findingsOf = (
  order: Medicine,
  allergy: fhir4.AllergyIntolerance,
  meanings: readonly Meaning[],
  pack: Pack,
  known: KnownMedicines,
): readonly Finding[] => {
  const to = new Set(
    meanings.flatMap(({ ingredients, classes }) => [...ingredients, ...classes.flatMap((id) => membersOf(id, known))]),
  );
  const classes = new Set(meanings.flatMap((meaning) => meaning.classes));
  const record = recordOf(allergy);
  const same = order.ingredients.filter((id) => to.has(id));
  if (isPast(allergy)) {
    const past = order.ingredients.find(
      (id) => same.includes(id) || pack.allergies.some((rule) => crosses(rule, id, to, classes, known)),
    );
    if (past === undefined) return [];
    const text = `An allergy that is no longer active speaks against ${nameOf(past, known)}.`;
    return [finding({ kind: 'drug-allergy', code: 'allergy-past', severity: 'moderate', text, record }, pack)];
  }
  const direct = same.map((id) =>
    finding(
      {
        kind: 'drug-allergy',
        code: 'allergy-same',
        severity: isMild(allergy) ? 'serious' : 'contraindicated',
        text: `The patient is said not to tolerate ${nameOf(id, known)}, or its class.`,
        record,
      },
      pack,
    ),
  );
  const crossing = pack.allergies.flatMap((rule) => {
    const id = order.ingredients.find((each) => !same.includes(each) && crosses(rule, each, to, classes, known));
    if (id === undefined) return [];
    const cause = causeOf(rule, to, classes, known);
    const text = `${nameOf(id, known)} with an allergy to ${nameOf(cause, known)}: ${rule.text}`;
    const severity = isSevere(allergy) ? raised[rule.severity] : rule.severity;
    return finding({ kind: 'drug-allergy', code: 'allergy-cross', severity, text, record, rule }, pack);
  });
  return [...direct, ...strongest(crossing)];
};

/** An intolerance, or one of low criticality without a severe reaction, is a warning and no bar. */
const isMild = (allergy: fhir4.AllergyIntolerance): boolean =>
  !isSevere(allergy) && (allergy.type === 'intolerance' || allergy.criticality === 'low');

const isSevere = ({ criticality, reaction = [] }: fhir4.AllergyIntolerance): boolean =>
  criticality === 'high' || reaction.some(({ severity }) => severity === 'severe');

/** After a severe reaction one that may cross is taken one step more seriously. */
const raised: Readonly<Record<Severity, Severity>> = {
  moderate: 'serious',
  serious: 'contraindicated',
  contraindicated: 'contraindicated',
};

const sideOf = (
  id: string,
  to: ReadonlySet<string>,
  classes: ReadonlySet<string>,
  known: KnownMedicines,
): string | undefined => (classes.has(id) ? id : membersOf(id, known).find((member) => to.has(member)));

const crosses = (
  { allergicTo, against }: AllergyRule,
  ordered: string,
  to: ReadonlySet<string>,
  classes: ReadonlySet<string>,
  known: KnownMedicines,
): boolean => membersOf(against, known).includes(ordered) && sideOf(allergicTo, to, classes, known) !== undefined;

const causeOf = (
  { allergicTo }: AllergyRule,
  to: ReadonlySet<string>,
  classes: ReadonlySet<string>,
  known: KnownMedicines,
): string => sideOf(allergicTo, to, classes, known) ?? allergicTo;

/** Of several rules that say the same of one allergy, those of the greatest weight. */
const strongest = (findings: readonly Finding[]): readonly Finding[] => {
  const order: readonly Severity[] = ['contraindicated', 'serious', 'moderate'];
  const most = order.find((severity) => findings.some((each) => each.severity === severity));
  return findings.filter(({ severity }) => severity === most);
};
