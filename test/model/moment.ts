import { forgetting, undoing } from './plans.ts';
import type { Rules } from './rules.ts';
import { hintedBy, markedBy, type Scenario, workOf } from './scenario.ts';
import type { Afterwards, Call, Process, Table } from './world.ts';

/** A process about to make the first of its calls. */
export interface Moment {
  readonly table: Table;
  readonly process: Process;
  readonly scenario: Scenario;
  readonly rules: Rules;
  /** All of them, itself included. */
  readonly processes: readonly Process[];
}

/** What becomes of it. */
export interface Effect {
  /** Absent if the call changes nothing. */
  readonly table?: Table;
  readonly process: Process;
  /** If it is not what the call is called. */
  readonly name?: string;
}

/** A process whose first call is done, and has led to these. */
export const goOn = (process: Process, ...instead: Call[]): Process => ({
  ...process,
  todo: [...instead, ...process.todo.slice(1)],
});

/** A writer that makes another call first and then the same one again. */
export const before = (process: Process, call: Call): Effect => ({
  process: { ...process, todo: [call, ...process.todo] },
});

/**
 * A writer whose condition does not hold, or who gives up: it takes back what it may have staged.
 *
 * @param afterwards - keep, if a call was not answered: what it stages may come yet.
 */
export const refuse = (process: Process, scenario: Scenario, afterwards: Afterwards = 'forget'): Process => {
  const { name, todo, expected } = process;
  const refusing = { name, ...(expected ? { expected } : {}), refusing: true } as const;
  const work = workOf(scenario, name);
  if (!work.staged || todo.some((call) => call.do === 'mark')) return { ...refusing, todo: [] };
  const untouched = new Set(
    todo.slice(1).map((call) => (call.do === 'stage' || call.do === 'hold' ? call.record : undefined)),
  );
  const touched = markedBy(work).filter((record) => !untouched.has(record));
  const abort: Call = { do: 'abort', tx: name, afterwards };
  return {
    ...refusing,
    todo: [abort, ...undoing(name, touched, hintedBy(work)), ...(afterwards === 'forget' ? forgetting(name) : [])],
  };
};
