import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import type { Filing, UnfiledReason } from '../../laboratory/filing.ts';
import { patient as patientType } from '../../record-types/patient.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { possibleDuplicates } from '../registering/duplicates.ts';

/** Whose a report is, or why nobody can say that. */
export type Whose = { readonly chart: string; readonly patient: string } | { readonly reason: UnfiledReason };

/**
 * Whose a report is: whom it refers to, without a call where the id is ours; else the one patient of the organisation whom the matching of `Patient/$match` is certain of, as far as all could be looked
 * at. For who was replaced stands who replaces that one.
 *
 * @param context - of the organisation's own system: whom the caller may see makes no difference.
 * @throws RecordError `invalid` for a reference that names no patient.
 */
export const whoseReport = async (
  context: RequestContext,
  { report, patient }: Pick<Filing, 'report' | 'patient'>,
): Promise<Whose> => {
  const { reference } = report.subject ?? {};
  if (reference !== undefined) {
    const parsed = parseReference(reference, context.request.baseUrl);
    const address =
      parsed.kind === 'record' && parsed.type === 'Patient' ? await locate(context, 'Patient', parsed.id) : undefined;
    if (!address || parsed.kind !== 'record')
      throw new RecordError('invalid', 'The report is of no patient who is known here', {
        reason: 'reference-not-found',
        expression: 'report.subject',
      });
    return { chart: address.chart, patient: `Patient/${parsed.id}` };
  }
  if (!patient) return { reason: 'no-patient' };
  const { duplicates, remarks } = await possibleDuplicates({ ...context, recordType: patientType }, patient);
  const certain = duplicates.filter(({ grade }) => grade === 'certain');
  const [found] = certain;
  if (certain.length > 1) return { reason: 'several-patients' };
  if (found && remarks.length === 0) return { chart: found.record.chart, patient: `Patient/${found.record.id}` };
  return { reason: duplicates.length > 0 ? 'uncertain-patient' : 'no-patient' };
};
