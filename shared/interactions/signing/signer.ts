import { RecordError } from '../../errors.ts';
import { type SignableType, signers } from '../../signing/states.ts';
import type { RequestContext } from '../context.ts';
import { requireTypeAccess } from '../require-access.ts';

/**
 * Requires a professional who signs records of this type.
 *
 * @param may - roles that do; by default, those of notes and reports.
 * @returns `Type/id` of who signs.
 * @throws RecordError `forbidden`.
 */
export const requireSigner = (
  context: RequestContext,
  may: readonly string[] = signers[context.recordType.name as SignableType],
): string => {
  requireTypeAccess(context, 'u');
  const { caller } = context.asking;
  if (caller.roles.some((role) => may.includes(role)) && /^Practitioner(?:Role)?\//.test(caller.fhirUser))
    return caller.fhirUser;
  throw new RecordError('forbidden', `Who signs this is one of: ${may.join(', ')}`, { reason: 'forbidden-role' });
};
