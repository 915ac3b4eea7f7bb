import { guard, type Scenario, type Work, writtenBy } from './scenario.ts';
import { markOf, type Process, rowsOf, shown, type Table, type Version, type World } from './world.ts';

// What must hold in every state, as somebody would see it who read the whole table at one moment, markers included.

export const oneChain = 'the versions of a record form one chain';
export const allOrNothing = 'a write is there wholly or not at all';
export const keepsAnswered = 'no acknowledged write is lost';
export const refusedLeavesNothing = 'a refused write leaves nothing and was never seen';
export const noDangling = 'no reference leads to nothing';
export const oncePerCondition = 'one record is made under a condition';
export const indexIsCurrent = 'index rows are those of the current version';
export const nothingLeftOver = 'no mark and no unfinished transaction is left over';
export const everyAccessLogged = 'the access log has every write that happened, and no other';
export const everybodyEnds = 'no live process waits for ever';
export const somebodyWins = 'of writers that wait for one another, one gets through';

/** The first invariant that a state breaks. */
export const brokenIn = (world: World, scenario: Scenario): string | undefined => {
  const { table, processes } = world;
  for (const { fault } of processes) if (fault) return fault;
  if (!chainsHold(table)) return oneChain;
  const seen = processes.find(({ name }) => name === 'reader')?.seen ?? [];
  for (const process of processes) {
    const work = scenario.writers[process.name];
    if (!work) continue;
    const there = partsThere(table, process, work);
    if (there === 'some') return allOrNothing;
    if (process.outcome === 'acknowledged' && there === 'none') return keepsAnswered;
    if (process.outcome === 'refused' && (there === 'all' || seen.includes(process.name))) return refusedLeavesNothing;
  }
  if (dangling(table)) return noDangling;
  if (guardedRecords(table, scenario).length > 1) return oncePerCondition;
  if (processes.some((process) => waitsInVain(table, process))) return everybodyEnds;
  const sweeping = processes.some(({ sweeps, todo }) => sweeps && todo.length > 0);
  const unfinished = Object.values(table.transactions).some((transaction) => transaction.unfinished);
  return sweeping || unfinished ? undefined : brokenAfterRecovery(world, scenario);
};

/** Whoever waits for a transaction waits at most for its deadline, also if its writer is gone. */
const waitsInVain = ({ transactions }: Table, { todo: [call] }: Process): boolean => {
  const awaited = call?.do === 'ask' ? transactions[call.tx] : undefined;
  return awaited?.marker === 'open' && !awaited.unfinished;
};

/** Where no transaction is unfinished, whatever has crashed: what must not be left of any, and what must be there of all. */
const brokenAfterRecovery = ({ table, processes }: World, scenario: Scenario): string | undefined => {
  if (scenario.lives !== 'unbounded' && hasLeftOver(table)) return nothingLeftOver;
  for (const { row, index } of Object.values(table.records)) {
    if (scenario.lives === 'unbounded' && (!row || row.tx !== undefined)) continue; // a hint to what nobody shows may stay
    const expected = row && !row.deleted ? [row.by] : [];
    if (index.join() !== expected.join()) return indexIsCurrent;
  }
  const happened = processes.filter((process) => {
    const work = scenario.writers[process.name];
    return work && partsThere(table, process, work) === 'all';
  });
  const names = happened.map(({ name }) => name).sort();
  return table.log.join() === names.join() ? undefined : everyAccessLogged;
};

/** A state in which nothing more can happen. */
export const brokenAtRest = ({ table, processes }: World, scenario: Scenario): string | undefined => {
  if (processes.some(({ todo, outcome }) => todo.length > 0 && outcome === undefined)) return everybodyEnds;
  const won = processes.some(({ name, outcome }) => scenario.writers[name] && outcome === 'acknowledged');
  if (scenario.patience === 'waits' && !won) return somebodyWins;
  return Object.values(table.transactions).some(({ unfinished }) => unfinished) ? nothingLeftOver : undefined;
};

const isCommitted =
  ({ transactions }: Table) =>
  (tx: string): boolean =>
    transactions[tx]?.marker === 'committed';

/** Each row's version follows the last one in its history, and those follow one another from the first. */
const chainsHold = ({ records }: Table): boolean =>
  Object.values(records).every(
    ({ row, history }) =>
      history.every(({ version }, index) => version === index + 1) && history.length === (row ? row.version - 1 : 0),
  );

const versionsOf = (table: Table, record: string): Version[] => {
  const { row, history } = rowsOf(table, record);
  const current = shown(row, isCommitted(table));
  if (!row || !current) return [...history];
  return current.version === row.version ? [...history, row] : [...history, row, current];
};

const partsThere = (table: Table, { name }: Process, work: Work): 'all' | 'some' | 'none' => {
  const parts = writtenBy(work).map((record) =>
    record === guard
      ? table.guard.ids.includes(name) || (table.guard.intent?.tx === name && isCommitted(table)(name))
      : versionsOf(table, record).some(({ by }) => by === name),
  );
  if (parts.every(Boolean)) return 'all';
  return parts.some(Boolean) ? 'some' : 'none';
};

const currentOf = (table: Table, record: string): Version | undefined => {
  const version = shown(rowsOf(table, record).row, isCommitted(table));
  return version?.deleted ? undefined : version;
};

const dangling = (table: Table): boolean =>
  Object.keys(table.records).some((record) => {
    const target = currentOf(table, record)?.refersTo;
    return target !== undefined && !currentOf(table, target);
  });

const guardedRecords = (table: Table, { writers }: Scenario): string[] =>
  Object.values(writers)
    .flatMap(({ guarded, creates = [] }) => (guarded ? creates : []))
    .filter((record) => currentOf(table, record));

const hasLeftOver = (table: Table): boolean =>
  table.guard.intent !== undefined ||
  Object.keys(table.records).some((record) => markOf(table, record) !== undefined) ||
  Object.values(table.transactions).some(({ unfinished, redo }) => unfinished || redo);
