import type { BusWitnesses } from './bus-follower.ts';
import { canariesIn } from './canaries.ts';
import { faultsIn, faultsInNotices, missingFor, type Sighting, type Witness } from './laws.ts';
import type { Model } from './model.ts';
import type { Poller } from './poller.ts';
import type { Inbox } from './subscriber.ts';
import type { Traffic } from './traffic.ts';

/** All that was written, and all that was told of it. */
export interface Network {
  readonly model: Model;
  readonly organizations: readonly string[];
  readonly traffic: Traffic;
  readonly bus: BusWitnesses;
  readonly pollers: readonly Poller[];
  readonly inboxes: readonly Inbox[];
  /** Numbers of events that were not sent since nobody there might know of them any more, as the proof of delivery has it. */
  readonly withheld: (inbox: Inbox) => Promise<readonly number[]>;
}

/** Subscriptions are records as well, of which their own organisation is told; and what a new store holds bears the names of its organisations. */
const isOther = ({ name }: Sighting): boolean => /^Subscription\/|^[A-Z]\w+\/(?:north|lake)side/.test(name);

export const witnessesOf = ({ inboxes, pollers, bus }: Network): Witness[] => [
  ...inboxes,
  ...pollers,
  ...bus.recipients.map((recipient) => bus.of(recipient)),
];

/** What has yet to come, in words. @param from - when what was sent has to come. @param until - when nothing was under way any more. */
export const missingIn = (network: Network, from: number, until: number): string[] =>
  witnessesOf(network).flatMap((witness) =>
    missingFor(network.model, witness, from, until).map(
      ({ name, version }) => `${witness.name}: ${name}/${version} has not come`,
    ),
  );

/** What is wrong with what was told, in words, and with what was not told that had to come between two moments. */
export const judged = async (network: Network, from: number, until: number): Promise<string[]> => {
  const { model, organizations, traffic, inboxes, pollers, bus } = network;
  const gaps: string[] = [];
  for (const inbox of inboxes) {
    const withheld = await network.withheld(inbox);
    const unexplained = inbox.gaps().filter((number) => !withheld.includes(number));
    gaps.push(...unexplained.map((number) => `${inbox.name}: event ${number} is missing, and was not withheld`));
  }
  const texts = [
    ...bus.texts,
    ...pollers.flatMap((poller) => poller.texts),
    ...inboxes.flatMap((inbox) => (inbox.isFull ? [] : inbox.texts)),
  ];
  return [
    ...traffic.faults,
    ...inboxes.flatMap(({ faults }) => faults),
    ...witnessesOf(network).flatMap((witness) => faultsIn(model, witness, isOther)),
    ...missingIn(network, from, until),
    ...faultsInNotices(model, bus.notices, organizations, false),
    ...gaps,
    ...texts.flatMap((text) => canariesIn(text).map((canary) => `${canary} stands where it must not`)),
  ];
};
