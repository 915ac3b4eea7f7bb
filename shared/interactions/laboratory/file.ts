import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { Filed, Filing } from '../../laboratory/filing.ts';
import { referring } from '../../laboratory/message.ts';
import type { RecordType } from '../../record-types/define-record-type.ts';
import { diagnosticReport } from '../../record-types/diagnostic-report.ts';
import { observation } from '../../record-types/observation.ts';
import { patient as patientType } from '../../record-types/patient.ts';
import { specimen } from '../../record-types/specimen.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { lookAgain } from '../look-again.ts';
import { readInput } from '../operation-input.ts';
import { parseBody } from '../parse-body.ts';
import { GuardFailed, save } from '../save.ts';
import { fileInput } from './input.ts';
import { type PlannedFiling, planFiling, requireFiler } from './plan-filing.ts';

/**
 * `DiagnosticReport/$file`: a laboratory's report with all that belongs to it, filed on its patient's match; docs/laboratory.md.
 *
 * @throws RecordError `forbidden`; `invalid`; `conflict` where others keep writing the same.
 */
export const file: Interaction = async (context) => {
  requireFiler(context);
  const filing = filingIn(context);
  return filedAs(context, () => planFiling(context, filing));
};

/** Writes what is planned, and answers what it came to; anew where somebody else has written the same meanwhile. */
export const filedAs = (context: RequestContext, plan: () => Promise<PlannedFiling>): Promise<Answer> =>
  lookAgain(async () => {
    const { plans, filed, context: own } = await plan();
    const answer = answerOf(filed);
    try {
      if (plans.length > 0) await save({ ...own, once: context.once }, plans, () => [answer]);
    } catch (error) {
      throw isOvertaken(error) ? new GuardFailed() : error;
    }
    return answer;
  });

/** Whether somebody else has written a record of these meanwhile: what is filed is made anew of what it says now. */
const isOvertaken = (error: unknown): boolean =>
  error instanceof RecordError && error.kind === 'conflict' && error.reason === 'concurrent-change';

const filingIn = (context: RequestContext): Filing => {
  const { report, result, specimen: specimens, patient, version } = readInput(context, fileInput);
  // A name of the message leads to no contained resource: whatever names a specimen of it is judged as one that names a record.
  const named = new Map(specimens.map(({ id = '' }) => [`#${String(id)}`, 'Specimen/1'] as const));
  const judged = (recordType: RecordType, sent: Resource): Resource => {
    parseBody(recordType, referring(sent, named));
    return sent;
  };
  return {
    report: judged(diagnosticReport, report) as unknown as fhir4.DiagnosticReport,
    results: result.map((each) => judged(observation, each) as unknown as fhir4.Observation),
    specimens: specimens.map((each) => judged(specimen, each) as unknown as fhir4.Specimen),
    ...(patient ? { patient: parseBody(patientType, patient).resource as unknown as fhir4.Patient } : {}),
    ...(version === undefined ? {} : { version }),
  };
};

const statusCodes = { filed: 201, revised: 200, repeated: 200, late: 200, unfiled: 202 } as const;

const answerOf = ({ outcome, report, order, reason, remarks }: Filed): Answer => ({
  statusCode: statusCodes[outcome],
  resource: {
    resourceType: 'Parameters',
    parameter: [
      { name: 'outcome', valueCode: outcome },
      { name: 'report', valueReference: { reference: report } },
      ...(order === undefined ? [] : [{ name: 'order', valueReference: { reference: order } }]),
      ...(reason === undefined ? [] : [{ name: 'reason', valueCode: reason }]),
      ...remarks.map((remark) => ({ name: 'remark', valueString: remark })),
    ],
  },
});
