import { beatPrefix, chartKey } from '../../shared/store/keys.ts';
import { reminderPrefix } from '../../shared/store/reminder-rows.ts';
import type { EventPattern } from './event-pattern.ts';
import type { StreamConsumer } from './stream-poller.ts';

/** Sort keys of records begin with the name of their type; earlier versions and what opens a chart stand apart from them. */
const capitals = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ', (prefix) => ({ prefix }));

const changesOfRecords: EventPattern = {
  eventName: ['INSERT', 'MODIFY'],
  dynamodb: {
    NewImage: { pk: { S: [{ prefix: chartKey('') }] }, sk: { S: capitals }, version: { N: [{ exists: true }] } },
  },
};

/**
 * The functions behind the table's stream. A filter keeps away what a function would look at and drop. There is room for two: a
 * shard of a stream serves no more without delaying them.
 */
export const streamConsumers: readonly StreamConsumer[] = [
  {
    name: 'publish-changes',
    entry: 'functions/publish-changes.ts',
    // What comes together is told together: a row in each sequence, and fuller rows in the feed.
    batchSize: 500,
    filters: [
      changesOfRecords,
      { eventName: ['INSERT', 'MODIFY'], dynamodb: { NewImage: { pk: { S: [{ prefix: beatPrefix }] } } } },
      { eventName: ['INSERT'], dynamodb: { NewImage: { pk: { S: [{ prefix: reminderPrefix }] } } } },
    ],
  },
  {
    name: 'file-accesses',
    entry: 'functions/file-accesses.ts',
    filters: [
      { eventName: ['INSERT'], dynamodb: { NewImage: { pk: { S: [{ prefix: 'A#' }] } } } },
      // Nothing does that; whoever does it all the same is named in the chain of the log.
      { eventName: ['MODIFY', 'REMOVE'], dynamodb: { OldImage: { pk: { S: [{ prefix: 'A#' }] } } } },
    ],
  },
];
