import { type KnownMedicines, meaningOf } from './known-medicines.ts';

/** A record that names a medicine, by a concept or by a reference. */
export interface NamesMedicine {
  readonly resourceType: string;
  readonly id?: string | undefined;
  readonly medicationCodeableConcept?: fhir4.CodeableConcept | undefined;
  readonly medicationReference?: fhir4.Reference | undefined;
  readonly contained?: readonly fhir4.Resource[] | undefined;
}

/** What a record's medicine is made of. */
export interface Medicine {
  /** `Type/id`; undefined if the record has no id yet. */
  readonly record: string | undefined;
  /** Ids of the ingredients that the pack knows. */
  readonly ingredients: readonly string[];
  /** Whether these are all of them. */
  readonly complete: boolean;
}

/** Medications that records refer to, by `Medication/id`. */
export type Medications = ReadonlyMap<string, fhir4.Medication>;

/**
 * What a record's medicine is made of: by its code, and by the ingredients that a Medication lists. What is neither known nor found makes it incomplete.
 *
 * @param medications - those that may be referred to; one that is not there is as one that does not exist.
 */
export const medicineOf = (record: NamesMedicine, known: KnownMedicines, medications: Medications): Medicine => {
  const { resourceType, id, medicationCodeableConcept, medicationReference } = record;
  const found = medicationCodeableConcept
    ? partsOf(medicationCodeableConcept, known)
    : ofReference(medicationReference, known, { contained: record.contained ?? [], medications });
  return { record: id === undefined ? undefined : `${resourceType}/${id}`, ...found };
};

type Parts = Pick<Medicine, 'ingredients' | 'complete'>;

const unknown: Parts = { ingredients: [], complete: false };

const partsOf = (concept: fhir4.CodeableConcept | undefined, known: KnownMedicines): Parts => {
  const ingredients = (concept && meaningOf(concept, known)?.ingredients) ?? [];
  return ingredients.length > 0 ? { ingredients, complete: true } : unknown;
};

interface Within {
  readonly contained: readonly fhir4.Resource[];
  readonly medications: Medications;
}

const targetOf = (
  { reference = '' }: fhir4.Reference,
  { contained, medications }: Within,
): fhir4.FhirResource | undefined =>
  reference.startsWith('#')
    ? (contained.find(({ id }) => reference === `#${id}`) as fhir4.FhirResource | undefined)
    : medications.get(reference);

const ofReference = (reference: fhir4.Reference | undefined, known: KnownMedicines, within: Within): Parts => {
  const target = reference && targetOf(reference, within);
  if (target?.resourceType !== 'Medication') return partsOf(conceptOf(reference, within), known);
  const { code, ingredient = [], contained = [] } = target;
  const whole = partsOf(code, known);
  const own = { ...within, contained: [...contained, ...within.contained] };
  const parts = ingredient
    .filter(({ isActive }) => isActive !== false)
    .map(({ itemCodeableConcept, itemReference }) =>
      partsOf(itemCodeableConcept ?? conceptOf(itemReference, own), known),
    );
  return {
    ingredients: [...new Set([whole, ...parts].flatMap(({ ingredients }) => ingredients))],
    // Parts that are listed have to be known themselves, whatever the code says.
    complete: parts.length > 0 ? parts.every(({ complete }) => complete) : whole.complete,
  };
};

/** What a reference is to, one step deep, so that a Medication which is made of itself does not go on for ever; else the name that it gives. */
const conceptOf = (reference: fhir4.Reference | undefined, within: Within): fhir4.CodeableConcept | undefined => {
  const target = reference && targetOf(reference, within);
  if (target?.resourceType === 'Medication' || target?.resourceType === 'Substance') return target.code;
  return reference?.display === undefined ? undefined : { text: reference.display };
};
