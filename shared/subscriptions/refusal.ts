import { RecordError } from '../errors.ts';
import type { RefusalCode } from '../stable-codes.ts';

/** The refusal of a Subscription that Concord would not serve as it is asked to: nobody is to wait for what never comes. */
export const refusedSubscription = (
  reason: RefusalCode<'business-rule'>,
  expression: string,
  message: string,
): RecordError => new RecordError('business-rule', message, { reason, expression });
