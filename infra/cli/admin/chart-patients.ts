import type { RecordStore } from '../../../shared/store/record-store.ts';

/** Who a chart is of. */
export interface ChartPatient {
  readonly chart: string;
  /** Id of the Patient. */
  readonly id: string;
  readonly custodian: string;
  /** Undefined where the record was deleted, or the chart purged. */
  readonly patient: fhir4.Patient | undefined;
}

/** The patients of charts, by chart; what is no patient's chart is left out. One call a hundred. */
export const patientsOf = async (
  store: RecordStore,
  charts: Iterable<string>,
): Promise<ReadonlyMap<string, ChartPatient>> => {
  const found = new Map<string, ChartPatient>();
  const all = [...charts];
  for (let at = 0; at < all.length; at += 100) {
    const addresses = all.slice(at, at + 100).map((chart) => ({ type: 'Patient', chart, place: '' }));
    for (const { chart, id, custodian, resource } of await store.readMany(addresses))
      found.set(chart, { chart, id, custodian, patient: resource as fhir4.Patient | undefined });
  }
  return found;
};

/** How a person is called, in one line. */
export const nameOf = (names: readonly fhir4.HumanName[] | undefined): string => {
  const name = names?.find(({ use }) => use === 'official') ?? names?.find(({ use }) => use !== 'old') ?? names?.[0];
  return name?.text ?? [...(name?.given ?? []), name?.family].filter((part) => part !== undefined).join(' ');
};
