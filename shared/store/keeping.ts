import { keepingKey, type RowKey } from './keys.ts';
import { Layouts } from './layouts.ts';
import type { RecordStore } from './record-store.ts';

/** What is to become of a chart: a legal hold keeps it, or it was purged. */
export interface Keeping {
  readonly state: 'held' | 'purged';
  /** The organisation that kept the chart. */
  readonly custodian: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface KeepingRow extends RowKey, Keeping {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
}

export const keepingLayouts = /* @__PURE__ */ new Layouts<(row: KeepingRow) => Keeping>('keeping', {
  1: ({ state, custodian, at }) => ({ state, custodian, at }),
});

export const keepingRow = (chart: string, keeping: Keeping): KeepingRow => ({
  ...keepingKey(chart),
  layout: 1,
  ...keeping,
});

/** What is to become of these charts, of those of which anything is said. One call a hundred. */
export const keepingOf = async (
  store: Pick<RecordStore, 'getMany'>,
  charts: Iterable<string>,
): Promise<ReadonlyMap<string, Keeping>> => {
  const keys = [...charts].map((chart) => [keepingKey(chart), chart] as const);
  if (keys.length === 0) return new Map();
  const chartOf = new Map(keys.map(([{ pk }, chart]) => [pk, chart]));
  const rows = (await store.getMany(keys.map(([key]) => key))) as KeepingRow[];
  return new Map(rows.map((row) => [chartOf.get(row.pk) ?? '', keepingLayouts.reader(row.layout)(row)]));
};

/**
 * The organisation that keeps a chart, or kept it until it was purged; undefined if there never was one.
 *
 * @param patient - the chart's own, as it was read. One call more where there is none.
 */
export const custodianOf = async (
  store: Pick<RecordStore, 'getMany'>,
  chart: string,
  patient: { readonly custodian: string } | undefined,
): Promise<string | undefined> => patient?.custodian ?? (await keepingOf(store, [chart])).get(chart)?.custodian;

/** Those of these changes by which a chart was purged: the last that is ever told of its records. */
export const purgesAmong = async <
  Change extends { readonly chart: string; readonly updated: number; readonly change: string },
>(
  store: Pick<RecordStore, 'getMany'>,
  changes: readonly Change[],
): Promise<readonly Change[]> => {
  const deletions = changes.filter(({ change }) => change === 'deleted');
  const keeping = await keepingOf(store, new Set(deletions.map(({ chart }) => chart)));
  return deletions.filter(({ chart, updated }) => {
    const kept = keeping.get(chart);
    return kept?.state === 'purged' && updated >= kept.at;
  });
};

/** Those of these charts that were purged. */
export const purgedAmong = async (
  store: Pick<RecordStore, 'getMany'>,
  charts: Iterable<string>,
): Promise<ReadonlySet<string>> =>
  new Set([...(await keepingOf(store, charts))].flatMap(([chart, { state }]) => (state === 'purged' ? [chart] : [])));
