import { Duration } from 'aws-cdk-lib';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { QueueResource } from '../grants/queue-access.ts';
import type { QueueConsumer } from '../local/queue-poller.ts';

/**
 * A queue with a function behind it, and another one for what that function has failed on too often. Both are encrypted by a key of the customer, and taken to by TLS alone.
 * Messages name an organisation and a Subscription, and nothing of what is told.
 */
export class DeliveryQueue extends Construct {
  readonly queue: Queue;
  readonly dead: Queue;
  readonly resource: QueueResource;

  constructor(
    scope: Construct,
    id: string,
    { visibilityTimeoutMs, maxReceiveCount }: Pick<QueueConsumer, 'visibilityTimeoutMs' | 'maxReceiveCount'>,
    key: Key,
  ) {
    super(scope, id);
    const encrypted = { encryption: QueueEncryption.KMS, encryptionMasterKey: key, enforceSSL: true };
    this.dead = new Queue(this, 'Dead', { ...encrypted, retentionPeriod: Duration.days(14) });
    this.queue = new Queue(this, 'Queue', {
      ...encrypted,
      retentionPeriod: Duration.days(4),
      visibilityTimeout: Duration.millis(visibilityTimeoutMs),
      deadLetterQueue: { queue: this.dead, maxReceiveCount },
    });
    this.resource = { queueArn: this.queue.queueArn, keyArn: key.keyArn };
  }
}
