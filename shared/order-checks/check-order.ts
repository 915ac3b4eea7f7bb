import { allergiesAgainst } from './allergies.ts';
import { currentMedicines, type TakesMedicine } from './current-medicines.ts';
import { duplicatesOf } from './duplicates.ts';
import type { Finding } from './findings.ts';
import { interactionsOf } from './interactions.ts';
import type { Pack } from './knowledge.ts';
import { knownMedicines } from './known-medicines.ts';
import { type Medications, medicineOf } from './medicine.ts';
import { pregnancyAgainst } from './pregnancy.ts';
import { kidneysAgainst } from './renal.ts';
import { type CheckKind, checkKinds, type NotChecked, notChecked } from './words.ts';

/** What is known of a patient, as far as who asks may see it. What is hidden is left out, so the answer is that of a patient who has no such record. */
export interface PatientFacts {
  readonly patient: fhir4.Patient | undefined;
  /** In whatever state; those that do not count are left out here. */
  readonly medicines: readonly TakesMedicine[];
  readonly allergies: readonly fhir4.AllergyIntolerance[];
  readonly conditions: readonly fhir4.Condition[];
  readonly observations: readonly fhir4.Observation[];
  /** What records refer to, by `Medication/id`. */
  readonly medications: Medications;
}

/** What was found, and what was not looked for. Both belong together: no finding is no objection only where nothing was left out. */
export interface OrderCheck {
  /** The gravest first. */
  readonly findings: readonly Finding[];
  /** At least one for each kind: `not-shown` is always there. */
  readonly notChecked: readonly NotChecked[];
  /** Of the pack; undefined if there was none. */
  readonly edition: string | undefined;
}

/**
 * Checks an order against what is known of its patient: allergies, medicines taken with it, duplicates, pregnancy and kidneys. Nothing is found of an order not to give a medicine. Pure: what it does
 * not know it says.
 *
 * @param order - or what else says that a medicine is taken, held against all others.
 * @param pack - undefined if there is none.
 * @param now - milliseconds since 1970.
 */
export const checkOrder = (
  order: TakesMedicine,
  { patient, medicines, allergies, conditions, observations, medications }: PatientFacts,
  pack: Pack | undefined,
  now: number,
): OrderCheck => {
  const always = checkKinds.map((kind) => notChecked(kind, 'not-shown'));
  if (!pack)
    return {
      findings: [],
      notChecked: [...checkKinds.map((kind) => notChecked(kind, 'no-pack')), ...always],
      edition: undefined,
    };
  // That a medicine is not to be given is what a clash calls for, and nothing stands against it.
  if (order.resourceType === 'MedicationRequest' && order.doNotPerform === true)
    return { findings: [], notChecked: always, edition: pack.edition };
  const known = knownMedicines(pack);
  const ordered = medicineOf(order, known, medications);
  const current = currentMedicines(order, medicines, known, medications);
  const byAllergy = allergiesAgainst(ordered, allergies, pack, known);
  const byPregnancy = pregnancyAgainst(ordered, { observations, conditions, patient, now }, pack, known);
  const byKidneys = kidneysAgainst(ordered, observations, now, pack, known);
  const unknown = current.filter(({ complete }) => !complete);
  const ofOthers = (kind: CheckKind): readonly NotChecked[] =>
    current.length === 0
      ? [notChecked(kind, 'no-other-medicines')]
      : unknown.map(({ record }) => notChecked(kind, 'other-medicine-unknown', record));
  const findings = [
    ...byAllergy.findings,
    ...interactionsOf(ordered, current, pack, known),
    ...duplicatesOf(ordered, current, pack, known),
    ...byPregnancy.findings,
    ...byKidneys.findings,
  ];
  return {
    findings: findings.toSorted((a, b) => weights[b.severity] - weights[a.severity]),
    notChecked: [
      ...(ordered.complete ? [] : checkKinds.map((kind) => notChecked(kind, 'order-unknown'))),
      ...withoutRules(pack).map((kind) => notChecked(kind, 'no-rules')),
      ...byAllergy.notChecked,
      ...ofOthers('drug-drug'),
      ...ofOthers('duplicate'),
      ...byPregnancy.notChecked,
      ...byKidneys.notChecked,
      ...always,
    ],
    edition: pack.edition,
  };
};

const weights = { contraindicated: 3, serious: 2, moderate: 1 } as const;

/** Kinds that a pack says nothing of. The same ingredient, in an allergy or a medicine, needs no rule. */
const withoutRules = ({ allergies, interactions, duplicates, pregnancy, renal }: Pack): readonly CheckKind[] => {
  const rules: Readonly<Record<CheckKind, readonly unknown[]>> = {
    'drug-allergy': allergies,
    'drug-drug': interactions,
    duplicate: duplicates,
    pregnancy,
    renal,
  };
  return checkKinds.filter((kind) => rules[kind].length === 0);
};
