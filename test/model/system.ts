// All processes of a scenario beside one another: who is next, whose answer is lost, what time it is. A crash is no step: a process that
// crashed is one that has no turn any more, so each state is also that in which any of them have.

import { effectsOf } from './effects.ts';
import type { Step, System } from './explore.ts';
import { brokenAtRest, brokenIn } from './invariants.ts';
import { refuse } from './moment.ts';
import { planOf, readingOf } from './plans.ts';
import { protocol, type Rules } from './rules.ts';
import { recordsOf, type Scenario } from './scenario.ts';
import {
  type Call,
  inTransaction,
  keyOf,
  markOf,
  type Process,
  type RecordRows,
  rowsOf,
  type Table,
  type Transaction,
  transactionOf,
  type World,
} from './world.ts';

/** A scenario under the protocol, ready to be explored. */
export const systemOf = (scenario: Scenario, rules: Rules = protocol): System<World> => ({
  initial: initialWorld(scenario, rules),
  steps: (world) => stepsOf(world, scenario, rules),
  key: keyOf,
  broken: (world) => brokenIn(world, scenario),
  brokenAtRest: (world) => brokenAtRest(world, scenario),
});

const initialWorld = (scenario: Scenario, rules: Rules): World => {
  const { existing, created } = recordsOf(scenario);
  const first: RecordRows = { row: { version: 1, by: 'base', refs: 0 }, index: ['base'], history: [] };
  const nothing: RecordRows = { index: [], history: [] };
  const transaction: Transaction = { unfinished: false, redo: false, time: 'in time' };
  const writers = Object.keys(scenario.writers);
  const { readings = 1, sweepers = 1, losses = 0 } = scenario;
  const staged = writers.filter((name) => scenario.writers[name]?.staged);
  return {
    table: {
      records: Object.fromEntries([
        ...existing.map((name) => [name, first] as const),
        ...created.map((name) => [name, nothing] as const),
      ]),
      transactions: Object.fromEntries(staged.map((name) => [name, transaction])),
      guard: { ids: [] },
      log: [],
    },
    processes: [
      ...writers.map((name): Process => ({ name, todo: planOf(name, scenario, rules) })),
      ...(readings > 0 ? [{ name: 'reader', todo: readingOf(scenario), readings }] : []),
      ...Array.from({ length: sweepers }, (_, n): Process => ({ name: `sweeper ${n + 1}`, todo: [], sweeps: true })),
    ],
    losses,
  };
};

const stepsOf = (world: World, scenario: Scenario, rules: Rules): Step<World>[] => {
  const steps: Step<World>[] = [];
  const add = (name: () => string, changes: Partial<World>) => {
    const next = { ...world, ...changes };
    steps.push({ name, state: scenario.everyCall ? withEnded(next, scenario) : withoutWaiting(next, scenario, rules) });
  };
  for (const [index, process] of world.processes.entries()) {
    if (process.outcome) continue;
    const become = (next: Process) => world.processes.with(index, next);
    for (const [tx, call] of runs(world.table, process, rules)) {
      add(() => `${process.name}: begins with ${tx}`, { processes: become({ ...process, todo: [call] }) });
    }
    for (const ready of madeNow(process)) addCall(ready, become);
  }
  addUnderway();
  if (scenario.clock !== 'stands still') addTime();
  return steps;

  function addCall(process: Process, become: (next: Process) => Process[]) {
    const [call] = process.todo;
    const { table, processes } = world;
    for (const effect of call ? effectsOf({ table, process, scenario, rules, processes }) : []) {
      const name = () => `${process.name}: ${effect.name ?? nameOf(call)}`;
      const executed = { table: effect.table ?? table };
      add(name, { ...executed, processes: become(effect.process) });
      if (world.losses === 0 || !call || !isWrite(call)) continue;
      const losses = world.losses - 1;
      add(() => `${name()}; the answer is lost, and it will be sent again`, { ...executed, losses });
      if (!isStaging(call)) continue;
      const processes = become(refuse(process, scenario, rules.keepLogAfterUnansweredCall ? 'keep' : 'forget'));
      add(() => `${name()} is underway and given up`, { processes, losses, underway: process });
    }
  }

  /** What was given up is executed after all. Its process learns nothing of that. */
  function addUnderway() {
    const { table, processes, underway, ...rest } = world;
    if (!underway) return;
    for (const effect of effectsOf({ table, process: underway, scenario, rules, processes })) {
      const state = { ...rest, processes, table: effect.table ?? table };
      const name = () => `${underway.name}: ${nameOf(underway.todo[0])}, which was underway`;
      steps.push({ name, state: scenario.everyCall ? state : withoutWaiting(state, scenario, rules) });
    }
  }

  /** The time by a deadline moves on at any moment. Nobody asks for it any more once the transaction is forgotten. */
  function addTime() {
    for (const [tx, { unfinished, time }] of Object.entries(world.table.transactions)) {
      if (!unfinished || time === 'long past') continue;
      const next = time === 'in time' ? 'late' : 'long past';
      const { underway, ...rest } = { ...world, table: inTransaction(world.table, tx, { time: next }) };
      const isOver = next === 'long past' && scenario.lives !== 'unbounded';
      const state = {
        ...rest,
        processes: isOver ? world.processes.map((process) => overIf(tx, process)) : world.processes,
        ...(underway && !(isOver && underway.name === tx) ? { underway } : {}),
      };
      const name = () => `${tx} is ${next}`;
      steps.push({ name, state: scenario.everyCall ? state : withoutWaiting(state, scenario, rules) });
    }
  }
};

/** Kinds of calls that are sent in parallel, whatever else of their kind has to be done. */
const parallel: readonly (readonly Call['do'][])[] = [
  ['stage', 'put hint'],
  ['hold'],
  ['settle'],
  ['let go'],
  ['undo'],
];

/** A process with each of the calls first that it may make now. */
const madeNow = (process: Process): Process[] => {
  const { todo } = process;
  const [first] = todo;
  if (!first) return [];
  const together = parallel.find((kinds) => kinds.includes(first.do)) ?? [];
  const end = todo.findIndex((call, n) => n > 0 && !together.includes(call.do));
  return todo
    .slice(0, end === -1 ? todo.length : end)
    .map((call, n) => (n === 0 ? process : { ...process, todo: [call, ...todo.toSpliced(n, 1)] }));
};

const overIf = (tx: string, process: Process): Process => {
  const { name, outcome, expected } = process;
  return name === tx && !outcome ? { name, todo: [], outcome: 'over', ...(expected ? { expected } : {}) } : process;
};

const isStaging = ({ do: what }: Call): boolean =>
  ['mark', 'write redo', 'stage', 'put hint', 'hold', 'decide'].includes(what);
const isSettling = ({ do: what }: Call): boolean =>
  [
    'abort',
    'log access',
    'remove hint',
    'put index',
    'remove index',
    'settle',
    'let go',
    'undo',
    'forget redo',
    'forget',
  ].includes(what);
/** A commit in one transaction is no such call: a writer that never learns what became of it ends like one that crashed. */
const isWrite = (call: Call): boolean => isStaging(call) || isSettling(call);

const nameOf = (call: Call | undefined): string => {
  if (!call) return '';
  const records = 'record' in call ? [call.record] : 'records' in call ? call.records : [];
  return [call.do, records.join(' and '), 'tx' in call ? `for ${call.tx}` : ''].filter((word) => word !== '').join(' ');
};

/** A process that has nothing left to do has come to its end; the sweeper has not, and the reader goes on with its next reading. */
const ended = (process: Process, scenario: Scenario): Process => {
  const { name, todo, expected, refusing, readings, located, seen, fault } = process;
  if (todo.length > 0 || process.sweeps || process.outcome) return process;
  if (readings === undefined) {
    return { name, todo, outcome: refusing ? 'refused' : 'acknowledged', ...(expected ? { expected } : {}) };
  }
  const known = { name, ...(seen ? { seen } : {}), ...(fault === undefined ? {} : { fault }) };
  if (readings === 1) return { ...known, todo, readings: 0, outcome: 'acknowledged' };
  const place = located === undefined ? {} : { located };
  return { ...known, ...place, todo: readingOf(scenario, located), readings: readings - 1 };
};

const withEnded = (world: World, scenario: Scenario): World => ({
  ...world,
  processes: world.processes.map((process) => ended(process, scenario)),
});

/** Runs that the sweeper may begin: with what is undecided or unfinished past its deadline; with what was aborted when it is long past. */
const runs = (table: Table, { sweeps, todo }: Process, rules: Rules): [tx: string, Call][] => {
  if (!sweeps || todo.length > 0 || !rules.sweep) return [];
  return Object.entries(table.transactions).flatMap(([tx, { unfinished, time, marker }]): [string, Call][] => {
    if (!unfinished || time === 'in time' || (time === 'late' && marker === 'aborted')) return [];
    const afterwards = marker === 'committed' || time === 'long past' ? 'forget' : 'keep';
    return marker === 'committed' || marker === 'aborted'
      ? [[tx, { do: 'read redo', tx, status: marker, afterwards }]]
      : [[tx, { do: 'abort', tx, afterwards }]];
  });
};

/**
 * Makes at once, and leaves out, the calls of which the time makes no difference: those whose answer is settled, and those that can
 * never change anything any more, as of a finisher whom another one has overtaken. What is left is many times fewer states.
 */
const withoutWaiting = (world: World, scenario: Scenario, rules: Rules): World => {
  const { table, processes } = world;
  const next = processes.map((process) => {
    const isSpent = (call: Call) => changesNothing(call, world, rules);
    let now = process.todo.some(isSpent)
      ? { ...process, todo: process.todo.filter((call) => !isSpent(call)) }
      : process;
    for (let [call] = now.todo; call && isAnswered(call, world); [call] = now.todo) {
      const [effect] = effectsOf({ table, process: now, scenario, rules, processes });
      if (!effect) break;
      now = { ...effect.process, todo: effect.process.todo.filter((later) => !isSpent(later)) };
    }
    return ended(now, scenario);
  });
  return { ...world, processes: next };
};

/** Whether a call that only reads will get the same answer from now on, or one that leads to the same. */
const isAnswered = (call: Call, world: World): boolean => {
  if (!('tx' in call)) return false;
  const { marker, time, redo } = transactionOf(world.table, call.tx);
  const isDecided = marker === 'committed' || marker === 'aborted';
  switch (call.do) {
    case 'read marker':
      return isDecided;
    case 'ask':
      return isDecided || time !== 'in time';
    case 'read redo':
      return redo || !mayStage(call.tx, world);
    default:
      return false;
  }
};

const changesNothing = (call: Call, world: World, rules: Rules): boolean => {
  const { table } = world;
  if (call.do === 'log access') return table.log.includes(call.tx);
  if (!isSettling(call) || !('tx' in call)) return false;
  const { marker, unfinished, redo } = transactionOf(table, call.tx);
  // Before it is decided, or while its writer may still stage more, what is not there may yet come.
  if (marker === 'open' || mayStage(call.tx, world)) return false;
  switch (call.do) {
    case 'settle':
    case 'let go':
      return markOf(table, call.record) !== call.tx && rules.settleOnlyIfMarked;
    case 'undo':
      return markOf(table, call.record) !== call.tx && rules.undoOnlyIfMarked;
    case 'remove hint':
      return !rowsOf(table, call.record).index.includes(call.tx);
    case 'forget redo':
      return !redo;
    case 'forget':
      return !unfinished;
    default:
      return false;
  }
};

const mayStage = (writer: string, { processes, underway }: World): boolean =>
  underway?.name === writer || processes.some(({ name, todo }) => name === writer && todo.some(isStaging));
