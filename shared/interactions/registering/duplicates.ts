import { parseReference } from '../../fhir/references.ts';
import type { Grade } from '../../matching/grade.ts';
import { replacements } from '../../people/links.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { candidatesFor } from '../match/candidates.ts';
import { mayAccess } from '../require-access.ts';

/** Somebody who may be the patient that is registered. */
export interface Duplicate {
  readonly record: StoredRecord;
  readonly grade: Extract<Grade, 'certain' | 'probable'>;
}

/** So many are told; a warning is for people to read. */
const mostTold = 10;
/** Merges one after the other that are followed. */
const longestChain = 8;

/**
 * Who may be the patient already, the most likely first: certain and probable matches among those whom the caller may find, by the matching of `$match`. For one
 * who is replaced stands who replaces that one.
 *
 * @returns with remarks about what could not be looked for.
 */
export const possibleDuplicates = async (
  context: RequestContext,
  patient: fhir4.Patient,
): Promise<{ readonly duplicates: readonly Duplicate[]; readonly remarks: readonly string[] }> => {
  const patientMatching = await import('../../matching/patients.lazy.ts');
  if (patientMatching.searchesFor(patient).length === 0)
    return {
      duplicates: [],
      remarks: ['Too little is told to find out whether the patient is registered already; tell more and $match'],
    };
  const { records, cutShort } = await candidatesFor(context, patient, patientMatching);
  const likely = records
    .map((record) => ({
      record,
      match: patientMatching.matchPatients(patient, record.resource as unknown as fhir4.Patient),
    }))
    .sort((a, b) => b.match.score - a.match.score || (a.record.id < b.record.id ? -1 : 1));
  const found = new Map<string, Duplicate>();
  for (const { record, match } of likely) {
    const { grade } = match;
    if ((grade !== 'certain' && grade !== 'probable') || found.size >= mostTold) break;
    const standing = await whoStandsFor(context, record);
    if (standing && !found.has(standing.id)) found.set(standing.id, { record: standing, grade });
  }
  return {
    duplicates: [...found.values()],
    remarks: cutShort.map((name) => `More patients share the ${name} than were looked at`),
  };
};

/** The record that stands for this one now: itself, for most; undefined if the caller may not read it. A call for each merge. */
const whoStandsFor = async (context: RequestContext, record: StoredRecord): Promise<StoredRecord | undefined> => {
  let current: StoredRecord | undefined = record;
  for (let merges = 0; merges < longestChain && current?.resource; merges += 1) {
    const [other] = replacements(current.resource);
    if (other === undefined) return current;
    const parsed = parseReference(other, context.request.baseUrl);
    const address = parsed.kind === 'record' ? await locate(context, 'Patient', parsed.id) : undefined;
    const next: StoredRecord | undefined = address && (await context.store.read(address));
    current = next?.resource && mayAccess(context, 'r', next) ? next : undefined;
  }
  return undefined;
};

/** The log of each patient who is told of says so, and not whom it was asked about. */
export const traceDuplicates = async ({ audit }: RequestContext, duplicates: readonly Duplicate[]): Promise<void> => {
  if (duplicates.length === 0) return;
  await audit.record(
    duplicates.map(({ record: { chart, id } }) => ({
      interaction: 'operation' as const,
      query: 'Patient/$register',
      chart,
      what: [`Patient/${id}`],
    })),
  );
};
