import { amendmentSystem, daysToDecide, requestCode } from '../../access/amendment.ts';
import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { Again } from '../../http/routes.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { task } from '../../record-types/task.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { answerTo } from '../answers.ts';
import type { Answer, RequestContext, Target } from '../context.ts';
import { locate } from '../locate.ts';
import { repeated } from '../once.ts';
import { readInput } from '../operation-input.ts';
import { newPlace, type PlannedWrite, planCreate } from '../plan-write.ts';
import { notFound, requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { requestAmendmentInput } from './input.ts';
import { readableIn } from './readable.ts';

const dayMs = 24 * 3600_000;
const longestReason = 4_000;

/**
 * `POST Patient/{id}/$request-amendment`: the patient, or staff in the patient's name, asks that a record is amended. It becomes a Task of the organisation that keeps
 * the record, which has 60 days to decide.
 *
 * @throws RecordError `forbidden` by role or scope; `not-found`; `invalid` for a record that is not of this chart.
 * @see https://www.ecfr.gov/current/title-45/section-164.526#p-164.526(b)
 */
export const requestAmendment = async (context: RequestContext, { id }: Target): Promise<Answer> => {
  requireTypeAccess({ ...context, recordType: factsOfType('Task') }, 'c');
  const { record, reason } = readInput(context, requestAmendmentInput);
  if (reason.length > longestReason)
    throw new RecordError('invalid', `The reason has at most ${longestReason} letters`, { expression: 'reason' });
  const { asking, audit, now } = context;
  const address = await locate(context, 'Patient', id);
  if (!address) throw notFound(context);
  const name = `Patient/${id}`;
  const { chart } = address;
  const { patient, disputed } = await audit.traced(
    { interaction: 'operation', chart, what: [name], query: `${name}/$request-amendment` },
    async () => {
      const found = await context.store.read(address);
      const { organization } = asking.caller;
      const may = organization === undefined ? chart === asking.chart : found?.custodian === organization;
      if (!found?.resource || !may) return { patient: undefined, disputed: undefined };
      return { patient: found, disputed: await readableIn(context, chart, record, 'record') };
    },
    ({ patient: found }) => {
      if (!found) throw notFound(context);
    },
  );
  // The rule that requests come by this operation is for writes by hand.
  const { requireChange: _byHand, ...recordType } = task;
  const own = { ...context, recordType };
  const resource = requestOf(patient as StoredRecord, disputed as StoredRecord, reason, now);
  const plan = await planCreate(own, { resource, warnings: [] }, await newPlace(own, resource));
  const kept: PlannedWrite = {
    ...plan,
    next: { ...plan.next, custodian: (disputed as StoredRecord).custodian },
    checks: [{ address: disputed as StoredRecord, label: 'record' }],
  };
  await save(own, [kept]);
  return answerTo(own, kept);
};

/** The answer of `$request-amendment` that is sent again: the Task of then, to who may still make one. */
export const requestedAgain: Again = (context, target, kept) =>
  repeated({ ...context, recordType: task }, kept, true, { action: 'c', target });

const requestOf = (patient: StoredRecord, disputed: StoredRecord, reason: string, now: number): Resource => {
  const named = { reference: `Patient/${patient.id}` };
  const request: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: {
      coding: [{ system: amendmentSystem, code: requestCode, display: 'Request that a record is amended' }],
    },
    focus: { reference: `${disputed.type}/${disputed.id}` },
    for: named,
    authoredOn: new Date(now).toISOString(),
    requester: named,
    owner: { reference: `Organization/${disputed.custodian}` },
    reasonCode: { text: reason },
    restriction: {
      period: { start: new Date(now).toISOString(), end: new Date(now + daysToDecide * dayMs).toISOString() },
    },
  };
  return request as unknown as Resource;
};
