// The calls that processes are going to make, in the order of docs/store.md.

import type { Rules } from './rules.ts';
import { guard, heldBy, hintedBy, markedBy, recordsOf, type Scenario, type Work, workOf } from './scenario.ts';
import type { Call } from './world.ts';

/** The calls of a writer, as long as every condition holds. */
export const planOf = (name: string, scenario: Scenario, rules: Rules): Call[] => {
  const work = workOf(scenario, name);
  const { changes = [], deletes = [], guarded = false } = work;
  const { existing, created } = recordsOf(scenario);
  const replaced = [...changes, ...deletes].map(
    (record): Call => ({ do: 'read', records: [record], purpose: 'expect' }),
  );
  const others = [...existing, ...created].filter((record) => !deletes.includes(record));
  const chart: Call[] = deletes.length > 0 ? [{ do: 'read', records: others, purpose: 'require unreferenced' }] : [];
  return [
    ...(guarded ? [{ do: 'read guard' } as const, { do: 'search condition' } as const] : []),
    ...(rules.readReferencesBeforeChart ? [...replaced, ...chart] : [...chart, ...replaced]),
    ...(work.staged ? staging(work, rules) : [{ do: 'commit' } as const]),
  ];
};

const staging = (work: Work, rules: Rules): Call[] => {
  const { creates = [] } = work;
  const held = markedBy(work).filter((record) => !creates.includes(record) && isMarked(record, work, rules));
  return [
    { do: 'mark' },
    { do: 'write redo' },
    ...creates.map((record): Call => ({ do: 'stage', record })),
    ...hintedBy(work).map((record): Call => ({ do: 'put hint', record })),
    ...held.map((record): Call => ({ do: 'hold', record })),
    { do: 'decide' },
  ];
};

const isMarked = (record: string, work: Work, rules: Rules) => record !== heldBy(work) || rules.holdWherePointed;

/** Where the writer's record is that has L as its locator. */
export const placeOf = (writer: string) => `X.${writer}`;

/**
 * The calls of a reader.
 *
 * @param located - the writer whose record L is known to lead to.
 */
export const readingOf = (scenario: Scenario, located?: string): Call[] => {
  const { existing, created } = recordsOf(scenario);
  const everything: Call = { do: 'read', records: [...existing, ...created], purpose: 'look' };
  if (scenario.reads === 'search') return [{ do: 'search' }, everything];
  if (scenario.reads !== 'locator') return [everything];
  return [located === undefined ? { do: 'locate' } : { do: 'read', records: [placeOf(located)], purpose: 'look' }];
};

/** What a committed transaction owes. */
export const finishing = (tx: string, scenario: Scenario, rules: Rules): Call[] => {
  const work = workOf(scenario, tx);
  const isLast = (record: string) => record === guard || record === heldBy(work);
  const records = markedBy(work).filter((record) => isMarked(record, work, rules));
  return [
    { do: 'log access', tx },
    ...(rules.indexWithItsRecord ? [] : blindIndex(tx, work)),
    ...records
      .filter((record) => !isLast(record) || !rules.guardsAndHeldLast)
      .map((record): Call => ({ do: 'settle', tx, record })),
    // Who looks at a condition, or at what refers to a record, finds the record that was made only by its index rows.
    ...records
      .filter((record) => isLast(record) && rules.guardsAndHeldLast)
      .map((record): Call => ({ do: 'let go', tx, record })),
    ...forgetting(tx),
  ];
};

/** Index rows as a log would have them that puts and removes without a condition; the first version is the one that they replace. */
const blindIndex = (tx: string, { creates = [], chosen = [], changes = [], deletes = [] }: Work): Call[] => [
  ...[...creates, ...chosen, ...changes].map((record): Call => ({ do: 'put index', record, by: tx })),
  ...[...changes, ...deletes].map((record): Call => ({ do: 'remove index', record, by: 'base' })),
];

/** What an aborted one has to have taken back, as far as it was staged in these records. */
export const undoing = (tx: string, records: readonly string[], hinted: readonly string[]): Call[] => [
  ...hinted.map((record): Call => ({ do: 'remove hint', tx, record })),
  ...records.map((record): Call => ({ do: 'undo', tx, record })),
];

/** The unfinished row goes last: as long as it is there, the sweeper comes back. */
export const forgetting = (tx: string): Call[] => [
  { do: 'forget redo', tx },
  { do: 'forget', tx },
];
