import { isScoped } from '../../access/rules/scope.ts';
import { RecordError } from '../../errors.ts';
import type { Again } from '../../http/routes.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { notFound } from '../require-access.ts';
import { retentionInput } from './input.ts';

/** Letters of a reason, which stands in the log. */
const longestReason = 500;

/**
 * Requires a privacy officer.
 *
 * @throws RecordError `forbidden`.
 */
export const requireOfficer = (context: RequestContext, action: 'u' | 'd'): void => {
  const { caller } = context.asking;
  if (!isScoped(caller, action, 'Patient'))
    throw new RecordError('forbidden', 'No scope of the access token covers this for Patient', {
      reason: 'forbidden-scope',
    });
  if (!caller.roles.includes('privacy'))
    throw new RecordError('forbidden', 'Your role does not allow this for Patient', { reason: 'forbidden-role' });
};

/**
 * Requires a privacy officer, and a reason.
 *
 * @throws RecordError `forbidden`, `invalid`.
 */
export const requireReason = (context: RequestContext, action: 'u' | 'd'): { readonly reason: string } => {
  requireOfficer(context, action);
  const { reason } = readInput(context, retentionInput);
  if (reason.length > longestReason)
    throw new RecordError('invalid', `The reason has at most ${longestReason} letters`, { expression: 'reason' });
  return { reason };
};

/** The answer of what a privacy officer has done with a chart, sent again. @throws RecordError `forbidden`. */
export const officersAgain: Again = async (context, _target, kept) => {
  requireOfficer(context, 'u');
  return kept;
};

/** The patient's record, if the caller's organisation keeps it. @throws RecordError `not-found`. */
export const keptPatient = async (context: RequestContext, id: string): Promise<StoredRecord> => {
  const address = await locate(context, 'Patient', id);
  const patient = address && (await context.store.read(address));
  if (!patient || patient.custodian !== context.asking.caller.organization) throw notFound(context);
  return patient;
};
