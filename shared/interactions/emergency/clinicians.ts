import type { Role } from '../../access/caller.ts';
import { RecordError } from '../../errors.ts';
import type { RequestContext } from '../context.ts';
import { requireTypeAccess } from '../require-access.ts';

/** Roles that treat patients at the bedside, or over the counter. */
const clinicians: ReadonlySet<Role> = new Set(['physician', 'nurse', 'pharmacist']);

/**
 * Requires a clinician who asks by itself: an entry of a bundle is asked more than once, and an emergency is no batch.
 *
 * @returns the organisation that the clinician works for.
 * @throws RecordError `forbidden` or `invalid`.
 */
export const requireClinician = (context: RequestContext, action: 'r' | 's'): string => {
  requireTypeAccess(context, action);
  const { caller } = context.asking;
  if (caller.organization === undefined || !caller.roles.some((role) => clinicians.has(role)))
    throw new RecordError('forbidden', 'This is for physicians, nurses and pharmacists', { reason: 'forbidden-role' });
  if ('budget' in context)
    throw new RecordError('invalid', 'Ask this by itself, and not in a bundle', { reason: 'not-in-bundle' });
  return caller.organization;
};
