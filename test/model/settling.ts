// What becomes of a staged transaction once it is decided, or given up, by whoever does it.

import { type Effect, goOn, type Moment, refuse } from './moment.ts';
import { finishing, forgetting, undoing } from './plans.ts';
import { guard, hintedBy, markedBy, workOf } from './scenario.ts';
import {
  type Afterwards,
  type Call,
  inRecord,
  inTransaction,
  markOf,
  nextIn,
  rowsOf,
  type Table,
  transactionOf,
} from './world.ts';
import { indexOf, replaced, withRow } from './writing.ts';

/** Reads the marker of a transaction that stands in the way. */
export const ask = ({ table, process, scenario, rules }: Moment, { tx, record }: Call & { do: 'ask' }): Effect[] => {
  const { marker, time } = transactionOf(table, tx);
  if (marker === 'open' && time === 'in time') {
    // Of those that wait for one another in a circle, somebody waits for a smaller name.
    const yields = rules.yieldToSmallerName && workOf(scenario, process.name).staged && tx < process.name;
    const givesUp = { name: `gives up ${record}`, process: refuse(process, scenario) };
    return scenario.patience === 'waits' && !yields ? [] : [givesUp];
  }
  if (marker === 'open') return [{ process: goOn(process, { do: 'abort', tx, afterwards: 'keep' }) }];
  if (marker !== 'committed') return [{ process: goOn(process, ...undoing(tx, [record], [])) }];
  return [{ process: goOn(process, { do: 'read redo', tx, status: marker, afterwards: 'forget' }) }];
};

/** Moves a marker to aborted, or learns that it is too late for that. */
export const abort = (moment: Moment, { tx, afterwards }: Call & { do: 'abort' }): Effect => {
  const { table, process, scenario, rules } = moment;
  const isOwn = tx === process.name;
  const { marker } = transactionOf(table, tx);
  if (marker === 'committed' && rules.abortOnlyIfOpen) {
    if (!isOwn) return { process: goOn(process, { do: 'read redo', tx, status: 'committed', afterwards: 'forget' }) };
    if (!rules.finishWhatIsDecided) return { process: goOn(process) };
    const { refusing: _refusing, ...next } = process;
    return { process: { ...next, todo: finishing(tx, scenario, rules) } };
  }
  const then = rules.keepLogAfterForeignAbort ? afterwards : 'forget';
  const next = isOwn ? goOn(process) : goOn(process, { do: 'read redo', tx, status: 'aborted', afterwards: then });
  return marker === undefined
    ? { process: next }
    : { table: inTransaction(table, tx, { marker: 'aborted' }), process: next };
};

/** What the log of a transaction tells to do. */
export const owed = (
  { table, scenario, rules }: Moment,
  { tx, status, afterwards }: { tx: string; status: 'committed' | 'aborted'; afterwards: Afterwards },
): Call[] => {
  const { redo } = transactionOf(table, tx);
  const work = workOf(scenario, tx);
  if (status === 'committed') return redo ? finishing(tx, scenario, rules) : forgetting(tx);
  return [
    ...(redo ? undoing(tx, markedBy(work), rules.undoHints ? hintedBy(work) : []) : []),
    ...(afterwards === 'forget' ? forgetting(tx) : []),
  ];
};

interface Marked {
  readonly tx: string;
  readonly record: string;
}

/** Takes the mark of a committed transaction from a row, which becomes what the transaction makes of it. */
export const settled = ({ table, rules }: Moment, { tx, record }: Marked): Table => {
  const mark = markOf(table, record);
  if (mark === undefined || (mark !== tx && rules.settleOnlyIfMarked)) return table;
  if (record === guard) return { ...table, guard: { ids: [...table.guard.ids, mark].sort() } };
  const { row, index, history } = rowsOf(table, record);
  if (!row) return table;
  const { tx: _tx, intent, ...unmarked } = row;
  const next = intent && nextIn(intent);
  if (next) return replaced(table, record, next, rules);
  if (intent) return inRecord(table, record, { row: { ...unmarked, refs: row.refs + 1 }, index, history });
  return inRecord(table, record, { row: unmarked, index: rules.indexWithItsRecord ? indexOf(row) : index, history });
};

/** Takes back what an aborted transaction staged in a row. */
export const undone = ({ table, rules }: Moment, { tx, record }: Marked): Table => {
  const mark = markOf(table, record);
  if (mark === undefined || (mark !== tx && rules.undoOnlyIfMarked)) return table;
  if (record === guard) return { ...table, guard: { ids: table.guard.ids } };
  const { row, ...rows } = rowsOf(table, record);
  if (!row || row.tx !== undefined) return inRecord(table, record, rows);
  const { intent: _intent, ...kept } = row;
  return withRow(table, record, kept);
};

export const blindlyIndexed = (
  table: Table,
  { do: what, record, by }: { do: 'put index' | 'remove index'; record: string; by: string },
): Table => {
  const rows = rowsOf(table, record);
  const others = rows.index.filter((name) => name !== by);
  return inRecord(table, record, { ...rows, index: what === 'put index' ? [...others, by].sort() : others });
};
