import { randomUUID } from 'node:crypto';
import { AuditTrail } from '../../../shared/audit/audit-trail.ts';
import type { RecordStore } from '../../../shared/store/record-store.ts';
import type { Operator } from './operator.ts';
import { Misunderstood } from './verb.ts';

/** What stands in the log for the application, where a report was made by this command. */
export const reportClient = 'npm run admin';

const shortestReason = 10;
const longestReason = 500;

/** A reason why charts are looked at, as the access log keeps it. Throws Misunderstood. */
export const reasonOf = (reason: string | undefined): string => {
  const words = reason?.trim() ?? '';
  if (words.length >= shortestReason && words.length <= longestReason) return words;
  throw new Misunderstood(`--reason says why charts are looked at, in ${shortestReason} letters or more`);
};

/** A chart that was looked at for a report, and the organisation that keeps it. */
export interface LookedAt {
  readonly chart: string;
  readonly patient: string;
  readonly custodian: string;
}

/** Rows that are written at once. */
const atOnce = 25;

/**
 * Writes into the log of each chart who looked at it for a report and why, before anything of it is shown. The patient's organisation finds it in its own day, too.
 *
 * @param operation - name of the report, such as `$snooping-report`.
 * @throws Error if a row cannot be written: no access without a trace.
 */
export const traceReport = async (
  store: RecordStore,
  { name }: Operator,
  { operation, reason, now }: { readonly operation: string; readonly reason: string; readonly now: number },
  charts: readonly LookedAt[],
): Promise<void> => {
  const request = randomUUID();
  for (let at = 0; at < charts.length; at += atOnce)
    await Promise.all(
      charts.slice(at, at + atOnce).map(({ chart, patient, custodian }) => {
        const caller = {
          subject: name,
          name,
          client: reportClient,
          organization: custodian,
          roles: [],
          scopes: [],
          fhirUser: '',
          patient: undefined,
        };
        const trail = new AuditTrail(store, { caller, chart: undefined }, request, now);
        const what = [`Patient/${patient}`];
        return trail.record([
          { interaction: 'operation', operation, chart, what, purpose: 'HCOMPL', records: { reason } },
        ]);
      }),
    );
};
