import { RecordError } from '../errors.ts';
import { headsOwnChart } from '../record-types/homes.ts';
import { backOff, pauseBeforeRetry } from './back-off.ts';
import type { CalendarWork, TakenTime } from './calendar.ts';
import { Calendars } from './calendar-steps.ts';
import { inParallel } from './in-parallel.ts';
import { type Address, type Row, type RowKey, recordKey } from './keys.ts';
import type { RecordStore } from './record-store.ts';
import { historyRow, labelBytes, type RecordRow, recordRow, type StoredRecord } from './rows.ts';
import { resolveStaged } from './settle-transaction.ts';
import { writeStaged } from './staged-transaction.ts';
import { type Action, type Refused, tryTransaction } from './transact.ts';
import { uploadLargeBodies, uploadStep } from './uploads.ts';
import { visibleRows } from './visibility.ts';

/** One record's next version. */
export interface RecordWrite {
  readonly next: StoredRecord;
  /** The version that it replaces; undefined for a create. */
  readonly previous?: StoredRecord | undefined;
  /** Its row, where it is packed already. */
  readonly row?: RecordRow;
  /** Rows that lead to this version, to be put with it: pointers, registry rows, bearers of its identifiers. */
  readonly puts: readonly Row[];
  /** Those that led to the previous version and to this one no more. */
  readonly removes: readonly RowKey[];
}

/** A record outside the commit that must exist when it happens. */
export interface ExistenceCheck {
  readonly address: Address;
  /** If given, the record must be this organisation's; one of another is answered as if it did not exist. */
  readonly custodian?: string | undefined;
  /** Names what refers to it, for the refusal. */
  readonly label: string;
}

/** A change of what conditional creates with one condition have made. */
export interface UniqueChange {
  readonly key: RowKey;
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** Refuses the commit unless these ids, and no others, stand there so far. */
  readonly expected?: readonly string[] | undefined;
  /**
   * Puts what is added in the place of what was expected. A guard needs no more than its last id, which differs from all before: whoever has
   * looked at an earlier one is refused. With every id, that of an often used condition would fill its row.
   */
  readonly replaces?: boolean | undefined;
}

/** All that one request writes. It happens wholly or not at all. */
export interface Commit {
  readonly writes: readonly RecordWrite[];
  readonly checks: readonly ExistenceCheck[];
  readonly unique: readonly UniqueChange[];
  /** Rows of the access log: each is put once, under a random key, and never changed. */
  readonly log: readonly Row[];
  /** Rows that must not exist yet. */
  readonly claims: readonly Row[];
  /** Time of actors that its records take and give back. */
  readonly calendar?: CalendarWork | undefined;
  /** The row that tells of the upload of its large bodies; it goes as the commit is decided. */
  readonly upload?: RowKey | undefined;
}

/** The refusal of a writer that was so slow that others have given up its work. */
export const tookTooLong = () =>
  new RecordError('conflict', 'The write took too long and was given up; nothing was written');

/** Which condition of a commit did not hold. */
export type Refusal =
  | { readonly kind: 'version'; readonly write: RecordWrite }
  /** The version to be deleted is the current one, but others have referred to it since it was read. */
  | { readonly kind: 'referred'; readonly write: RecordWrite }
  | { readonly kind: 'missing'; readonly check: ExistenceCheck }
  | { readonly kind: 'unique'; readonly change: UniqueChange }
  | { readonly kind: 'claimed'; readonly key: RowKey }
  | { readonly kind: 'taken'; readonly time: TakenTime };

/** Nothing was written, because these conditions did not hold. */
export class CommitRefused extends Error {
  override readonly name = 'CommitRefused';
  readonly refusals: readonly Refusal[];
  constructor(refusals: readonly Refusal[]) {
    super('A condition of the write did not hold');
    this.refusals = refusals;
  }
}

/**
 * What it means if a condition does not hold, told by the row as it was then; undefined if the same is worth another try. Throws what
 * is not to be told as a refusal.
 */
type Meaning = (row: RecordRow | undefined) => Refusal | undefined;

/** One action of a transaction, and what it means if its condition does not hold. */
export interface Step {
  readonly action: Action;
  readonly refusal?: Meaning;
}

// DynamoDB takes 100 actions and 4 MB; the rest is left for what the service counts beside the values.
export const mostActions = 96;
export const mostBytes = 3_500_000;
/** Owners of time that change in one row at once: an expression has 4 KB. */
const mostOwners = 90;
const concurrency = 16;

/** A row that no staged transaction is about to create or change. */
export const settled = 'attribute_not_exists(tx) AND attribute_not_exists(intent)';

/** The staged transaction that holds a row. */
export const holderOf = (row: RecordRow | undefined): string | undefined => row?.tx ?? row?.intent?.tx;

/**
 * Writes a commit: as one DynamoDB transaction where it fits, else by the staged protocol. Bodies that are too large for a row go to
 * the object store before.
 *
 * @throws CommitRefused if a condition does not hold; RecordError `too-large`, or `throttled` or `conflict` if the rows stay busy or
 *   held; ObjectStoreError: nothing is written then. RecordError `incomplete` if it is written, and what leads to it is not yet. Any other error leaves
 *   open whether it is written, and wholly or not at all.
 */
export const commit = async (store: RecordStore, work: Commit): Promise<void> => {
  try {
    await write(store, work);
  } catch (error) {
    const onlyTaken = error instanceof CommitRefused && error.refusals.every(({ kind }) => kind === 'taken');
    if (onlyTaken) await requireAllElse(store, work);
    throw error;
  }
};

/** Rows that are looked at with one call. */
const lookedAtOnce = 100;

/**
 * What a commit would be refused for now, found by reading alone: records that it needs and that are not there, else time that others have.
 *
 * @throws RecordError `too-large` if a row cannot hold a record.
 */
export const foresee = async (
  store: RecordStore,
  { checks, writes, calendar }: Pick<Commit, 'checks' | 'writes' | 'calendar'>,
): Promise<Refusal[]> => {
  for (const { next } of writes) {
    const { labels } = recordRow(next, store.ids);
    requireStorable(labels ? { labels } : {}, next.type);
  }
  const missing: Refusal[] = [];
  for (let at = 0; at < checks.length; at += lookedAtOnce)
    missing.push(...(await missingAmong(store, checks.slice(at, at + lookedAtOnce))));
  const calendars = new Calendars(calendar ?? { now: 0, changes: [] });
  if (missing.length > 0) return missing; // as for `requireAllElse`: who names what does not exist learns nothing of its time
  await calendars.look(store);
  return calendars.taken.map((time) => ({ kind: 'taken', time }));
};

const missingAmong = async (store: RecordStore, checks: readonly ExistenceCheck[]): Promise<Refusal[]> => {
  const name = ({ pk, sk }: RowKey) => `${pk}\n${sk}`;
  const found = (await store.getMany(checks.map(({ address }) => recordKey(address)))) as RecordRow[];
  const rows = new Map(
    (await visibleRows(store.client, store.tableName, found)).map((row) => [name(row), row] as const),
  );
  return checks.flatMap((check): Refusal[] => {
    const row = rows.get(name(recordKey(check.address)));
    const isThere = row?.body !== undefined && (check.custodian === undefined || check.custodian === row.custodian);
    return isThere ? [] : [{ kind: 'missing', check }];
  });
};

const write = async (store: RecordStore, given: Commit): Promise<void> => {
  const calendars = new Calendars(given.calendar ?? { now: 0, changes: [] });
  await calendars.look(store);
  requireFree(calendars);
  const work = await uploadLargeBodies(store, given);
  const actions = actionsOf(work) + calendars.keys.length;
  if (actions > mostActions || calendars.mostOwners > mostOwners) return writeStaged(store, work, calendars);
  const steps = stepsOf(store, work);
  if (estimateBytes(steps) > mostBytes) return writeStaged(store, work, calendars);
  await transact(store, steps, calendars);
};

export const actionsOf = ({ writes, checks, unique, claims, log }: Commit): number =>
  writes.reduce((sum, { previous, puts, removes }) => sum + (previous ? 2 : 1) + puts.length + removes.length, 0) +
  [checks, unique, claims, log].reduce((sum, { length }) => sum + length, 0);

/** @throws CommitRefused if others have time that is wanted, as far as was seen. */
const requireFree = ({ taken }: Calendars): void => {
  if (taken.length > 0) throw new CommitRefused(taken.map((time) => ({ kind: 'taken', time })));
};

/**
 * Makes sure that time which others have is the one reason for a refusal: who names what does not exist, or may not be known of, learns
 * nothing of its time; and the time of a conditional create may be had by the very record that it looks for.
 *
 * @throws CommitRefused if there is another reason.
 */
const requireAllElse = async (store: RecordStore, { checks, unique }: Commit): Promise<void> => {
  const { tableName: TableName } = store;
  const conditions = [
    ...checks.map((check) => existenceCheck(TableName, check)),
    ...unique.map((change) => uniqueCheck(TableName, change)),
  ];
  const transactions = Array.from({ length: Math.ceil(conditions.length / mostActions) }, (_, n) =>
    conditions.slice(n * mostActions, (n + 1) * mostActions),
  );
  await inParallel(concurrency, transactions, (steps) => transact(store, steps));
};

/** How often a transaction is tried again because somebody else booked the same actors at other times just before. */
const mostSurprises = 100;

/**
 * Carries out steps as one transaction, after whatever unfinished transaction stands in their way.
 *
 * @throws CommitRefused; RecordError `throttled` or `conflict`; the error that left it without an answer.
 */
export const transact = async (store: RecordStore, steps: readonly Step[], calendars?: Calendars): Promise<void> => {
  let surprises = 0;
  for (let attempt = 0; ; ) {
    const all = calendars ? [...steps, ...calendars.steps(store.tableName)] : steps;
    const refused = await tryTransaction(
      store.client,
      all.map(({ action }) => action),
    );
    if (!refused) return;
    const because = await clearTheWay(store, all, refused);
    if (because === 'surprised' && surprises < mostSurprises) await pauseBeforeRetry(Math.min(surprises++, 5));
    else await backOff(attempt++, because === 'held' ? 'held' : 'busy');
    if ((because === 'surprised' && surprises < 2) || !calendars) continue;
    // Who was first may have the time: then there is nothing to queue for.
    await calendars.look(store, true);
    requireFree(calendars);
  }
};

/**
 * Resolves the staged transactions that hold rows.
 *
 * @returns why it was not written: rows were held, rows were busy, or they were others than expected and it is worth another try.
 */
const clearTheWay = async (
  store: RecordStore,
  steps: readonly Step[],
  refused: Refused,
): Promise<'held' | 'busy' | 'surprised'> => {
  const refusals: Refusal[] = [];
  let because: 'held' | 'busy' | 'surprised' = 'busy';
  for (const [index, row] of refused) {
    const refusal = steps[index]?.refusal;
    if (row && holderOf(row) !== undefined) {
      because = 'held';
      await resolveStaged(store, row);
    } else if (refusal) {
      const told = refusal(row);
      if (told) refusals.push(told);
      else if (because === 'busy') because = 'surprised';
    }
  }
  if (refusals.length > 0) throw new CommitRefused(refusals);
  return because;
};

// A row of DynamoDB has 400 KB; the rest is left for its other attributes. A staged update keeps both versions in one row for a moment.
// Bodies take little of it, except those that were written before there was an object store.
const largestRow = 390_000;

/**
 * Refuses what no row can hold.
 *
 * @throws RecordError `too-large`.
 */
export const requireStorable = (row: Pick<RecordRow, 'body' | 'labels'>, type: string, besides = 0): void => {
  const labels = labelBytes({ labels: [...(row.labels ?? [])] });
  if ((row.body?.length ?? 0) + labels + besides <= largestRow) return;
  throw new RecordError('too-large', `Labels and compressed body of a ${type} may have ${largestRow / 1000} KB`, {
    reason: 'record-too-large',
    expression: `${type}.meta.security`,
  });
};

/**
 * A commit as the actions of one transaction.
 *
 * @throws RecordError `too-large`.
 */
export const stepsOf = (store: RecordStore, work: Commit): Step[] => {
  const { tableName: TableName, ids } = store;
  const returnOld = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
  const steps: Step[] = [];
  for (const write of work.writes) {
    const { next, previous } = write;
    const Item = write.row ?? recordRow(next, ids);
    requireStorable(Item, next.type);
    steps.push({ action: { Put: { TableName, Item, ...placeOf(write), ...returnOld } }, refusal: refusalOf(write) });
    if (previous) steps.push({ action: { Put: { TableName, Item: historyRow(previous, ids) } } });
  }
  for (const check of work.checks) steps.push(existenceStep(TableName, check));
  for (const change of work.unique) {
    steps.push({
      action: { Update: uniqueUpdate(TableName, change) },
      refusal: () => ({ kind: 'unique', change }),
    });
  }
  for (const Item of work.claims) {
    const key = { pk: Item.pk, sk: Item.sk };
    steps.push({
      action: { Put: { TableName, Item, ConditionExpression: 'attribute_not_exists(pk)', ...returnOld } },
      refusal: () => ({ kind: 'claimed', key }),
    });
  }
  for (const action of work.writes.flatMap((write) => indexActions(TableName, write))) steps.push({ action });
  for (const Item of work.log) steps.push({ action: { Put: { TableName, Item } } });
  if (work.upload) steps.push(uploadStep(TableName, work.upload));
  return steps;
};

/** The change of the rows that lead to a record. */
export const indexActions = (TableName: string, { puts, removes }: Pick<RecordWrite, 'puts' | 'removes'>): Action[] => [
  ...puts.map((Item) => ({ Put: { TableName, Item } })),
  ...removes.map(({ pk, sk }) => ({ Delete: { TableName, Key: { pk, sk } } })),
];

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

/** A deleted record has a row without a body, so the body is what must exist. */
export const existence = (check: ExistenceCheck) => ({
  ConditionExpression: `attribute_exists(body) AND ${settled}${check.custodian === undefined ? '' : ' AND custodian = :custodian'}`,
  ExpressionAttributeValues: check.custodian === undefined ? {} : { ':custodian': check.custodian },
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
});

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
    refusal: () => ({ kind: 'missing', check }),
  };
};

/** Requires that a record exists, and nothing more. */
const existenceCheck = (TableName: string, check: ExistenceCheck): Step => {
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
    refusal: () => ({ kind: 'missing', check }),
  };
};

const uniqueCondition = (change: UniqueChange) => ({
  Key: { pk: change.key.pk, sk: change.key.sk },
  ConditionExpression: `attribute_not_exists(intent)${expectation(change.expected)}`,
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
});

const uniqueUpdate = (TableName: string, change: UniqueChange) => ({
  TableName,
  ...uniqueCondition(change),
  UpdateExpression: uniqueExpression(change),
  ExpressionAttributeValues: { ...uniqueValues(change.add, change.remove), ...expectedValue(change.expected) },
});

/** Requires that what a condition looked at is as it was, and nothing more. */
const uniqueCheck = (TableName: string, change: UniqueChange): Step => {
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

/** An upper estimate of what the service counts: bodies and labels dominate, the rest is names and keys. */
const estimateBytes = (steps: readonly Step[]): number =>
  steps.reduce((sum, { action }) => {
    const item: Record<string, unknown> = action.Put?.Item ?? {};
    const body = item.body instanceof Uint8Array ? item.body.length : 0;
    const labels = item.labels instanceof Set ? labelBytes({ labels: [...item.labels] as string[] }) : 0;
    return sum + body + labels + 1_000;
  }, 0);
