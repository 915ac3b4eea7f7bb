import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { log } from '../log.ts';
import type { IdCodec } from '../store/ids.ts';
import { changesIn } from './changes-in.ts';
import { eventSource, recordChangedType, recordChangedV1 } from './record-changed.ts';
import { rowChange } from './row-change.ts';

/** EventBridge takes ten events a call. */
const eventsPerCall = 10;

export interface Publisher {
  readonly bus: EventBridgeClient;
  readonly busName: string;
  readonly ids: IdCodec;
}

/**
 * Publishes what a batch of the stream is worth, in its order. Where the bus refuses an event, the batch is to be repeated from the
 * record that it came from, and no later call is sent before. What stood behind it in the same call may have been accepted, so on
 * the bus a record's versions may change places: the consumer keeps the highest.
 */
export const publishChanges = async (
  { bus, busName, ids }: Publisher,
  { Records }: DynamoDBStreamEvent,
): Promise<DynamoDBBatchResponse> => {
  const events = Records.flatMap((record) =>
    changesIn(rowChange(record), ids).map((change) => ({
      record,
      entry: entryFor(busName, recordChangedV1.parse(change)),
    })),
  );
  for (let at = 0; at < events.length; at += eventsPerCall) {
    const batch = events.slice(at, at + eventsPerCall);
    const { FailedEntryCount = 0, Entries = [] } = await bus.send(
      new PutEventsCommand({ Entries: batch.map(({ entry }) => entry) }),
    );
    if (FailedEntryCount > 0) {
      const failed = batch.find((_, index) => Entries[index]?.ErrorCode !== undefined);
      log.warn('the bus refused events', {
        count: FailedEntryCount,
        reason: Entries.find(({ ErrorCode }) => ErrorCode)?.ErrorCode ?? '',
      });
      return { batchItemFailures: [{ itemIdentifier: failed?.record.dynamodb?.SequenceNumber ?? '' }] };
    }
  }
  return { batchItemFailures: [] };
};

const entryFor = (EventBusName: string, change: ReturnType<typeof recordChangedV1.parse>): PutEventsRequestEntry => ({
  EventBusName,
  Source: eventSource,
  DetailType: recordChangedType,
  Time: new Date(change.occurredAt),
  Detail: JSON.stringify(change),
});
