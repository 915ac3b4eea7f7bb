import type { KnownMedicines } from './known-medicines.ts';
import { type Medications, type Medicine, medicineOf } from './medicine.ts';

/** A record that says that somebody takes a medicine, or is to. */
export type TakesMedicine = fhir4.MedicationRequest | fhir4.MedicationStatement | fhir4.MedicationAdministration;

/**
 * The states in which a record counts. What is on hold may go on tomorrow, and what is of unknown state may be taken, so both count; what is a draft, stopped, cancelled, over,
 * not taken or entered in error does not.
 */
export const countedStates: Readonly<Record<TakesMedicine['resourceType'], readonly string[]>> = {
  MedicationRequest: ['active', 'on-hold', 'unknown'],
  MedicationStatement: ['active', 'intended', 'on-hold', 'unknown'],
  MedicationAdministration: ['in-progress', 'on-hold', 'unknown'],
};

/** Intents that are no order yet: https://hl7.org/fhir/R4/valueset-medicationrequest-intent.html */
export const uncountedIntents: readonly string[] = ['proposal', 'plan', 'option'];

/** Whether a record says that somebody takes a medicine now, or is to. */
export const counts = (record: TakesMedicine): boolean =>
  countedStates[record.resourceType].includes(record.status) &&
  !(
    record.resourceType === 'MedicationRequest' &&
    (uncountedIntents.includes(record.intent) || record.doNotPerform === true)
  );

/**
 * The medicines that an order is checked against: those that count, without the order itself, what it replaces (`priorPrescription`) and what tells of it
 * (a statement or an administration of this very order, by `basedOn`, `derivedFrom` or `request`). A statement or an administration is likewise not held against what it tells of.
 */
export const currentMedicines = (
  order: TakesMedicine,
  records: readonly TakesMedicine[],
  known: KnownMedicines,
  medications: Medications,
): readonly Medicine[] => {
  const own = [
    order.id === undefined ? undefined : `${order.resourceType}/${order.id}`,
    order.resourceType === 'MedicationRequest' ? order.priorPrescription?.reference : undefined,
    ...tellsOf(order),
  ];
  const isOwn = (reference: string | undefined): boolean => reference !== undefined && own.includes(reference);
  return records
    .filter((record) => counts(record) && !isOwn(`${record.resourceType}/${record.id}`) && !tellsOf(record).some(isOwn))
    .map((record) => medicineOf(record, known, medications));
};

const tellsOf = (record: TakesMedicine): readonly (string | undefined)[] => {
  switch (record.resourceType) {
    case 'MedicationRequest':
      return [];
    case 'MedicationStatement':
      return [...(record.basedOn ?? []), ...(record.derivedFrom ?? [])].map(({ reference }) => reference);
    case 'MedicationAdministration':
      return [record.request?.reference];
  }
};
