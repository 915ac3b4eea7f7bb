import type { Resource } from '../../fhir/resource.ts';
import { countedStates } from '../../order-checks/current-medicines.ts';
import { knownMedicines, nameOf } from '../../order-checks/known-medicines.ts';
import { type Medicine, medicineOf, type NamesMedicine } from '../../order-checks/medicine.ts';
import { useOfDispense } from '../../prescriptions/order-use.ts';
import { isOrder } from '../../prescriptions/orders.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { dateInterval } from '../../search/date-range.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { namingRecords, noFacts, withMedications } from '../order-checks/facts.ts';
import { knowledge } from '../order-checks/knowledge-in-use.ts';
import { ordersIn, shownOf } from '../order-use/orders-used.ts';
import { requireTypeAccess } from '../require-access.ts';

/** A record that tells of a medicine which the patient takes, or is to take. */
export interface Source extends StoredRecord {
  readonly resource: Resource;
}

/** A source with what it is made of, and the others of the same ingredient. */
export interface Weighed {
  readonly source: Source;
  /** Names of ingredients that the pack knows. */
  readonly ingredients: readonly string[];
  /** `Type/id` of each. */
  readonly duplicates: readonly string[];
}

/** What is handed over without an order that is kept here counts for half a year. */
const dispensedMs = 183 * 86_400_000;

const types = ['MedicationRequest', 'MedicationStatement', 'MedicationDispense'] as const;

export const nameOfRecord = ({ type, id }: Pick<StoredRecord, 'type' | 'id'>): string => `${type}/${id}`;

/** @throws RecordError `forbidden`. */
export const requireSources = (context: RequestContext): void => {
  for (const type of types) requireTypeAccess({ ...context, recordType: factsOfType(type) }, 's');
};

/**
 * What is to be reconciled, as far as the caller may see it: orders that are in force, statements that count, and what was dispensed in the last half year by no order among these. A Query of each type, all at once.
 *
 * @param chart - of the patient.
 */
export const sourcesOf = async (context: RequestContext, chart: string): Promise<readonly Source[]> => {
  const [orders, statements, dispenses] = await Promise.all(types.map((type) => shownOf(context, chart, type)));
  const current = (orders ?? []).filter(
    ({ resource }) => resource && isOrder(resource) && resource['doNotPerform'] !== true && countedIn(resource),
  );
  const named = new Set((orders ?? []).map(({ id }) => id));
  const handedOver = (dispenses ?? []).filter(({ resource }) => {
    const at = dateInterval((resource?.['whenHandedOver'] as string | undefined) ?? '')?.start;
    return (
      resource &&
      useOfDispense(resource) === 'happened' &&
      at !== undefined &&
      at > context.now - dispensedMs &&
      !ordersIn(context, resource).some((id) => named.has(id))
    );
  });
  const told = (statements ?? []).filter(({ resource }) => resource && countedIn(resource));
  return [...current, ...told, ...handedOver] as Source[];
};

const countedIn = (resource: Resource): boolean =>
  (countedStates as Readonly<Record<string, readonly string[]>>)[resource.resourceType]?.includes(
    resource['status'] as string,
  ) ?? false;

/** Sources with their ingredients and duplicates, by the pack that orders are checked by; without any where it cannot be used. One call more where they refer to Medications. */
export const weighed = async (context: RequestContext, sources: readonly Source[]): Promise<readonly Weighed[]> => {
  const records = sources.map((source) => namingRecords(context, { ...source.resource, id: source.id }));
  const [{ medications }, pack] = await Promise.all([withMedications(context, noFacts, records), knowledge()]);
  if (!pack) return sources.map((source) => ({ source, ingredients: [], duplicates: [] }));
  const known = knownMedicines(pack);
  const medicines = records.map(
    (record): Medicine => medicineOf(record as unknown as NamesMedicine, known, medications),
  );
  return sources.map((source, index) => {
    const { ingredients = [] } = medicines[index] ?? {};
    const same = medicines.filter(
      (other, at) => at !== index && other.ingredients.some((id) => ingredients.includes(id)),
    );
    return {
      source,
      ingredients: ingredients.map((id) => nameOf(id, known)),
      duplicates: same.flatMap(({ record }) => record ?? []),
    };
  });
};
