import { beforeAll, describe, expect, it } from 'vitest';
import { dueAt } from '../../shared/delivery/times.ts';
import { QueueServiceError } from '../../shared/delivery/wake-queue.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { subscriptionOf } from '../../shared/store/subscriptions/read-subscriptions.ts';
import { countCalls } from '../support/count-calls.ts';
import { type DeliveryWorld, deliveryWorld, hourMs } from '../support/delivery-world.ts';
import { testStore } from '../support/test-store.ts';

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

describe('the course of a Subscription', () => {
  it('begins where it was made or switched on, however often it is written before delivery has seen it', async () => {
    const world = await deliveryWorld(store);
    await world.rewrite({ status: 'off' });
    await world.create();
    await world.rewrite({ status: 'requested' });
    const first = await world.create();
    await world.rewrite({ status: 'requested', maxCount: 1 });
    await world.turn();
    await world.rewrite({ status: 'off' });
    await world.create();
    await world.rewrite({ status: 'requested' });
    const second = await world.create();
    await world.rewrite({ status: 'requested', maxCount: 10 });
    await world.turn();

    expect(world.received.flatMap(({ entries }) => entries)).toEqual(
      [first, second].map(({ id }) => `Observation/${id}/_history/1`),
    );
  });

  it('is free when another turn is asked for, so that this one goes on at once', async () => {
    const world = await active({ maxCount: 1 });
    await world.create();
    await world.create();
    world.receiver.answer = () => {
      world.clock.now += 20_000;
      return { status: 200 };
    };

    await world.turn(store, { wake: () => world.turn() });

    expect(numbersIn(world)).toEqual([[1], [2]]);
  });

  it('is due where the turn that was to go on is asked for in vain', async () => {
    const world = await active({ maxCount: 1 });
    await world.create();
    world.receiver.answer = () => {
      world.clock.now += 20_000;
      return { status: 200 };
    };
    const away = new QueueServiceError('NoAnswer');

    await expect(world.turn(store, { wake: () => Promise.reject(away) })).rejects.toThrow(away);

    const { state, settings } = await subscriptionOf(store, world.name);
    expect(dueAt({ ...world.name, state, settings })).toBeLessThanOrEqual(world.clock.now);
  });
});

describe('a receiver that says when to come again', () => {
  it('is left alone for so long, an hour at most, and only where it is busy', async () => {
    const world = await active();
    await world.create();
    const pausedAfter = async (status: number, retryAfterMs: number) => {
      world.receiver.answer = () => ({ status, retryAfterMs });
      await world.turn();
      const pause = ((await world.state())?.retryAt ?? 0) - world.clock.now;
      world.clock.now += pause;
      return pause;
    };

    expect(await pausedAfter(429, 600_000)).toBe(600_000);
    expect(await pausedAfter(503, 240 * hourMs)).toBe(hourMs);
    expect(await pausedAfter(503, 0)).toBe(20_000);
    expect(await pausedAfter(500, 600_000)).toBe(40_000);
  });

  it('is told nothing more once it is gone: the Subscription is in error at once', async () => {
    const world = await active();
    await world.create();
    world.receiver.answer = () => ({ status: 410 });
    await world.turn();
    world.clock.now += hourMs;
    await world.create();
    await world.turn();

    expect(numbersIn(world)).toEqual([[1]]);
    expect(await world.subscription()).toMatchObject({
      status: 'error',
      error: 'The endpoint is gone: error-response 410',
    });
    expect((await world.notifications()).map(({ status }) => status)).toEqual(['dead', 'dead']);
  });
});

describe('the calls of a turn', () => {
  it('are as many for ten events as for one, and six where there is nothing to tell', async () => {
    const own = await testStore();
    const world = await deliveryWorld(own);
    await world.turn();
    const calls = countCalls(own.client);
    const callsFor = async (events: number) => {
      for (let made = 0; made < events; made++) await world.create();
      calls.reset();
      await world.turn();
      return calls.names.length;
    };

    expect([await callsFor(1), await callsFor(10), await callsFor(0)]).toEqual([18, 18, 6]);
  });
});
