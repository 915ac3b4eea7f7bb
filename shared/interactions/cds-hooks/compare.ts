import { RecordError } from '../../errors.ts';
import { checkOrder, type OrderCheck, type PatientFacts } from '../../order-checks/check-order.ts';
import { counts, type TakesMedicine } from '../../order-checks/current-medicines.ts';
import type { Finding } from '../../order-checks/findings.ts';
import type { Pack } from '../../order-checks/knowledge.ts';
import { knownMedicines } from '../../order-checks/known-medicines.ts';
import { medicineOf } from '../../order-checks/medicine.ts';
import { checkKinds, type NotChecked, notChecked } from '../../order-checks/words.ts';

/** What was found against whom. */
export interface Clash {
  readonly subject: TakesMedicine;
  readonly finding: Finding;
}

/** What checks of several medicines come to. */
export interface Compared {
  /** The gravest first. */
  readonly clashes: readonly Clash[];
  readonly open: readonly NotChecked[];
}

/** `Type/id`; undefined for what has no id. */
export const nameOf = ({ resourceType, id }: TakesMedicine): string | undefined =>
  id === undefined ? undefined : `${resourceType}/${id}`;

/** What tells one medicine from another: its ingredients; of one that is not known, its record. */
const medicinesBy =
  (pack: Pack | undefined, { medications }: Pick<PatientFacts, 'medications'>) =>
  (record: TakesMedicine): string => {
    const { ingredients, complete } = pack
      ? medicineOf(record, knownMedicines(pack), medications)
      : { ingredients: [], complete: false };
    return complete ? ingredients.toSorted().join(' ') : (nameOf(record) ?? JSON.stringify(record));
  };

/** Different medicines that are compared with each other: some 10,000 pairs, a tenth of a second. */
const mostMedicines = 100;

/**
 * All that somebody takes, each held against the others. Of many records of one medicine two are enough to see that it is taken twice.
 *
 * @throws RecordError `too-costly`: a part of them is not compared as if it were all.
 */
export const comparedInChart = (facts: PatientFacts, pack: Pack | undefined, now: number): Compared => {
  const medicineName = medicinesBy(pack, facts);
  const byMedicine = Map.groupBy(facts.medicines.filter(counts), medicineName);
  if (byMedicine.size > mostMedicines)
    throw new RecordError('too-costly', 'More medicines are taken than can be held against each other');
  const medicines = [...byMedicine.values()].flatMap((records) => records.slice(0, 2));
  const subjects = [...byMedicine.values()].flatMap((records) => records.slice(0, 1));
  const checks = subjects.map((subject) => ({
    subject,
    check: checkOrder(subject, { ...facts, medicines }, pack, now),
  }));
  return together(checks, medicines, medicineName);
};

/**
 * Orders, each held against a chart and the others that are drafted with it.
 *
 * @throws RecordError `too-costly`.
 */
export const comparedOrders = (
  { asked, drafted }: { readonly asked: readonly number[]; readonly drafted: readonly fhir4.MedicationRequest[] },
  facts: PatientFacts,
  pack: Pack | undefined,
  now: number,
  counting: (order: fhir4.MedicationRequest) => fhir4.MedicationRequest,
): Compared => {
  const checks = asked.flatMap((index) => {
    const subject = drafted[index];
    if (!subject) return [];
    const others = drafted.filter((_, each) => each !== index).map(counting);
    return [
      { subject, check: checkOrder(subject, { ...facts, medicines: [...facts.medicines, ...others] }, pack, now) },
    ];
  });
  return together(checks, [...facts.medicines, ...drafted], medicinesBy(pack, facts));
};

/** A card takes some 2.7 KB: with more of them the answer came near to the 6 MB that a function may give, and the row for feedback near to its 400 KB. */
const mostClashes = 1_500;

const weights = { contraindicated: 3, serious: 2, moderate: 1 } as const;

/**
 * Two medicines clash once, whichever of them is held against the other; with anything else, each in its own words.
 *
 * @throws RecordError `too-costly`: the gravest alone are not told of as if they were all.
 */
const together = (
  checks: readonly { readonly subject: TakesMedicine; readonly check: OrderCheck }[],
  medicines: readonly TakesMedicine[],
  medicineName: (record: TakesMedicine) => string,
): Compared => {
  const byRecord = new Map(medicines.map((record) => [nameOf(record), record]));
  const clashes = new Map<string, Clash>();
  for (const { subject, check } of checks)
    for (const finding of check.findings) {
      const other = finding.record === undefined ? undefined : byRecord.get(finding.record);
      const sides = other
        ? [medicineName(subject), medicineName(other)].toSorted()
        : [medicineName(subject), finding.record, finding.text];
      const key = [finding.code, finding.rule, ...sides].join('\n');
      if (!clashes.has(key)) clashes.set(key, { subject, finding });
    }
  if (clashes.size > mostClashes)
    throw new RecordError('too-costly', 'More clashes were found than can be told of: take fewer orders at once');
  const open = new Map(
    [
      ...checks.flatMap(({ check }) => check.notChecked),
      ...(checks.length > 0
        ? []
        : [notChecked('drug-drug', 'no-other-medicines'), notChecked('duplicate', 'no-other-medicines')]),
      ...checkKinds.map((kind) => notChecked(kind, 'not-shown')),
    ].map((each) => [`${each.kind} ${each.code} ${each.record}`, each]),
  );
  return {
    clashes: [...clashes.values()].toSorted((a, b) => weights[b.finding.severity] - weights[a.finding.severity]),
    open: [...open.values()],
  };
};
