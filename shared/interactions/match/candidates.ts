import { inParallel } from '../../store/in-parallel.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { matching } from '../search/matching.ts';
import { openSearch } from '../search/open.ts';

/** Searches for candidates at the same time. */
const searchesAtOnce = 4;
/** Calls that one of them may take: some 500 patients of one name. */
const callsPerSearch = 10;

/** Loaded when it is first needed. */
export type PatientMatching = typeof import('../../matching/patients.lazy.ts');

export interface Candidates {
  readonly records: readonly StoredRecord[];
  /** Names of search parameters by which more could be found than was looked at. */
  readonly cutShort: readonly string[];
}

/**
 * Patients who share with this one what the registry files: an identifier, the birth date, also with day and month in the other order, a family name or
 * a part of one, a telephone number or mail address. Only those that the caller may find, each once.
 */
export const candidatesFor = async (
  context: RequestContext,
  patient: fhir4.Patient,
  patientMatching: PatientMatching,
): Promise<Candidates> => {
  const found = new Map<string, StoredRecord>();
  const cutShort = new Set<string>();
  await inParallel(searchesAtOnce, patientMatching.searchesFor(patient), async ([name, value]) => {
    const { run, query, planned } = await openSearch(context, [[name, value]], { strict: true });
    const { plan, indexed } = await planned();
    if (!indexed) return;
    for await (const { record } of matching(run, context.recordType, { ...query, plan })) {
      if (record) found.set(record.id, record);
      if (run.calls > callsPerSearch) {
        cutShort.add(name);
        break;
      }
    }
  });
  return { records: [...found.values()], cutShort: [...cutShort] };
};
