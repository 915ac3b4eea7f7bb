// Reads, by readers and by writers that plan.

import { type Effect, goOn, type Moment, refuse } from './moment.ts';
import { placeOf } from './plans.ts';
import { type Scenario, workOf } from './scenario.ts';
import {
  type Call,
  type Process,
  type Purpose,
  type Reading,
  rowsOf,
  shown,
  transactionOf,
  type Version,
} from './world.ts';

export const seesWhatIsAnswered = 'a reading sees all of what was answered or seen before it began';

const begin = ({ process, processes, scenario }: Moment): Reading => {
  if (process.readings === undefined) return { rows: {}, committed: [], must: [] };
  const answered = processes.filter(({ name, outcome }) => outcome === 'acknowledged' && scenario.writers[name]);
  // Index rows may come later than the records that some reading has shown; records never go back.
  const seen = scenario.reads === 'search' ? [] : (process.seen ?? []);
  const must = new Set([...answered.map(({ name }) => name), ...seen]);
  return { rows: {}, committed: [], must: [...must].sort() };
};

export const read = (moment: Moment, { records, purpose }: Call & { do: 'read' }): Effect => {
  const { table, process, scenario, rules } = moment;
  const reading = process.reading ?? begin(moment);
  const now = scenario.rowsRead === 'one by one' ? records.slice(0, 1) : records;
  const rows = { ...reading.rows };
  for (const record of now) {
    const { row, index } = rowsOf(table, record);
    const isReached = purpose !== 'require unreferenced' || index.length > 0 || !isPointedTo(record, scenario);
    if (row && isReached) rows[record] = row;
  }
  const rest = records.slice(now.length);
  const next = { ...process, reading: { ...reading, rows } };
  if (rest.length > 0) return { process: goOn(next, { do: 'read', records: rest, purpose }) };
  const marks = new Set(Object.values(rows).flatMap(({ tx, intent }) => tx ?? intent?.tx ?? []));
  if (purpose === 'look' && !(rules.readerHidesUndecided && rules.readerShowsDecided)) {
    const committed = rules.readerHidesUndecided ? [] : [...marks];
    return { process: conclude({ ...moment, process: goOn(next) }, { ...next.reading, committed }, purpose) };
  }
  const markers = [...marks].map((tx): Call => ({ do: 'read marker', tx, purpose }));
  const process_ = goOn(next, ...markers);
  return { process: markers.length > 0 ? process_ : conclude({ ...moment, process: process_ }, next.reading, purpose) };
};

/** Whether a record's home is another chart, so that only a pointer leads to it. */
const isPointedTo = (record: string, { writers }: Scenario): boolean =>
  Object.values(writers).some(({ creates, pointed }) => pointed && creates?.includes(record));

export const readMarker = (moment: Moment, { tx, purpose }: Call & { do: 'read marker' }): Effect => {
  const { table, process } = moment;
  const reading = process.reading ?? begin(moment);
  const isCommitted = transactionOf(table, tx).marker === 'committed';
  const known = isCommitted ? { ...reading, committed: [...reading.committed, tx].sort() } : reading;
  const next = { ...goOn(process), reading: known };
  const more = next.todo[0]?.do === 'read marker';
  return { process: more ? next : conclude({ ...moment, process: next }, known, purpose) };
};

/** All rows and markers are there: what the process makes of them. */
const conclude = (moment: Moment, reading: Reading, purpose: Purpose): Process => {
  const { process, scenario } = moment;
  const versions: Record<string, Version> = {};
  for (const [record, row] of Object.entries(reading.rows)) {
    const version = shown(row, (tx) => reading.committed.includes(tx));
    if (version) versions[record] = version;
  }
  const { reading: _done, ...next } = process;
  if (purpose === 'look') return look(moment, next, reading, versions);
  const { deletes = [], changes = [] } = workOf(scenario, process.name);
  const refused = () => refuse(next, scenario);
  if (purpose === 'require none') return Object.keys(versions).length > 0 ? refused() : next;
  if (purpose === 'require unreferenced') {
    const refers = Object.values(versions).some(
      ({ refersTo, deleted }) => refersTo && !deleted && deletes.includes(refersTo),
    );
    return refers ? refused() : next;
  }
  const expected: Record<string, { version: number; refs: number }> = { ...process.expected };
  for (const [record, row] of Object.entries(reading.rows)) {
    const version = versions[record];
    if (!version || version.deleted) return refused();
    if ([...changes, ...deletes].includes(record)) expected[record] = { version: version.version, refs: row.refs };
  }
  return { ...next, expected };
};

const look = (
  { processes, scenario }: Moment,
  process: Process,
  { must, found }: Reading,
  versions: Readonly<Record<string, Version>>,
): Process => {
  const missed = must.some((name) => {
    const { expected = {} } = processes.find((writer) => writer.name === name) ?? {};
    return effectsToSee(name, scenario).some((record) => {
      const version = versions[record];
      const least = (expected[record]?.version ?? 0) + 1;
      const isThere =
        version !== undefined && version.version >= least && (version.version > least || version.by === name);
      const isFound = !found || version?.by !== name || version.deleted || found[record]?.includes(name);
      return !isThere || !isFound;
    });
  });
  const seen = new Set([...(process.seen ?? []), ...Object.values(versions).map(({ by }) => by)]);
  seen.delete('base');
  return { ...process, seen: [...seen].sort(), ...(missed ? { fault: seesWhatIsAnswered } : {}) };
};

/** The records in which a reader must see a writer's effect, by the kind of its reading. */
const effectsToSee = (name: string, scenario: Scenario): string[] => {
  const { creates = [], chosen = [], changes = [], deletes = [] } = workOf(scenario, name);
  if (scenario.reads === 'locator') return chosen.includes('L') ? [placeOf(name)] : [];
  return [...creates, ...chosen, ...changes, ...deletes];
};

export const search = (moment: Moment): Effect => {
  const found = Object.fromEntries(
    Object.entries(moment.table.records).map(([record, { index }]) => [record, index] as const),
  );
  return { process: { ...goOn(moment.process), reading: { ...begin(moment), found } } };
};

export const locate = (moment: Moment): Effect => {
  const { table, process, rules } = moment;
  const reading = begin(moment);
  const { row } = rowsOf(table, 'L');
  if (!row) return { process: conclude({ ...moment, process: goOn(process) }, reading, 'look') };
  const next = goOn(process, { do: 'read', records: [placeOf(row.by)], purpose: 'look' });
  // If its transaction is aborted, the id may get another place.
  const remembered = row.tx === undefined || !rules.rememberOnlySettledLocators;
  return { process: { ...next, reading, ...(remembered ? { located: row.by } : {}) } };
};

/** Index rows lead to records that meet the condition. They may be hints, so the records themselves are read. */
export const searchCondition = (moment: Moment): Effect => {
  const { table, process, scenario } = moment;
  const made = Object.values(scenario.writers).flatMap(({ guarded, creates = [] }) => (guarded ? creates : []));
  const records = made.filter((record) => rowsOf(table, record).index.length > 0);
  if (records.length === 0) return { process: goOn(process) };
  return { process: goOn(process, { do: 'read', records, purpose: 'require none' }) };
};
