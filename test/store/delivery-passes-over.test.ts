import { beforeAll, describe, expect, it } from 'vitest';
import { commit } from '../../shared/store/commit.ts';
import { passedOverPartition } from '../../shared/store/feed/feed-keys.ts';
import { appendToSequence } from '../../shared/store/feed/sequence.ts';
import { keepingRow } from '../../shared/store/keeping.ts';
import { type Row, recordKey } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { deliveryWorld } from '../support/delivery-world.ts';
import { commitOf, nextOf, rowAt, rowsOf, testStore } from '../support/test-store.ts';

let store: RecordStore;
beforeAll(async () => {
  store = await testStore();
});

/** Damages the body of a record's row, and tells how to mend it. */
const damage = async (record: StoredRecord) => {
  const whole = (await rowAt(store, recordKey(record))) as Row | undefined;
  if (!whole) throw new Error('The record is missing');
  await writeRows(store, [{ ...whole, body: Uint8Array.of(2, 0, 0, 0, 0, 9, 9) }]);
  return () => writeRows(store, [whole]);
};
const notesFor = async (organization: string) =>
  (await rowsOf(store, passedOverPartition)).filter((row) => row['organization'] === organization).length;
const active = async (...args: [Parameters<typeof deliveryWorld>[1]?]) => {
  const world = await deliveryWorld(store, ...args);
  await world.turn();
  world.received.length = 0;
  return world;
};

describe('a record whose chart was purged', () => {
  const purge = async (world: Awaited<ReturnType<typeof active>>, record: StoredRecord) => {
    const next = nextOf(record, { resource: undefined, purged: true });
    const keeping = keepingRow(record.chart, { state: 'purged', custodian: record.custodian, at: next.updated });
    await commit(store, commitOf({ writes: [{ next, previous: record }], claims: [keeping] }));
    await world.tellOf(next);
  };

  it.each(['id-only', 'full-resource'] as const)('is told of as deleted, with %s', async (content) => {
    const world = await active({ content });
    const record = await world.create();
    await world.turn();
    await purge(world, record);
    await world.turn();

    expect(world.received.at(-1)).toMatchObject({ events: [2], entries: [`Observation/${record.id}/_history/2`] });
    expect(JSON.parse(world.received.at(-1)?.body ?? '')).toMatchObject({
      entry: [{}, { request: { method: 'DELETE' } }],
    });
  });

  it('is told of no more where it would have to be known what it said', async () => {
    const world = await active({ filters: ['status=final'] });
    const record = await world.create({ resource: { resourceType: 'Observation', status: 'final' } });
    await world.turn();
    await purge(world, record);
    await world.turn();

    expect(world.received.map(({ events }) => events)).toEqual([[1]]);
  });

  it('is told of no more with what was told before', async () => {
    const world = await active();
    world.receiver.answer = () => ({ failed: 'connection' });
    const record = await world.create();
    const deleted = await world.update(record, { resource: undefined, updated: record.updated + 1 });
    await world.turn();
    await purge(world, { ...deleted, updated: deleted.updated + 1 });
    world.receiver.answer = () => ({ status: 200 });
    world.received.length = 0;
    world.clock.now += 60_000;
    await world.turn();

    expect(world.received.flatMap(({ entries }) => entries)).toEqual([`Observation/${record.id}/_history/3`]);
  });
});

describe('a record that cannot be read', () => {
  it('stands in no Subscription’s way, and is delivered once it is told again', async () => {
    const world = await active();
    const damaged = await world.create();
    const mend = await damage(damaged);
    const other = await world.create();

    await world.turn();

    expect(world.received.flatMap(({ entries }) => entries)).toEqual([`Observation/${other.id}/_history/1`]);
    expect(await notesFor(world.name.organization)).toBe(1);

    await mend();
    const change = { ...damaged, change: 'created' as const };
    await appendToSequence(store, world.name.organization, { changes: [change] }, { again: true });
    await world.turn();

    expect(world.received.at(-1)).toMatchObject({ events: [2], entries: [`Observation/${damaged.id}/_history/1`] });
  });

  it('stands in the way of no notification that it was to be in', async () => {
    const world = await active();
    const [damaged, other] = [await world.create(), await world.create()];
    world.receiver.answer = () => ({ failed: 'connection' });
    await world.turn();
    await damage(damaged);
    world.receiver.answer = () => ({ status: 200 });
    world.clock.now += 60_000;

    await world.turn();

    expect(world.received.at(-1)).toMatchObject({ events: [2], entries: [`Observation/${other.id}/_history/1`] });
    expect((await world.state())?.failures).toBe(0);
    expect(await notesFor(world.name.organization)).toBe(1);
  });

  it('stands in the way of none that looks at what a deleted record said', async () => {
    const world = await active({ types: ['Observation'], filters: ['status=final'] });
    const record = await world.create({ resource: { resourceType: 'Observation', status: 'final' } });
    const other = { resource: { resourceType: 'Observation', status: 'final' } };
    await world.turn();
    const deleted = await world.update(record, { resource: undefined });
    const earlier = (await rowsOf(store, recordKey(record).pk)).find(({ sk }) => sk.startsWith('~H#'));
    if (!earlier) throw new Error('The earlier version is missing');
    await writeRows(store, [{ ...earlier, body: Uint8Array.of(2, 0, 0, 0, 0, 9, 9) }]);
    const next = await world.create(other);
    world.received.length = 0;

    await world.turn();

    expect(deleted.version).toBe(2);
    expect(world.received.flatMap(({ entries }) => entries)).toEqual([`Observation/${next.id}/_history/1`]);
    expect(await notesFor(world.name.organization)).toBe(1);
  });
});
