import { longestUsual } from '../record-types/registries.ts';
import type { SearchType } from '../record-types/search-type.ts';
import { timeOf } from '../search/match/date.ts';
import type { RecordWrite } from './commit.ts';
import { timeOfPlace } from './ids.ts';
import { lastingKey, type Row, type RowKey, undatedKey } from './keys.ts';
import { mentionRow, pointerRow, type StoredRecord } from './rows.ts';

/** By version of a record: charts of its second and further patients, and the other ones that it refers to; its home excluded. */
export interface FurtherCharts extends ByVersion {
  readonly mentioned?: ByVersion;
}

interface ByVersion {
  readonly next: readonly string[];
  readonly previous: readonly string[];
}

/**
 * Pointers that a write makes and takes away. One stands among a chart's records for one whose own row is elsewhere: in the chart of
 * another patient of the record, and in each of its charts where its date is not that of its creation. Another kind stands in the chart
 * of whatever it refers to. Those that stay as they are, as most do, are not touched.
 */
export const pointerChanges = (
  recordType: SearchType,
  { next, previous }: Pick<RecordWrite, 'next' | 'previous'>,
  charts: FurtherCharts,
): { readonly puts: Row[]; readonly removes: RowKey[] } => {
  const before = previous ? pointersTo(recordType, previous, charts.previous, charts.mentioned?.previous) : [];
  const after = pointersTo(recordType, next, charts.next, charts.mentioned?.next);
  return { puts: without(after, before), removes: without(before, after) };
};

const pointersTo = (
  recordType: SearchType,
  record: StoredRecord,
  further: readonly string[],
  mentioned: readonly string[] = [],
): Row[] => {
  if (!record.resource) return [];
  const charts = record.shown === undefined ? further : [record.chart, ...further];
  const signOf = signKey(recordType, record);
  const rows = [
    ...(signOf ? [record.chart, ...further].map((chart) => signOf(record, chart)) : []),
    ...charts.map((chart) => pointerRow(record, chart)),
    ...mentioned.map((chart) => mentionRow(record, chart)),
  ];
  return rows.map((row): Row => ({ ...row }));
};

/** The key of the row that says what a record's place does not tell of its date: see `boundedBy`. Undefined where it tells all. */
const signKey = ({ boundedBy, parameter }: SearchType, { place, shown = place, resource }: StoredRecord) => {
  const date = boundedBy === undefined || place === '' ? undefined : parameter(boundedBy);
  if (!date) return undefined;
  const at = timeOfPlace(shown);
  const times = date.values(resource).flatMap((value) => timeOf(value) ?? []);
  if (times.length === 0) return undatedKey;
  return times.some(({ start, end }) => start !== at || end > at + longestUsual) ? lastingKey : undefined;
};

const without = (rows: readonly Row[], others: readonly Row[]): Row[] => {
  const names = new Set(others.map(({ pk, sk }) => `${pk}\n${sk}`));
  return rows.filter(({ pk, sk }) => !names.has(`${pk}\n${sk}`));
};
