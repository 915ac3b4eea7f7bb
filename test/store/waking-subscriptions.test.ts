import { beforeAll, describe, expect, it } from 'vitest';
import { wakeWhatIsDue } from '../../shared/delivery/on-schedule.ts';
import { lookedAtEveryMs } from '../../shared/delivery/times.ts';
import type { Wake } from '../../shared/delivery/wake-queue.ts';
import { wakeSubscriptionsOf } from '../../shared/delivery/wake-subscriptions.ts';
import { network } from '../../shared/store/keys.ts';
import { WrittenByNewerRelease } from '../../shared/store/layouts.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { settingsRow } from '../../shared/store/subscriptions/settings.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { type DeliveryWorld, deliveryWorld } from '../support/delivery-world.ts';
import { testStore } from '../support/test-store.ts';

let store: RecordStore;
beforeAll(async () => {
  store = await testStore();
});

/** A world whose Subscription has shaken hands. */
const active = async (...args: [Parameters<typeof deliveryWorld>[1]?]): Promise<DeliveryWorld> => {
  const world = await deliveryWorld(store, ...args);
  await world.turn();
  return world;
};

describe('waking', () => {
  const wakes = async (run: (wake: (wakes: readonly Wake[]) => Promise<void>) => Promise<unknown>) => {
    const woken: Wake[] = [];
    await run(async (some) => void woken.push(...some));
    return woken;
  };

  it('reaches the Subscriptions of who has something new, and all of them where everybody has; not those that are off', async () => {
    const world = await active();
    const other = await active();
    const off = await active();
    await off.rewrite({ status: 'off' });
    await off.turn();
    const wokenFor = (...recipients: string[]) => wakes((wake) => wakeSubscriptionsOf(store, wake)(recipients));

    expect(await wokenFor(world.name.organization)).toEqual([world.name]);
    expect(await wokenFor(off.name.organization, 'nobody')).toEqual([]);
    const all = await wokenFor(network, world.name.organization);
    expect(all).toEqual(expect.arrayContaining([world.name, other.name]));
    expect(all).not.toContainEqual(off.name);
  });

  it('reaches by the clock what was not looked at, waits for another attempt or a heartbeat, ends, or was left by who had it', async () => {
    const idle = await active();
    const failing = await active();
    const beating = await active({ heartbeatSeconds: 120 });
    const ending = await active({ end: idle.clock.now + 60_000 });
    const left = await active();
    const fresh = await deliveryWorld(store);
    failing.receiver.answer = () => ({ failed: 'connection' });
    await failing.create();
    await failing.turn();
    await left.create();
    const dies = { post: () => Promise.reject(new Error('killed')) };
    await expect(left.turn(store, dies)).rejects.toThrow('killed');
    const dueAfter = async (ms: number) => {
      const names = [idle, failing, beating, ending, left, fresh].map(({ name }) => name);
      const woken = await wakes((wake) => wakeWhatIsDue(store, wake, idle.clock.now + ms));
      return names.flatMap((name, index) => (woken.some(({ id }) => id === name.id) ? [index] : []));
    };

    expect(await dueAfter(0)).toEqual([5]);
    expect(await dueAfter(5_000)).toEqual([1, 5]);
    expect(await dueAfter(60_000)).toEqual([1, 3, 4, 5]);
    expect(await dueAfter(120_000)).toEqual([1, 2, 3, 4, 5]);
    expect(await dueAfter(lookedAtEveryMs)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('is kept from nobody by one that cannot be read, on which delivery is to fail', async () => {
    const world = await active();
    const newer = await active();
    const settings = await newer.settings();
    if (!settings) throw new Error('The settings are missing');
    await writeRows(store, [{ ...settingsRow(settings), layout: 99 }]);

    const all = await wakes((wake) => wakeSubscriptionsOf(store, wake)([network]));
    const due = await wakes((wake) => wakeWhatIsDue(store, wake, world.clock.now + lookedAtEveryMs));

    expect(all).toEqual(expect.arrayContaining([world.name, newer.name]));
    expect(due).toContainEqual(world.name);
    expect(due).not.toContainEqual(newer.name);
    await expect(newer.turn()).rejects.toThrow(WrittenByNewerRelease);
  });
});
