// What the model is made of: the rows of the table and the processes that write and read them, all plain data.

import { guard } from './scenario.ts';

/** What one version of a record says. */
export interface Version {
  readonly version: number;
  /** The writer that made it: stands for its content, so the record's one index row is filed under it too. */
  readonly by: string;
  readonly refersTo?: string;
  readonly deleted?: true;
}

/** A record's own row. */
export interface RecordRow extends Version {
  /** How often something outside has come to refer to it. */
  readonly refs: number;
  readonly tx?: string;
  /** The version that a staged transaction makes of it; without one, the transaction only holds it. */
  readonly intent?: Partial<Version> & { readonly tx: string };
}

/** All rows of one record. A locator is one too. */
export interface RecordRows {
  readonly row?: RecordRow;
  readonly index: readonly string[];
  readonly history: readonly Version[];
}

/** The time by the deadline of a transaction. Long past is a quarter of an hour behind it: no writer lives for so long. */
export type Time = 'in time' | 'late' | 'long past';

/** Rows of a staged transaction, which is called like its writer. */
export interface Transaction {
  readonly marker?: 'open' | 'committed' | 'aborted';
  readonly unfinished: boolean;
  readonly redo: boolean;
  readonly time: Time;
}

/** The row of a condition: what was made under it. */
export interface Guard {
  readonly ids: readonly string[];
  readonly intent?: { readonly tx: string };
}

/** The table, and the time. */
export interface Table {
  readonly records: Readonly<Record<string, RecordRows>>;
  readonly transactions: Readonly<Record<string, Transaction>>;
  readonly guard: Guard;
  /** Rows of the access log, by writer. */
  readonly log: readonly string[];
}

/** What somebody who reads has in hand between two calls. */
export interface Reading {
  readonly rows: Readonly<Record<string, RecordRow>>;
  readonly committed: readonly string[];
  /** Writers of which the reader must see everything. */
  readonly must: readonly string[];
  /** The index rows, where the reading begins with a search. */
  readonly found?: Readonly<Record<string, readonly string[]>>;
}

/** What is done once all rows are read: a writer learns what it replaces, or that there is nothing of a kind; a reader looks. */
export type Purpose = 'expect' | 'require unreferenced' | 'require none' | 'look';
/** Whether the log of a transaction may go once it is settled. */
export type Afterwards = 'forget' | 'keep';

/** One call to DynamoDB that a process is about to make. */
export type Call =
  | { readonly do: 'read'; readonly records: readonly string[]; readonly purpose: Purpose }
  | { readonly do: 'read marker'; readonly tx: string; readonly purpose: Purpose }
  | { readonly do: 'read guard' | 'search condition' | 'search' | 'locate' }
  | { readonly do: 'commit' }
  | { readonly do: 'mark' | 'write redo' | 'decide' }
  | { readonly do: 'stage' | 'put hint' | 'hold'; readonly record: string }
  | { readonly do: 'ask'; readonly tx: string; readonly record: string }
  | { readonly do: 'abort'; readonly tx: string; readonly afterwards: Afterwards }
  | {
      readonly do: 'read redo';
      readonly tx: string;
      readonly status: 'committed' | 'aborted';
      readonly afterwards: Afterwards;
    }
  | { readonly do: 'log access'; readonly tx: string }
  | { readonly do: 'remove hint'; readonly tx: string; readonly record: string }
  | { readonly do: 'put index' | 'remove index'; readonly record: string; readonly by: string }
  | { readonly do: 'settle' | 'let go' | 'undo'; readonly tx: string; readonly record: string }
  | { readonly do: 'forget redo' | 'forget'; readonly tx: string };

export interface Process {
  readonly name: string;
  readonly todo: readonly Call[];
  /** A writer whose time is over was not answered, and makes no more calls. */
  readonly outcome?: 'acknowledged' | 'refused' | 'over';
  /** A writer that met a condition which does not hold, and takes back what it staged. */
  readonly refusing?: true;
  /** The versions that a writer replaces. */
  readonly expected?: Readonly<Record<string, { readonly version: number; readonly refs: number }>>;
  readonly expectedIds?: readonly string[];
  readonly reading?: Reading;
  /** The reader: how many readings are to come, the writers of which it has seen anything, and where it knows L to lead. */
  readonly readings?: number;
  readonly seen?: readonly string[];
  readonly located?: string;
  /** A sweeper, which never comes to an end. */
  readonly sweeps?: true;
  /** The invariant that this process has seen broken. */
  readonly fault?: string;
}

export interface World {
  readonly table: Table;
  readonly processes: readonly Process[];
  /** How many answers may still be lost. */
  readonly losses: number;
  /** A writer that gave up an unanswered call as it was then: the call may yet be executed. */
  readonly underway?: Process;
}

export const rowsOf = ({ records }: Table, record: string): RecordRows => {
  const rows = records[record];
  if (!rows) throw new Error(`There is no record ${record}`);
  return rows;
};

export const transactionOf = ({ transactions }: Table, tx: string): Transaction => {
  const transaction = transactions[tx];
  if (!transaction) throw new Error(`There is no transaction ${tx}`);
  return transaction;
};

/** The transaction that has marked a row, if any. */
export const markOf = (table: Table, record: string): string | undefined => {
  if (record === guard) return table.guard.intent?.tx;
  const { row } = rowsOf(table, record);
  return row?.tx ?? row?.intent?.tx;
};

/** The version in an intent, if it has one. */
export const nextIn = ({ tx: _tx, version, by, ...more }: NonNullable<RecordRow['intent']>): Version | undefined =>
  version === undefined || by === undefined ? undefined : { version, by, ...more };

/** A row as a reader shows it, who knows these transactions to be committed. */
export const shown = (row: RecordRow | undefined, isCommitted: (tx: string) => boolean): Version | undefined => {
  if (!row || (row.tx !== undefined && !isCommitted(row.tx))) return undefined;
  return (row.intent && isCommitted(row.intent.tx) && nextIn(row.intent)) || row;
};

export const inTransaction = (table: Table, tx: string, changes: Partial<Transaction>): Table => ({
  ...table,
  transactions: { ...table.transactions, [tx]: { ...transactionOf(table, tx), ...changes } },
});

export const inRecord = (table: Table, record: string, rows: RecordRows): Table => ({
  ...table,
  records: { ...table.records, [record]: rows },
});

const known = new Map<string, string>();

/** Two letters for each different part of a world. */
const lettersFor = (part: object | undefined): string => {
  const text = JSON.stringify(part);
  let two = known.get(text);
  if (two === undefined) {
    two = String.fromCharCode(32 + (known.size % 50_000), 32 + Math.floor(known.size / 50_000));
    known.set(text, two);
  }
  return two;
};

/** Equal worlds have equal keys, and no others. What a step left alone is the same object, and is not written out again. */
export const keyOf = (world: World, from?: { readonly state: World; readonly key: string }): string => {
  let key = '';
  const add = (part: object | undefined, before: object | undefined) => {
    key += from && part === before ? from.key.slice(key.length, key.length + 2) : lettersFor(part);
  };
  const { table, processes, losses, underway } = world;
  const before = from?.state;
  add(underway, before?.underway);
  add(table.guard, before?.table.guard);
  add(table.log, before?.table.log);
  for (const name in table.records) add(table.records[name], before?.table.records[name]);
  for (const name in table.transactions) add(table.transactions[name], before?.table.transactions[name]);
  for (const [index, process] of processes.entries()) add(process, before?.processes[index]);
  return `${key}${losses}`;
};
