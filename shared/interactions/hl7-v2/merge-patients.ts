import { parseReference } from '../../fhir/references.ts';
import type { Remark } from '../../hl7-v2/acknowledgement.ts';
import type { Told } from '../../hl7-v2/told.ts';
import { Unfit } from '../../hl7-v2/unfit.ts';
import { replacements } from '../../people/links.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { conditionalMatch } from '../conditional-match.ts';
import type { Once } from '../context.ts';
import { locate } from '../locate.ts';
import { planMerge } from '../merging/merge.ts';
import type { PlannedWrite } from '../plan-write.ts';
import { save } from '../save.ts';
import { byIdentifier, contextOf, type FilingContext } from './typed.ts';

/** Merges one after the other that are followed. */
const longestChain = 8;

/**
 * ADT A40: one of two identifiers stands for both patients from now on, by the project's own `$merge`, so that it can be undone. Where the first is replaced itself, who replaces that one is meant. What is
 * merged already stays so.
 *
 * @throws Unfit `patient-unknown`, `patient-ambiguous`; RecordError as `$merge`.
 */
export const mergePatients = async (
  context: FilingContext,
  kept: Told['key'],
  gone: Told['key'],
  besides: (
    remarks: readonly Remark[],
  ) => Promise<{ readonly plans: readonly PlannedWrite[]; readonly once?: Once | undefined }>,
): Promise<void> => {
  const [named, source] = await Promise.all([patientOf(context, kept, 'PID-3'), patientOf(context, gone, 'MRG-1')]);
  const target = await whoStandsFor(context, named);
  const done = target.id === source.id || (await whoStandsFor(context, source)).id === target.id;
  const own = contextOf(context, 'Patient', {
    method: 'POST',
    path: ['Patient', target.id, '$merge'],
    body: {
      resourceType: 'Parameters',
      parameter: [{ name: 'source', valueReference: { reference: `Patient/${source.id}` } }],
    },
  });
  const plans = done ? [] : await planMerge(own, target.id);
  const more = await besides([]);
  const all = [...plans, ...more.plans];
  if (all.length > 0) await save({ ...own, once: more.once }, all);
};

const patientOf = async (context: FilingContext, key: Told['key'], at: string): Promise<StoredRecord> => {
  const { matches } = await conditionalMatch(contextOf(context, 'Patient'), byIdentifier(key), 'identifier', 2);
  const [patient, other] = matches;
  if (!patient) throw new Unfit('patient-unknown', 'No patient has this identifier yet', at);
  if (other) throw new Unfit('patient-ambiguous', 'Several patients have this identifier', at);
  return patient;
};

/** The record that stands for a patient by now. */
const whoStandsFor = async (context: FilingContext, patient: StoredRecord): Promise<StoredRecord> => {
  let current = patient;
  for (let merges = 0; merges < longestChain; merges += 1) {
    const [other] = current.resource ? replacements(current.resource) : [];
    if (other === undefined) return current;
    const parsed = parseReference(other, context.request.baseUrl);
    const address =
      parsed.kind === 'record' ? await locate(contextOf(context, 'Patient'), 'Patient', parsed.id) : undefined;
    const next = address && (await context.store.read(address));
    if (!next) return current;
    current = next;
  }
  return current;
};
