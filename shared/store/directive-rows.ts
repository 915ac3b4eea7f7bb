import type { Directive, Rule } from '../access/directive.ts';
import { RecordError } from '../errors.ts';
import type { RecordWrite } from './commit.ts';
import { directiveKey, type Row, type RowKey } from './keys.ts';
import { Layouts } from './layouts.ts';
import type { StoredRecord } from './rows.ts';

/** What a Consent comes to, beside it in its chart. Says its version, so it is shown and removed with it, never before. */
export interface DirectiveRow extends RowKey, Pick<StoredRecord, 'version' | 'custodian'> {
  readonly layout: number;
  /** JSON. */
  readonly rule: string;
}

/** What a directive's row says. */
export const directiveLayouts = /* @__PURE__ */ new Layouts<(row: DirectiveRow) => Directive>('directive', {
  1: ({ custodian, rule }) => ({ custodian, rule: JSON.parse(rule) as Rule }),
});

/** Characters of a rule. Every reader from another organisation reads all of a chart. */
const largestRule = 30_000;

export const directiveRow = (record: StoredRecord, rule: Rule): DirectiveRow => ({
  ...directiveKey(record),
  layout: 1,
  version: record.version,
  custodian: record.custodian,
  rule: JSON.stringify(rule),
});

/** How rows that stand beside a record change with it. */
export interface RowChanges {
  readonly puts: readonly Row[];
  readonly removes: readonly RowKey[];
}

/**
 * How the directive of a Consent changes with it.
 *
 * @param rule - what the next version comes to; undefined for nothing.
 * @throws RecordError `too-large`.
 */
export const directiveChanges = (
  { next, previous }: Pick<RecordWrite, 'next' | 'previous'>,
  rule: Rule | undefined,
): RowChanges => {
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
