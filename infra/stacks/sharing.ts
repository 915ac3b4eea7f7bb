import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { EventBus, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { EventSourceMapping, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { eventSource } from '../../shared/changes/record-changed.ts';
import { queueConsumers } from '../local/queue-consumers.ts';
import type { QueueConsumer } from '../local/queue-poller.ts';
import { type ScheduledFunction, scheduledFunctions } from '../local/scheduler.ts';
import { streamConsumers } from '../local/stream-consumers.ts';
import type { StreamConsumer } from '../local/stream-poller.ts';
import { Alarms } from './alarms.ts';
import {
  BundledFunction,
  backgroundTimeout,
  constructName,
  describeEntry,
  type FunctionSettings,
} from './bundled-function.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import { type DigestResource, verifyDigestsStatements, writeDigestsStatements } from './digest-access.ts';
import { DigestKey } from './digest-key.ts';
import { PartnerRule } from './partner-rule.ts';
import { eventBusNameOf, Recovery, replayEntry } from './recovery.ts';
import { secretsStatement } from './secrets-key.ts';
import {
  deliverStatements,
  fileAccessesStatements,
  publishStatements,
  readStatements,
  reconcileStatements,
  recordStatements,
  remindStatements,
  retryParkedStatements,
  sweepStatements,
  type TableResource,
  tickStatements,
} from './table-access.ts';

export interface SharingStackProps extends StackProps, FunctionSettings {
  readonly table: {
    readonly tableName: string;
    readonly bucketName: string;
    readonly streamArn: string;
    readonly resource: TableResource;
  };
  readonly digests: { readonly bucketName: string; readonly resource: DigestResource };
  /** Of the key that encrypts secrets of Subscriptions. */
  readonly secretsKeyArn: string;
  /** GuardDuty's plan, where it scans uploads. */
  readonly uploadPlanArn: string | undefined;
}

interface Work {
  readonly environment: Readonly<Record<string, string>>;
  readonly statements: readonly PolicyStatement[];
}

/** What happens behind the table: changes are told and published, the access log is filed by day, crashed transactions are settled, the access log gets its digests. */
export class SharingStack extends Stack {
  readonly #props: SharingStackProps;
  readonly #key: Key;
  readonly #bus: EventBus;
  readonly #digestKey: DigestKey;
  readonly #alarms: Alarms;
  readonly #wakes: DeliveryQueue;

  constructor(scope: Construct, id: string, props: SharingStackProps) {
    super(scope, id, props);
    const { stage } = props;
    this.#props = props;
    this.#key = new Key(this, 'Key', {
      description: `Concord ${stage.name}: events and failed batches`,
      enableKeyRotation: true,
      removalPolicy: stage.protected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.#bus = new EventBus(this, 'Bus', { eventBusName: eventBusNameOf(stage), kmsKey: this.#key });
    this.#digestKey = new DigestKey(this, 'DigestKey', stage);
    this.#alarms = new Alarms(this, 'Alarms', this.#key);
    this.#alarms.watchMessages();
    this.#alarms.watchPublishing();
    if (props.uploadPlanArn !== undefined) this.#alarms.watchUploads(props.uploadPlanArn);
    const [wakes] = queueConsumers;
    this.#wakes = new DeliveryQueue(this, 'Wakes', wakes, this.#key);
    for (const consumer of streamConsumers) this.#consume(consumer);
    this.#serve(wakes);
    for (const each of scheduledFunctions) this.#run(each);
    new Recovery(this, 'Recovery', {
      stage,
      bus: this.#bus,
      key: this.#key,
      alarms: this.#alarms,
      functionFor: (entry, statements) => this.#functionOf(entry, backgroundTimeout, statements),
    });
    for (const partner of stage.partners)
      new PartnerRule(this, `Partner-${partner.organization}`, {
        partner,
        bus: this.#bus,
        key: this.#key,
        alarms: this.#alarms,
      });
  }

  #run({ entry, everyMs, timeoutMs }: ScheduledFunction): void {
    const scheduled = this.#functionOf(entry, Duration.millis(timeoutMs));
    scheduled.configureAsyncInvoke({ retryAttempts: 0 }); // the next run does what this one did not
    new Rule(this, `${constructName(entry)}Schedule`, {
      schedule: Schedule.rate(Duration.millis(everyMs)),
      targets: [new LambdaFunction(scheduled, { retryAttempts: 0 })],
    });
    if (!scheduled.role) throw new Error(`${entry} has no role`);
    if (entry === 'functions/write-digests.ts') {
      this.#digestKey.letMakeCodes(scheduled.role);
      this.#alarms.watchDigests(entry, scheduled);
    }
    if (entry === 'functions/retry-parked.ts' || entry === 'functions/reconcile-feed.ts')
      this.#alarms.watchMending(entry, scheduled);
    if (entry === 'functions/verify-digests.ts') {
      this.#digestKey.letVerifyCodes(scheduled.role);
      this.#alarms.watchVerification(entry, scheduled);
    }
  }

  #functionOf(entry: string, timeout: Duration, statements: readonly PolicyStatement[] = []): BundledFunction {
    const { stage, bundleFolder, logKey } = this.#props;
    const work = this.#workOf(entry);
    return new BundledFunction(this, constructName(entry), {
      stage,
      bundleFolder,
      logKey,
      entry,
      description: describeEntry(stage, entry),
      timeout,
      environment: work.environment,
      statements: [...work.statements, ...statements],
    });
  }

  #putEvents(): PolicyStatement {
    return new PolicyStatement({
      actions: ['events:PutEvents'],
      resources: [this.#bus.eventBusArn],
      conditions: { StringEquals: { 'events:source': eventSource } },
    });
  }

  #workOf(entry: string): Work {
    const { tableName, bucketName, resource } = this.#props.table;
    const { digests } = this.#props;
    const environment = { TABLE_NAME: tableName };
    const ofDigests = {
      ...environment,
      DIGEST_BUCKET_NAME: digests.bucketName,
      DIGEST_KEY_ID: this.#digestKey.keyArn,
    };
    switch (entry) {
      case 'functions/publish-changes.ts':
        return this.#publishing(publishStatements(resource));
      case 'functions/retry-parked.ts':
        return this.#publishing(retryParkedStatements(resource));
      case 'functions/reconcile-feed.ts':
        return this.#publishing(reconcileStatements(resource));
      case replayEntry:
        return {
          environment: {
            ...environment,
            BUCKET_NAME: bucketName,
            EVENT_BUS_NAME: this.#bus.eventBusName,
            POLICY: JSON.stringify(this.#props.stage.policy),
          },
          statements: [...readStatements(resource), this.#putEvents()],
        };
      case 'functions/file-accesses.ts':
        return { environment, statements: fileAccessesStatements(resource) };
      case 'functions/sweep-transactions.ts':
        return { environment: { ...environment, BUCKET_NAME: bucketName }, statements: sweepStatements(resource) };
      case 'functions/write-digests.ts':
        return { environment: ofDigests, statements: writeDigestsStatements(resource, digests.resource) };
      case 'functions/verify-digests.ts':
        return { environment: ofDigests, statements: verifyDigestsStatements(resource, digests.resource) };
      case 'functions/deliver.ts':
        return {
          environment: {
            ...environment,
            BUCKET_NAME: bucketName,
            POLICY: JSON.stringify(this.#props.stage.policy),
            SECRETS_KEY_ID: this.#props.secretsKeyArn,
            WAKE_QUEUE_URL: this.#wakes.queue.queueUrl,
            WEBHOOK_HOSTS: JSON.stringify(this.#props.stage.webhooks?.furtherHosts ?? []),
          },
          statements: [
            ...deliverStatements(resource),
            secretsStatement(this.#props.secretsKeyArn, 'Decrypt'),
            ...this.#wakes.sendStatements(),
          ],
        };
      case 'functions/tick-subscriptions.ts':
        return {
          environment: { ...environment, WAKE_QUEUE_URL: this.#wakes.queue.queueUrl },
          statements: [...tickStatements(resource), ...this.#wakes.sendStatements()],
        };
      case 'functions/purge-by-policy.ts':
        return {
          environment: { ...environment, BUCKET_NAME: bucketName, POLICY: JSON.stringify(this.#props.stage.policy) },
          statements: recordStatements(resource),
        };
      case 'functions/remind.ts':
        return {
          environment: {
            ...environment,
            BUCKET_NAME: bucketName,
            REMINDER_MINUTES: JSON.stringify(this.#props.stage.reminderMinutes),
          },
          statements: remindStatements(resource),
        };
      default:
        throw new Error(`Nothing says what ${entry} may do`);
    }
  }

  /** Puts a function behind the queue of wakes: many messages at once, each by itself, so that a slow receiver keeps nobody waiting. */
  #serve({ entry, timeoutMs, maximumConcurrency }: QueueConsumer): void {
    const { queue, dead } = this.#wakes;
    const consumer = this.#functionOf(entry, Duration.millis(timeoutMs), this.#wakes.receiveStatements());
    this.#alarms.watchDelivery(entry, consumer, queue, dead);
    new EventSourceMapping(this, `${constructName(entry)}Mapping`, {
      target: consumer,
      eventSourceArn: queue.queueArn,
      batchSize: 1,
      maxConcurrency: maximumConcurrency,
    });
  }

  /** What tells of changes, as they come or later. */
  #publishing(statements: readonly PolicyStatement[]): Work {
    const { stage, table } = this.#props;
    return {
      environment: {
        TABLE_NAME: table.tableName,
        BUCKET_NAME: table.bucketName,
        EVENT_BUS_NAME: this.#bus.eventBusName,
        POLICY: JSON.stringify(stage.policy),
        PARTNERS: JSON.stringify(stage.partners.map(({ organization }) => organization)),
        WAKE_QUEUE_URL: this.#wakes.queue.queueUrl,
      },
      statements: [...statements, ...this.#wakes.sendStatements(), this.#putEvents()],
    };
  }

  /**
   * Puts a function behind the table's stream. A batch that fails is halved until the record that it fails on is alone; that record holds up its
   * shard for hours, because an outage must not cost an event, and then leaves its place in the stream in a queue.
   */
  #consume({ name, entry, batchSize = 100, filters }: StreamConsumer): void {
    const { streamArn } = this.#props.table;
    const failed = new Queue(this, `${constructName(entry)}Failed`, {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: this.#key,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    const consumer = this.#functionOf(entry, backgroundTimeout, [
      ...readStream(streamArn),
      ...sendTo(failed, this.#key),
    ]);
    this.#alarms.watchConsumer(entry, consumer, failed);
    new EventSourceMapping(this, `${constructName(name)}Mapping`, {
      target: consumer,
      eventSourceArn: streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      maxRecordAge: Duration.hours(6), // the stream itself keeps a record for 24
      ...(filters === undefined ? {} : { filters: filters.map((filter) => ({ pattern: JSON.stringify(filter) })) }),
      // Not SqsDlq, which would grant more than sending.
      onFailure: { bind: () => ({ destination: failed.queueArn }) },
    });
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html */
const readStream = (streamArn: string) => [
  new PolicyStatement({
    actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
    resources: [streamArn],
  }),
  // Listing streams cannot be limited to one. It shows names, no records.
  new PolicyStatement({ actions: ['dynamodb:ListStreams'], resources: ['*'] }),
];

const sendTo = ({ queueArn }: Queue, { keyArn }: Key) => [
  new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queueArn] }),
  new PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [keyArn] }),
];
