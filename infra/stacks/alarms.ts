import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { EventField, type IRuleTarget, Match, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { bodiesRule } from './body-replication.ts';
import { constructName } from './bundled-function.ts';

interface Condition {
  readonly description: string;
  readonly metric: IMetric;
  readonly comparison: ComparisonOperator;
  readonly threshold: number;
  readonly periods: number;
  /** Whether no figure at all is a reason for alarm. */
  readonly whenMissing?: TreatMissingData;
}

/** Calls by which keys, vaults, buckets and the trail are ended, as CloudTrail names them. */
const endingSettings = [
  'DeleteBackupVault',
  'DeleteBackupVaultAccessPolicy',
  'DeleteBackupVaultLockConfiguration',
  'DeleteBucketPolicy',
  'DeleteRecoveryPoint',
  'DeleteTrail',
  'DisableKey',
  'PutEventSelectors',
  'ScheduleKeyDeletion',
  'StopLogging',
] as const;

/** What somebody has to be told of. Whoever is to be told subscribes to the one topic: names and figures of functions, nothing of patients. */
export class Alarms extends Construct {
  readonly topic: Topic;
  readonly #key: Key;
  readonly #told: boolean;
  #eventsTell = false;

  /**
   * @param key - encrypts what is told.
   * @param told - whether anybody is told: not where functions rest, whose silence would be taken for a fault.
   */
  constructor(scope: Construct, id: string, key: Key, told: boolean) {
    super(scope, id);
    this.#key = key;
    this.#told = told;
    const fromAlarms = { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } };
    const principals = [new ServicePrincipal('cloudwatch.amazonaws.com')];
    key.addToResourcePolicy(
      new PolicyStatement({
        principals,
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: fromAlarms,
      }),
    );
    this.topic = new Topic(this, 'Topic', { masterKey: key, enforceSSL: true });
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals,
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: fromAlarms,
      }),
    );
    new CfnOutput(this, 'TopicArn', {
      value: this.topic.topicArn,
      description: 'Tells of alarms: to be subscribed to',
    });
  }

  /** A consumer of the stream that is behind, fails, or has given up a record. The stream keeps records for a day, a batch is given up after six hours. */
  watchConsumer(entry: string, consumer: IFunction, failed: Queue): void {
    const period = Duration.minutes(5);
    this.#alarm(`${constructName(entry)}Behind`, {
      description: `${entry} is a quarter of an hour behind the stream`,
      metric: consumer.metric('IteratorAge', { period, statistic: 'Maximum' }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: Duration.minutes(15).toMilliseconds(),
      periods: 2,
    });
    this.#alarm(`${constructName(entry)}Failing`, {
      description: `${entry} has failed for a quarter of an hour`,
      metric: consumer.metricErrors({ period }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      periods: 3,
    });
    this.#alarm(`${constructName(entry)}GaveUp`, {
      description: `${entry} has given up records of the stream; their places are in its queue`,
      metric: failed.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      periods: 1,
    });
  }

  /** A digest that was not written: no run of a quarter of a day came to its end. A run that finds nothing to do counts. */
  watchDigests(entry: string, writer: IFunction): void {
    const period = Duration.hours(6);
    this.#alarm(`${constructName(entry)}Missing`, {
      description: `${entry} has not done its work for six hours: a digest of the access log may be missing`,
      metric: new MathExpression({
        expression: 'FILL(runs, 0) - FILL(failures, 0)',
        usingMetrics: { runs: writer.metricInvocations(), failures: writer.metricErrors() },
        period,
      }),
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      periods: 1,
      whenMissing: TreatMissingData.BREACHING,
    });
  }

  /** An access log that is not as it was written, or a look at it that did not end. */
  watchVerification(entry: string, verifier: IFunction): void {
    const period = Duration.days(1);
    this.#alarm(`${constructName(entry)}Failing`, {
      description: `${entry} failed: a row of the access log, its chain or a digest is not what was written; npm run audit:verify names it`,
      metric: verifier.metricErrors({ period }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      periods: 1,
    });
    this.#alarm(`${constructName(entry)}Missing`, {
      description: `${entry} has not run for two days`,
      metric: verifier.metricInvocations({ period }),
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      periods: 2,
      whenMissing: TreatMissingData.BREACHING,
    });
  }

  /** Delivery that fails by itself, or is behind; and Subscriptions whose receivers have failed for so long that they are in error. */
  watchDelivery(entry: string, deliverer: IFunction, queue: Queue, dead: Queue): void {
    const period = Duration.minutes(5);
    this.#alarm(`${constructName(entry)}Failing`, {
      description: `${entry} has failed for a quarter of an hour`,
      metric: deliverer.metricErrors({ period }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      periods: 3,
    });
    this.#alarm(`${constructName(entry)}Behind`, {
      description: `Wakes have waited for ${entry} for a quarter of an hour`,
      metric: queue.metricApproximateAgeOfOldestMessage({ period, statistic: 'Maximum' }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: Duration.minutes(15).toSeconds(),
      periods: 2,
    });
    this.#alarm(`${constructName(entry)}GaveUp`, {
      description: `${entry} has failed on a wake too often; it is in the queue of dead ones, and names the Subscription`,
      metric: dead.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      periods: 1,
    });
    this.#alarm('SubscriptionsFailed', {
      description:
        'A Subscription is in error: its receiver did not take the handshake, or nothing for three days (docs/subscriptions.md)',
      metric: new Metric({
        namespace: 'Concord',
        metricName: 'SubscriptionsFailed',
        dimensionsMap: { service: 'concord' },
        period: Duration.hours(1),
        statistic: 'Sum',
      }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      periods: 1,
    });
  }

  /** A chart that is parked, so that its changes are told to nobody, and changes that were lost and found. Counted, and nothing of whose they are (docs/store.md). */
  watchPublishing(): void {
    this.#counted('ChangesUnpublished', {
      description:
        'Changes of a chart cannot be published: it is parked, and its changes wait until what is wrong with it is mended (docs/store.md)',
      period: Duration.minutes(15),
    });
    this.#counted('ChangesRepublished', {
      description:
        'Changes were lost on their way to the feed, and have been published by its reconciliation (docs/store.md)',
      period: Duration.hours(1),
    });
  }

  /** Rows of the access log that the table did not take, and that they cannot be filed either (docs/store.md). */
  watchHeld(entry: string, filer: IFunction): void {
    this.#counted('AccessesHeld', {
      description:
        'The table did not take rows of the access log; they are held in the bucket of digests (docs/store.md)',
      period: Duration.minutes(15),
    });
    this.#alarm(`${constructName(entry)}Failing`, {
      description: `${entry} has failed for a quarter of an hour: nobody finds what was held in the access log`,
      metric: filer.metricErrors({ period: Duration.minutes(15) }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      periods: 1,
    });
  }

  /** What mends the feed: no run of a day came to its end, or some do not. */
  watchMending(entry: string, mender: IFunction): void {
    const period = Duration.days(1);
    this.#alarm(`${constructName(entry)}Missing`, {
      description: `${entry} has not done its work for two days: what the feed lacks is not published`,
      metric: new MathExpression({
        expression: 'FILL(runs, 0) - FILL(failures, 0)',
        usingMetrics: { runs: mender.metricInvocations(), failures: mender.metricErrors() },
        period,
      }),
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      periods: 2,
      whenMissing: TreatMissingData.BREACHING,
    });
    this.#alarm(`${constructName(entry)}Failing`, {
      description: `${entry} has failed for three hours`,
      metric: mender.metricErrors({ period: Duration.hours(1) }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      periods: 3,
    });
  }

  /** Something that is not to happen: one is too many. */
  #counted(
    metricName: string,
    { description, period }: { readonly description: string; readonly period: Duration },
  ): void {
    const dimensionsMap = { service: 'concord' };
    this.#alarm(metricName, {
      description,
      metric: new Metric({ namespace: 'Concord', metricName, dimensionsMap, period, statistic: 'Sum' }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      periods: 1,
    });
  }

  /** Messages of other systems that cannot be filed: a sender that nobody has described, or a feed that has changed. Each that waits is counted, and nothing of what it says. */
  watchMessages(): void {
    this.#alarm('MessagesWaiting', {
      description: 'Messages that came by HL7 v2 wait: the Tasks of the front desk tell why (docs/hl7-v2.md)',
      metric: new Metric({
        namespace: 'Concord',
        metricName: 'MessagesWaiting',
        dimensionsMap: { service: 'concord' },
        period: Duration.hours(1),
        statistic: 'Sum',
      }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 20,
      periods: 1,
    });
  }

  /** Events that were played again and could not be decided upon. */
  watchReplays(failed: Queue): void {
    this.#alarm('ReplaysFailed', {
      description:
        'Events that the archive played again could not be decided upon; they are in their queue (docs/partners.md)',
      metric: failed.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5), statistic: 'Maximum' }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      periods: 1,
    });
  }

  /** A partner whose bus does not take its events, and events of which not even that is kept. */
  watchPartner(
    organization: string,
    { eventBusName, ruleName, undelivered }: { eventBusName: string; ruleName: string; undelivered: Queue },
  ): void {
    this.#alarm(`Undelivered-${organization}`, {
      description: `Events for ${organization} did not reach its bus within a quarter of an hour; they are in its queue (docs/partners.md)`,
      metric: undelivered.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(5),
        statistic: 'Maximum',
      }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      periods: 1,
    });
    this.#alarm(`Lost-${organization}`, {
      description: `Events for ${organization} reached neither its bus nor their queue: the archive has them (docs/partners.md)`,
      metric: new Metric({
        namespace: 'AWS/Events',
        metricName: 'InvocationsFailedToBeSentToDlq',
        dimensionsMap: { EventBusName: eventBusName, RuleName: ruleName },
        period: Duration.minutes(5),
        statistic: 'Sum',
      }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      periods: 1,
    });
  }

  /**
   * An upload in which malware was found, or that could not be scanned; and a scanner that does not work as it should, so that uploads wait for ever. Names of objects are random.
   *
   * @param planArn - GuardDuty's plan of what it scans.
   * @see https://docs.aws.amazon.com/guardduty/latest/ug/monitor-with-eventbridge-s3-malware-protection.html
   */
  watchUploads(planArn: string): void {
    const telling = this.#tellOfEvents();
    const told = { source: ['aws.guardduty'], resources: [planArn] };
    const object = EventField.fromPath('$.detail.s3ObjectDetails.objectKey');
    const status = EventField.fromPath('$.detail.scanResultDetails.scanResultStatus');
    new Rule(this, 'Uploads', {
      eventPattern: {
        ...told,
        detailType: ['GuardDuty Malware Protection Object Scan Result'],
        detail: { scanResultDetails: { scanResultStatus: Match.anythingBut('NO_THREATS_FOUND') } },
      },
      targets: telling(`An upload to Concord was not passed: ${status}, ${object}`),
    });
    new Rule(this, 'UploadScanner', {
      eventPattern: {
        ...told,
        detailType: ['Resource Status Warning', 'Resource Status Error', 'Post Scan Action Failed'].map(
          (what) => `GuardDuty Malware Protection ${what}`,
        ),
      },
      targets: telling(`Uploads to Concord may wait for ever: ${EventField.fromPath('$.detail-type')}`),
    });
  }

  /**
   * A backup, or a copy of one, that was not made; and one that could not be restored when that was tested.
   *
   * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html
   */
  watchBackups({
    vaultArn,
    restoreTestRoleArn,
  }: {
    readonly vaultArn: string;
    readonly restoreTestRoleArn: string;
  }): void {
    const telling = this.#tellOfEvents();
    const source = ['aws.backup'];
    const ended = ['ABORTED', 'EXPIRED', 'FAILED'];
    const text = `${EventField.fromPath('$.detail-type')} (docs/runbooks/backups-and-drills.md)`;
    new Rule(this, 'BackupsFailed', {
      eventPattern: {
        source,
        detailType: ['Backup Job State Change'],
        detail: { backupVaultArn: [vaultArn], state: ended },
      },
      targets: telling(`A backup of Concord was not made: ${text}`),
    });
    new Rule(this, 'BackupCopiesFailed', {
      eventPattern: {
        source,
        detailType: ['Copy Job State Change'],
        detail: { sourceBackupVaultArn: [vaultArn], state: ['FAILED', 'PARTIAL'] },
      },
      targets: telling(`A backup of Concord was not copied: ${text}`),
    });
    new Rule(this, 'RestoreTestFailed', {
      eventPattern: {
        source,
        detailType: ['Restore Job State Change'],
        detail: { iamRoleArn: [restoreTestRoleArn], status: ['ABORTED', 'FAILED'] },
      },
      targets: telling(`A backup of Concord could not be restored in a test: ${text}`),
    });
  }

  /**
   * Somebody begins to end what holds records, what proves them, or what tells of that: a key whose deletion is scheduled can be kept for weeks yet, but only by who knows of it. Told by the trail of the account; of
   * any such thing of the account and of tries that failed, too, since policies name keys in several ways.
   *
   * @see https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
   */
  watchEnding(): void {
    const telling = this.#tellOfEvents();
    const detailType = ['AWS API Call via CloudTrail'];
    const called = `${EventField.fromPath('$.detail.eventName')} in ${EventField.fromPath('$.region')}`;
    new Rule(this, 'Ending', {
      eventPattern: {
        source: ['aws.backup', 'aws.cloudtrail', 'aws.kms', 'aws.s3'],
        detailType,
        detail: { eventName: [...endingSettings] },
      },
      targets: telling(`Somebody ends what Concord's records rest on: ${called} (docs/recovery.md)`),
    });
    new Rule(this, 'TableUnprotected', {
      eventPattern: {
        source: ['aws.dynamodb'],
        detailType,
        detail: { eventName: ['UpdateTable'], requestParameters: { deletionProtectionEnabled: [false] } },
      },
      targets: telling(`Somebody lets a table be deleted: ${called} (docs/recovery.md)`),
    });
  }

  /**
   * Rows and bodies that do not arrive in the other region: what is missing there would be lost with this one.
   *
   * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html
   * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_monitoring.html
   */
  watchCopies({ table, bodies, copies, to }: Readonly<Record<'table' | 'bodies' | 'copies' | 'to', string>>): void {
    const period = Duration.minutes(5);
    const ofBodies = (metricName: string, statistic: string) =>
      new Metric({
        namespace: 'AWS/S3',
        metricName,
        dimensionsMap: { SourceBucket: bodies, DestinationBucket: copies, RuleId: bodiesRule },
        period,
        statistic,
      });
    const comparison = ComparisonOperator.GREATER_THAN_THRESHOLD;
    this.#alarm('CopiesFailed', {
      description: `Bodies were not copied to ${to} and are not tried again (docs/recovery.md)`,
      metric: ofBodies('OperationsFailedReplication', 'Sum'),
      comparison,
      threshold: 0,
      periods: 1,
    });
    this.#alarm('CopiesBehind', {
      description: `Bodies arrive in ${to} later than a quarter of an hour (docs/recovery.md)`,
      metric: ofBodies('ReplicationLatency', 'Maximum'),
      comparison,
      threshold: Duration.minutes(15).toSeconds(),
      periods: 2,
    });
    this.#alarm('ReplicaBehind', {
      description: `Rows arrive in ${to} later than a minute (docs/recovery.md)`,
      metric: new Metric({
        namespace: 'AWS/DynamoDB',
        metricName: 'ReplicationLatency',
        dimensionsMap: { TableName: table, ReceivingRegion: to },
        period,
        statistic: 'Average',
      }),
      comparison,
      threshold: Duration.minutes(1).toMilliseconds(),
      periods: 2,
    });
  }

  /** @returns what makes a rule's target of a text. Lets EventBridge tell. */
  #tellOfEvents(): (text: string) => IRuleTarget[] {
    const { topicArn: arn } = this.topic;
    if (!this.#eventsTell) {
      // Neither policy has a condition: EventBridge publishes to encrypted topics without saying for whom.
      // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
      const principals = [new ServicePrincipal('events.amazonaws.com')];
      this.#key.addToResourcePolicy(
        new PolicyStatement({ principals, actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: ['*'] }),
      );
      this.topic.addToResourcePolicy(new PolicyStatement({ principals, actions: ['sns:Publish'], resources: [arn] }));
      this.#eventsTell = true;
    }
    // CDK's own target would let it use the key in more ways.
    return (text) => [{ bind: () => ({ arn, input: RuleTargetInput.fromText(text) }) }];
  }

  #alarm(id: string, { description, metric, comparison, threshold, periods, whenMissing }: Condition): void {
    new Alarm(this, id, {
      alarmDescription: description,
      actionsEnabled: this.#told,
      metric,
      comparisonOperator: comparison,
      threshold,
      evaluationPeriods: periods,
      treatMissingData: whenMissing ?? TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new SnsAction(this.topic));
  }
}
