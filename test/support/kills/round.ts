import type { ChildProcess } from 'node:child_process';
import type { Random } from '../../../infra/demo/random.ts';
import { locatorKey, recordKey } from '../../../shared/store/keys.ts';
import { compareChart, compareKey, compareRecord, compareTable, compareTrace } from './compare.ts';
import { compareBookings } from './compare-bookings.ts';
import { eventsAfter } from './events-log.ts';
import { type KillableConcord, type ProcessName, runs, startKillable } from './killable-concord.ts';
import { type KnownRecord, Ledger } from './ledger.ts';
import { type Load, startLoad } from './load.ts';
import { isLarge } from './marks.ts';
import { hasTable, openRawTable, type RawTable } from './raw-table.ts';
import { Reader } from './reader.ts';
import { settleLedger } from './settle-ledger.ts';
import { until } from './until.ts';

/** When to kill, counted from the start of the load. */
export type Moment =
  /** So many milliseconds later. */
  | { readonly at: 'time'; readonly ms: number }
  /** Once so many requests were answered. */
  | { readonly at: 'answers'; readonly count: number }
  /** Once so many rows carry the mark of a staged transaction, after so many answers. */
  | { readonly at: 'staging'; readonly rows: number; readonly count: number }
  /** Once a staged transaction is committed and not finished, after so many answers. */
  | { readonly at: 'finishing'; readonly count: number };

export interface RoundPlan {
  readonly moment: Moment;
  readonly victims: readonly ProcessName[];
  /** Kills the server of the next start too, so many milliseconds after it was started; 0 for not. */
  readonly againAfterMs: number;
}

export interface RoundOptions {
  readonly port: number;
  readonly dataDir: string;
  readonly seed: number;
  readonly lanes: number;
  /** How long the charts of the import are, compared with ordinary ones. */
  readonly scale: number;
}

/** What one round did and found. */
export interface RoundReport {
  /** Requests that were answered, and those whose answer was lost. */
  readonly answered: number;
  readonly lost: number;
  /** Of those, how many had been carried out. */
  readonly happened: number;
  /** Rows with the mark of a staged transaction when everything had ended. */
  readonly staged: number;
  /** Milliseconds until the next start was ready. */
  readonly restartMs: number;
  readonly faults: readonly string[];
}

/** Everything that goes on from one round to the next. */
export interface Kills {
  readonly ledger: Ledger;
  readonly run: (plan: RoundPlan) => Promise<RoundReport>;
  /** Compares all that was ever written, and stops. Returns what is wrong. */
  readonly finish: () => Promise<string[]>;
  /** Ends what runs, in whatever state. */
  readonly abandon: () => void;
}

/** Longest wait for a moment, in milliseconds. A round whose moment does not come kills all the same. */
const momentWithinMs = 60_000;
/** Longest time until the stream's consumers have told of everything, in milliseconds. */
const toldWithinMs = 60_000;

/** Starts a Concord that is killed again and again, on one data folder. */
export const startKills = async (options: RoundOptions): Promise<Kills> => {
  const { port, dataDir, seed, lanes, scale } = options;
  const ledger = new Ledger();
  let child: ChildProcess | undefined;
  const start = async (): Promise<KillableConcord> => {
    const concord = await startKillable({ port, dataDir, started: (process) => (child = process) });
    if (concord === undefined) throw new Error('Concord was killed while it started');
    return concord;
  };
  let concord = await start();
  let round = 0;
  let position = (await eventsAfter(concord.server.events, 0)).last;
  const first = openRawTable(concord.dataFile);
  await until(() => !compareTable(ledger, first, new Set()).some(isOfLog), toldWithinMs, 50);
  const directory = new Set(first.keys().flatMap(({ pk, sk }) => (pk.startsWith('A#') ? [] : [`${pk} ${sk}`])));
  first.close();
  /** What the first start wrote may be told of after the position was read. */
  const isOfDirectory = (version: string): boolean => {
    const [type = '', id = ''] = version.split('/');
    // Under an id that its writer chose, a record that heads no chart is found by its locator.
    return [recordKey({ type, chart: id, place: '' }), locatorKey(type, id)].some(({ pk, sk }) =>
      directory.has(`${pk} ${sk}`),
    );
  };

  const readerAs = async (user: string) => new Reader(concord.server.url, await concord.token(user));
  const reader = () => readerAs('system@northside.example');

  /** Kills at the moment, and leaves nothing running but what only the next start can end. */
  const killAt = async (load: Load, { moment, victims }: RoundPlan): Promise<string[]> => {
    const table = openRawTable(concord.dataFile);
    try {
      const dueAt = Date.now() + (moment.at === 'time' ? moment.ms : 0);
      // The server is held while a second look is taken: what was seen must still be so when it is killed.
      const isNow = () => {
        if (!hasCome(moment, dueAt, load, table)) return false;
        concord.hold(true);
        if (hasCome(moment, dueAt, load, table)) return true;
        concord.hold(false);
        return false;
      };
      await until(isNow, momentWithinMs, 1);
    } finally {
      table.close();
    }
    load.expectFailure();
    concord.kill(victims);
    if (!victims.includes('server')) concord.hold(false);
    await load.ended;
    // Without its keeper and its server nobody ends the store, but the next start does.
    const orphaned = victims.includes('server') && victims.includes('keeper') && !victims.includes('store');
    const left = await concord.leftRunning(orphaned ? 'store' : undefined);
    return left.map((name) => `the ${name} runs on`);
  };

  const restart = async (againAfterMs: number): Promise<{ restartMs: number; faults: string[] }> => {
    const before = concord.pids.store;
    if (againAfterMs > 0) {
      const killed = startKillable({
        port,
        dataDir,
        started: (process) => {
          child = process;
          setTimeout(() => process.kill('SIGKILL'), againAfterMs);
        },
      });
      await killed;
    }
    const startedAt = Date.now();
    concord = await start();
    const restartMs = Date.now() - startedAt;
    return { restartMs, faults: runs(before) ? ['the earlier store runs on'] : [] };
  };

  /** All charts and records that this round may have touched. */
  const compareTouched = async (open: ReadonlySet<string>): Promise<string[]> => {
    const from = await reader();
    const faults: string[] = [];
    const touched = new Set(
      [...ledger.fresh].map((version) => version.slice(0, version.lastIndexOf('/'))).concat(...open),
    );
    const records = [...touched].flatMap((name) => ledger.records.get(name) ?? []);
    const charts = new Set(records.flatMap(({ chart }) => chart ?? []));
    const privacy = await readerAs('privacy@northside.example');
    for (const chart of charts)
      faults.push(...(await compareChart(ledger, from, chart)), ...(await compareTrace(ledger, privacy, chart)));
    const changed = records.filter(({ versions, chart }) => versions.length > 1 || chart === undefined);
    for (const record of changed) faults.push(...(await compareRecord(from, record)));
    for (const key of ledger.keys.keys()) {
      if (key.includes(`r${round}-`)) faults.push(...(await compareKey(ledger, from, key)));
    }
    return faults;
  };

  /** Every acknowledged change was told of, and nothing that is not there. */
  const compareEvents = async (): Promise<string[]> => {
    const told = new Set<string>();
    const missing = () => [...ledger.fresh].filter((version) => !told.has(version));
    await until(
      async () => {
        const { versions, last } = await eventsAfter(concord.server.events, position);
        position = last;
        for (const version of versions) told.add(version);
        return missing().length === 0;
      },
      toldWithinMs,
      50,
    );
    const unknown = [...told].filter((version) => !isKnown(ledger, version) && !isOfDirectory(version));
    return [
      ...missing().map((version) => `nobody was told of ${version}`),
      ...unknown.map((version) => `the bus was told of ${version}, which is not there`),
    ];
  };

  const compareRows = async (): Promise<string[]> => {
    const table = openRawTable(concord.dataFile);
    let faults: string[] = [];
    const lags = () => (faults = compareTable(ledger, table, directory)).some(isOfLog);
    try {
      await until(() => !lags(), toldWithinMs, 50);
    } finally {
      table.close();
    }
    const large = [...ledger.records.values()].flatMap(({ versions }) =>
      versions.filter((mark) => isLarge(mark ?? '')),
    );
    const kept = concord.objects();
    return kept === large.length ? faults : [...faults, `${kept} large bodies are kept instead of ${large.length}`];
  };

  return {
    ledger,
    run: async (plan) => {
      round += 1;
      ledger.fresh.clear();
      const token = await concord.token('system@northside.example');
      const load = startLoad({ url: concord.server.url, token, ledger, seed, round, lanes, scale });
      const faults = await killAt(load, plan);
      const lost = ledger.open.size;
      const answered = load.answers();
      const staged = stagedIn(concord.dataFile);
      const { restartMs, faults: ofRestart } = await restart(plan.againAfterMs);
      // Before anybody reads: what a crash left must be settled by the start itself.
      faults.push(...ofRestart, ...leftBehindIn(concord.dataFile), ...load.faults);
      const before = ledger.fresh.size;
      const open = new Set(
        [...ledger.open].flatMap(({ effects }) => effects.flatMap((each) => (each.do === 'write' ? [each.name] : []))),
      );
      faults.push(...(await settleLedger(ledger, await reader())));
      const happened = ledger.fresh.size - before;
      const patient = [...ledger.records.keys()].findLast((name) => name.startsWith('Patient/'));
      const url = concord.server.url;
      const access = { url, token: await concord.token('system@northside.example') };
      if (patient !== undefined) faults.push(...(await compareBookings(ledger, access, round, patient)));
      faults.push(...(await compareTouched(open)), ...(await compareEvents()), ...(await compareRows()));
      faults.push(...ledger.faults.splice(0));
      return { answered, lost, happened, staged, restartMs, faults };
    },
    finish: async () => {
      const from = await reader();
      const faults: string[] = [];
      for (const { name } of ledger.records.values())
        if (name.startsWith('Patient/')) faults.push(...(await compareChart(ledger, from, name)));
      for (const record of ledger.records.values())
        if (record.chart === undefined || record.versions.length > 1)
          faults.push(...(await compareRecord(from, record)));
      for (const key of ledger.keys.keys()) faults.push(...(await compareKey(ledger, from, key)));
      faults.push(...(await compareRows()));
      await concord.stop();
      faults.push(...(await concord.leftRunning()).map((name) => `the ${name} runs on after the end`));
      return faults;
    },
    abandon: () => {
      child?.kill('SIGKILL');
      concord.kill(['server', 'keeper', 'store']);
    },
  };
};

/** What the stream's consumer has yet to write is no fault for a while. */
const isOfLog = (fault: string): boolean => /^the (?:access|change|log) /.test(fault);

const hasCome = (moment: Moment, dueAt: number, load: Load, table: RawTable): boolean => {
  if (moment.at === 'time') return Date.now() >= dueAt;
  if (load.answers() < moment.count) return false;
  if (moment.at === 'answers') return true;
  const { staged, committed } = table.underWay();
  return moment.at === 'staging' ? staged >= moment.rows && !committed : committed;
};

const isKnown = (ledger: Ledger, told: string): boolean => {
  const at = told.lastIndexOf('/');
  const record: KnownRecord | undefined = ledger.records.get(told.slice(0, at));
  return record !== undefined && Number(told.slice(at + 1)) <= record.versions.length;
};

const stagedIn = (file: string): number => {
  if (!hasTable(file)) return 0;
  const table = openRawTable(file);
  const { staged } = table.underWay();
  table.close();
  return staged;
};

const leftBehindIn = (file: string): string[] => {
  const table = openRawTable(file);
  const left = table.leftBehind();
  table.close();
  return left.map((each) => `right after the start ${each}`);
};

/** A round as a seed has it: any moment, any victims. */
export const drawRound = (random: Random): RoundPlan => ({
  moment: random.pick<() => Moment>([
    () => ({ at: 'time', ms: random.whole(20, 2_500) }),
    () => ({ at: 'answers', count: random.whole(1, 60) }),
    () => ({ at: 'staging', rows: random.whole(1, 100), count: 0 }),
    () => ({ at: 'staging', rows: random.whole(1, 100), count: random.whole(5, 40) }),
    () => ({ at: 'finishing', count: random.whole(0, 40) }),
  ])(),
  victims: random.pick<readonly ProcessName[]>([
    ['server'],
    ['server'],
    ['store'],
    ['store', 'server'],
    ['keeper'],
    ['server', 'keeper'],
    ['server', 'keeper', 'store'],
  ]),
  againAfterMs: random.chance(0.25) ? random.whole(150, 900) : 0,
});
