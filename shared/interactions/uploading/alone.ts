import { RecordError } from '../../errors.ts';
/**
 * Requires that a request is no entry of a bundle: content does not come with one, only one function may look at what has come, and what a record is moved by is
 * decided by a chart that nothing else of the bundle may change.
 *
 * @throws RecordError `invalid`.
 */
export const requireAlone = (context: object): void => {
  if ('budget' in context)
    throw new RecordError('invalid', 'Ask this by itself, and not in a bundle', { reason: 'not-in-bundle' });
};
