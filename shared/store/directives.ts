import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import type { Directive, Rule } from '../access/directive.ts';
import { RecordError } from '../errors.ts';
import type { RecordWrite } from './commit.ts';
import { directiveKey, directivePrefix, linksKey, type Row, type RowKey } from './keys.ts';
import { Layouts } from './layouts.ts';
import type { RecordStore } from './record-store.ts';
import type { StoredRecord } from './rows.ts';

/** What a Consent comes to, beside it in its chart. Says its version, so it is shown and removed with it, never before. */
export interface DirectiveRow extends RowKey, Pick<StoredRecord, 'version' | 'custodian'> {
  readonly layout: number;
  /** JSON. */
  readonly rule: string;
}

/** What a directive's row says. */
export const directiveLayouts = new Layouts<(row: DirectiveRow) => Directive>('directive', {
  1: ({ custodian, rule }) => ({ custodian, rule: JSON.parse(rule) as Rule }),
});

/** Characters of a rule. Every reader from another organisation reads all of a chart. */
const largestRule = 30_000;
/** Pages of a chart's directives, of 1 MB each. */
const mostPages = 4;

export const directiveRow = (record: StoredRecord, rule: Rule): DirectiveRow => ({
  ...directiveKey(record),
  layout: 1,
  version: record.version,
  custodian: record.custodian,
  rule: JSON.stringify(rule),
});

/**
 * How the directive of a Consent changes with it.
 *
 * @param rule - what the next version comes to; undefined for nothing.
 * @throws RecordError `too-large`.
 */
export const directiveChanges = (
  { next, previous }: Pick<RecordWrite, 'next' | 'previous'>,
  rule: Rule | undefined,
): { readonly puts: readonly Row[]; readonly removes: readonly RowKey[] } => {
  if (!rule) return { puts: [], removes: previous ? [directiveKey(next)] : [] };
  const row = directiveRow(next, rule);
  if (row.rule.length > largestRule) {
    throw new RecordError('too-large', 'The provisions of a Consent are too many to be looked at with each access', {
      reason: 'consent-too-large',
      expression: 'Consent.provision',
    });
  }
  return { puts: [{ ...row }], removes: [] };
};

const isDirective = ({ sk }: RowKey): boolean => sk.startsWith(directivePrefix);

const denies = ({ type, rules = [] }: Rule): boolean => type === 'deny' || rules.some(denies);

/** Whether a write may close what another organisation sees of a chart: that of a Consent that denies, and each one behind the first. */
export const mayClose = ({ previous, puts, removes }: Pick<RecordWrite, 'previous' | 'puts' | 'removes'>): boolean =>
  [...puts, ...removes].some(isDirective) &&
  (previous !== undefined || puts.some((row) => isDirective(row) && denies(JSON.parse(String(row.rule)) as Rule)));

/**
 * What the Consents of a chart come to, those alone that are active. One Query, strongly consistent: what a write acknowledged, the next one sees.
 *
 * @returns undefined if they are too many to be read, or the chart is linked with others: what is filed there holds for this person as well.
 */
export const directivesOf = async (
  { client, tableName }: RecordStore,
  chart: string,
): Promise<readonly Directive[] | undefined> => {
  const directives: Directive[] = [];
  // The row of links stands behind the directives, so it comes by the same call.
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
    for (const row of Items as (Row & Partial<DirectiveRow>)[]) {
      if (!isDirective(row)) {
        if (row.ids || row.intent) return undefined;
        continue;
      }
      directives.push(directiveLayouts.reader(row.layout)(row as DirectiveRow));
    }
    if (!LastEvaluatedKey) return directives;
    after = LastEvaluatedKey;
  }
  return undefined;
};
