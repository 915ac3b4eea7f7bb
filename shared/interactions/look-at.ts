import type { Access } from '../audit/audit-trail.ts';
import type { Address } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import { chartsBesides } from './security-context.ts';
import { currentOf, versionOf } from './version-of.ts';

/** For what a record is looked at, and by whose right. */
export interface Look extends Omit<Access, 'chart'> {
  /** The version that is asked for; the current one if absent. */
  readonly version?: number | undefined;
  /** Whether what the record said last lets the caller know of it. */
  readonly may: (last: StoredRecord) => boolean;
}

/**
 * Looks at a record, or at one version of it, for whatever shows it: what the record said last decides about what it said before, and about whether it is told
 * of once it is deleted. The trace is written beside the read; in the charts that only the record tells of, before the answer leaves.
 *
 * @param outcome - throws unless what was found may be shown. Undefined if there is none, or what the record said last hides it.
 * @returns what was found.
 */
export const lookAt = async (
  context: RequestContext,
  address: Address,
  { version, may, ...access }: Look,
  outcome: (found: StoredRecord | undefined) => void,
): Promise<StoredRecord | undefined> => {
  const { found } = await context.audit.traced(
    { ...access, chart: address.chart },
    async () => {
      const { asked, last } = await (version === undefined
        ? currentOf(context, address)
        : versionOf(context, address, version));
      const seen = asked !== undefined && last !== undefined && (last === asked || may(last));
      if (seen) await context.view.prepare([asked]);
      // What is withheld is refused with the denial, so the outcome is told what it is that may not be shown.
      const refused = last?.withheld && !may(last) ? last : undefined;
      return { found: seen ? asked : refused, looked: [asked, last].filter((record) => record !== undefined) };
    },
    ({ found: shown }) => outcome(shown),
    ({ looked }) => chartsBesides(context, looked),
  );
  return found;
};
