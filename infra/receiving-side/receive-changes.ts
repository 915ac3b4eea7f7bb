import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import {
  eventSource,
  type RecordChanged,
  recordChangedType,
  recordChangedV1,
} from '../../shared/changes/record-changed.ts';
import type { ConcordReader } from './concord-reader.ts';
import type { Copies } from './copies.ts';

/** What the receiving side works with. */
export interface ReceivingSide {
  /** The own organisation: what names another one was sent by mistake. */
  readonly organization: string;
  readonly concord: ConcordReader;
  readonly copies: Copies;
  /** Is told what could not be done: a name, never what a record says. */
  readonly onFault: (what: string, fault: unknown) => void;
}

const busEvent = z.object({
  source: z.literal(eventSource),
  'detail-type': z.literal(recordChangedType),
  detail: recordChangedV1,
});

/**
 * Takes notices of changed records from a queue: drops repeats by their event id and what is older than what is here, fetches the record by one call, and keeps the highest version. A record that is
 * gone, or may not be read any more, is forgotten. A notice that fails is left in the queue, and the others are not.
 */
export const receiveChanges = async (side: ReceivingSide, { Records }: SQSEvent): Promise<SQSBatchResponse> => {
  const batchItemFailures: SQSBatchResponse['batchItemFailures'] = [];
  for (const { messageId, body } of Records) {
    try {
      await receive(side, noticeIn(side, body));
    } catch (fault) {
      side.onFault('a notice was not received', fault);
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  return { batchItemFailures };
};

/** @throws Error for anything but a notice for the own organisation, or for every organisation: after some tries it waits in the dead-letter queue. */
const noticeIn = ({ organization }: ReceivingSide, body: string): RecordChanged => {
  const { detail } = busEvent.parse(JSON.parse(body));
  if (detail.recipient !== organization && detail.recipient !== '*')
    throw new Error('A notice for another organisation');
  return detail;
};

const receive = async ({ concord, copies }: ReceivingSide, notice: RecordChanged): Promise<void> => {
  const { eventId, recordType, recordId, version } = notice;
  const name = `${recordType}/${recordId}`;
  if (await copies.knows({ eventId, name, version })) return;
  const record = await concord.read(name);
  if (record === undefined) {
    // Not marked as seen: if it may be read again, the same event may come again.
    await copies.forget({ name, version });
    return;
  }
  await copies.keep({ name, ...record });
  await copies.noteSeen(eventId);
};
