import type { StreamConsumer } from './stream-poller.ts';

/** The functions behind the table's stream. A filter keeps away what a function would look at and drop. */
export const streamConsumers: readonly StreamConsumer[] = [
  {
    name: 'publish-changes',
    entry: 'functions/publish-changes.ts',
    filters: [
      {
        eventName: ['INSERT', 'MODIFY'],
        dynamodb: { NewImage: { pk: { S: [{ prefix: 'C#' }] }, version: { N: [{ exists: true }] } } },
      },
    ],
  },
  {
    name: 'index-audit',
    entry: 'functions/index-audit.ts',
    filters: [{ eventName: ['INSERT'], dynamodb: { NewImage: { pk: { S: [{ prefix: 'A#' }] } } } }],
  },
];
