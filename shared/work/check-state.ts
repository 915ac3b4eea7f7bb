import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { isNewly, type RecordFlag } from './flags.ts';
import { irregularMove } from './legal-moves.ts';
import { frontDesk, laboratory, nurses } from './pools.ts';

/** To look at a record, and not to do what it asks for. */
const recordCheck: fhir4.CodeableConcept = {
  coding: [{ system: irregularMove.system, code: 'record-check', display: 'Check this record' }],
};

/** A Task for a pool to look at a record. */
export const checkTask = (
  { name, now }: RecordChange,
  resource: Resource,
  description: string,
  pool = nurses,
): Raised => {
  const patient = patientOf(resource);
  const task: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: recordCheck,
    description,
    focus: { reference: name },
    ...(patient === undefined ? {} : { for: { reference: patient } }),
    authoredOn: new Date(now).toISOString(),
    performerType: [pool],
  };
  return { opens: task as unknown as Resource };
};

/** What was told of elsewhere and does not follow from what was known is looked at by somebody: a Task comes with it. */
export const checkOf =
  (flag: RecordFlag, description: string, pool = nurses) =>
  (change: RecordChange): readonly Raised[] =>
    change.next && isNewly(flag, change.before, change.next) ? [checkTask(change, change.next, description, pool)] : [];

/** Whom it is about; of an appointment, the first patient who takes part. */
const patientOf = (resource: Resource): string | undefined => {
  const {
    patient,
    subject = patient,
    participant = [],
  } = resource as {
    subject?: fhir4.Reference;
    patient?: fhir4.Reference;
    participant?: { actor?: typeof subject }[];
  };
  const named = participant.find(({ actor }) => /(?:^|\/)Patient\//.test(actor?.reference ?? ''))?.actor;
  return (subject ?? named)?.reference;
};

const outOfOrder = 'The state of this record does not follow from the one before. Check it, then take its flag off';

/** A state that does not follow from the one before. */
export const checkOfState = checkOf(irregularMove, outOfOrder);
/** The same of what a laboratory tells. */
export const checkOfReport = checkOf(irregularMove, outOfOrder, laboratory);
/** The same of an appointment, which whoever books knows of. */
export const checkOfBooking = checkOf(irregularMove, outOfOrder, frontDesk);
