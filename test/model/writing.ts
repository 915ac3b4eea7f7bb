// Writes: commits in one transaction, and the staged ones up to the moment that decides.

import { before, type Effect, goOn, type Moment, refuse } from './moment.ts';
import { finishing } from './plans.ts';
import type { Rules } from './rules.ts';
import { guard, heldBy, type Work, workOf, writtenBy } from './scenario.ts';
import {
  inRecord,
  inTransaction,
  markOf,
  type RecordRow,
  rowsOf,
  type Table,
  transactionOf,
  type Version,
} from './world.ts';

/** The version that a writer makes of a record. */
const nextVersion = ({ process, scenario }: Moment, record: string): Version => {
  const { creates = [], deletes = [], refersTo } = workOf(scenario, process.name);
  return {
    version: (process.expected?.[record]?.version ?? 0) + 1,
    by: process.name,
    ...(refersTo !== undefined && creates.includes(record) ? { refersTo } : {}),
    ...(deletes.includes(record) ? { deleted: true } : {}),
  };
};

export const withRow = (table: Table, record: string, row: RecordRow): Table =>
  inRecord(table, record, { ...rowsOf(table, record), row });

export const staged = (moment: Moment, record: string): Table =>
  withRow(moment.table, record, { ...nextVersion(moment, record), refs: 0, tx: moment.process.name });

export const indexOf = ({ by, deleted }: Version): string[] => (deleted ? [] : [by]);

export const logged = (table: Table, name: string): Table =>
  table.log.includes(name) ? table : { ...table, log: [...table.log, name].sort() };

const versionOf = ({ refs: _refs, tx: _tx, intent: _intent, ...version }: RecordRow): Version => version;

/** The record with its next version: history and index rows change with its own row. */
export const replaced = (table: Table, record: string, next: Version, rules?: Rules): Table => {
  const { row, index, history } = rowsOf(table, record);
  return inRecord(table, record, {
    row: { ...next, refs: 0 }, // counted anew: a condition on it names the version too
    index: rules && !rules.indexWithItsRecord ? index : indexOf(next),
    history: row ? [...history, versionOf(row)] : history,
  });
};

const referred = (table: Table, record: string | undefined): Table => {
  const row = record === undefined ? undefined : rowsOf(table, record).row;
  return record !== undefined && row ? withRow(table, record, { ...row, refs: row.refs + 1 }) : table;
};

/** Whether a condition holds, does not, or cannot be judged as long as a transaction holds the row. */
type Judgement = 'holds' | 'fails' | { readonly heldBy: string };

const judgeReplaced = ({ table, process, scenario, rules }: Moment, record: string, unmarked: boolean): Judgement => {
  const mark = markOf(table, record);
  if (mark !== undefined && unmarked) return { heldBy: mark };
  const { row } = rowsOf(table, record);
  const expected = process.expected?.[record];
  if (row?.version !== expected?.version && rules.holdOnlyExpectedVersion) return 'fails';
  const isDelete = workOf(scenario, process.name).deletes?.includes(record) && rules.deleteOnlyIfReferencesUnchanged;
  return isDelete && row?.refs !== expected?.refs ? 'fails' : 'holds';
};

const judgeReferred = ({ table, rules }: Moment, record: string): Judgement => {
  if (!rules.decideOnlyIfReferredExists) return 'holds';
  const mark = markOf(table, record);
  if (mark !== undefined) return { heldBy: mark };
  const { row } = rowsOf(table, record);
  return row && !row.deleted ? 'holds' : 'fails';
};

const judgeGuard = ({ table, process, rules }: Moment): Judgement => {
  if (table.guard.intent) return { heldBy: table.guard.intent.tx };
  return table.guard.ids.join() === process.expectedIds?.join() || !rules.guardOnlyAsExpected ? 'holds' : 'fails';
};

const judgeAbsent = ({ table, rules }: Moment, record: string): Judgement => {
  const mark = markOf(table, record);
  if (!rowsOf(table, record).row || !rules.createOnlyIfAbsent) return 'holds';
  return mark === undefined ? 'fails' : { heldBy: mark };
};

type Judged = readonly [record: string, Judgement];

/** The conditions of what one DynamoDB transaction writes. */
const judge = (moment: Moment, { chosen = [], changes = [], deletes = [], refersTo, guarded }: Work): Judged[] => [
  ...chosen.map((record): Judged => [record, judgeAbsent(moment, record)]),
  ...[...changes, ...deletes].map(
    (record): Judged => [record, judgeReplaced(moment, record, moment.rules.commitOnlyUnmarked)],
  ),
  ...(refersTo === undefined ? [] : [[refersTo, judgeReferred(moment, refersTo)] as const]),
  ...(guarded ? [[guard, judgeGuard(moment)] as const] : []),
];

/** Looks at what stands in the way, or takes everything back; undefined if all conditions hold. */
const hindered = ({ process, scenario }: Moment, judged: readonly Judged[]): Effect | undefined => {
  for (const [record, judgement] of judged) {
    if (typeof judgement === 'object') return before(process, { do: 'ask', tx: judgement.heldBy, record });
  }
  return judged.some(([, judgement]) => judgement === 'fails') ? { process: refuse(process, scenario) } : undefined;
};

/** A commit that fits one DynamoDB transaction. */
export const commit = (moment: Moment): Effect => {
  const { table, process, scenario } = moment;
  const work = workOf(scenario, process.name);
  const hindrance = hindered(moment, judge(moment, work));
  if (hindrance) return hindrance;
  let next = logged(referred(table, work.refersTo), process.name);
  for (const record of writtenBy(work)) {
    if (record !== guard) next = replaced(next, record, nextVersion(moment, record));
  }
  if (work.guarded) next = { ...next, guard: { ids: [...next.guard.ids, process.name].sort() } };
  return { table: next, process: goOn(process) };
};

export const mark = ({ table, process, rules }: Moment): Effect => {
  const { marker } = transactionOf(table, process.name);
  if (marker !== undefined && rules.markerOnlyIfAbsent) return { process: goOn(process) };
  return { table: inTransaction(table, process.name, { marker: 'open', unfinished: true }), process: goOn(process) };
};

/** Marks a row, after whatever transaction stands in its way. A call that is sent again finds its own mark, which is as good. */
export const hold = (moment: Moment, record: string): Effect => {
  const { table, process, scenario, rules } = moment;
  if (markOf(table, record) === process.name) return { process: goOn(process) };
  const work = workOf(scenario, process.name);
  const isCreate = work.chosen?.includes(record);
  const isHeld = record === heldBy(work);
  const judgement = isCreate
    ? judgeAbsent(moment, record)
    : isHeld
      ? judgeReferred(moment, record)
      : judgeReplaced(moment, record, rules.holdOnlyUnmarked);
  if (judgement === 'fails') return { process: refuse(process, scenario) };
  if (judgement !== 'holds') return before(process, { do: 'ask', tx: judgement.heldBy, record });
  const { row } = rowsOf(table, record);
  if (isCreate || !row) return { table: staged(moment, record), process: goOn(process) };
  const intent = { ...(isHeld ? {} : nextVersion(moment, record)), tx: process.name };
  return { table: withRow(table, record, { ...row, intent }), process: goOn(process) };
};

export const holdGuard = (moment: Moment): Effect => {
  const { table, process, scenario } = moment;
  if (table.guard.intent?.tx === process.name) return { process: goOn(process) };
  const judgement = judgeGuard(moment);
  if (judgement === 'fails') return { process: refuse(process, scenario) };
  if (judgement !== 'holds') return before(process, { do: 'ask', tx: judgement.heldBy, record: guard });
  return { table: { ...table, guard: { ...table.guard, intent: { tx: process.name } } }, process: goOn(process) };
};

/** The one call that decides. */
export const decide = (moment: Moment): Effect => {
  const { table, process, scenario, rules } = moment;
  const { name } = process;
  const work = workOf(scenario, name);
  const refersTo = heldBy(work) !== undefined && rules.holdWherePointed ? undefined : work.refersTo;
  const { direct = [] } = work;
  if (transactionOf(table, name).marker !== 'open' && rules.decideOnlyIfOpen) {
    return { name: 'finds that it was given up', process: refuse(process, scenario) };
  }
  const hindrance = hindered(
    moment,
    judge(moment, { changes: direct, ...(refersTo === undefined ? {} : { refersTo }) }),
  );
  if (hindrance) return hindrance;
  let next = rules.decideCountsReference ? referred(table, refersTo) : table;
  for (const record of direct) next = replaced(next, record, nextVersion(moment, record));
  return {
    table: inTransaction(next, name, { marker: 'committed' }),
    process: goOn(process, ...(rules.answerAfterSettling ? finishing(name, scenario, rules) : [])),
  };
};
