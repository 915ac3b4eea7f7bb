import { type Effect, goOn, type Moment } from './moment.ts';
import { locate, read, readMarker, search, searchCondition } from './reading.ts';
import { guard } from './scenario.ts';
import { abort, ask, blindlyIndexed, owed, settled, undone } from './settling.ts';
import { inTransaction } from './world.ts';
import { commit, decide, hold, holdGuard, logged, mark, staged } from './writing.ts';

/** What may become of a process's next call; nothing if it has to wait. */
export const effectsOf = (moment: Moment): Effect[] => {
  const { table, process } = moment;
  const [call] = process.todo;
  switch (call?.do) {
    case undefined:
      return [];
    case 'read':
      return [read(moment, call)];
    case 'read marker':
      return [readMarker(moment, call)];
    case 'read guard':
      return [{ process: { ...goOn(process), expectedIds: table.guard.ids } }];
    case 'search condition':
      return [searchCondition(moment)];
    case 'search':
      return [search(moment)];
    case 'locate':
      return [locate(moment)];
    case 'commit':
      return [commit(moment)];
    case 'mark':
      return [mark(moment)];
    case 'write redo':
      return [{ table: inTransaction(table, process.name, { redo: true }), process: goOn(process) }];
    case 'stage':
      return [{ table: staged(moment, call.record), process: goOn(process) }];
    case 'hold':
      return [call.record === guard ? holdGuard(moment) : hold(moment, call.record)];
    case 'decide':
      return [decide(moment)];
    case 'ask':
      return ask(moment, call);
    case 'abort':
      return [abort(moment, call)];
    case 'read redo':
      return [{ process: goOn(process, ...owed(moment, call)) }];
    case 'log access':
      return [{ table: logged(table, call.tx), process: goOn(process) }];
    case 'put hint':
      return [{ table: blindlyIndexed(table, { ...call, do: 'put index', by: process.name }), process: goOn(process) }];
    case 'remove hint':
      return [{ table: blindlyIndexed(table, { ...call, do: 'remove index', by: call.tx }), process: goOn(process) }];
    case 'put index':
    case 'remove index':
      return [{ table: blindlyIndexed(table, call), process: goOn(process) }];
    case 'settle':
    case 'let go':
      return [{ table: settled(moment, call), process: goOn(process) }];
    case 'undo':
      return [{ table: undone(moment, call), process: goOn(process) }];
    case 'forget redo':
      return [{ table: inTransaction(table, call.tx, { redo: false }), process: goOn(process) }];
    case 'forget':
      return [{ table: inTransaction(table, call.tx, { unfinished: false }), process: goOn(process) }];
  }
};
