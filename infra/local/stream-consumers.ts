import { reminderPrefix } from '../../shared/store/reminder-rows.ts';
import type { EventPattern } from './event-pattern.ts';
import type { StreamConsumer } from './stream-poller.ts';

const changesOfRecords: EventPattern = {
  eventName: ['INSERT', 'MODIFY'],
  dynamodb: { NewImage: { pk: { S: [{ prefix: 'C#' }] }, version: { N: [{ exists: true }] } } },
};

/**
 * The functions behind the table's stream. A filter keeps away what a function would look at and drop. There is room for two: a
 * shard of a stream serves no more without delaying them.
 */
export const streamConsumers: readonly StreamConsumer[] = [
  {
    name: 'publish-changes',
    entry: 'functions/publish-changes.ts',
    filters: [
      changesOfRecords,
      { eventName: ['INSERT'], dynamodb: { NewImage: { pk: { S: [{ prefix: reminderPrefix }] } } } },
    ],
  },
  {
    name: 'file-by-time',
    entry: 'functions/file-by-time.ts',
    filters: [
      changesOfRecords,
      { eventName: ['INSERT'], dynamodb: { NewImage: { pk: { S: [{ prefix: 'A#' }] } } } },
      // Nothing does that; whoever does it all the same is named in the chain of the log.
      { eventName: ['MODIFY', 'REMOVE'], dynamodb: { OldImage: { pk: { S: [{ prefix: 'A#' }] } } } },
      { eventName: ['INSERT', 'MODIFY'], dynamodb: { NewImage: { pk: { S: [{ prefix: 'F~' }] } } } },
    ],
  },
];
