import type { Statement } from './statement.ts';

/** An encrypted queue and its key. */
export interface QueueResource {
  readonly queueArn: string;
  readonly keyArn: string;
}

/** What somebody may do who sends to it. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html */
export const sendStatements = ({ queueArn, keyArn }: QueueResource): Statement[] => [
  { actions: ['sqs:SendMessage'], resources: [queueArn] },
  { actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [keyArn] },
];

/** What the mapping does in the name of the function behind it. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
export const receiveStatements = ({ queueArn, keyArn }: QueueResource): Statement[] => [
  { actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], resources: [queueArn] },
  { actions: ['kms:Decrypt'], resources: [keyArn] },
];
