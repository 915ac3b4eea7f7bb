import type { DynamoDBStreamHandler } from 'aws-lambda';
import { publishChanges } from '../shared/changes/publish.ts';
import { publisherFrom } from '../shared/changes/publisher.ts';

/**
 * DynamoDB stream → the feed, who delivers from it, and EventBridge: tells whoever may know of it that a record changed. The stream is the outbox, so no
 * change is lost between them.
 */
export const handler = (async (event) =>
  publishChanges(await publisherFrom(process.env), event)) satisfies DynamoDBStreamHandler;
