import { headsOwnChart } from '../record-types/homes.ts';
import { isDirectory } from '../record-types/subjects.ts';
import type { ExistenceCheck, RecordWrite, UniqueChange } from './commit.ts';
import type { Meaning, Step } from './commit-refusal.ts';
import { recordKey } from './keys.ts';
import type { RecordRow } from './rows.ts';

/** A row that no staged transaction is about to create or change. */
export const settled = 'attribute_not_exists(tx) AND attribute_not_exists(intent)';

/** The staged transaction that holds a row. */
export const holderOf = (row: RecordRow | undefined): string | undefined => row?.tx ?? row?.intent?.tx;

/**
 * The condition on a record's row under which its next version is written: none for a create, else the version that it replaces. A
 * deletion has looked at what refers to the record, so nobody may have referred to it since.
 */
export const placeOf = ({
  next,
  previous,
}: RecordWrite): { ConditionExpression: string; ExpressionAttributeValues?: Record<string, unknown> } => {
  if (!previous) return { ConditionExpression: 'attribute_not_exists(pk)' };
  const unchanged = `version = :previous AND ${settled}`;
  const versionIs = { ':previous': previous.version };
  if (next.resource) return { ConditionExpression: unchanged, ExpressionAttributeValues: versionIs };
  return previous.refs === undefined
    ? { ConditionExpression: `${unchanged} AND attribute_not_exists(refs)`, ExpressionAttributeValues: versionIs }
    : {
        ConditionExpression: `${unchanged} AND refs = :refs`,
        ExpressionAttributeValues: { ...versionIs, ':refs': previous.refs },
      };
};

/** What it means if `placeOf` does not hold. */
export const refusalOf =
  (write: RecordWrite): Meaning =>
  (row) => {
    const { next, previous } = write;
    const onlyReferred = !next.resource && previous !== undefined && row?.version === previous.version;
    return { kind: onlyReferred ? 'referred' : 'version', write };
  };

/**
 * Whether a record's row counts the references to it, so that its deletion meets one that was made meanwhile. Where a type's records stand
 * alone in their chart, such as the directory's, a deletion asks nobody; hospitals and physicians, whom almost every record names, are
 * not written to by each of them.
 */
export const countsReferences = ({ address }: ExistenceCheck): boolean => !headsOwnChart(address.type);

/** Whether what is closed to everybody but its originators must not be referred to by this. */
const mustBeOpen = ({ mayBeNote, address }: ExistenceCheck): boolean => !mayBeNote && !isDirectory(address.type);

/** Whether the row of a record meets what `existence` asks of it, but for staged transactions. */
export const isThere = (check: ExistenceCheck, row: RecordRow | undefined): boolean =>
  row?.body !== undefined &&
  (check.custodian === undefined || check.custodian === row.custodian) &&
  !(row.originators && mustBeOpen(check));

/** A deleted record has a row without a body, so the body is what must exist. What the directory says is nobody's note, whatever it bears. */
export const existence = (check: ExistenceCheck) => {
  const { custodian, without, version } = check;
  return {
    ConditionExpression: `attribute_exists(body) AND ${settled}${
      mustBeOpen(check) ? ' AND attribute_not_exists(originators)' : ''
    }${custodian === undefined ? '' : ' AND custodian = :custodian'}${without ? ' AND NOT contains(labels, :without)' : ''}${version === undefined ? '' : ' AND version = :version'}`,
    ExpressionAttributeValues: {
      ...(custodian === undefined ? {} : { ':custodian': custodian }),
      ...(without ? { ':without': without.label } : {}),
      ...(version === undefined ? {} : { ':version': version }),
    },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  };
};

/** What it means if `existence` does not hold. Of what must not be known of, no label is told. */
export const absence =
  (check: ExistenceCheck): Meaning =>
  (row) =>
    check.without && isThere(check, row) && row?.labels?.has(check.without.label)
      ? { kind: 'labelled', name: check.without.name }
      : check.version !== undefined && isThere(check, row) && row?.version !== check.version
        ? { kind: 'changed' }
        : { kind: 'missing', check };

/** Requires that a record exists and, where its row counts them, adds a reference. Both cost the same. */
export const existenceStep = (TableName: string, check: ExistenceCheck): Step => {
  if (!countsReferences(check)) return existenceCheck(TableName, check);
  const { ExpressionAttributeValues: values, ...condition } = existence(check);
  return {
    action: {
      Update: {
        TableName,
        Key: recordKey(check.address),
        ...condition,
        UpdateExpression: 'ADD refs :one',
        ExpressionAttributeValues: { ...values, ':one': 1 },
      },
    },
    refusal: absence(check),
  };
};

/** Requires that a record exists, and nothing more. */
export const existenceCheck = (TableName: string, check: ExistenceCheck): Step => {
  const { ExpressionAttributeValues: values, ...condition } = existence(check);
  return {
    action: {
      ConditionCheck: {
        TableName,
        Key: recordKey(check.address),
        ...condition,
        ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
      },
    },
    refusal: absence(check),
  };
};

const uniqueCondition = (change: UniqueChange) => ({
  Key: { pk: change.key.pk, sk: change.key.sk },
  ConditionExpression: `attribute_not_exists(intent)${expectation(change.expected)}`,
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
});

export const uniqueUpdate = (TableName: string, change: UniqueChange) => ({
  TableName,
  ...uniqueCondition(change),
  UpdateExpression: uniqueExpression(change),
  ExpressionAttributeValues: { ...uniqueValues(change.add, change.remove), ...expectedValue(change.expected) },
});

/** Requires that what a condition looked at is as it was, and nothing more. */
export const uniqueCheck = (TableName: string, change: UniqueChange): Step => {
  const values = expectedValue(change.expected);
  return {
    action: {
      ConditionCheck: {
        TableName,
        ...uniqueCondition(change),
        ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
      },
    },
    refusal: () => ({ kind: 'unique', change }),
  };
};

/** A set cannot be added to and deleted from in one expression: a change does one or the other. */
export const uniqueExpression = ({ add, replaces }: Pick<UniqueChange, 'add' | 'replaces'>): string => {
  if (replaces) return 'SET ids = :ids';
  return add.length > 0 ? 'ADD ids :ids' : 'DELETE ids :ids';
};

export const uniqueValues = (add: readonly string[], remove: readonly string[]) => ({
  ':ids': new Set(add.length > 0 ? add : remove),
});

/** Condition that exactly the expected ids are borne; a set that lost its last id is no attribute any more. */
export const expectation = (expected: readonly string[] | undefined): string => {
  if (expected === undefined) return '';
  return expected.length === 0 ? ' AND attribute_not_exists(ids)' : ' AND ids = :expected';
};

export const expectedValue = (expected: readonly string[] | undefined): Record<string, unknown> =>
  expected === undefined || expected.length === 0 ? {} : { ':expected': new Set(expected) };
