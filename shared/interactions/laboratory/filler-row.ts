import { diagnosticReport } from '../../record-types/diagnostic-report.ts';
import type { UniqueChange } from '../../store/commit.ts';
import { criteriaPartition } from '../../store/index-rows.ts';
import { guardKey, type RowKey } from '../../store/keys.ts';
import type { RequestContext } from '../context.ts';

// Each filing changes the one row of its filler's number, and requires that it is as it was read: of two messages at once one looks again.

/** What is known of a filler's number. */
export interface KnownFiling {
  /** Id of the report in a chart. */
  readonly report: string | undefined;
  /** Messages that wait, by `messageKey`: ids of reports in no chart. */
  readonly waiting: ReadonlyMap<string, string>;
}

/** The key of the row of a filler's number, which each organisation has for itself. */
export const fillerRow = ({ store }: Pick<RequestContext, 'store'>, organization: string, filler: string): RowKey =>
  guardKey(criteriaPartition(store, diagnosticReport, organization, `filler ${filler}`));

/** What a row says, as its ids were read. */
export const knownIn = (ids: readonly string[]): KnownFiling => {
  const report = ids.find((id) => id.startsWith('r '))?.split(' ')[1];
  const waiting = ids.flatMap((id): [string, string][] => {
    const [, waits, key] = /^u (\S+) (.*)$/.exec(id) ?? [];
    return waits !== undefined && key !== undefined ? [[key, waits]] : [];
  });
  return { report, waiting: new Map(waiting) };
};

/** The change of a row to what is known now. It differs from all before by its count. */
export const knowing = (key: RowKey, expected: readonly string[], { report, waiting }: KnownFiling): UniqueChange => {
  const count = Number(expected.find((id) => id.startsWith('# '))?.slice(2) ?? 0);
  const add = [
    `# ${count + 1}`,
    ...(report === undefined ? [] : [`r ${report}`]),
    ...[...waiting].map(([message, id]) => `u ${id} ${message}`),
  ];
  return { key, expected, add, remove: [], replaces: true };
};
