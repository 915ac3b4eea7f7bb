import { type QueueResource, sendStatements } from './queue-access.ts';
import type { Statement } from './statement.ts';

/**
 * What the mapping of a stream does in the name of the function behind it, and where it leaves what that function has failed on.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
 */
export const consumeStatements = (streamArn: string, failed: QueueResource): Statement[] => [
  {
    actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
    resources: [streamArn],
  },
  // Listing streams cannot be limited to one. It shows names, no records.
  { actions: ['dynamodb:ListStreams'], resources: ['*'] },
  ...sendStatements(failed),
];
