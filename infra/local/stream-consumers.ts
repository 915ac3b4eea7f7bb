import { beatPrefix } from '../../shared/store/feed/feed-keys.ts';
import { chartKey, directivePrefix, grantPrefix } from '../../shared/store/keys.ts';
import { reminderPrefix } from '../../shared/store/reminder-rows.ts';
import type { EventPattern } from './event-pattern.ts';
import type { StreamConsumer } from './stream-poller.ts';

const ofChart = { S: [{ prefix: chartKey('') }] };

/** Sort keys of records begin with the name of their type; earlier versions and what opens a chart stand apart from them. */
const capitals = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ', (prefix) => ({ prefix }));

const changesOfRecords: EventPattern = {
  eventName: ['INSERT', 'MODIFY'],
  dynamodb: {
    NewImage: { pk: ofChart, sk: { S: capitals }, version: { N: [{ exists: true }] } },
  },
};

/** What a Consent comes to stands at its place, or at its type and place where the patient has accepted an organisation. It is removed where a Consent ends. */
const consents: EventPattern = {
  dynamodb: {
    Keys: {
      pk: ofChart,
      sk: {
        S: [...'0123456789abcdefghijklmnopqrstuv', 'Consent#'].map((each) => ({ prefix: directivePrefix + each })),
      },
    },
  },
};

const brokenGlasses: EventPattern = {
  eventName: ['INSERT', 'MODIFY'],
  dynamodb: { NewImage: { pk: ofChart, sk: { S: [{ prefix: grantPrefix }] } } },
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
    // No more than five: the service's limit.
    filters: [
      changesOfRecords,
      consents,
      brokenGlasses,
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
