import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withUploaded } from '../../shared/content/uploaded.ts';
import { commit } from '../../shared/store/commit.ts';
import { contentKey } from '../../shared/store/content-objects.ts';
import { changeIn, type RecordChange } from '../../shared/store/feed/change.ts';
import { toldSightsKey } from '../../shared/store/feed/feed-keys.ts';
import { noteToldOf } from '../../shared/store/feed/told-sights.ts';
import { versionsOf } from '../../shared/store/feed/versions.ts';
import { keepingRow } from '../../shared/store/keeping.ts';
import { purgeKey, recordKey } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { RecordRow, StoredRecord } from '../../shared/store/rows.ts';
import { sweepPurges as sweep } from '../../shared/store/sweep-purges.ts';
import { asFunction } from '../support/as-function.ts';
import { commitOf, intercepted, newRecord, nextOf, rowAt, testStoreAndBucket } from '../support/test-store.ts';

const sweepPurges = (store: RecordStore) => asFunction('functions/sweep-transactions.ts', store, () => sweep(store));

let store: RecordStore;
let objectKeys: () => Promise<string[]>;
let chart: string;

beforeAll(async () => {
  ({ store, objectKeys } = await testStoreAndBucket());
});
beforeEach(() => {
  chart = store.ids.newChart();
});

const saved = async (over: Partial<StoredRecord> = {}): Promise<StoredRecord> => {
  const record = newRecord(store, chart, over);
  await commit(store, commitOf({ writes: [{ next: record }] }));
  return record;
};
const purged = async (...records: readonly StoredRecord[]): Promise<void> => {
  const writes = records.map((previous) => ({
    next: nextOf(previous, { resource: undefined, purged: true }),
    previous,
  }));
  const claims = [keepingRow(chart, { state: 'purged', custodian: 'northside', at: 0 }), { ...purgeKey(chart) }];
  await commit(store, commitOf({ writes, claims }));
};
/** As a request has it: with its body as it is stored. */
const read = async (record: StoredRecord): Promise<StoredRecord> => {
  const found = await store.read(record);
  if (!found) throw new Error('The record is missing');
  return found;
};
const changeOf = (record: StoredRecord): RecordChange => ({ ...record, change: 'created' });
const wanted = { superseded: false, current: () => false };

describe('a record of a purged chart', () => {
  it('is not seen any more, in no version and under no id', async () => {
    const record = await saved();
    await purged(record);

    expect(await store.read(record)).toBeUndefined();
    expect(await store.readVersion(record, 1)).toBeUndefined();
    expect((await store.history(record, { limit: 10 })).items).toEqual([]);
    expect((await store.chart(chart, 'Observation')).items).toEqual([]);
  });

  it('is told of as deleted to who follows changes', async () => {
    const record = await saved();
    const before = (await rowAt(store, recordKey(record))) as RecordRow;
    await purged(record);
    const after = (await rowAt(store, recordKey(record))) as RecordRow;

    expect(changeIn({ before, after })).toMatchObject({ version: 2, change: 'deleted' });
  });

  it('is passed over by histories of its type, before its rows are removed and behind that', async () => {
    const record = await saved();
    const gone = chart;
    chart = store.ids.newChart();
    const other = await saved();
    const changes = [changeOf(record), changeOf(other)];
    chart = gone;
    await purged(record);

    for (const step of ['hidden', 'removed']) {
      const { versions, taken } = await versionsOf(store, changes, wanted);
      expect(
        versions.map(({ record: { id } }) => id),
        step,
      ).toEqual([other.id]);
      expect(taken).toBe(2);
      await sweepPurges(store);
    }
  });

  it('that is missing although its chart was not purged is not passed over', async () => {
    const record = newRecord(store, chart);

    await expect(versionsOf(store, [changeOf(record)], wanted)).rejects.toThrow('is not there');
  });
});

describe('the sweeper', () => {
  const large = () => ({
    resourceType: 'Observation',
    note: [{ text: randomBytes(120_000).toString('base64') }],
  });

  it('removes the bodies of all versions from the object store', async () => {
    const first = await read(await saved({ resource: large() }));
    const second = nextOf(first, { resource: large() });
    await commit(store, commitOf({ writes: [{ next: second, previous: first }] }));
    expect(await objectKeys()).toHaveLength(2);
    await purged(await read(second));

    await sweepPurges(store);

    expect(await objectKeys()).toEqual([]);
    expect(await rowAt(store, recordKey(first))).toBeUndefined();
    expect(await rowAt(store, purgeKey(chart))).toBeUndefined();
  });

  it('removes what was uploaded, of all versions', async () => {
    const uploaded = { name: 'a'.repeat(26), size: 1, sha256: '0'.repeat(64) };
    const binary = { resourceType: 'Binary', contentType: 'text/plain' };
    const record = newRecord(store, chart, { type: 'Binary', place: '', resource: withUploaded(binary, uploaded) });
    await store.objects.put(contentKey(store.ids, record, uploaded), Buffer.of(1), Date.now() + 60_000);
    await commit(store, commitOf({ writes: [{ next: record }] }));
    const second = nextOf(await read(record), { resource: { ...binary, data: 'eA==' } });
    await commit(store, commitOf({ writes: [{ next: second, previous: await read(record) }] }));
    expect(await objectKeys()).toHaveLength(1);
    await purged(await read(second));

    await sweepPurges(store);

    expect(await objectKeys()).toEqual([]);
  });

  it('removes who was told that it sees the chart', async () => {
    await purged(await saved());
    await noteToldOf(store, chart, new Map([['lakeside', true]]));
    expect(await rowAt(store, toldSightsKey(chart))).toMatchObject({ layout: 1, told: new Set(['lakeside']) });

    await sweepPurges(store);

    expect(await rowAt(store, toldSightsKey(chart))).toBeUndefined();
  });

  it('leaves alone what a transaction has marked, until that is settled', async () => {
    const record = await saved();
    await purged(record);
    const marked = intercepted(store, async ({ name, send, input }) => {
      const answer = (await send()) as { Items?: Record<string, unknown>[] };
      const ofChart =
        (input.ExpressionAttributeValues as Record<string, unknown> | undefined)?.[':pk'] === `C#${chart}`;
      return name === 'Query' && ofChart
        ? { ...answer, Items: answer.Items?.map((row) => ({ ...row, intent: { tx: 't' } })) }
        : answer;
    });

    expect(await sweepPurges(marked)).toBe(0);
    expect(await rowAt(store, recordKey(record))).toBeDefined();
    expect(await sweepPurges(store)).toBeGreaterThan(0);
  });
});
