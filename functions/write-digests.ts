import { digestContext } from '../shared/audit/digest/digest-context.ts';
import { type DigestContext, writeDigests } from '../shared/audit/digest/write-digests.ts';
import { log } from '../shared/log.ts';

// Made at the first run: a client looks for its configuration as soon as it is made.
let context: DigestContext | undefined;

/** Runs every hour: writes the digest of yesterday's ends of the access logs' chains, if there is none yet. */
export const handler = async (): Promise<void> => {
  context ??= digestContext(process.env);
  const count = await writeDigests(context);
  if (count > 0) log.info('wrote digests of the access log', { count });
};
