import type { QueueConsumer } from './queue-poller.ts';

/** Seconds that a turn of delivery may take; its message is given to nobody else for half as long again. */
const deliverSeconds = 60;

/** The functions behind queues. */
export const queueConsumers: readonly [QueueConsumer] = [
  {
    name: 'wakes',
    entry: 'functions/deliver.ts',
    timeoutMs: deliverSeconds * 1_000,
    visibilityTimeoutMs: deliverSeconds * 1_500,
    // So many receivers may be as slow as they like before another one waits for its turn.
    maximumConcurrency: 100,
    maxReceiveCount: 5,
  },
];
