import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { log } from '../log.ts';
import type { IdCodec } from '../store/ids.ts';
import type { ReminderRow } from '../store/reminder-rows.ts';
import type { RecordRow } from '../store/rows.ts';
import { appointmentChangedType, appointmentChangedV1, appointmentChangesIn } from './appointment-changed.ts';
import { changesIn } from './changes-in.ts';
import { eventSource, recordChangedType, recordChangedV1 } from './record-changed.ts';
import { reminderDueType, reminderDueV1, remindersIn } from './reminder-due.ts';
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
  const events = Records.flatMap((record) => {
    const row = rowChange<RecordRow>(record);
    return [
      ...changesIn(row, ids).map((change) => entryFor(busName, recordChangedType, recordChangedV1.parse(change))),
      ...appointmentChangesIn(row, ids).map((change) =>
        entryFor(busName, appointmentChangedType, appointmentChangedV1.parse(change)),
      ),
      ...remindersIn(rowChange<ReminderRow>(record)).map((due) =>
        entryFor(busName, reminderDueType, reminderDueV1.parse(due)),
      ),
    ].map((entry) => ({ record, entry }));
  });
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

const entryFor = (
  EventBusName: string,
  DetailType: string,
  detail: { readonly occurredAt: string },
): PutEventsRequestEntry => ({
  EventBusName,
  Source: eventSource,
  DetailType,
  Time: new Date(detail.occurredAt),
  Detail: JSON.stringify(detail),
});
