import type { Asking } from '../../access/question.ts';
import { RecordError } from '../../errors.ts';

/**
 * Requires a caller who may see how a search goes about: it tells how many rows there are, whoever they belong to.
 *
 * @throws RecordError `forbidden`
 */
export const requireExplainer = ({ caller }: Asking): void => {
  if (caller.roles.some((role) => role === 'admin' || role === 'system')) return;
  const message = 'A search is explained to the roles admin and system alone';
  throw new RecordError('forbidden', message, { reason: 'forbidden-role', expression: '_explain' });
};
