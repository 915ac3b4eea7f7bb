import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { QueueConsumer } from '../local/queue-poller.ts';

/**
 * A queue with a function behind it, and another one for what that function has failed on too often. Both are encrypted by a key of the customer, and taken to by TLS alone.
 * Messages name an organisation and a Subscription, and nothing of what is told.
 */
export class DeliveryQueue extends Construct {
  readonly queue: Queue;
  readonly dead: Queue;
  readonly #key: Key;

  constructor(
    scope: Construct,
    id: string,
    { visibilityTimeoutMs, maxReceiveCount }: Pick<QueueConsumer, 'visibilityTimeoutMs' | 'maxReceiveCount'>,
    key: Key,
  ) {
    super(scope, id);
    this.#key = key;
    const encrypted = { encryption: QueueEncryption.KMS, encryptionMasterKey: key, enforceSSL: true };
    this.dead = new Queue(this, 'Dead', { ...encrypted, retentionPeriod: Duration.days(14) });
    this.queue = new Queue(this, 'Queue', {
      ...encrypted,
      retentionPeriod: Duration.days(4),
      visibilityTimeout: Duration.millis(visibilityTimeoutMs),
      deadLetterQueue: { queue: this.dead, maxReceiveCount },
    });
  }

  /** What somebody may do who sends to it. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html */
  sendStatements(): PolicyStatement[] {
    return [
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }),
      new PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [this.#key.keyArn] }),
    ];
  }

  /** What the mapping does in the name of the function behind it. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
  receiveStatements(): PolicyStatement[] {
    return [
      new PolicyStatement({
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        resources: [this.queue.queueArn],
      }),
      new PolicyStatement({ actions: ['kms:Decrypt'], resources: [this.#key.keyArn] }),
    ];
  }
}
