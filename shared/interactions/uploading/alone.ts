import { RecordError } from '../../errors.ts';
import type { RequestContext } from '../context.ts';

/**
 * Requires that a request is no entry of a bundle: content does not come with one, and only one function may look at what has come.
 *
 * @throws RecordError `invalid`.
 */
export const requireAlone = (context: RequestContext): void => {
  if ('budget' in context)
    throw new RecordError('invalid', 'Ask this by itself, and not in a bundle', { reason: 'not-in-bundle' });
};
