import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';

type Image = NonNullable<DynamoDBRecord['dynamodb']>['NewImage'];

/**
 * A row before and after, as the stream tells of it. Bodies come as base64 text where the event passed through JSON; only whether there is one
 * matters to whoever follows the stream.
 */
export const rowChange = <R>({ dynamodb }: DynamoDBRecord): { before: R | undefined; after: R | undefined } => ({
  before: rowFrom(dynamodb?.OldImage),
  after: rowFrom(dynamodb?.NewImage),
});

const rowFrom = <R>(image: Image): R | undefined => image && (unmarshall(image as Record<string, AttributeValue>) as R);
