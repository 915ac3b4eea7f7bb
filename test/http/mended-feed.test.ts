import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { usualPolicy } from '../../shared/access/policy.ts';
import { publishing } from '../../shared/changes/mend-on-schedule.ts';
import type { Publisher } from '../../shared/changes/publish.ts';
import { readableNow, readingFor, systemAsking } from '../../shared/changes/readable-now.ts';
import { reconcile as reconcileFeed } from '../../shared/changes/reconcile.ts';
import type { RecordChanged } from '../../shared/changes/record-changed.ts';
import { retell } from '../../shared/changes/retell.ts';
import { retryParked as retry } from '../../shared/changes/retry-parked.ts';
import { completeUpTo } from '../../shared/store/feed/completeness.ts';
import { feedPrefix } from '../../shared/store/feed/feed-keys.ts';
import { changesOf, type FeedRow } from '../../shared/store/feed/feed-rows.ts';
import { parkedCharts } from '../../shared/store/feed/parked-charts.ts';
import { beginning, changesAfter } from '../../shared/store/feed/sequence.ts';
import { type Row, recordKey } from '../../shared/store/keys.ts';
import { asFunction } from '../support/as-function.ts';
import { consentBody, organizationsThere } from '../support/consents.ts';
import { type FollowedServer, followedServer } from '../support/feed.ts';
import { base } from '../support/fhir-server.ts';
import { publisherOn } from '../support/publisher.ts';
import {
  create,
  entriesOf,
  linkOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  type Stored,
  system,
} from '../support/records.ts';
import { allRows, intercepted, rowAt } from '../support/test-store.ts';

// What of the feed is mended by itself. Parking and reconciliation have their own tests in test/store; here the publisher decides who is told.

/** As the functions of these names run them. */
const retryParked: typeof retry = (store, ...args) =>
  asFunction('functions/retry-parked.ts', store, () => retry(store, ...args));
const reconcile: typeof reconcileFeed = (store, ...args) =>
  asFunction('functions/reconcile-feed.ts', store, () => reconcileFeed(store, ...args));

let server: FollowedServer;
let publisher: Publisher;
beforeAll(async () => {
  server = await followedServer();
  publisher = publisherOn(server.store, { bus: server.bus });
  await organizationsThere(server, ['northside', 'lakeside']);
});
beforeEach(async () => {
  await server.file();
  server.bus.accepted.length = 0;
});

const minute = 60_000;
const always = () => true;

/** A patient whose chart is open to Lakeside, and an Observation of two versions. */
const sharedChart = async () => {
  const patient = await create(server, patientBody());
  const subject = referenceTo(patient);
  const consent = await create(server, consentBody(subject));
  await server.file();
  server.bus.accepted.length = 0;
  const observation = await create(server, observationBody(subject));
  await server.put(pathOf(observation), { ...observation, status: 'amended' });
  return { patient, observation, consent };
};

const keyOf = ({ id }: Stored<fhir4.Observation>) => {
  const { chart, place } = server.store.ids.decode(id) ?? { chart: '', place: '' };
  return recordKey({ type: 'Observation', chart, place });
};
const put = (Item: Row) => server.store.client.send(new PutCommand({ TableName: server.store.tableName, Item }));

/** What was told on the bus about one record. */
const toldOf = (id: string) =>
  server.bus.accepted
    .map(({ Detail = '' }) => JSON.parse(Detail) as RecordChanged)
    .filter(({ recordId }) => recordId === id);
const named = (told: readonly RecordChanged[]) => told.map(({ recipient, version }) => `${recipient} ${version}`);

const polledBy = async (organization: string, id: string) => {
  const { changes } = await changesAfter(server.store, organization, beginning, 1_000);
  return changes.flatMap(({ change }) =>
    server.store.ids.idAt(change.chart, change.place) === id ? [change.version] : [],
  );
};

describe('a damaged record', () => {
  it('holds up nobody else’s, and is told to everybody who may know of it once it is mended', async () => {
    const { observation } = await sharedChart();
    const key = keyOf(observation);
    const whole = (await rowAt(server.store, key)) as Row;
    await put({ ...whole, body: Uint8Array.of(2, 0, 0, 0, 0, 9, 9) });
    const other = await create(server, patientBody());

    await server.file();
    await server.beat(Date.now() + 5 * minute);

    expect(named(toldOf(other.id))).toEqual(['northside 1']);
    expect(toldOf(observation.id)).toEqual([]);
    expect([...(await parkedCharts(server.store)).values()]).toMatchObject([{ reason: 'unreadable' }]);
    const written = Date.parse(observation.meta?.lastUpdated ?? '');
    expect(await completeUpTo(server.store)).toBeLessThan(written);

    await put(whole);
    const done = await retryParked(server.store, publishing(publisher), { now: Date.now(), proceed: always });

    expect(done).toEqual({ unparked: 1, left: 0 });
    expect(named(toldOf(observation.id)).toSorted()).toEqual([
      'lakeside 1',
      'lakeside 2',
      'northside 1',
      'northside 2',
    ]);
    expect(new Set(toldOf(observation.id).map(({ eventId }) => eventId)).size).toBe(4);
    expect([await polledBy('northside', observation.id), await polledBy('lakeside', observation.id)]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(await completeUpTo(server.store)).toBeGreaterThan(written);
  });

  it('stays parked while the bus refuses what is told of it', async () => {
    const { observation } = await sharedChart();
    const key = keyOf(observation);
    const whole = (await rowAt(server.store, key)) as Row;
    await put({ ...whole, body: Uint8Array.of(2, 0, 0, 0, 0, 9, 9) });
    await server.file();
    await put(whole);
    const refusing = publishing({
      ...publisher,
      bus: { send: () => Promise.resolve({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'Throttling' }] }) } as never,
    });

    const trying = retryParked(server.store, refusing, { now: Date.now(), proceed: always });

    await expect(trying).rejects.toThrow('The bus refused events');
    expect((await parkedCharts(server.store)).size).toBe(1);
    await retryParked(server.store, publishing(publisher), { now: Date.now(), proceed: always });
    expect((await parkedCharts(server.store)).size).toBe(0);
  });
});

describe('a record that is damaged behind being told', () => {
  const poll = async (path: string, organization: string) => {
    const { status, body } = await server.get(path, { as: { ...system, organization } });
    expect(status, JSON.stringify(body)).toBe(200);
    const names = entriesOf(body).map(
      ({ fullUrl, response }) => `${fullUrl?.slice(base.length + 1)} ${response?.etag}`,
    );
    return { names, after: linkOf(body, 'poll')?.slice(base.length + 1) ?? '', body };
  };
  const retelling = () => retell(publisher, always);
  const named = (record: { readonly id: string; readonly resourceType: string }, version = 1) =>
    `${record.resourceType}/${record.id} W/"${version}"`;

  it('stands in nobody’s way who polls, and is told to them once it is mended', async () => {
    const from = await poll('_changes?after=now', 'northside');
    const fromThere = await poll('_changes?after=now', 'lakeside');
    const { observation } = await sharedChart();
    const other = await create(server, observationBody(referenceTo(await create(server, patientBody()))));
    await server.file();
    const key = keyOf(observation);
    const whole = (await rowAt(server.store, key)) as Row;
    await put({ ...whole, body: Uint8Array.of(2, 0, 0, 0, 0, 9, 9) });

    const [here, there] = [await poll(from.after, 'northside'), await poll(fromThere.after, 'lakeside')];
    const again = await poll(from.after, 'northside');

    expect(here.names).toContain(named(other));
    expect(again.names).toEqual(here.names);
    expect([...here.names, ...there.names].filter((each) => each.includes(observation.id))).not.toContain(
      named(observation, 2),
    );
    expect(await retelling()).toEqual({ retold: 0, left: 3 });
    await put(whole);
    expect(await retelling()).toEqual({ retold: 3, left: 0 });
    expect(await retelling()).toEqual({ retold: 0, left: 0 });

    const [then, thenThere] = [await poll(here.after, 'northside'), await poll(there.after, 'lakeside')];
    expect(then.names).toContain(named(observation, 2));
    expect(thenThere.names).toEqual([named(observation), named(observation, 2)]);
    const ids = entriesOf(thenThere.body).map(({ id }) => id);
    expect(ids).toEqual(
      toldOf(observation.id)
        .filter(({ recipient }) => recipient === 'lakeside')
        .map(({ eventId }) => eventId),
    );
    expect(linkOf(thenThere.body, 'next')).toBeUndefined();
  });

  it('is not told again to whom it is closed by then', async () => {
    const { observation, consent } = await sharedChart();
    const from = await poll('_changes?after=now', 'lakeside');
    await server.file();
    const key = keyOf(observation);
    const whole = (await rowAt(server.store, key)) as Row;
    await put({ ...whole, body: Uint8Array.of(2, 0, 0, 0, 0, 9, 9) });
    const { after } = await poll(from.after, 'lakeside');
    await server.put(pathOf(consent), { ...consent, status: 'inactive' });
    await put(whole);
    const before = await polledBy('lakeside', observation.id);

    await retelling();

    expect(await polledBy('lakeside', observation.id)).toEqual(before);
    expect((await poll(after, 'lakeside')).names).toEqual([]);
    expect(await retelling()).toEqual({ retold: 0, left: 0 });
  });

  it('is not what is taken for one while the table is away', async () => {
    const away = intercepted(server.store, ({ name, send }) => {
      if (name !== 'BatchGet') return send();
      throw Object.assign(new Error('away'), { $fault: 'server', $metadata: { httpStatusCode: 503 } });
    });
    const reading = readingFor(
      { store: away, policy: usualPolicy, programmes: new Set(), now: Date.now() },
      systemAsking('northside'),
    );
    const { changes } = await changesAfter(server.store, 'northside', beginning, 3);
    const passed: unknown[] = [];

    const asked = readableNow(
      reading,
      changes.map(({ change }) => change),
      { passOver: async (change) => void passed.push(change) },
    );

    await expect(asked).rejects.toThrow('away');
    expect([changes.length, passed]).toEqual([3, []]);
  });
});

describe('a row of the feed that is gone', () => {
  it('is there again after the next reconciliation, and everybody who may know of its changes is told once more', async () => {
    const { observation } = await sharedChart();
    await server.file();
    const first = toldOf(observation.id);
    const rows = (await allRows(server.store)).filter(({ pk }) => pk.startsWith(feedPrefix)) as unknown as FeedRow[];
    const lost = rows.filter((row) =>
      changesOf(row).some(({ chart, place }) => server.store.ids.idAt(chart, place) === observation.id),
    );
    for (const { pk, sk } of lost)
      await server.store.client.send(new DeleteCommand({ TableName: server.store.tableName, Key: { pk, sk } }));
    server.bus.accepted.length = 0;
    const now = Date.now() + 5 * minute;
    await server.beat(now);

    const done = await reconcile(server.store, publishing(publisher), { now, proceed: always });

    expect(lost.length).toBeGreaterThan(0);
    expect(done).toMatchObject({ failed: 0, ended: true });
    expect(done.republished).toBe(lost.reduce((sum, row) => sum + changesOf(row).length, 0));
    expect(await Promise.all(lost.map((row) => rowAt(server.store, row)))).toEqual(lost);
    const again = toldOf(observation.id);
    expect(named(again).toSorted()).toEqual(['lakeside 1', 'lakeside 2', 'northside 1', 'northside 2']);
    expect(again.map(({ eventId }) => eventId).toSorted()).toEqual(first.map(({ eventId }) => eventId).toSorted());
    expect(new Set(await polledBy('lakeside', observation.id))).toEqual(new Set([1, 2]));
  });
});
