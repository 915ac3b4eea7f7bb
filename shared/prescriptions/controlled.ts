import type { Pack } from '../order-checks/knowledge.ts';
import { knownMedicines } from '../order-checks/known-medicines.ts';
import { type Medications, medicineOf } from '../order-checks/medicine.ts';
import { schedules } from './controlled-substances.ts';

/** A controlled substance that a medicine has in it. */
export interface Controlled {
  readonly substance: string;
  readonly schedule: string;
  readonly source: string;
}

/** What is known of a medicine: which controlled substances are in it, and whether all that is in it is known. */
export interface ControlledCheck {
  readonly found: readonly Controlled[];
  /** Where this is false, nothing found does not mean that nothing is in it. */
  readonly complete: boolean;
}

const byName: ReadonlyMap<string, Controlled> = new Map(
  schedules.flatMap(({ schedule, source, names }) =>
    names.map((substance) => [substance, { substance, schedule, source }] as const),
  ),
);

/** A name of one of them as a word: otherwise than for checks, a part of a name counts, for to sign one that is controlled is against the law, and to refuse one that is not costs a second look. */
const named = new RegExp(`(?<![\\p{L}])(?:${[...byName.keys()].join('|')})(?![\\p{L}])`, 'giu');

/**
 * Which controlled substances an order is for: by the ingredients of its code, and by its words. Pure.
 *
 * @param medications - those that it may refer to, by `Medication/id`.
 */
export const controlledIn = (order: fhir4.MedicationRequest, medications: Medications, pack: Pack): ControlledCheck => {
  const known = knownMedicines(pack);
  const { ingredients, complete } = medicineOf(order, known, medications);
  const names = ingredients.flatMap((id) => {
    const { name = id, also = [] } = known.ingredients.get(id) ?? {};
    return [name, ...also];
  });
  const words = [...names, ...wordsOf(order, medications)].flatMap((text) => text.match(named) ?? []);
  const found = new Map(
    words.flatMap((word) => {
      const each = byName.get(word.toLowerCase());
      return each ? [[each.substance, each] as const] : [];
    }),
  );
  return { found: [...found.values()], complete };
};

/** The words by which an order names its medicine, and those of the Medication that it refers to. */
const wordsOf = (order: fhir4.MedicationRequest, medications: Medications): string[] => {
  const { medicationCodeableConcept, medicationReference, contained = [] } = order;
  const reference = medicationReference?.reference ?? '';
  const target = reference.startsWith('#')
    ? contained.find(({ id }) => reference === `#${id}`)
    : medications.get(reference);
  const { code, ingredient = [] } = (target ?? {}) as Partial<fhir4.Medication>;
  const concepts = [medicationCodeableConcept, code, ...ingredient.map((each) => each.itemCodeableConcept)];
  const references = [medicationReference, ...ingredient.map((each) => each.itemReference)];
  return [
    ...concepts.flatMap((concept) => [concept?.text, ...(concept?.coding ?? []).map(({ display }) => display)]),
    ...references.map((each) => each?.display),
  ].filter((text) => text !== undefined);
};
