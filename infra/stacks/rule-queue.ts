import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** EventBridge, where it acts for one rule of this account. https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html */
export const eventBridgeFor = (scope: Construct, ruleArn: string) =>
  new ServicePrincipal('events.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account, 'aws:SourceArn': ruleArn } },
  });

/**
 * An encrypted queue into which EventBridge puts events for one rule and nobody else puts anything, by TLS alone.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 */
export const queueForRule = (
  scope: Construct,
  id: string,
  {
    key,
    ruleArn,
    ...props
  }: { key: Key; ruleArn: string } & Pick<QueueProps, 'visibilityTimeout' | 'deadLetterQueue' | 'retentionPeriod'>,
): Queue => {
  const queue = new Queue(scope, id, {
    retentionPeriod: Duration.days(14),
    ...props,
    encryption: QueueEncryption.KMS,
    encryptionMasterKey: key,
    enforceSSL: true,
  });
  queue.addToResourcePolicy(
    new PolicyStatement({
      principals: [eventBridgeFor(scope, ruleArn)],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
    }),
  );
  letEventBridgeEncrypt(scope, key);
  return queue;
};

/** EventBridge says for which account it writes into an encrypted queue, as CDK's own targets have it. Asked for again, the statement stays one. */
const letEventBridgeEncrypt = (scope: Construct, key: Key): void => {
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('events.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
};
