import type { Emancipation, Grant } from '../access/proxies/grant.ts';
import { chartKey, emancipationKey, proxyKey, proxyPrefix, type Row, type RowKey } from './keys.ts';
import { Layouts } from './layouts.ts';
import type { RecordStore } from './record-store.ts';
import { rowsBetween } from './rows-between.ts';

/** Who may act for a chart's patient, or that the patient decides alone. Only an operation writes it; no record does. */
export interface ProxyRow extends RowKey {
  readonly layout: number;
  /** JSON. */
  readonly said: string;
}

/** What such a row says. */
export const proxyLayouts = /* @__PURE__ */ new Layouts<(row: ProxyRow) => Grant | Emancipation>('proxy', {
  1: ({ said }) => JSON.parse(said) as Grant | Emancipation,
});

/** The row of what was recorded of a chart's patient. */
export const proxyRow = (chart: string, fact: Grant | Emancipation): ProxyRow => ({
  ...(fact.kind === 'grant' ? proxyKey(chart, fact.proxy) : emancipationKey(chart)),
  layout: 1,
  said: JSON.stringify(fact),
});

/** All that is recorded of who decides for a chart's patient. */
export interface Proxies {
  readonly grants: readonly Grant[];
  readonly emancipation: Emancipation | undefined;
}

/** Who decides for a chart's patient, ended rights included. One Query, strongly consistent; one more a megabyte, which is thousands of people. */
export const proxiesOf = async (store: RecordStore, chart: string): Promise<Proxies> => {
  const facts: (Grant | Emancipation)[] = [];
  let after: string | undefined;
  do {
    const { rows, next } = await rowsBetween(store, {
      pk: chartKey(chart),
      from: proxyPrefix,
      to: `${proxyPrefix}~`,
      after,
    });
    for (const row of rows as readonly (Row & ProxyRow)[]) facts.push(proxyLayouts.reader(row.layout)(row));
    after = next;
  } while (after !== undefined);
  return {
    grants: facts.filter((fact) => fact.kind === 'grant'),
    emancipation: facts.find((fact) => fact.kind === 'emancipation'),
  };
};
