import { beforeAll, describe, expect, it } from 'vitest';
import { givenUpAfterMs } from '../../shared/delivery/times.ts';
import { auditPartition } from '../../shared/store/keys.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { settingsKey } from '../../shared/store/subscriptions/settings.ts';
import { askRedrive, leaseMs } from '../../shared/store/subscriptions/turns.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { newSigningSecret, verifySignature } from '../../shared/webhooks/signature.ts';
import { type DeliveryWorld, deliveryWorld, hourMs, parameterOf } from '../support/delivery-world.ts';
import { rowsOf, testStore } from '../support/test-store.ts';

let store: RecordStore;
beforeAll(async () => {
  store = await testStore();
});

/** A world whose Subscription has shaken hands. */
const active = async (...args: [Parameters<typeof deliveryWorld>[1]?]): Promise<DeliveryWorld> => {
  const world = await deliveryWorld(store, ...args);
  await world.turn();
  world.received.length = 0;
  return world;
};
const numbersIn = ({ received }: DeliveryWorld) => received.map(({ events }) => events);
const down = () => ({ failed: 'connection' }) as const;
const up = () => ({ status: 204 });

describe('a Subscription that is new', () => {
  it('is shaken hands with before the first event, and then told what was written since it was', async () => {
    const world = await deliveryWorld(store);
    const first = await world.create();
    await world.update(first);

    await world.turn();

    expect(world.received.map(({ type, events, entries }) => ({ type, events, entries }))).toEqual([
      { type: 'handshake', events: [], entries: [] },
      {
        type: 'event-notification',
        events: [1, 2],
        entries: [`Observation/${first.id}/_history/1`, `Observation/${first.id}/_history/2`],
      },
    ]);
    expect(parameterOf(world.received[0]?.body ?? '', 'status')).toMatchObject({ valueCode: 'requested' });
    expect(await world.subscription()).toMatchObject({ status: 'active', reason: 'test' });
    expect(await world.state()).toMatchObject({ status: 'active', events: 2, failures: 0 });
    expect((await world.state())?.lease).toBeUndefined();
  });

  it('is in error once its receiver does not take the handshake, and says why; what happens then has its numbers', async () => {
    const world = await deliveryWorld(store);
    world.receiver.answer = () => ({ status: 503 });
    await world.turn();
    await world.create();
    await world.create();
    await world.turn();

    expect(world.received.map(({ type }) => type)).toEqual(['handshake']);
    expect(await world.subscription()).toMatchObject({
      status: 'error',
      error: 'The endpoint did not take the handshake: error-response 503',
    });
    expect(await world.state()).toMatchObject({ status: 'error', events: 2, problem: 'error-response' });
    expect((await world.notifications()).map(({ first, status }) => [first, status])).toEqual([[1, 'dead']]);
  });

  it('leaves a trace in its own log of each version that the server makes', async () => {
    const world = await active();

    const rows = await rowsOf(store, auditPartition(world.name.id));
    expect(rows.map(({ entry }) => JSON.parse(String(entry)) as unknown)).toMatchObject([
      { interaction: 'update', subject: 'concord', what: ['Subscription/~/_history/2'] },
    ]);
  });
});

describe('what is told', () => {
  it('has at most so many events as the subscriber takes, all in their order, each once', async () => {
    const world = await active({ maxCount: 2 });
    for (let count = 0; count < 5; count++) await world.create();

    await world.turn();

    expect(numbersIn(world)).toEqual([[1, 2], [3, 4], [5]]);
    expect(new Set(world.received.flatMap(({ entries }) => entries)).size).toBe(5);
    expect(world.received.map(({ body }) => parameterOf(body, 'events-since-subscription-start')?.valueString)).toEqual(
      ['2', '4', '5'],
    );
  });

  it('is of the types and values that are asked for; that such a record is gone is told too', async () => {
    const world = await active({ filters: ['Observation?status=final'] });
    const final = await world.create();
    await world.create({ type: 'Basic' });
    await world.create({ resource: { resourceType: 'Observation', status: 'preliminary' } });
    const gone = await world.update(final, { resource: undefined });

    await world.turn();

    expect(world.received.flatMap(({ entries }) => entries)).toEqual([
      `Observation/${final.id}/_history/1`,
      `Observation/${gone.id}/_history/2`,
    ]);
    expect(JSON.parse(world.received[0]?.body ?? '')).toMatchObject({
      entry: [{}, {}, { request: { method: 'DELETE' }, response: { status: '204' } }],
    });
  });

  it('is told once though the feed tells it twice', async () => {
    const world = await active();
    const first = await world.create();
    await world.turn();
    for (let count = 0; count < 10; count++) await world.create();
    await world.tellOf(first);
    await world.turn();

    expect(await world.state()).toMatchObject({ events: 11 });
    expect(new Set(world.received.flatMap(({ entries }) => entries)).size).toBe(11);
  });

  it('is nothing of what the organisation may not read, and nothing beyond the scopes of who wrote the Subscription', async () => {
    const world = await active();
    const foreign = await world.create({ custodian: 'somebody-else' });
    const own = await world.create();
    await world.turn();
    const narrow = await active({
      writer: { subject: 's', name: 'n', client: 'c', fhirUser: 'x', roles: ['system'], scope: 'system/Patient.rs' },
    });
    await narrow.create();
    await narrow.turn();

    const entries = world.received.flatMap((each) => each.entries);
    expect(entries).toEqual([`Observation/${own.id}/_history/1`]);
    expect(JSON.stringify(world.received)).not.toContain(foreign.id);
    expect(narrow.received).toEqual([]);
    expect(await narrow.state()).toMatchObject({ events: 0 });
  });

  it('is nothing that filters found before, where it was written anew by who may not read what they tell', async () => {
    const world = await active({ filters: ['Observation?status=final'] });
    const settings = await world.settings();
    world.receiver.answer = down;
    await world.create();
    await world.turn();
    world.receiver.answer = up;
    world.received.length = 0;
    const writer = { subject: 'a', name: 'a', client: 'c', fhirUser: 'Practitioner/a', roles: ['admin'] };
    await world.rewrite({ status: 'requested', filters: [], writer: { ...writer, scope: 'user/*.cruds' } });
    const later = await world.create();
    await world.turn();

    expect(settings?.filters).toHaveLength(1);
    expect(world.received.map(({ type, events, entries }) => [type, events, entries])).toEqual([
      ['handshake', [], []],
      ['event-notification', [2], [`Observation/${later.id}/_history/1`]],
    ]);
    expect((await world.notifications()).map(({ status, filtered }) => [status, filtered])).toEqual([
      ['withheld', true],
      ['delivered', undefined],
    ]);
  });

  it('names nothing where nothing is to be told, and leaves no trace of it', async () => {
    const world = await active({
      content: 'empty',
      topic: 'https://concord.example/fhir/SubscriptionTopic/Observation',
    });
    const { id, chart } = await world.create();
    await world.turn();

    expect(numbersIn(world)).toEqual([[1]]);
    expect(world.received[0]?.body).not.toContain(id);
    expect(world.received[0]?.body).not.toContain('Observation');
    expect(await rowsOf(store, auditPartition(chart))).toEqual([]);
  });

  it('names records where ids are to be told, and says them where all is; each leaves a trace of who was told', async () => {
    const topic = 'https://concord.example/fhir/SubscriptionTopic/Observation';
    const named = await active({ topic });
    const { id, chart } = await named.create();
    await named.turn();
    const whole = await active({ topic, content: 'full-resource' });
    await whole.create();
    await whole.turn();

    const [bundle] = named.received.map(({ body }) => JSON.parse(body) as fhir4.Bundle);
    expect(bundle?.entry?.[1]).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      fullUrl: `https://api.concord.example/fhir/Observation/${id}`,
      request: { method: 'POST', url: 'Observation' },
      response: { status: '201', etag: 'W/"1"' },
    });
    expect(bundle?.entry?.[1]).not.toHaveProperty('resource');
    expect(parameterOf(named.received[0]?.body ?? '', 'topic')).toEqual({ name: 'topic', valueCanonical: topic });
    const [event] = await rowsOf(store, auditPartition(chart));
    expect(JSON.parse(String(event?.['entry']))).toMatchObject({
      query: `Subscription/${named.name.id}`,
      what: [`Observation/~${id.slice(chart.length)}/_history/1`],
    });
    expect(event?.['organization']).toBe(named.name.organization);
    expect(JSON.parse(whole.received[0]?.body ?? '')).toMatchObject({
      entry: [{}, { resource: { resourceType: 'Observation', status: 'final', meta: { versionId: '1' } } }],
    });
  });

  it('is signed by the secret and bears the headers of the subscriber, and the same id at each attempt', async () => {
    const world = await active();
    const signingSecret = newSigningSecret();
    world.secrets.opened = { headers: [{ name: 'x-token', value: 'abc' }], signingSecret };
    await world.create();
    world.receiver.answer = down;
    await world.turn();
    world.receiver.answer = up;
    world.clock.now += 5_000;
    await world.turn();

    const ids = world.received.map(({ headers, body, at }) => verifySignature(signingSecret, headers, body, at));
    expect(ids).toEqual([{ id: world.received[0]?.headers['webhook-id'] }, ids[0]]);
    expect(world.received[1]?.headers).toMatchObject({ 'x-token': 'abc', 'content-type': 'application/fhir+json' });
    expect(world.received[1]?.body).toBe(world.received[0]?.body);
  });
});

describe('a receiver that fails', () => {
  it('is tried again after twice as long each time, an hour at most; nothing else is told before', async () => {
    const world = await active({ maxCount: 1 });
    await world.create();
    await world.create();
    world.receiver.answer = down;
    const pauses: number[] = [];
    for (let tries = 0; tries < 3; tries++) {
      await world.turn();
      await world.turn(); // too early
      const { retryAt = 0 } = (await world.state()) ?? {};
      pauses.push((retryAt - world.clock.now) / 1_000);
      world.clock.now = retryAt;
    }

    expect(pauses).toEqual([5, 10, 20]);
    expect(numbersIn(world)).toEqual([[1], [1], [1]]);
    expect(new Set(world.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(world.woken.map(({ delaySeconds }) => delaySeconds)).toEqual([5, 10, 20]);

    world.receiver.answer = up;
    await world.turn();
    expect(numbersIn(world).slice(3)).toEqual([[1], [2]]);
    expect((await world.notifications()).map(({ status, attempts }) => [status, attempts])).toEqual([
      ['delivered', 4],
      ['delivered', 1],
    ]);
  });

  it('is given up after three days: the Subscription is in error, what waits and what follows is dead, and nothing is sent', async () => {
    const world = await active();
    await world.create();
    world.receiver.answer = down;
    await world.turn();
    world.clock.now += givenUpAfterMs - 1;
    await world.turn();
    expect(await world.subscription()).toMatchObject({ status: 'active' });
    world.clock.now += hourMs;
    await world.turn();
    await world.create();
    await world.turn();

    expect(numbersIn(world)).toEqual([[1], [1], [1]]);
    expect(await world.subscription()).toMatchObject({
      status: 'error',
      error: 'Notifications have failed for three days: no-response',
    });
    expect((await world.notifications()).map(({ first, status }) => [first, status])).toEqual([
      [1, 'dead'],
      [2, 'dead'],
    ]);
  });

  it('is sent what is dead once it is asked for, under the old numbers, in their order, and then what is new', async () => {
    const world = await deliveryWorld(store, { maxCount: 1 });
    world.receiver.answer = down;
    await world.turn();
    for (let count = 0; count < 3; count++) await world.create();
    await world.turn();
    world.receiver.answer = up;
    await world.rewrite({ status: 'requested' });
    await world.create();
    await askRedrive(store, world.name, 2);
    world.received.length = 0;
    await world.turn();

    expect(world.received.map(({ type, events }) => [type, events])).toEqual([
      ['handshake', []],
      ['event-notification', [2]],
      ['event-notification', [3]],
      ['event-notification', [4]],
    ]);
    const left = (await world.notifications()).map(({ status }) => status);
    expect(left).toEqual(['dead', 'delivered', 'delivered', 'delivered']);
    expect((await world.state())?.redrive).toBeUndefined();
  });
});

describe('what may not be known any more', () => {
  it('is left out of the next attempt, and comes back if it may be known again; numbers stay', async () => {
    const world = await active();
    const kept = await world.create();
    const closed = await world.create();
    world.receiver.answer = down;
    await world.turn();
    const misfiled = await world.update(closed, { misfiled: true });
    world.clock.now += 5_000;
    await world.turn();
    const again = await world.update(misfiled, { misfiled: undefined } as object);
    world.clock.now += 10_000;
    world.receiver.answer = up;
    await world.turn();

    expect(numbersIn(world).slice(0, 3)).toEqual([[1, 2], [1], [1, 2]]);
    expect(world.received[1]?.entries).toEqual([`Observation/${kept.id}/_history/1`]);
    expect(world.received[1]?.body).not.toContain(closed.id);
    expect(world.received[3]?.entries.at(-1)).toBe(`Observation/${again.id}/_history/3`);
  });

  it('is not sent at all where nothing else is in a notification, and does not hold up the next one', async () => {
    const world = await active({ maxCount: 1 });
    const closed = await world.create();
    const open = await world.create();
    world.receiver.answer = down;
    await world.turn();
    await world.update(closed, { misfiled: true });
    world.clock.now += 5_000;
    world.receiver.answer = up;
    await world.turn();

    expect(world.received.slice(1).map(({ events, entries }) => [events, entries])).toEqual([
      [[2], [`Observation/${open.id}/_history/1`]],
    ]);
    expect((await world.notifications()).map(({ status, left }) => [status, left])).toEqual([
      ['withheld', [1]],
      ['delivered', []],
    ]);
  });
});

describe('a Subscription in the course of time', () => {
  it('has its heartbeats, which count as no events, and a failing one is tried again', async () => {
    const world = await active({ heartbeatSeconds: 600 });
    await world.turn();
    expect(world.received).toEqual([]);
    world.clock.now += 600_000;
    world.receiver.answer = down;
    await world.turn();
    world.clock.now += 5_000;
    world.receiver.answer = up;
    await world.turn();
    await world.turn();

    expect(world.received.map(({ type, events }) => [type, events])).toEqual([
      ['heartbeat', []],
      ['heartbeat', []],
    ]);
    expect(await world.state()).toMatchObject({ events: 0, failures: 0 });
    expect(await world.notifications()).toEqual([]);
  });

  it('ends by itself, and then tells nothing', async () => {
    const end = Date.UTC(2026, 10, 27, 13);
    const world = await active({ end });
    world.clock.now = end - 1;
    await world.create();
    await world.turn();
    world.clock.now = end;
    await world.create();
    await world.turn();

    expect(numbersIn(world)).toEqual([[1]]);
    expect(await world.subscription()).toMatchObject({ status: 'off' });
  });

  it('tells nothing of the time in which it was off, and goes on with its numbers', async () => {
    const world = await active();
    await world.create();
    await world.turn();
    await world.rewrite({ status: 'off' });
    await world.create();
    await world.turn();
    await world.rewrite({ status: 'requested' });
    const later = await world.create();
    world.received.length = 0;
    await world.turn();

    expect(world.received.map(({ type, events, entries }) => [type, events, entries])).toEqual([
      ['handshake', [], []],
      ['event-notification', [2], [`Observation/${later.id}/_history/1`]],
    ]);
  });

  it('goes on where it was when it is written anew while it is active', async () => {
    const world = await active();
    const before = await world.create();
    await world.rewrite({ status: 'requested', endpoint: 'https://other.example/' });
    await world.turn();

    expect(world.received.map(({ type, entries }) => [type, entries])).toEqual([
      ['handshake', []],
      ['event-notification', [`Observation/${before.id}/_history/1`]],
    ]);
  });

  it('is shaken hands with anew where it is written anew meanwhile, and the older version is not said to be active', async () => {
    const world = await deliveryWorld(store);
    const { post } = world.delivery();
    let rewritten = false;
    await world.turn(store, {
      post: async (url, sent) => {
        if (!rewritten) await world.rewrite({ status: 'requested', endpoint: 'https://other.example/' });
        rewritten = true;
        return post(url, sent);
      },
    });

    expect(world.received.map(({ type }) => type)).toEqual(['handshake', 'handshake']);
    expect(await world.settings()).toMatchObject({ version: 3, status: 'active', endpoint: 'https://other.example/' });
    expect(await world.subscription()).toMatchObject({ status: 'active' });
  });

  it('is forgotten once it is deleted', async () => {
    const world = await active();
    await writeRows(store, [], [settingsKey(world.name)]);
    await world.turn();

    expect(await world.state()).toBeUndefined();
    expect(world.received).toEqual([]);
  });

  it('goes on with its numbers where it is written anew after it was deleted, and gives up what was under way', async () => {
    const world = await active();
    await world.create();
    await world.turn();
    const settings = await world.settings();
    world.receiver.answer = down;
    await world.create();
    await world.turn();
    await writeRows(store, [], [settingsKey(world.name)]);
    await world.turn();
    const gone = await world.state();

    world.receiver.answer = up;
    world.received.length = 0;
    await world.rewrite({ ...settings, status: 'requested' });
    const later = await world.create();
    await world.turn();

    expect(gone).toBeUndefined();
    expect(world.received.map(({ type, events, entries }) => [type, events, entries])).toEqual([
      ['handshake', [], []],
      ['event-notification', [3], [`Observation/${later.id}/_history/1`]],
    ]);
    expect((await world.notifications()).map(({ first, status }) => [first, status])).toEqual([
      [1, 'delivered'],
      [2, 'dead'],
      [3, 'delivered'],
    ]);
  });

  it('leaves the rest to another turn when its time is over, and asks for that', async () => {
    const world = await active({ maxCount: 1 });
    await world.create();
    await world.create();
    const slow = () => {
      world.clock.now += 15_000;
      return { status: 200 };
    };
    world.receiver.answer = slow;
    await world.create();
    await world.turn();

    expect(numbersIn(world)).toEqual([[1], [2]]);
    expect(world.woken).toEqual([world.name]);
    expect((await world.state())?.lease).toBeUndefined();
    await world.turn();
    expect(numbersIn(world)).toEqual([[1], [2], [3]]);
  });
});

describe('two deliverers', () => {
  it('do not work on one Subscription at once: who comes second has the first look again', async () => {
    const world = await active();
    await world.create();
    let second: Promise<unknown> | undefined;
    const meanwhile = async () => {
      if (second) return { status: 200 };
      await world.create();
      second = world.turn();
      await second;
      return { status: 200 };
    };
    await world.turn(store, { post: (url, post) => world.delivery().post(url, post).then(meanwhile) });

    expect(numbersIn(world)).toEqual([[1], [2]]);
    expect((await world.notifications()).map(({ attempts }) => attempts)).toEqual([1, 1]);
  });

  it('may both have sent a notification where the first one stood still; the second one goes on, and the first leaves it to that', async () => {
    const world = await active();
    await world.create();
    const stoodStill = async () => {
      world.clock.now += leaseMs + 1;
      await world.create();
      await world.turn();
      return { status: 200 };
    };
    let stood = false;
    await world.turn(store, {
      post: async (url, post) => {
        const sent = await world.delivery().post(url, post);
        if (stood) return sent;
        stood = true;
        return stoodStill();
      },
    });

    expect(numbersIn(world)).toEqual([[1], [1], [2]]);
    expect(world.received[1]?.headers['webhook-id']).toBe(world.received[0]?.headers['webhook-id']);
    expect(world.received[1]?.body).toBe(world.received[0]?.body);
  });
});
