import type { Pack } from '../order-checks/knowledge.ts';
import { knownMedicines } from '../order-checks/known-medicines.ts';
import { type Medications, medicineOf } from '../order-checks/medicine.ts';
import { brands, schedules } from './controlled-substances.ts';

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

const bySubstance: ReadonlyMap<string, Controlled> = new Map(
  schedules.flatMap(({ schedule, source, names }) =>
    names.map((substance) => [substance, { substance, schedule, source }] as const),
  ),
);

/** Substances by their names and brand names, in lower case. */
const byName: ReadonlyMap<string, Controlled> = new Map([
  ...bySubstance,
  ...Object.entries(brands).flatMap(([substance, names]) => {
    const found = bySubstance.get(substance);
    return found ? names.map((name) => [name.toLowerCase(), found] as const) : [];
  }),
]);

/** A name of one of them as a word: otherwise than for checks, a part of a name counts, for to sign one that is controlled is against the law, and to refuse one that is not costs a second look. What is free of it is not one, but for a free base or acid. */
const named = new RegExp(
  `(?<![\\p{L}])(?:${[...byName.keys()].join('|')})(?![\\p{L}]|[-‐‑]free(?![\\p{L}]| (?:base|acid)))`,
  'giu',
);

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

/** The words by which an order names its medicine, and those of the Medication that it refers to, with all that is contained. */
const wordsOf = (order: fhir4.MedicationRequest, medications: Medications): string[] => {
  const { medicationCodeableConcept, medicationReference, contained = [] } = order;
  const reference = medicationReference?.reference ?? '';
  const inside = contained as readonly Partial<fhir4.Medication>[];
  const { code, ingredient = [] } = (medications.get(reference) ?? {}) as Partial<fhir4.Medication>;
  const ingredients = [...ingredient, ...inside.flatMap((each) => each.ingredient ?? [])];
  const concepts = [
    medicationCodeableConcept,
    code,
    ...inside.filter(isMedicine).map((each) => each.code),
    ...ingredients.map((each) => each.itemCodeableConcept),
  ];
  const references = [medicationReference, ...ingredients.map((each) => each.itemReference)];
  return [
    ...concepts.flatMap((concept) => [concept?.text, ...(concept?.coding ?? []).map(({ display }) => display)]),
    ...references.map((each) => each?.display),
  ].filter((text) => text !== undefined);
};

/** All that is contained may be a part of the medicine, however deep. */
const isMedicine = ({ resourceType }: { readonly resourceType?: string }): boolean =>
  resourceType === 'Medication' || resourceType === 'Substance';
