import type { AuditedInteraction } from '../audit/audit-row.ts';
import type { Readable } from '../changes/readable-now.ts';
import { isDirectory, subjectOf } from '../record-types/subjects.ts';
import type { RequestContext } from './context.ts';
import { pathOf } from './searchset.ts';

/** A row in the log of each chart that is shown, before it is; where there is none, one in the log of whoever asks. */
export const traceShown = async (
  context: Omit<RequestContext, 'recordType'>,
  interaction: AuditedInteraction,
  query: readonly (readonly [string, string])[],
  shown: readonly Readable[],
): Promise<void> => {
  const { asking, audit } = context;
  const text = `${pathOf(context)}?${query.map(([name, value]) => `${name}=${value}`).join('&')}`;
  const whats = new Map<string, string[]>();
  for (const { record, charts } of shown) {
    const { type, id, version } = record;
    if (isDirectory(type) || subjectOf(type) === 'knowledge') continue;
    for (const chart of charts) {
      const what = whats.get(chart) ?? [];
      what.push(`${type}/${id}/_history/${version}`);
      whats.set(chart, what);
    }
  }
  const rows = [...whats].map(([chart, what]) => ({ interaction, chart, what, query: text }));
  const own = { interaction, chart: asking.chart ?? asking.caller.organization ?? '', what: [], query: text };
  await audit.record(rows.length > 0 ? rows : [own]);
};
