import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import type { Rule } from '../access/directive.ts';
import { linkedWith } from './chart-links.ts';
import type { RecordWrite } from './commit.ts';
import type { DirectiveRow } from './directive-rows.ts';
import type { DoorRow } from './door-rows.ts';
import { delegationPrefix, directivePrefix, linksKey, type Row, type RowKey, visitPrefix } from './keys.ts';
import type { RecordStore } from './record-store.ts';

/** Pages of a chart's directives, of 1 MB each. */
const mostPages = 4;

/** A row by which a chart is opened or closed. That the patient was seen closes nothing: it may be late. */
const isDirective = ({ sk }: RowKey): boolean => sk.startsWith(directivePrefix) && !sk.startsWith(visitPrefix);

const isDelegation = ({ pk }: RowKey): boolean => pk.startsWith(delegationPrefix);

const denies = ({ type, rules = [] }: Rule): boolean => type === 'deny' || rules.some(denies);

/** Whether a write may close what another organisation sees of a chart: that of a Consent that denies, and each one behind the first. Likewise what ends a delegation. */
export const mayClose = ({ previous, puts, removes }: Pick<RecordWrite, 'previous' | 'puts' | 'removes'>): boolean =>
  [...puts, ...removes].some((row) => isDirective(row) || isDelegation(row)) &&
  (previous !== undefined || puts.some(({ rule }) => typeof rule === 'string' && denies(JSON.parse(rule) as Rule)));

/** What opens and closes a chart, row by row. */
export interface AccessRows {
  readonly rows: readonly (DirectiveRow | DoorRow)[];
  /** Those of the charts that are linked with it, one by one: what closes those holds for this person as well. */
  readonly linked: readonly { readonly chart: string; readonly rows: AccessRows['rows'] }[];
}

/**
 * What opens a chart to other organisations, and closes it. One Query, strongly consistent: what a write acknowledged, the next one sees. Where the chart is linked, the links, and
 * then a Query for each of the others, all at once.
 *
 * @returns undefined if that is too much to be read.
 */
export const accessRowsOf = async (store: RecordStore, chart: string): Promise<AccessRows | undefined> => {
  const own = await rowsOf(store, chart);
  if (!own?.linked) return own && { rows: own.rows, linked: [] };
  const charts = (await linkedWith(store, chart)).map((each) => each.chart).filter((each) => each !== chart);
  const others = await Promise.all(charts.map((each) => rowsOf(store, each)));
  const linked = charts.flatMap((each, index) => {
    const rows = others[index]?.rows;
    return rows ? [{ chart: each, rows }] : [];
  });
  return linked.length < charts.length ? undefined : { rows: own.rows, linked };
};

/** The rows of one chart, and whether it may be linked. */
const rowsOf = async (
  { client, tableName }: RecordStore,
  chart: string,
): Promise<{ readonly rows: AccessRows['rows']; readonly linked: boolean } | undefined> => {
  const rows: (DirectiveRow | DoorRow)[] = [];
  let linked = false;
  // The row of links stands behind the others, so it comes by the same call.
  const { pk, sk: links } = linksKey(chart);
  let after: Record<string, unknown> | undefined;
  for (let page = 0; page < mostPages; page++) {
    const { Items = [], LastEvaluatedKey }: QueryCommandOutput = await client.send(
      new QueryCommand({
        TableName: tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :directives AND :links',
        ExpressionAttributeValues: { ':pk': pk, ':directives': directivePrefix, ':links': links },
        ...(after ? { ExclusiveStartKey: after } : {}),
      }),
    );
    for (const row of Items as (Row & (DirectiveRow | DoorRow))[]) {
      if (row.sk === links) linked = row.ids !== undefined || row.intent !== undefined;
      else rows.push(row);
    }
    if (!LastEvaluatedKey) return { rows, linked };
    after = LastEvaluatedKey;
  }
  return undefined;
};
