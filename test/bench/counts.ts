import type { DynamoDBStreamEvent } from 'aws-lambda';
import { fileAccesses } from '../../shared/audit/file-accesses.ts';
import { publishChanges } from '../../shared/changes/publish.ts';
import { passedTo } from '../support/feed.ts';
import type { FhirServer } from '../support/fhir-server.ts';
import { publisherOn } from '../support/publisher.ts';
import { streamRecord } from '../support/stream-events.ts';
import { allRows } from '../support/test-store.ts';
import { itemSize } from './item-size.ts';
import { requireStatus, type Scenario, type World } from './scenarios.ts';

/** What a request asks of DynamoDB. */
export interface Cost {
  readonly calls: number;
  /** Calls that waited for one another. */
  readonly sequential: number;
  readonly readUnits: number;
  readonly writeUnits: number;
}

/** What it leaves there. */
export interface Stored {
  /** Sizes of all items that came, less those that went: records, index rows, the log by day and the feed included. */
  readonly bytes: number;
  /** Write units of the stream's consumers, which file the log by day and the feed, and tell of changes. */
  readonly unitsBehind: number;
}

/** Sends a scenario's request once and counts. */
export const costOf = async <W extends Pick<World, 'server'>>(world: W, scenario: Scenario<W>): Promise<Cost> => {
  const send = await scenario.prepare(world);
  const { calls } = world.server;
  calls.reset();
  const response = await send();
  const cost = {
    calls: calls.names.length,
    sequential: calls.sequential(),
    readUnits: calls.readUnits,
    writeUnits: calls.writeUnits,
  };
  requireStatus(response, scenario.status);
  const entries = (response.body?.entry ?? []).length;
  if (scenario.entries !== undefined && entries !== scenario.entries) {
    throw new Error(`${scenario.name} answered ${entries} entries instead of ${scenario.entries}`);
  }
  return cost;
};

/** Records that each stream consumer is given at once. */
const batches = { publish: 500, accesses: 100 };
/** Of the stream: a consumer takes what does not go up for a repetition. */
let sequence = 0;

type Rows = Awaited<ReturnType<typeof allRows>>;
const keyOf = ({ pk, sk }: Rows[number]) => `${pk}\n${sk}`;
const sizeOf = (rows: Rows) => rows.reduce((sum, row) => sum + itemSize(row), 0);

/** Does some work and tells what it left in the table, which is read whole before and after. */
export const storedBy = async (server: FhirServer, work: () => Promise<unknown>): Promise<Stored> => {
  const { store, calls } = server;
  const before = await allRows(store);
  await work();
  const known = new Map(before.map((row) => [keyOf(row), row]));
  const changed = (await allRows(store)).filter(
    (row) => known.get(keyOf(row))?.version !== row.version || !known.has(keyOf(row)),
  );
  const now = Date.now() / 1_000;
  const records = changed.map((row) => {
    const record = streamRecord(String(++sequence), known.get(keyOf(row)), row);
    return { ...record, dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: now } };
  });
  calls.reset();
  const inBatches = async (name: string, size: number, consume: (event: DynamoDBStreamEvent) => Promise<unknown>) => {
    const passed = passedTo(name, records);
    for (let at = 0; at < passed.length; at += size) await consume({ Records: passed.slice(at, at + size) });
  };
  const publisher = publisherOn(store);
  await inBatches('publish-changes', batches.publish, (event) => publishChanges(publisher, event));
  await inBatches('file-accesses', batches.accesses, (event) => fileAccesses(store, event));
  const unitsBehind = calls.writeUnits;
  return { bytes: sizeOf(await allRows(store)) - sizeOf(before), unitsBehind };
};

/** What a scenario's request leaves behind. */
export const storedByScenario = async (world: World, scenario: Scenario): Promise<Stored> => {
  const send = await scenario.prepare(world);
  return storedBy(world.server, async () => requireStatus(await send(), scenario.status));
};
