import { digestContext } from '../shared/audit/digest/digest-context.ts';
import { verifyLastDays } from '../shared/audit/digest/verify-last-days.ts';
import type { DigestContext } from '../shared/audit/digest/write-digests.ts';
import { log } from '../shared/log.ts';

// Made at the first run: a client looks for its configuration as soon as it is made.
let context: DigestContext | undefined;

/**
 * Runs every day: compares what digests say of the last days with the access logs. Fails if something is wrong, which raises the alarm; which rows it is, `npm run audit:verify` names
 * to whoever may know.
 */
export const handler = async (): Promise<void> => {
  context ??= digestContext(process.env);
  const faults = await verifyLastDays(context);
  for (const [reason, count] of faults) log.warn('the access log is not as it was written', { reason, count });
  if (faults.size > 0) throw new Error('The access log is not as it was written');
};
