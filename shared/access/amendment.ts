import { RecordError } from '../errors.ts';
import { inOrder, stringifyJson } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import type { RefusalCode } from '../stable-codes.ts';
import type { Caller, Role } from './caller.ts';

// A patient's request that a record is amended, as a Task. https://www.ecfr.gov/current/title-45/section-164.526

export const amendmentSystem = 'https://concord.example/fhir/CodeSystem/amendment';
/** Of a Task: a patient asks that a record is amended. */
export const requestCode = 'amendment-request';
/** Of a Task: who may have received a record is told that it was amended. */
export const noticeCode = 'amendment-notice';

/** Who decides on a request, for the organisation that keeps the record. */
export const deciders: ReadonlySet<Role> = new Set(['privacy', 'physician']);

/** Grounds of a denial, and no others. https://www.ecfr.gov/current/title-45/section-164.526#p-164.526(a)(2) */
export const grounds: Readonly<Record<string, string>> = {
  'not-created-here': 'The record was not created by us, and its author can still be asked',
  'not-in-record-set': 'It is not part of the designated record set',
  'not-open-to-access': 'It is not open to access by the patient',
  'accurate-and-complete': 'The record is accurate and complete',
};

/** Days for a decision, and days by which they are extended, once. https://www.ecfr.gov/current/title-45/section-164.526#p-164.526(b)(2) */
export const daysToDecide = 60;
export const daysMore = 30;

export const isAmendmentRequest = (resource: Resource | undefined): boolean =>
  (resource as fhir4.Task | undefined)?.code?.coding?.some(
    ({ system, code }) => system === amendmentSystem && code === requestCode,
  ) ?? false;

/** States in which a request has been decided on. */
const decided: ReadonlySet<string> = new Set(['completed', 'rejected']);
export const isDecided = ({ status }: Pick<fhir4.Task, 'status'>): boolean => decided.has(status);

/** States that a write of the Task may give it; all others come with a decision. */
const open: ReadonlySet<string> = new Set(['requested', 'received', 'in-progress', 'cancelled']);

/** What is asked for, by whom and until when. */
const fixed = ['code', 'focus', 'for', 'requester', 'authoredOn', 'reasonCode', 'restriction', 'owner', 'output'];

/**
 * Requires that a request for an amendment goes its way, whatever writes it: it is neither deleted nor changed in what it asks for, withdrawn by the patient alone, and
 * decided by its operation, which asks for the ground and tells the others. Notes are added and stay; once decided, nothing changes. It comes by its operation: the system
 * role alone writes one by hand, which imports what was.
 *
 * @param before - undefined for a first version.
 * @param next - undefined for a deletion.
 * @throws RecordError `forbidden`, `business-rule`.
 */
export const requireAmendmentStep = (
  before: Resource | undefined,
  next: Resource | undefined,
  { roles }: Caller,
): void => {
  if (!before || !isAmendmentRequest(before)) {
    if (isAmendmentRequest(next) && (before || !roles.includes('system')))
      throw refused('amendment-asked', 'Ask for an amendment by $request-amendment', 'Task.code');
    return;
  }
  const request = before as unknown as fhir4.Task;
  const changed = next as fhir4.Task | undefined;
  if (!changed) throw refused('amendment-stays', 'A request for an amendment is kept', 'Task');
  const other = fixed.find((element) => said(before, element) !== said(next, element));
  if (other) throw refused('amendment-changed', 'What is asked for does not change', `Task.${other}`);
  const notes = changed.note ?? [];
  if ((request.note ?? []).some((note, index) => saidAs(note) !== saidAs(notes[index])))
    throw refused('amendment-changed', 'Notes are added, and stay as they are', 'Task.note');
  if (changed.status === request.status) {
    const elements = isDecided(request) ? Object.keys({ ...before, ...next }) : [];
    const decidedOn = elements.find((element) => element !== 'meta' && said(before, element) !== said(next, element));
    if (decidedOn !== undefined) throw refused('amendment-decided', 'This request is decided', `Task.${decidedOn}`);
    return;
  }
  if (isDecided(request) || request.status === 'cancelled')
    throw refused('amendment-decided', 'This request is decided or withdrawn', 'Task.status');
  if (!open.has(changed.status)) throw refused('amendment-by-operation', 'Decide by $decide-amendment', 'Task.status');
  const isPatient = roles.includes('patient');
  if (isPatient !== (changed.status === 'cancelled') || !(isPatient || roles.some((role) => deciders.has(role))))
    throw new RecordError('forbidden', 'The patient withdraws a request; privacy officers and physicians take it on', {
      reason: 'forbidden-role',
      expression: 'Task.status',
    });
};

const said = (resource: Resource | undefined, element: string): string => saidAs(resource?.[element]);

const saidAs = (value: unknown): string => stringifyJson(inOrder(value ?? null));

const refused = (reason: RefusalCode<'business-rule'>, message: string, expression: string) =>
  new RecordError('business-rule', message, { reason, expression });
