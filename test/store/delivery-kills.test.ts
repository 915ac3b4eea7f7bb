import { beforeAll, describe, expect, it } from 'vitest';
import { givenUpAfterMs } from '../../shared/delivery/times.ts';
import { cursorText, endOfSequence } from '../../shared/store/feed/sequence.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { type Notification, notificationRow } from '../../shared/store/subscriptions/notifications.ts';
import { newState, type SubscriptionState, stateRow } from '../../shared/store/subscriptions/state.ts';
import { leaseMs } from '../../shared/store/subscriptions/turns.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { changeOf, type DeliveryWorld, deliveryWorld, hourMs } from '../support/delivery-world.ts';
import { intercepted, testStore } from '../support/test-store.ts';

let store: RecordStore;
beforeAll(async () => {
  store = await testStore();
});

const reading = ['Query', 'Get', 'BatchGet'];

/** Who dies before a step of its turn, a write or a post: nothing of it is carried out from then on. To die behind one is to die before the next. */
const mortal = (world: DeliveryWorld, diesAt: number) => {
  let steps = 0;
  const step = async <T>(act: () => Promise<T>): Promise<T> => {
    steps++;
    if (steps >= diesAt) throw new Error('killed');
    return act();
  };
  const through = intercepted(store, ({ name, send }) => (reading.includes(name) ? send() : step(() => send())));
  const { post, wake } = world.delivery();
  return {
    steps: () => steps,
    turn: () =>
      world.turn(through, {
        post: (url, sent) => step(() => post(url, sent)),
        wake: (wakes) => step(() => wake(wakes)),
      }),
  };
};

/**
 * Has a turn die at each of its steps, and another one go on when the lease is over, until one comes to its end.
 *
 * @returns how many steps it has.
 */
const killedEverywhere = async (
  prepare: () => Promise<DeliveryWorld>,
  check: (world: DeliveryWorld) => Promise<void>,
): Promise<number> => {
  for (let diesAt = 1; ; diesAt++) {
    const world = await prepare();
    const who = mortal(world, diesAt);
    const died = await who.turn().then(
      () => false,
      (error: unknown) => String(error).includes('killed'),
    );
    if (died) {
      world.clock.now += leaseMs + 1;
      await world.turn();
    }
    await check(world);
    if (!died) return who.steps();
  }
};

/** What was sent under each id: the same, however often. */
const bodiesById = ({ received }: DeliveryWorld) =>
  Map.groupBy(
    received.filter(({ type }) => type === 'event-notification'),
    ({ headers }) => headers['webhook-id'] ?? '',
  );

const requireSameAtEachAttempt = (world: DeliveryWorld) => {
  for (const sent of bodiesById(world).values()) expect(new Set(sent.map(({ body }) => body)).size).toBe(1);
};

/** Numbers of the events, in the order in which they first came. */
const numbersTold = ({ received }: DeliveryWorld) => [...new Set(received.flatMap(({ events }) => events))];
const entriesTold = ({ received }: DeliveryWorld) => [...new Set(received.flatMap(({ entries }) => entries))];

/** Has a Subscription stand as if notifications of these records, one of each, had been made before. */
const stands = async (
  world: DeliveryWorld,
  records: readonly StoredRecord[],
  status: Notification['status'],
  over: Partial<SubscriptionState>,
) => {
  const notifications = records.map(
    (record, index): Notification => ({
      ...world.name,
      first: index + 1,
      made: 0,
      changes: [changeOf(record)],
      status,
      attempts: 3,
    }),
  );
  const state: SubscriptionState = {
    ...newState(world.name),
    version: 1,
    status: 'active',
    cursor: cursorText(await endOfSequence(store, world.name.organization)),
    events: records.length,
    ...over,
  };
  await writeRows(store, [...notifications.map(notificationRow), stateRow(state)]);
};

describe('a deliverer that is killed at any step', () => {
  it('leaves a new Subscription to another one, which shakes hands and tells each event in its order, again only under its id', async () => {
    const steps = await killedEverywhere(
      async () => {
        const world = await deliveryWorld(store, { maxCount: 2 });
        const first = await world.create();
        await world.update(first);
        await world.create();
        return world;
      },
      async (world) => {
        expect(world.received[0]?.type).toBe('handshake');
        expect(numbersTold(world)).toEqual([1, 2, 3]);
        expect(entriesTold(world)).toHaveLength(3);
        expect(bodiesById(world).size).toBe(2);
        requireSameAtEachAttempt(world);
        expect((await world.notifications()).map(({ first, status }) => [first, status])).toEqual([
          [1, 'delivered'],
          [3, 'delivered'],
        ]);
        expect(await world.subscription()).toMatchObject({ status: 'active' });
        expect((await world.state())?.lease).toBeUndefined();
      },
    );

    expect(steps).toBeGreaterThan(12);
  });

  it('sends what is asked for again, and nothing of what may not be known any more', async () => {
    const steps = await killedEverywhere(
      async () => {
        const world = await deliveryWorld(store, { status: 'active' });
        const closed = await world.create();
        await world.update(closed, { misfiled: true });
        const open = await world.create();
        await stands(world, [closed, open], 'dead', { redrive: 1 });
        return world;
      },
      async (world) => {
        expect(numbersTold(world)).toEqual([2]);
        requireSameAtEachAttempt(world);
        expect((await world.notifications()).map(({ status }) => status)).toEqual(['withheld', 'delivered']);
        expect(await world.state()).toMatchObject({ status: 'active', failures: 0 });
        expect((await world.state())?.redrive).toBeUndefined();
      },
    );

    expect(steps).toBeGreaterThan(6);
  });

  it('lets no failure be forgotten: three days count from the first one', async () => {
    await killedEverywhere(
      async () => {
        const world = await deliveryWorld(store, { status: 'active' });
        world.receiver.answer = () => ({ status: 500 });
        const failingSince = world.clock.now - givenUpAfterMs;
        await stands(world, [await world.create()], 'pending', { pending: 1, failures: 81, failingSince });
        return world;
      },
      async (world) => {
        world.clock.now += hourMs; // who died behind the failure is followed by the next attempt
        await world.turn();
        expect(await world.subscription()).toMatchObject({ status: 'error' });
        expect((await world.notifications()).map(({ status }) => status)).toEqual(['dead']);
        expect(numbersTold(world)).toEqual([1]);
        requireSameAtEachAttempt(world);
      },
    );
  });
});
