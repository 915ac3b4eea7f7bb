import type { RecordWrite } from './commit.ts';
import type { Row, RowKey } from './keys.ts';
import { pointerRow, type StoredRecord } from './rows.ts';

/** Charts of a record's second and further patients, its home excluded, by version. */
export interface FurtherCharts {
  readonly next: readonly string[];
  readonly previous: readonly string[];
}

/**
 * Pointers that a write makes and takes away. One stands among a chart's records for one whose own row is elsewhere: in the chart of
 * another patient of the record, and in each of its charts where its date is not that of its creation. Those that stay as they are,
 * as most do, are not touched.
 */
export const pointerChanges = (
  { next, previous }: Pick<RecordWrite, 'next' | 'previous'>,
  charts: FurtherCharts,
): { readonly puts: Row[]; readonly removes: RowKey[] } => {
  const before = previous ? pointersTo(previous, charts.previous) : [];
  const after = pointersTo(next, charts.next);
  return { puts: without(after, before), removes: without(before, after) };
};

const pointersTo = (record: StoredRecord, further: readonly string[]): Row[] => {
  if (!record.resource) return [];
  const charts = record.shown === undefined ? further : [record.chart, ...further];
  return charts.map((chart): Row => ({ ...pointerRow(record, chart) }));
};

const without = (rows: readonly Row[], others: readonly Row[]): Row[] => {
  const names = new Set(others.map(({ pk, sk }) => `${pk}\n${sk}`));
  return rows.filter(({ pk, sk }) => !names.has(`${pk}\n${sk}`));
};
