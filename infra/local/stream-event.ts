import { isDeepStrictEqual } from 'node:util';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { _Record as StreamRecord } from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import { timeToLiveAttribute } from '../../shared/store/table.ts';

/** A stream record as an event source mapping hands it to a function: the same in plain JSON. */
export const toLambdaRecord = (record: StreamRecord, streamArn: string): DynamoDBRecord => {
  const { ApproximateCreationDateTime: created, ...change } = record.dynamodb ?? {};
  return toJson({
    eventID: record.eventID,
    eventName: record.eventName,
    eventVersion: record.eventVersion,
    eventSource: record.eventSource,
    awsRegion: process.env.AWS_REGION,
    eventSourceARN: streamArn,
    dynamodb: { ...change, ApproximateCreationDateTime: created && Math.floor(created.getTime() / 1_000) },
    // The service marks what it removed itself because its time was up; the local sweeper removes like anybody else.
    ...(wasExpired(record) ? { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } } : {}),
  }) as DynamoDBRecord;
};

/** A put that changes nothing: the service emits no record for it, the embedded store does. */
export const changesNothing = ({ eventName, dynamodb }: StreamRecord): boolean =>
  eventName === 'MODIFY' && isDeepStrictEqual(dynamodb?.NewImage, dynamodb?.OldImage);

const wasExpired = ({ eventName, dynamodb }: StreamRecord): boolean => {
  const expires: AttributeValue | undefined = dynamodb?.OldImage?.[timeToLiveAttribute];
  const removedAt = (dynamodb?.ApproximateCreationDateTime?.getTime() ?? 0) / 1_000;
  return eventName === 'REMOVE' && expires?.N !== undefined && Number(expires.N) <= removedAt;
};

/** Drops what is undefined, and writes binary values in base64 as they are in JSON. */
const toJson = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, toJson(each)]])),
  );
};
