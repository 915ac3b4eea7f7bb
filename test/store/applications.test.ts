import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Application,
  addApplication,
  readApplication,
  readApplications,
  revokeApplication,
} from '../../shared/store/applications.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { testStore } from '../support/test-store.ts';

const feed: Application = {
  client: 'app-1',
  organization: 'northside',
  name: 'Laboratory feed',
  fhirUser: 'Device/feed',
  since: 1_795_737_600_000,
};

let store: RecordStore;
beforeEach(async () => {
  store = await testStore();
});

describe('the applications of a deployment', () => {
  it('are known by the name that the pool has for them, and in order', async () => {
    const other = { ...feed, client: 'app-0', organization: 'lakeside' };
    for (const application of [feed, other]) expect(await addApplication(store, application)).toBe(true);

    expect(await readApplication(store, 'app-1')).toEqual(feed);
    expect(await readApplication(store, 'app-2')).toBeUndefined();
    expect(await readApplications(store)).toEqual([other, feed]);
  });

  it('do not become another organization’s by being entered again', async () => {
    await addApplication(store, feed);

    expect(await addApplication(store, { ...feed, organization: 'lakeside' })).toBe(false);
    expect(await readApplication(store, 'app-1')).toEqual(feed);
  });

  it('stay ended, since when they first were, and are still listed', async () => {
    await addApplication(store, feed);

    for (const at of [feed.since + 1, feed.since + 2]) await revokeApplication(store, 'app-1', at);
    await addApplication(store, feed);

    expect(await readApplications(store)).toEqual([{ ...feed, revoked: feed.since + 1 }]);
    await expect(revokeApplication(store, 'app-2', feed.since)).rejects.toMatchObject({ kind: 'not-found' });
  });
});
