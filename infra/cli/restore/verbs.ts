import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient, RestoreTableToPointInTimeCommand } from '@aws-sdk/client-dynamodb';
import type { Place } from '../admin/place.ts';
import {
  defineVerb,
  Misunderstood,
  needed,
  type Report,
  requireNoWords,
  type Surroundings,
  type Verb,
} from '../admin/verb.ts';
import { CommandFailed } from '../command.ts';
import type { Deletions } from './decide-records.ts';
import { copiesOf, type DrillResult, drillTables, removeDrill, runDrill } from './drill.ts';
import { openTable } from './open-table.ts';
import { goOn, planReplay, type Replay, replayRecords, replayTraces } from './replay.ts';
import { beginStream, isActive, lackingOf, setLikeOld, settingsOf } from './table-settings.ts';
import { verifyRestored } from './verify.ts';
import { asCsv } from './work-list.ts';
import type { Restoring } from './write-records.ts';

/** An instant such as `2026-11-27T09:30:00Z`. Throws Misunderstood. */
const instant = (text: string, now: number): number => {
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new Misunderstood('--at is a moment in UTC, such as 2026-11-27T09:30:00Z');
  if (at >= now) throw new Misunderstood('--at lies in the future');
  return at;
};

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html */
const tableNamed = (value: string | undefined): string => {
  const name = needed(value, 'to');
  if (!/^[\w.-]{3,255}$/.test(name)) throw new Misunderstood('--to is the name of a table');
  return name;
};

const deletionsOf = (value: string | undefined): Deletions => {
  if (value === undefined || value === 'keep' || value === 'undo') return value ?? 'keep';
  throw new Misunderstood('--deletions is keep or undo');
};

const requireDeployed = (place: Place): void => {
  if (place.stage === undefined)
    throw new CommandFailed('The embedded DynamoDB keeps no past to restore. Name a deployment: --stage NAME');
};

const common = { to: { type: 'string' }, at: { type: 'string' } } as const;
const explainedTable = `--to NAME       the restored table, a new one beside that of the stage
--at MOMENT     to which it is restored, in UTC, such as 2026-11-27T09:30:00Z`;

/** Restores a table to a moment, under another name, and waits until it is there. */
const restored = async (
  client: DynamoDBClient,
  { from, to, at }: { readonly from: string; readonly to: string; readonly at: number | 'latest' },
  say: Surroundings['say'],
): Promise<number> => {
  const begun = Date.now();
  await client.send(
    new RestoreTableToPointInTimeCommand({
      SourceTableName: from,
      TargetTableName: to,
      ...(at === 'latest' ? { UseLatestRestorableTime: true } : { RestoreDateTime: new Date(at) }),
    }),
  );
  while (!(await isActive(client, to))) {
    say(`restoring ${to}, for ${Math.round((Date.now() - begun) / 1_000)} seconds`);
    await pause(30_000);
  }
  return Math.round((Date.now() - begun) / 1_000);
};

/** `restore table`: makes the table of a past. */
const restoreTable = defineVerb({
  name: 'restore table',
  summary: 'Restores the table to a moment, as a new one beside it, and waits until it is there',
  synopsis: '--at MOMENT --to NAME [--dry-run]',
  explained: explainedTable,
  effect: 'adds',
  options: common,
  understand: ({ values, positionals }, now) => {
    requireNoWords(positionals);
    return { at: instant(needed(values.at, 'at'), now), to: tableNamed(values.to) };
  },
  run: async ({ at, to }, { place, dryRun, say }: Surroundings): Promise<Report> => {
    const from = await place();
    requireDeployed(from);
    const text = `${to} is ${from.table.tableName} as it was at ${new Date(at).toISOString()}`;
    if (dryRun) return { text, data: { table: to } };
    const client = new DynamoDBClient({ region: from.services.region });
    try {
      const seconds = await restored(client, { from: from.table.tableName, to, at }, say);
      return { text: `${text}; it took ${seconds} seconds`, data: { table: to, seconds } };
    } finally {
      client.destroy();
    }
  },
});

interface Task {
  readonly at: number;
  readonly to: string;
  readonly deletions: Deletions;
  readonly out: string | undefined;
}

const ofReplay = {
  ...common,
  deletions: { type: 'string' },
  out: { type: 'string' },
} as const;
const explainedReplay = `${explainedTable}
--deletions X   keep (the default): what was deleted since stays deleted; undo: it comes back
--out FOLDER    writes the work lists there, a table for each organisation`;

const understandReplay = (
  {
    values,
    positionals,
  }: { readonly values: Partial<Record<keyof typeof ofReplay, string>>; readonly positionals: readonly string[] },
  now: number,
): Task => {
  requireNoWords(positionals);
  return {
    at: instant(needed(values.at, 'at'), now),
    to: tableNamed(values.to),
    deletions: deletionsOf(values.deletions),
    out: values.out,
  };
};

/** What a restore works on: the table of the place, and one that was restored from it. */
const openTables = async (place: Place, { at, to }: Task, operator: string, now: number): Promise<Restoring> => {
  const [old, restored] = [await openTable(place, place.table.tableName), await openTable(place, to)];
  return { old, restored, at, now, baseUrl: place.url, operator };
};

const reportOf = ({ decided, differences, work }: Replay): Report => {
  const records = Object.groupBy(decided, ({ outcome }) => outcome);
  const rows = Object.groupBy(differences.rows, ({ kind }) => kind.name);
  const lines = [
    'Records that were written since:',
    ...Object.entries(records).map(([outcome, { length }]) => `  ${outcome.padEnd(14)}${length}`),
    'Rows that are taken over, or compared:',
    ...Object.entries(rows).map(([name, all]) => `  ${String(all?.length ?? 0).padStart(7)}  ${name}`),
    `${work.length} entries in work lists`,
  ];
  const count = <T>(groups: Partial<Record<string, readonly T[]>>) =>
    Object.fromEntries(Object.entries(groups).map(([name, all]) => [name, all?.length ?? 0]));
  return { text: lines.join('\n'), data: { records: count(records), rows: count(rows), work: work.length } };
};

/** One file for each organisation, for nobody else to read. */
const writeWorkLists = async (folder: string | undefined, { work }: Replay): Promise<void> => {
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [organization, items] of Map.groupBy(work, (item) => item.organization))
    await writeFile(path.join(folder, `${organization || 'network'}.csv`), asCsv(items), { mode: 0o600 });
};

/** `restore plan`: tells what a replay would do. */
const restorePlan = defineVerb({
  name: 'restore plan',
  summary: 'Tells what a restored table would take over, put back and leave to people',
  synopsis: '--at MOMENT --to NAME [--deletions keep|undo] [--out FOLDER]',
  explained: explainedReplay,
  effect: 'reads',
  options: ofReplay,
  understand: understandReplay,
  run: async (task, { place, operator, now }: Surroundings): Promise<Report> => {
    const tables = await openTables(await place(), task, (await operator()).name, now);
    const replay = await planReplay(tables, task.deletions);
    await writeWorkLists(task.out, replay);
    return reportOf(replay);
  },
});

/** Answered by the closed door of a stage. */
const closed = 503;

/** Nobody may write while a table is compared. Throws CommandFailed. */
export const requireClosedDoor = async ({ url }: Pick<Place, 'url'>): Promise<void> => {
  const response = await fetch(`${url}/metadata`).catch((error: Error) => {
    throw new CommandFailed(`${url} cannot be reached, so nobody knows whether it is closed: ${error.message}`);
  });
  if (response.status === closed) return;
  throw new CommandFailed(
    `${url} is open: it answers ${response.status}. Set open: false in the stage and deploy it first`,
  );
};

/** `restore replay`: makes a restored table fit to be used. */
const restoreReplay = defineVerb({
  name: 'restore replay',
  summary: 'Takes over into a restored table what was closed, done and told since, and puts records back',
  synopsis: '--at MOMENT --to NAME [--deletions keep|undo] [--out FOLDER] [--yes]',
  explained: explainedReplay,
  effect: 'ends',
  options: ofReplay,
  understand: understandReplay,
  run: async (task, { place, operator, dryRun, now, say }: Surroundings): Promise<Report> => {
    const from = await place();
    requireDeployed(from);
    if (!dryRun) await requireClosedDoor(from);
    const tables = await openTables(from, task, (await operator()).name, now);
    say('comparing the tables');
    const replay = await planReplay(tables, task.deletions);
    await writeWorkLists(task.out, replay);
    const report = reportOf(replay);
    if (dryRun) return report;
    const client = new DynamoDBClient({ region: from.services.region });
    try {
      const old = await settingsOf(client, tables.old.tableName);
      const { stream } = await settingsOf(client, task.to);
      if (stream === undefined) {
        say('taking over what was closed, done and told');
        await replayTraces(tables, replay);
        await setLikeOld(client, old, task.to);
        await beginStream(client, task.to);
      } else await goOn(tables, replay);
      say('putting records back');
      await replayRecords(tables, replay);
      say('looking whether all of it is there');
      return checked(report, await faultsOf(client, tables, task));
    } finally {
      client.destroy();
    }
  },
});

const faultsOf = async (client: DynamoDBClient, tables: Restoring, { deletions }: Task): Promise<readonly string[]> => {
  const [old, restored] = [
    await settingsOf(client, tables.old.tableName),
    await settingsOf(client, tables.restored.tableName),
  ];
  const faults = await verifyRestored(tables, deletions);
  return [...lackingOf(old, restored), ...faults.map(({ what, count }) => `${what}: ${count}`)];
};

const checked = ({ text, data }: Report, faults: readonly string[]): Report => ({
  text: [
    text,
    faults.length === 0 ? 'Nothing is wrong with the restored table.' : 'It is NOT fit to be used:',
    ...faults,
  ].join('\n'),
  data: { ...(data as object), faults },
  leftUndone: faults.length > 0,
});

/** `restore check`: looks whether a restored table may be used. */
const restoreCheck = defineVerb({
  name: 'restore check',
  summary: 'Looks whether a restored table may be used, and tells what the stage has to say of it',
  synopsis: '--at MOMENT --to NAME [--deletions keep|undo]',
  explained: explainedReplay,
  effect: 'reads',
  options: ofReplay,
  understand: understandReplay,
  run: async (task, { place, operator, now }: Surroundings): Promise<Report> => {
    const from = await place();
    requireDeployed(from);
    const tables = await openTables(from, task, (await operator()).name, now);
    const client = new DynamoDBClient({ region: from.services.region });
    try {
      const faults = await faultsOf(client, tables, task);
      const { stream = '' } = await settingsOf(client, task.to);
      const text = `In infra/stages.ts: restored: { tableName: '${task.to}', streamArn: '${stream}' }`;
      return checked({ text, data: { tableName: task.to, streamArn: stream } }, faults);
    } finally {
      client.destroy();
    }
  },
});

/** `restore drill`: does all of it beside what is used, and removes it again. */
const restoreDrill = defineVerb({
  name: 'restore drill',
  summary: 'Restores two tables of the past, makes one fit to be used by the other, measures that, and removes both',
  synopsis: '[--at MOMENT] [--dry-run]',
  explained: `--at MOMENT     to which one is restored, in UTC; an hour ago if absent. The other one is restored to the latest moment.
                The local server has no past: its table is copied, and records of one copy are changed`,
  effect: 'adds',
  options: { at: { type: 'string' } },
  understand: ({ values, positionals }, now) => {
    requireNoWords(positionals);
    return { at: values.at === undefined ? undefined : instant(values.at, now) };
  },
  run: async ({ at }, { place, operator, dryRun, now, say }: Surroundings): Promise<Report> => {
    const from = await place();
    const tables = drillTables(from.table.tableName);
    if (dryRun) return { text: `${tables.past} and ${tables.end} would be made and removed`, data: tables };
    const isLocal = from.stage === undefined;
    const { endpoint, region } = from.table.client.config;
    const client = new DynamoDBClient({ region, ...(endpoint === undefined ? {} : { endpoint }) });
    const moment = at ?? (isLocal ? now : now - 3_600_000);
    try {
      const begun = Date.now();
      if (isLocal) await copiesOf(client, from, tables);
      else {
        const source = from.table.tableName;
        await Promise.all([
          restored(client, { from: source, to: tables.past, at: moment }, say),
          restored(client, { from: source, to: tables.end, at: 'latest' }, say),
        ]);
      }
      const making = Math.round((Date.now() - begun) / 100) / 10;
      const result = await runDrill(from, tables, { at: moment, operator: (await operator()).name });
      return drillReport(making, result);
    } finally {
      await removeDrill(client, tables);
      client.destroy();
    }
  },
});

const drillReport = (making: number, { steps, records, rows, faults }: DrillResult): Report => {
  const all = [['restore the table', making] as const, ...steps];
  const total = Math.round(all.reduce((sum, [, seconds]) => sum + seconds, 0) * 10) / 10;
  const lines = [
    ...all.map(([step, seconds]) => `${step.padEnd(20)}${seconds.toFixed(1).padStart(9)} s`),
    `${'together'.padEnd(20)}${total.toFixed(1).padStart(9)} s, without the deployments that close and open the door`,
    `${records} records were put back or taken, ${rows} other rows differed`,
  ];
  return checked(
    { text: lines.join('\n'), data: { steps: Object.fromEntries(all), seconds: total, records, rows } },
    faults.map(({ what, count }) => `${what}: ${count}`),
  );
};

export const restoreVerbs: readonly Verb[] = [restoreTable, restorePlan, restoreReplay, restoreCheck, restoreDrill];
