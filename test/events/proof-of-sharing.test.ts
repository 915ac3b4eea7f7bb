import { beforeEach, describe, expect, it } from 'vitest';
import { Random } from '../../infra/demo/random.ts';
import { type ConsentKind, consentKinds } from '../support/sharing/consents.ts';
import * as law from '../support/sharing/judge.ts';
import { faultsInNotices } from '../support/sharing/laws.ts';
import { SmallNetwork, type Subscribed } from '../support/sharing/small-network.ts';
import type { Writer } from '../support/sharing/traffic.ts';

// `npm run prove -- --sharing` does the same with 10,000 changes over 200 charts, and kills the server.

/** What is wrong with what was told once everything has come to its end. */
const judged = async (network: SmallNetwork, began: number): Promise<string[]> => {
  await network.settle();
  return law.judged(network, began, network.moments());
};

/** A network in which Northside and Lakeside have subscribed. */
const networkOf = async (seed: number, people: number) => {
  const network = await SmallNetwork.open(seed, people);
  await network.subscribe('northside', 'Observation', 'id-only');
  await network.subscribe('lakeside', 'Observation', 'full-resource');
  return network;
};

describe('changes that flow while Consents come and go', () => {
  it('reach who may know of them, in order, and nobody else', async () => {
    const seed = 1;
    const network = await networkOf(seed, 3);
    await network.subscribe('lakeside', 'Patient', 'id-only');
    await network.subscribe('lakeside', 'Location', 'id-only');
    const began = network.moments();
    const random = new Random(seed, 1_000);
    const turn = () => {
      random.pick(network.subscribed).mode = random.pick(['up', 'up', 'refuses', 'cuts', 'gone'] as const);
    };
    const halfway = async (work: () => Promise<unknown>) => {
      if (random.chance(0.4)) network.breaking.set(random.whole(0, 8), random.chance(0.5));
      await work();
      if (network.breaking.isReached) network.pass();
      network.breaking.clear();
    };
    const steps = [
      ...Array(9).fill(() => random.pick(network.traffic.writers).step()),
      ...Array(4).fill(() => halfway(() => network.publish(random.whole(1, 12)))),
      ...Array(5).fill(() => halfway(() => network.deliverNext())),
      turn,
      () => network.pass(),
      () => random.pick(network.pollers).ask(),
    ] as (() => unknown)[];
    for (let step = 0; step < 120; step += 1) await random.pick(steps)();

    expect(await judged(network, began)).toEqual([]);
    expect(network.traffic.changes).toBeGreaterThan(60);
  });
});

describe('whoever is ended half-way', () => {
  it.each([
    ['before', false],
    ['behind', true],
  ])('%s any write, loses nothing, and tells nobody else and nothing twice under another number', async (_, behind) => {
    const network = await networkOf(3, 1);
    const began = network.moments();
    // Somebody whom all are told of.
    const [writer] = network.traffic.writers as [Writer];
    for (let patients = 0; patients < 2; patients += 1) await writer.step();
    await writer.share(consentKinds[0] as ConsentKind);
    let publishing = 0;
    do {
      await writer.observe();
      network.breaking.set(publishing, behind);
      publishing += 1;
    } while (!(await network.publish(100)));
    const [, lakeside] = network.subscribed as [Subscribed, Subscribed];
    let delivering = 0;
    do {
      network.breaking.clear();
      await writer.observe();
      await network.publish(100);
      network.pass();
      network.breaking.set(delivering, behind);
      delivering += 1;
    } while (!(await network.deliver(lakeside)));

    expect(await judged(network, began)).toEqual([]);
    // Filing, a sequence for each organisation, the wake, the bus; the lease, the numbers, the trace, the post, the proof.
    expect(publishing).toBeGreaterThan(5);
    expect(delivering).toBeGreaterThan(5);
  });
});

describe('a Consent that names nobody', () => {
  it('opens to whoever has subscribed or polled, and they are told', async () => {
    const network = await networkOf(5, 1);
    const began = network.moments();
    const [writer] = network.traffic.writers as [Writer];
    const toEverybody = consentKinds.find(({ name }) => name === 'to everybody') as ConsentKind;
    for (let patients = 0; patients < 2; patients += 1) await writer.step();
    await writer.share(toEverybody);
    await writer.observe();

    expect(await judged(network, began)).toEqual([]);
    expect(network.subscribed[1]?.inbox.seen).toHaveLength(1);
    expect(network.pollers[1]?.seen.map(({ name }) => name.replace(/\/.*/, ''))).toContain('Observation');
  });
});

describe('a Consent that is given and ended', () => {
  it('is told to whom it opens and closes something, and to nobody else', async () => {
    const network = await networkOf(6, 1);
    const began = network.moments();
    const [writer] = network.traffic.writers as [Writer];
    for (let patients = 0; patients < 2; patients += 1) await writer.step();
    const left: string[] = [];
    for (const kind of consentKinds) {
      for (const step of [() => writer.share(kind), () => writer.end()]) {
        await step();
        await network.publish(100);
        left.push(...faultsInNotices(network.model, network.bus.notices, network.organizations, true));
      }
    }

    expect(left).toEqual([]);
    expect(await judged(network, began)).toEqual([]);
    const changes = new Set(network.bus.notices.map(({ recipient, change }) => `${recipient} ${change}`));
    expect([...changes].sort()).toEqual(['hillside gained', 'hillside lost', 'lakeside gained', 'lakeside lost']);
  });
});

describe('a Consent that is ended while a notification waits', () => {
  let network: SmallNetwork;
  let began: number;
  let lakeside: Subscribed;
  let writer: Writer;
  const [everything] = consentKinds as [ConsentKind];

  beforeEach(async () => {
    network = await networkOf(4, 1);
    began = network.moments();
    [, lakeside] = network.subscribed as [Subscribed, Subscribed];
    [writer] = network.traffic.writers as [Writer];
    await writer.step();
    await writer.step();
    await writer.share(everything);
    await writer.observe();
    lakeside.mode = 'refuses';
    await network.publish(100);
    await network.deliver(lakeside);
    await writer.end();
  });

  it('keeps it from being sent, which its number tells, and what comes after is sent', async () => {
    await network.settle();
    const [attempt, ...others] = lakeside.inbox.seen;
    await writer.share(everything);
    await writer.observe();

    expect(await judged(network, began)).toEqual([]);
    expect([attempt, others]).toMatchObject([{ id: '1', refused: true }, []]);
    expect(lakeside.inbox.gaps()).toEqual([1]);
    expect(lakeside.inbox.seen.at(-1)).toMatchObject({ id: '2', refused: false });
  });

  it('keeps nothing back once it is given again', async () => {
    await writer.share(everything);

    expect(await judged(network, began)).toEqual([]);
    expect(lakeside.inbox.seen).toMatchObject([
      { id: '1', refused: true },
      { id: '1', refused: false },
    ]);
    expect(lakeside.inbox.gaps()).toEqual([]);
  });
});
