import { marshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';

/** Writes binary values in base64, as an event in JSON holds them. */
const toJson = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, function (this: Record<string, unknown>, key: string, member: unknown) {
      const original = this[key];
      return original instanceof Uint8Array ? Buffer.from(original).toString('base64') : member;
    }),
  );

const image = (row: Record<string, unknown>) =>
  toJson(marshall(row, { removeUndefinedValues: true })) as NonNullable<
    NonNullable<DynamoDBRecord['dynamodb']>['NewImage']
  >;

/** A change of a row as a stream tells of it. */
export const streamRecord = (
  sequenceNumber: string,
  before: Record<string, unknown> | undefined,
  after: Record<string, unknown> | undefined,
): DynamoDBRecord => ({
  eventID: `event-${sequenceNumber}`,
  eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
  dynamodb: {
    SequenceNumber: sequenceNumber,
    ...(before === undefined ? {} : { OldImage: image(before) }),
    ...(after === undefined ? {} : { NewImage: image(after) }),
  },
});

/** New rows as a stream tells of them, numbered from 1. */
export const insertEvent = (rows: readonly Record<string, unknown>[]): DynamoDBStreamEvent => ({
  Records: rows.map((row, index) => streamRecord(String(index + 1), undefined, row)),
});
