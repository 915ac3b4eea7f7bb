import type {
  EventBridgeClient,
  PutEventsCommand,
  PutEventsRequestEntry,
  PutEventsResultEntry,
} from '@aws-sdk/client-eventbridge';

/** A bus that keeps what it is sent, and refuses what it is told to. */
export interface RecordingBus {
  readonly client: EventBridgeClient;
  /** Entries that were accepted, in order. */
  readonly accepted: PutEventsRequestEntry[];
  /** Entries of each call. */
  readonly calls: number[];
}

export const recordingBus = (refuses: (entry: PutEventsRequestEntry) => boolean = () => false): RecordingBus => {
  const accepted: PutEventsRequestEntry[] = [];
  const calls: number[] = [];
  const send = async ({ input }: PutEventsCommand) => {
    const entries = input.Entries ?? [];
    calls.push(entries.length);
    const Entries = entries.map((entry): PutEventsResultEntry => {
      if (refuses(entry)) return { ErrorCode: 'ThrottlingException' };
      accepted.push(entry);
      return { EventId: `event-${accepted.length}` };
    });
    return { FailedEntryCount: Entries.filter(({ ErrorCode }) => ErrorCode !== undefined).length, Entries };
  };
  return { client: { send } as unknown as EventBridgeClient, accepted, calls };
};
