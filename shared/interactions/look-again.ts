import { RecordError } from '../errors.ts';
import { pauseBeforeRetry } from '../store/back-off.ts';
import { GuardFailed, ReferredMeanwhile } from './save.ts';

/**
 * Plans and writes what a request asks for; anew, after a pause by chance, where others have changed what it looked at before it could be written: twenty allergies of one chart that are written at
 * once all get in.
 *
 * @throws RecordError `conflict` if they keep doing so; whatever else `work` throws.
 */
export const lookAgain = async <T>(work: () => Promise<T>): Promise<T> => {
  let attempt = 0;
  do {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof GuardFailed || error instanceof ReferredMeanwhile)) throw error;
    }
  } while (await pauseBeforeRetry(attempt++));
  throw new RecordError('conflict', 'Others keep changing what this request looks at; try again', {
    reason: 'concurrent-change',
  });
};
