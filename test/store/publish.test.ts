import type { DynamoDBRecord } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { ServiceAway } from '../../shared/changes/parking.ts';
import { type Publisher, publishChanges } from '../../shared/changes/publish.ts';
import { commit } from '../../shared/store/commit.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { chartChanges } from '../../shared/store/feed/chart-changes.ts';
import { commitWithinMs, completeUpTo, progressOf, sendBeats } from '../../shared/store/feed/completeness.ts';
import { sequencePartition } from '../../shared/store/feed/feed-keys.ts';
import { lackingIn } from '../../shared/store/feed/lacking.ts';
import { parkedCharts } from '../../shared/store/feed/parked-charts.ts';
import { FeedReading } from '../../shared/store/feed/read-feed.ts';
import { beginning, changesAfter } from '../../shared/store/feed/sequence.ts';
import { network } from '../../shared/store/keys.ts';
import { openStore } from '../../shared/store/open-store.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { historyRow, recordRow, type StoredRecord } from '../../shared/store/rows.ts';
import { sweepTransactions } from '../../shared/store/settle-transaction.ts';
import { stagingMs } from '../../shared/store/visibility.ts';
import { localBucket, localTable } from '../support/dynamodb.ts';
import { passedTo, streamOf } from '../support/feed.ts';
import { publisherOn } from '../support/publisher.ts';
import { type RecordingBus, recordingBus } from '../support/recording-bus.ts';
import { everyKind } from '../support/staged-commit.ts';
import { insertEvent } from '../support/stream-events.ts';
import { commitOf, intercepted, newRecord, nextOf, rowsOf } from '../support/test-store.ts';

const start = Date.UTC(2026, 4, 1);
const hour = 3600_000;

let store: RecordStore;
let streamed: () => Promise<DynamoDBRecord[]>;
let bus: RecordingBus;
let woken: string[][];
beforeEach(async () => {
  const table = await localTable();
  store = await openStore(documentClient({ endpoint: table.endpoint }), table.tableName, await localBucket());
  streamed = await streamOf(table);
  bus = recordingBus();
  woken = [];
});

const publisher = (over: Partial<Publisher> = {}): Publisher => ({
  ...publisherOn(store, { bus }),
  wake: (organizations) => {
    woken.push([...organizations]);
    return Promise.resolve();
  },
  ...over,
});
const publish = (records: readonly DynamoDBRecord[], over: Partial<Publisher> = {}) =>
  publishChanges(publisher(over), { Records: [...records] });

const write = async (...records: readonly StoredRecord[]) => {
  await commit(store, commitOf({ writes: records.map((next) => ({ next })) }));
};
const insertsOf = (records: readonly StoredRecord[]) =>
  insertEvent(records.map((record) => ({ ...recordRow(record, store.ids) }))).Records;

/** What an organisation was told. */
const toldTo = async (organization = 'northside') => {
  const { changes } = await changesAfter(store, organization, beginning, 1_000);
  return changes.map(({ change, recipient }) => `${recipient} ${change.change} ${change.type} ${change.version}`);
};
const filed = async () => {
  const reading = new FeedReading(store, { owners: ['northside', network], wanted: () => true, limit: 1_000 });
  const changes = [];
  while (!reading.ended) changes.push(...(await reading.more()));
  return changes.map(({ type, version, change }) => `${change} ${type} ${version}`);
};
const onBus = () =>
  bus.accepted.map(({ Detail = '' }) => {
    const { recipient, change, recordType, version } = JSON.parse(Detail) as Record<string, unknown>;
    return [recipient, change, recordType, version].join(' ');
  });
const away = () => Promise.reject(new ServiceAway('away'));

describe('what is published', () => {
  it('is filed, told, waked for and put on the bus, in this order of steps', async () => {
    const record = newRecord(store, store.ids.newChart());
    const place = newRecord(store, 'ward', { type: 'Location', id: 'ward', place: '' });
    await write(record, place);
    const steps: string[] = [];
    const counted = intercepted(store, ({ name, send }) => {
      steps.push(name);
      return send();
    });
    const wake: Publisher['wake'] = () => {
      steps.push('wake');
      return Promise.resolve();
    };

    const report = await publish(await streamed(), {
      ...publisherOn(counted, { bus }),
      recipientsOf: publisherOn(store).recipientsOf,
      wake,
    });

    expect(report).toEqual({ batchItemFailures: [] });
    expect(steps).toEqual(['Query', 'BatchWrite', 'Query', 'Query', 'Put', 'Put', 'wake']);
    expect(await toldTo()).toEqual(['northside created Observation 1', '* created Location 1']);
    expect((await filed()).sort()).toEqual(['created Location 1', 'created Observation 1']);
    expect(onBus().sort()).toEqual(['* created Location 1', 'northside created Observation 1']);
  });

  it('costs a batch of one organisation’s charts a Query a chart and six calls more, however many changes they bring', async () => {
    const charts = Array.from({ length: 3 }, () => store.ids.newChart());
    const records = charts.flatMap((chart) => Array.from({ length: 80 }, () => newRecord(store, chart)));
    const calls: string[] = [];
    const counted = intercepted(store, ({ name, send }) => {
      calls.push(name);
      return send();
    });

    await publishChanges({ ...publisher(), ...publisherOn(counted, { bus }) }, { Records: insertsOf(records) });

    // What is parked, the programmes, the charts, the feed, the end of the sequence and the row behind it.
    expect(calls.sort()).toEqual(['BatchWrite', ...Array(6).fill('Query'), 'Put'].sort());
    expect(bus.calls).toEqual(Array(24).fill(10));
  });

  it('calls nobody for rows that are no records', async () => {
    const calls: string[] = [];
    const counted = intercepted(store, ({ name, send }) => {
      calls.push(name);
      return send();
    });
    const { Records } = insertEvent([{ pk: 'X#northside#Patient#_all#0', sk: 'x' }]);

    await publishChanges({ ...publisher(), ...publisherOn(counted, { bus }) }, { Records });

    expect([calls, bus.calls, woken]).toEqual([[], [], []]);
  });

  it('keeps the versions of a record in order, and stays so where batches come again in part', async () => {
    let record = newRecord(store, store.ids.newChart());
    await write(record);
    for (let n = 0; n < 4; n++) {
      const next = nextOf(record, { updated: record.updated });
      await commit(store, commitOf({ writes: [{ next, previous: record }] }));
      record = next;
    }
    const records = passedTo('publish-changes', await streamed());

    for (const some of [records.slice(0, 2), records.slice(1, 4), records.slice(3)]) await publish(some);

    const versions = (await toldTo()).map((told) => Number(told.split(' ').at(-1)));
    expect(versions).toEqual([1, 2, 2, 3, 4, 4, 5]);
  });
});

describe('a version that was never current', () => {
  it('is told in front of the one that came with it, and the feed lacks nothing', async () => {
    const first = newRecord(store, store.ids.newChart());
    await write(first);
    await publish(passedTo('publish-changes', await streamed()));
    const late = nextOf(first, { resource: { resourceType: 'Observation', status: 'registered' } });
    const behind = nextOf(late);
    const kept = { ...historyRow(late, store.ids) };
    await commit(store, commitOf({ writes: [{ next: behind, previous: first, puts: [kept] }] }));

    const report = await publish(passedTo('publish-changes', await streamed()));

    const versions = ['created Observation 1', 'updated Observation 2', 'updated Observation 3'];
    expect(report).toEqual({ batchItemFailures: [] });
    expect(await toldTo()).toEqual(versions.map((each) => `northside ${each}`));
    expect(onBus()).toEqual(versions.map((each) => `northside ${each}`));
    expect(await lackingIn(store, await chartChanges(store, first.chart, undefined))).toEqual([]);
  });
});

describe('a staged transaction', () => {
  const expected = ['created Observation 1', 'created Observation 1', 'created Observation 1', 'updated Encounter 2'];

  it('is told once it is committed and finished, and nothing of it before', async () => {
    const { work } = await everyKind(store);
    await publish(passedTo('publish-changes', await streamed()));
    const before = (await toldTo()).length;
    const early: string[][] = [];
    const watched = intercepted(store, async ({ name, input, send }) => {
      // All that stands in the stream before the marker says that it is committed.
      if (name === 'TransactWrite' && JSON.stringify(input).includes('"committed"')) {
        await publish(passedTo('publish-changes', await streamed()));
        early.push((await toldTo()).slice(before));
      }
      return send();
    });

    await commit(watched, work);
    await publish(passedTo('publish-changes', await streamed()));

    expect(early).toEqual([[]]);
    expect((await toldTo()).slice(before).sort()).toEqual(expected.map((each) => `northside ${each}`));
  });

  it('is told whole where its writer was lost behind the commit, once somebody else has finished it', async () => {
    const { work } = await everyKind(store);
    await publish(passedTo('publish-changes', await streamed()));
    const before = (await toldTo()).length;
    let committed = false;
    const crashing = intercepted(store, async ({ name, input, send }) => {
      if (committed) throw new Error('lost');
      const answer = await send();
      committed ||= name === 'TransactWrite' && JSON.stringify(input).includes('"committed"');
      return answer;
    });
    await commit(crashing, work).catch(() => undefined);
    await publish(passedTo('publish-changes', await streamed()));
    const behindTheCrash = (await toldTo()).slice(before);

    await sweepTransactions(store, Date.now() + 2 * stagingMs);
    await publish(passedTo('publish-changes', await streamed()));

    expect(committed).toBe(true);
    expect(behindTheCrash).toEqual([]);
    expect((await toldTo()).slice(before).sort()).toEqual(expected.map((each) => `northside ${each}`));
  });

  it('is never told where its writer was lost before the commit', async () => {
    const { work } = await everyKind(store);
    await publish(passedTo('publish-changes', await streamed()));
    const before = (await toldTo()).length;
    const crashing = intercepted(store, ({ name, input, send }) =>
      name === 'TransactWrite' && JSON.stringify(input).includes('"committed"') ? away() : send(),
    );
    await commit(crashing, work).catch(() => undefined);
    await sweepTransactions(store, Date.now() + 2 * stagingMs);

    await publish(passedTo('publish-changes', await streamed()));

    expect((await toldTo()).slice(before)).toEqual([]);
  });
});

describe('a batch that fails', () => {
  it('is one no more because a newer release wrote a change: its chart waits for that, and what stands behind it is told', async () => {
    const records = ['Observation', 'Task', 'Condition'].map((type) =>
      newRecord(store, store.ids.newChart(), { type }),
    );
    const [first, second, third] = records.map((record) => ({ ...recordRow(record, store.ids) }));
    const event = insertEvent([first ?? {}, { ...second, layout: 99 }, { ...third }]);

    const report = await publish(event.Records);

    expect(report).toEqual({ batchItemFailures: [] });
    expect((await toldTo()).toSorted()).toEqual(['northside created Condition 1', 'northside created Observation 1']);
    expect((await filed()).toSorted()).toEqual(['created Condition 1', 'created Observation 1']);
    expect(onBus().toSorted()).toEqual(['northside created Condition 1', 'northside created Observation 1']);
    expect([...(await parkedCharts(store)).values()]).toMatchObject([
      { chart: records[1]?.chart, reason: 'newer-release' },
    ]);
  });

  it('does not hold up beats, and the feed is complete up to what was parked alone', async () => {
    await sendBeats(store, start);
    const beats = passedTo('publish-changes', await streamed());
    const unreadable = newRecord(store, store.ids.newChart(), { updated: start - hour });
    const [record] = insertEvent([{ ...recordRow(unreadable, store.ids), layout: 99 }]).Records;

    await publish([record as DynamoDBRecord, ...beats]);
    const parked = await completeUpTo(store);
    const { streamed: through } = await progressOf(store);

    expect([parked, through]).toEqual([start - hour - commitWithinMs, start]);
  });

  it('is none for a reminder that cannot be read', async () => {
    const reminder = { pk: 'N#northside', sk: 'x', layout: 99 };
    const record = newRecord(store, store.ids.newChart());

    const report = await publish(insertEvent([reminder, { ...recordRow(record, store.ids) }]).Records);

    expect(report).toEqual({ batchItemFailures: [] });
    expect(onBus()).toEqual(['northside created Observation 1']);
  });

  it.each(['BatchWrite', 'Put'])('notes no beat, wakes nobody and publishes nothing where a %s fails', async (call) => {
    await write(newRecord(store, store.ids.newChart()));
    await sendBeats(store, start);
    const broken = intercepted(store, ({ name, send }) => (name === call ? away() : send()));

    await expect(publish(await streamed(), { store: broken })).rejects.toThrow('away');

    expect([await completeUpTo(store), woken, bus.calls]).toEqual([undefined, [], []]);
  });

  it('is told once, however often the bus is away, and wakes whoever delivers all the same', async () => {
    await write(newRecord(store, store.ids.newChart()));
    await sendBeats(store, start);
    const records = await streamed();
    const broken = recordingBus(() => {
      throw new ServiceAway('away');
    });

    for (let time = 0; time < 3; time++) {
      await expect(publish(records, { bus: broken.client })).rejects.toThrow('away');
    }
    const toldWithout = await toldTo();
    await publish(records);

    expect(toldWithout).toEqual(['northside created Observation 1']);
    expect(await rowsOf(store, sequencePartition('northside'))).toHaveLength(1);
    expect(woken).toEqual(Array(4).fill(['northside']));
    expect(onBus()).toEqual(['northside created Observation 1']);
    expect(await completeUpTo(store)).toBe(start);
  });

  it('comes again from the record whose event was refused; what is told again has the same ids', async () => {
    const records = Array.from({ length: 3 }, (_, n) =>
      newRecord(store, store.ids.newChart(), { version: n + 1, updated: start + n }),
    );
    const event = insertsOf(records);
    const choosy = recordingBus(({ Detail }) => Detail?.includes('"version":2') === true);

    const report = await publish(event, { bus: choosy.client });
    await publish(event.slice(1));

    expect(report).toEqual({ batchItemFailures: [{ itemIdentifier: '2' }] });
    expect((await toldTo()).map((told) => Number(told.split(' ').at(-1)))).toEqual([1, 2, 3, 2, 3]);
    const ids = [...choosy.accepted, ...bus.accepted].map(
      ({ Detail = '' }) => (JSON.parse(Detail) as { eventId: string }).eventId,
    );
    expect(new Set(ids).size).toBe(3);
  });

  it.each<[string, Partial<Publisher>]>([
    ['whoever delivers', { wake: () => Promise.reject(new TypeError('x')) }],
    [
      'the bus',
      {
        bus: recordingBus(() => {
          throw new TypeError('x');
        }).client,
      },
    ],
  ])('waits in the stream and parks nothing where %s fails, whatever with', async (_, over) => {
    await write(newRecord(store, store.ids.newChart()));

    await expect(publish(await streamed(), over)).rejects.toThrow(ServiceAway);

    expect((await parkedCharts(store)).size).toBe(0);
  });

  it('is done again as a whole where nobody can be woken', async () => {
    await write(newRecord(store, store.ids.newChart()));
    const records = await streamed();

    await expect(publish(records, { wake: away })).rejects.toThrow('away');

    expect([await toldTo(), bus.calls]).toEqual([['northside created Observation 1'], []]);
  });
});
