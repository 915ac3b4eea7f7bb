import { RecordError } from '../errors.ts';
import { GuardFailed, ReferredMeanwhile } from './save.ts';

const tries = 5;

/**
 * Plans and writes what a request asks for; anew where others have changed what it looked at before it could be written.
 *
 * @throws RecordError `conflict` if they keep doing so; whatever else `work` throws.
 */
export const lookAgain = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let attempt = 0; attempt < tries; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof GuardFailed || error instanceof ReferredMeanwhile)) throw error;
    }
  }
  throw new RecordError('conflict', 'Others keep changing what this request looks at; try again', {
    reason: 'concurrent-change',
  });
};
