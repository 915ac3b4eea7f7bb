import { Duration, Stack } from 'aws-cdk-lib';
import { CfnArchive, CfnRule, type EventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { eventSource } from '../../shared/changes/record-changed.ts';
import { receiveStatements } from '../grants/queue-access.ts';
import type { Statement } from '../grants/statement.ts';
import { replayedPattern } from '../partners.ts';
import type { StageConfig } from '../stages.ts';
import type { Alarms } from './alarms.ts';
import type { BundledFunction } from './bundled-function.ts';
import { queueForRule } from './rule-queue.ts';

/** Decides on what the archive plays again. */
export const replayEntry = 'functions/replay-changes.ts';

/** Name of a stage's event bus. */
export const eventBusNameOf = ({ name }: StageConfig): string => `concord-${name}`;

export interface RecoveryProps {
  readonly stage: StageConfig;
  readonly bus: EventBus;
  /** Encrypts the archive, and what waits to be decided upon. */
  readonly key: Key;
  readonly alarms: Alarms;
  /** Makes the function, with the right to what a queue holds. */
  readonly functionFor: (entry: string, statements: readonly Statement[]) => BundledFunction;
}

/** No partner's rule has this name: organisations have no underscores. */
const ruleName = 'replayed_events';
/** Six times as long as the function may take, as Lambda asks of a queue. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const hidden = Duration.minutes(6);
/** Tries of an event before it waits for a person. */
const tries = 5;

/**
 * What was published, kept for a while, and the one way out of it: what is played again goes to a queue and to nobody else, and from there to a function that decides anew on each event and puts what
 * is still permitted on the bus. Few at a time, so that a replay leaves requests their share of the table.
 */
export class Recovery extends Construct {
  constructor(scope: Construct, id: string, { stage, bus, key, alarms, functionFor }: RecoveryProps) {
    super(scope, id);
    new CfnArchive(this, 'Archive', {
      description: `Concord ${stage.name}: published events, for recovery alone`,
      sourceArn: bus.eventBusArn,
      eventPattern: { source: [eventSource] },
      retentionDays: stage.eventArchiveDays,
      kmsKeyIdentifier: key.keyArn,
    });
    letArchivesUse(this, key, stage);
    const { waiting, failed } = this.#queues(bus, key);
    const deciding = functionFor(replayEntry, receiveStatements({ queueArn: waiting.queueArn, keyArn: key.keyArn }));
    new EventSourceMapping(this, 'Mapping', {
      target: deciding,
      eventSourceArn: waiting.queueArn,
      batchSize: 100,
      maxBatchingWindow: Duration.seconds(5),
      maxConcurrency: 2,
      reportBatchItemFailures: true,
    });
    alarms.watchReplays(failed);
  }

  #queues(bus: EventBus, key: Key): { waiting: Queue; failed: Queue } {
    const ruleArn = Stack.of(this).formatArn({
      service: 'events',
      resource: 'rule',
      resourceName: `${bus.eventBusName}/${ruleName}`,
    });
    const failed = queueForRule(this, 'Failed', { key, ruleArn });
    const waiting = queueForRule(this, 'Waiting', {
      key,
      ruleArn,
      visibilityTimeout: hidden,
      deadLetterQueue: { queue: failed, maxReceiveCount: tries },
    });
    new CfnRule(this, 'Rule', {
      name: ruleName,
      description: 'What an archive plays again, to be decided upon anew',
      eventBusName: bus.eventBusName,
      eventPattern: replayedPattern,
      targets: [{ id: 'waiting', arn: waiting.queueArn, deadLetterConfig: { arn: failed.queueArn } }],
    });
    return { waiting, failed };
  }
}

/** The bus is named by its name, since it needs the key first. https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html */
const letArchivesUse = (scope: Construct, key: Key, stage: StageConfig): void => {
  const principals = [new ServicePrincipal('events.amazonaws.com')];
  const arn = Stack.of(scope).formatArn({
    service: 'events',
    resource: 'event-bus',
    resourceName: eventBusNameOf(stage),
  });
  key.addToResourcePolicy(new PolicyStatement({ principals, actions: ['kms:DescribeKey'], resources: ['*'] }));
  key.addToResourcePolicy(
    new PolicyStatement({
      principals,
      actions: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
      resources: ['*'],
      conditions: { StringEquals: { 'kms:EncryptionContext:aws:events:event-bus:arn': arn } },
    }),
  );
};
