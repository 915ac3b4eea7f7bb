import { randomBytes } from 'node:crypto';
import {
  CreateTableCommand,
  DeleteTableCommand,
  type DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { commit } from '../../../shared/store/commit.ts';
import { deny } from '../../../shared/store/denylist.ts';
import { RecordStore } from '../../../shared/store/record-store.ts';
import { addressOf, type RecordRow } from '../../../shared/store/rows.ts';
import { sweepTransactions } from '../../../shared/store/settle-transaction.ts';
import { tableDefinition } from '../../../shared/store/table.ts';
import { writeRows } from '../../../shared/store/write-rows.ts';
import type { Place } from '../admin/place.ts';
import { openTable } from './open-table.ts';
import { planReplay, replayRecords, replayTraces } from './replay.ts';
import { scanTable } from './tables.ts';
import { type Fault, verifyRestored } from './verify.ts';

/** Two tables of one past: as it was at a moment, and at a later one. */
export interface DrillTables {
  readonly past: string;
  readonly end: string;
}

/** How a drill went. */
export interface DrillResult {
  /** Seconds that each step took, in their order. */
  readonly steps: readonly (readonly [step: string, seconds: number])[];
  readonly records: number;
  readonly rows: number;
  readonly faults: readonly Fault[];
}

/** What a drill asks of where it is done. */
type Drilled = Pick<Place, 'table' | 'objects' | 'url'>;

/** Names of tables that nobody else has. */
export const drillTables = (tableName: string): DrillTables => {
  const name = `${tableName.slice(0, 200)}-drill-${randomBytes(3).toString('hex')}`;
  return { past: `${name}-past`, end: `${name}-end` };
};

/** Records of the embedded store's end that are made to differ. */
const mostChanged = 200;

/** The embedded store keeps no past: its table is copied twice, and in one copy records get another version and somebody is denied. */
export const copiesOf = async (client: DynamoDBClient, place: Drilled, tables: DrillTables): Promise<void> => {
  for (const name of [tables.past, tables.end]) {
    const { StreamSpecification: _none, ...definition } = tableDefinition(name);
    await client.send(new CreateTableCommand(definition));
    await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName: name });
  }
  const changed: RecordRow[] = [];
  await scanTable(place.table, async (rows) => {
    for (const tableName of [tables.past, tables.end]) await writeRows({ ...place.table, tableName }, rows);
    const records = rows.filter((row) => addressOf(row) && row['body'] && !row['tx'] && !row['intent']);
    changed.push(...(records as unknown as RecordRow[]).slice(0, mostChanged - changed.length));
  });
  const end = await openTable(place, tables.end);
  for (const row of changed) {
    const at = addressOf(row);
    const [previous] = at ? await end.recordsIn([{ row, at }]) : [];
    if (!previous) continue;
    const next = { ...previous, version: previous.version + 1, updated: Math.max(Date.now(), previous.updated + 1) };
    const writes = [{ next, previous, puts: [], removes: [] }];
    await commit(end, { writes, checks: [], unique: [], log: [], claims: [] });
  }
  await deny(end, { kind: 'person', name: 'Practitioner/drill', before: Date.now() });
};

/** A table that reads bodies from the bucket and writes none: those would stay there, with nothing that leads to them. */
const withoutObjects = ({ client, tableName, keys, objects }: RecordStore): RecordStore =>
  new RecordStore(client, tableName, keys, { ...objects, put: async () => {}, delete: async () => {} });

/** Does with two tables what a restore does, and measures it. Neither is the one that is used. */
export const runDrill = async (
  place: Drilled,
  tables: DrillTables,
  { at, operator }: { readonly at: number; readonly operator: string },
): Promise<DrillResult> => {
  const steps: [string, number][] = [];
  const measured = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
    const begun = performance.now();
    const result = await work();
    steps.push([step, Math.round((performance.now() - begun) / 100) / 10]);
    return result;
  };
  const restoring = {
    old: withoutObjects(await openTable(place, tables.end)),
    restored: withoutObjects(await openTable(place, tables.past)),
    at,
    now: Date.now(),
    baseUrl: place.url,
    operator,
  };
  // Of what is in use, the end is the midst of its transactions.
  await sweepTransactions(restoring.old, Number.POSITIVE_INFINITY);
  const replay = await measured('compare', () => planReplay(restoring, 'keep'));
  await measured('take over', () => replayTraces(restoring, replay));
  await measured('put back', () => replayRecords(restoring, replay));
  const faults = await measured('check', () => verifyRestored(restoring, 'keep'));
  return { steps, records: replay.decided.length, rows: replay.differences.rows.length, faults };
};

/** Removes what a drill made. */
export const removeDrill = async (client: DynamoDBClient, { past, end }: DrillTables): Promise<void> => {
  for (const TableName of [past, end])
    await client.send(new DeleteTableCommand({ TableName })).catch((error: Error) => {
      if (error.name !== 'ResourceNotFoundException') throw error;
    });
};
