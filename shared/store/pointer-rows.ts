import { longestUsual } from '../record-types/registries.ts';
import type { SearchType } from '../record-types/search-type.ts';
import { timeOf } from '../search/match/date.ts';
import type { RecordWrite } from './commit.ts';
import { timeKey, timeOfPlace } from './ids.ts';
import { type Row, type RowKey, undatedKey } from './keys.ts';
import { lastingRow, mentionRow, pointerRow, type StoredRecord } from './rows.ts';

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
  return { puts: changed(after, before), removes: without(before, after) };
};

const pointersTo = (
  recordType: SearchType,
  record: StoredRecord,
  further: readonly string[],
  mentioned: readonly string[] = [],
): Row[] => {
  if (!record.resource) return [];
  const charts = record.shown === undefined ? further : [record.chart, ...further];
  const signs = signsOf(recordType, record);
  const rows = [
    ...[record.chart, ...further].flatMap((chart) => signs(chart, false)),
    ...mentioned.flatMap((chart) => signs(chart, true)),
    ...charts.map((chart) => pointerRow(record, chart)),
    ...mentioned.map((chart) => mentionRow(record, chart)),
  ];
  return rows.map((row): Row => ({ ...row }));
};

/** The rows that say in a chart what a record's place there does not tell of its date: see `boundedBy`. None where it tells all. */
const signsOf = ({ boundedBy, parameter }: SearchType, record: StoredRecord) => {
  const { place, shown = place, resource } = record;
  const date = boundedBy === undefined ? undefined : parameter(boundedBy);
  const times = resource ? (date?.values(resource) ?? []).flatMap((value) => timeOf(value) ?? []) : [];
  const start = Math.min(...times.map((each) => each.start));
  const end = Math.max(...times.map((each) => each.end));
  // What heads a chart of its own is mentioned in others, and nothing there tells its date.
  const at = place === '' ? undefined : timeOfPlace(shown);
  const isTold = at !== undefined && times.every((each) => each.start === at) && end <= at + longestUsual;
  return (chart: string, mentioned: boolean): RowKey[] => {
    if (!date || (place === '' && !mentioned)) return [];
    if (times.length === 0) return mentioned ? [] : [undatedKey(record, chart)];
    return isTold ? [] : [lastingRow(record, chart, { begins: timeKey(start), ends: timeKey(end) }, mentioned)];
  };
};

const without = (rows: readonly Row[], others: readonly Row[]): Row[] => {
  const names = new Set(others.map(nameOf));
  return rows.filter((row) => !names.has(nameOf(row)));
};

/** A row under the same key may say another time. */
const changed = (rows: readonly Row[], others: readonly Row[]): Row[] => {
  const known = new Map(others.map((row) => [nameOf(row), row]));
  return rows.filter((row) => {
    const other = known.get(nameOf(row));
    return other?.begins !== row.begins || other?.ends !== row.ends || !other;
  });
};

const nameOf = ({ pk, sk }: RowKey): string => `${pk}\n${sk}`;
