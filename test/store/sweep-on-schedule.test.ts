import { randomBytes } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { commit } from '../../shared/store/commit.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { redoKey, transactionKey, unfinishedKey } from '../../shared/store/keys.ts';
import { openStore } from '../../shared/store/open-store.ts';
import { sweepOnSchedule } from '../../shared/store/sweep-on-schedule.ts';
import { localBucket, localTable } from '../support/dynamodb.ts';
import { allRows, commitOf, intercepted, newRecord } from '../support/test-store.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

/** A table and a bucket as the environment names them, and the store on them. */
const deployed = async () => {
  const { endpoint, tableName } = await localTable();
  const { keys, ...bucket } = await localBucket();
  vi.stubEnv('TABLE_NAME', tableName);
  vi.stubEnv('BUCKET_NAME', bucket.bucket);
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', endpoint);
  vi.stubEnv('AWS_ENDPOINT_URL_S3', bucket.endpoint);
  return { store: await openStore(documentClient(), tableName, bucket), objectKeys: keys };
};

describe('the scheduled sweeper', () => {
  it('settles transactions and removes bodies, and neither waits for the other', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { store, objectKeys } = await deployed();
    const resource = { resourceType: 'Basic', text: randomBytes(100_000).toString('base64') };
    const dying = intercepted(store, ({ name, send }) =>
      name === 'TransactWrite' ? Promise.reject(new Error('crash')) : send(),
    );
    const record = newRecord(store, store.ids.newChart(), { type: 'Basic', resource });
    await expect(commit(dying, commitOf({ writes: [{ next: record }] }))).rejects.toThrow('crash');
    // A decided transaction of a newer release, which this one cannot settle.
    const tx = 'newer';
    for (const Item of [
      { ...transactionKey(tx), status: 'committed', deadline: 0, parts: 1 },
      { ...unfinishedKey(tx) },
      { ...redoKey(tx, 0), packed: Buffer.of(99) },
    ]) {
      await store.client.send(new PutCommand({ TableName: store.tableName, Item }));
    }
    expect(await objectKeys()).toHaveLength(1);
    vi.setSystemTime(Date.now() + 61 * 60_000);

    await expect(sweepOnSchedule()()).rejects.toMatchObject({ name: 'WrittenByNewerRelease' });

    expect(await objectKeys()).toEqual([]);
    expect((await allRows(store)).map(({ pk }) => pk).sort()).toEqual([`T#${tx}`, `T#${tx}`, 'T~n']);
  });

  it.each(['TABLE_NAME', 'BUCKET_NAME'])('says that %s is missing', async (name) => {
    await deployed();
    vi.stubEnv(name, undefined);

    await expect(sweepOnSchedule()()).rejects.toThrow('Missing in the environment');
  });
});
