import type { Remark } from '../../hl7-v2/acknowledgement.ts';
import { saying, type Told } from '../../hl7-v2/told.ts';
import { Unfit } from '../../hl7-v2/unfit.ts';
import type { Filed, Filing } from '../../laboratory/filing.ts';
import { conditionalMatch } from '../conditional-match.ts';
import type { Once } from '../context.ts';
import { planFiling } from '../laboratory/plan-filing.ts';
import type { PlannedWrite } from '../plan-write.ts';
import { GuardFailed, save } from '../save.ts';
import { withReferences } from './directory.ts';
import { tellsOfSomebodyElse } from './somebody-else.ts';
import { byIdentifier, contextOf, type FilingContext } from './typed.ts';

/**
 * Files the reports of a message by the laboratory's own rules (docs/laboratory.md): on the patient who bears the identifier, unless they tell of somebody else; where nobody does, on whom the matching is certain of. Each in a transaction of its own,
 * the last with the answer: what was filed before a break is filed once, since the same report again changes nothing.
 *
 * @throws Unfit `patient-unknown` where nobody is anywhere near the patient, so that the message waits for the patient to be registered; `patient-ambiguous` where several bear the identifier; GuardFailed where the patient was registered meanwhile.
 */
export const fileReports = async (
  context: FilingContext,
  patient: Told,
  reports: readonly Omit<Filing, 'patient'>[],
  besides: (
    remarks: readonly Remark[],
  ) => Promise<{ readonly plans: readonly PlannedWrite[]; readonly once?: Once | undefined }>,
): Promise<void> => {
  const own = contextOf(context, 'DiagnosticReport', { method: 'POST', path: ['DiagnosticReport', '$file'] });
  const bearers = async () =>
    (await conditionalMatch(contextOf(context, 'Patient'), byIdentifier(patient.key), 'identifier', 2)).matches;
  const [match, other] = await bearers();
  if (other) throw new Unfit('patient-ambiguous', 'Several patients have this identifier', 'PID-3');
  const isElse = match !== undefined && (await tellsOfSomebodyElse(patient.cells, match));
  const said = isElse ? { whose: { reason: 'uncertain-patient' } as const } : {};
  const whose = match
    ? { subject: { reference: `Patient/${match.id}` } }
    : { patient: saying('Patient', patient.cells, patient.initially) as unknown as fhir4.Patient };
  const found = new Map<string, Promise<string | undefined>>();
  const remarks: Remark[] = [];
  for (const [index, each] of reports.entries()) {
    const filing = (await withReferences(context, each, new Map(), found)) as typeof each;
    const { subject, ...described } = { subject: undefined, ...whose };
    const planned = await planFiling(
      own,
      { ...filing, ...described, report: subject && !isElse ? { ...filing.report, subject } : filing.report },
      said,
    );
    // Who was registered between the two looks is certain by the number, and merely likely to the matching.
    if (!match && planned.filed.reason !== undefined && (await bearers()).length > 0) throw new GuardFailed();
    if (planned.filed.outcome === 'unfiled' && planned.filed.reason === 'no-patient')
      throw new Unfit('patient-unknown', 'No patient has this identifier yet', 'PID-3');
    remarks.push(...toldOf(planned.filed));
    const isLast = index === reports.length - 1;
    const more = isLast ? await besides(remarks) : { plans: [] };
    const all = [...planned.plans, ...more.plans];
    if (all.length > 0) await save({ ...planned.context, once: isLast ? more.once : undefined }, all);
  }
};

const toldOf = ({ outcome, remarks }: Filed): Remark[] => [
  ...(outcome === 'unfiled'
    ? [
        {
          severity: 'W',
          reason: 'patient-ambiguous',
          message: 'It is not certain whose report this is: it waits for somebody to say so',
          at: 'PID-3',
        } as const,
      ]
    : []),
  ...(outcome === 'late'
    ? [
        {
          severity: 'I',
          reason: 'overtaken',
          message: 'A later state of this report is known already',
          at: 'OBR-22',
        } as const,
      ]
    : []),
  ...remarks.map((message) => ({ severity: 'I', reason: 'not-filed', message, at: 'OBR-3' }) as const),
];
