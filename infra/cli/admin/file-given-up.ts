import {
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import { DeleteMessageCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { fileAccesses } from '../../../shared/audit/file-accesses.ts';
import { toLambdaRecord } from '../../local/stream-event.ts';
import { CommandFailed } from '../command.ts';
import type { DeadLetterQueue, Place } from './place.ts';

/** What Lambda writes into a queue of a batch that it gave up. https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html */
const givenUp = z.object({
  DDBStreamBatchInfo: z.object({
    shardId: z.string(),
    startSequenceNumber: z.string(),
    endSequenceNumber: z.string(),
    streamArn: z.string(),
  }),
});
type Batch = z.infer<typeof givenUp>['DDBStreamBatchInfo'];

/** What became of places of the stream. */
export interface Filed {
  readonly filed: number;
  /** The stream keeps a record for a day: what is older cannot be read any more. */
  readonly tooOld: number;
}

/** Time for which nobody else is given a message, in seconds: a batch has a hundred rows at most. */
const visibilityTimeout = 120;

/**
 * Files rows of the access log that the consumer gave up, as it would have: by organisation and day, as disclosures, and in the chains of their logs. A message is removed once that
 * is done; doing it twice changes nothing.
 *
 * @throws CommandFailed where a row cannot be filed now either.
 */
export const fileGivenUp = async (
  place: Place,
  { url: QueueUrl, name }: DeadLetterQueue,
  sqs: SQSClient,
): Promise<Filed> => {
  const streams = new DynamoDBStreamsClient({ ...place.streams });
  const count = { filed: 0, tooOld: 0 };
  try {
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: 10,
          VisibilityTimeout: visibilityTimeout,
          WaitTimeSeconds: 1,
        }),
      );
      if (Messages.length === 0) return count;
      for (const { Body = '', ReceiptHandle } of Messages) {
        const { DDBStreamBatchInfo: batch } = givenUp.parse(JSON.parse(Body));
        const records = await recordsOf(streams, batch);
        if (!records) {
          count.tooOld++;
          continue;
        }
        const { batchItemFailures } = await fileAccesses(place.table, {
          Records: records.map((record) => toLambdaRecord(record, batch.streamArn)),
        });
        if (batchItemFailures.length > 0)
          throw new CommandFailed(`${name}: what was given up cannot be filed now either`);
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        count.filed++;
      }
    }
  } finally {
    streams.destroy();
  }
};

/** A batch is in one page or two; a shard that has it no more gives empty ones for ever. */
const mostPages = 10;

/** The records of a batch; undefined if the stream has them no more. */
const recordsOf = async (
  client: DynamoDBStreamsClient,
  { streamArn: StreamArn, shardId: ShardId, startSequenceNumber, endSequenceNumber }: Batch,
): Promise<StreamRecord[] | undefined> => {
  const end = BigInt(endSequenceNumber);
  const found: StreamRecord[] = [];
  try {
    const start = { StreamArn, ShardId, SequenceNumber: startSequenceNumber };
    let { ShardIterator } = await client.send(
      new GetShardIteratorCommand({ ...start, ShardIteratorType: 'AT_SEQUENCE_NUMBER' }),
    );
    for (let page = 0; ShardIterator !== undefined && page < mostPages; page++) {
      const { Records = [], NextShardIterator } = await client.send(new GetRecordsCommand({ ShardIterator }));
      found.push(...Records.filter(({ dynamodb }) => BigInt(dynamodb?.SequenceNumber ?? 0) <= end));
      if (found.some(({ dynamodb }) => dynamodb?.SequenceNumber === endSequenceNumber)) return found;
      ShardIterator = NextShardIterator;
    }
    return undefined;
  } catch (error) {
    if (['TrimmedDataAccessException', 'ResourceNotFoundException'].includes((error as Error).name)) return undefined;
    throw error;
  }
};
