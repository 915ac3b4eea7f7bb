import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { EventBus, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Key } from 'aws-cdk-lib/aws-kms';
import { EventSourceMapping, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { DigestResource } from '../grants/digest-access.ts';
import { statementsFor } from '../grants/grants.ts';
import { receiveStatements } from '../grants/queue-access.ts';
import { type SharingPlaces, sharingGrants } from '../grants/sharing-grants.ts';
import type { Statement } from '../grants/statement.ts';
import { consumeStatements } from '../grants/stream-access.ts';
import type { TableResource } from '../grants/table-access.ts';
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
import { DigestKey } from './digest-key.ts';
import { bodyBucketName } from './fixed-names.ts';
import { PartnerRule } from './partner-rule.ts';
import { eventBusNameOf, Recovery, replayEntry } from './recovery.ts';

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
  /** The vault of backups, and the role that tests restoring them, where there are any. */
  readonly backups?: { readonly vaultArn: string; readonly restoreTestRoleArn: string } | undefined;
  /** The other region, where there is one to which all is copied. */
  readonly copiedTo?: string | undefined;
  /** Whether streams, queues and schedules are followed. Where another region writes, what they would do is refused. */
  readonly works: boolean;
}

/** What happens behind the table: changes are told and published, the access log is filed by day, crashed transactions are settled, the access log gets its digests. */
export class SharingStack extends Stack {
  readonly #props: SharingStackProps;
  readonly #key: Key;
  readonly #bus: EventBus;
  readonly #digestKey: DigestKey;
  readonly #alarms: Alarms;
  readonly #wakes: DeliveryQueue;
  readonly #consumers: BundledFunction[] = [];

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
    this.#alarms = new Alarms(this, 'Alarms', this.#key, props.works);
    this.#alarms.watchMessages();
    this.#alarms.watchPublishing();
    this.#alarms.watchEnding();
    if (props.copiedTo !== undefined)
      this.#alarms.watchCopies({
        table: props.table.tableName,
        bodies: props.table.bucketName,
        copies: bodyBucketName(stage.name, props.copiedTo),
        to: props.copiedTo,
      });
    if (props.backups) this.#alarms.watchBackups(props.backups);
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

  /** What reads the stream. */
  get consumers(): readonly BundledFunction[] {
    return this.#consumers;
  }

  /** What wakes delivery. */
  get wakes(): IQueue {
    return this.#wakes.queue;
  }

  /** Tells of alarms. */
  get alarmTopic(): ITopic {
    return this.#alarms.topic;
  }

  #run({ entry, everyMs, timeoutMs }: ScheduledFunction): void {
    const scheduled = this.#functionOf(entry, Duration.millis(timeoutMs));
    scheduled.configureAsyncInvoke({ retryAttempts: 0 }); // the next run does what this one did not
    new Rule(this, `${constructName(entry)}Schedule`, {
      enabled: this.#props.works,
      schedule: Schedule.rate(Duration.millis(everyMs)),
      targets: [new LambdaFunction(scheduled, { retryAttempts: 0 })],
    });
    if (!scheduled.role) throw new Error(`${entry} has no role`);
    if (entry === 'functions/write-digests.ts') {
      this.#digestKey.letMakeCodes(scheduled.role);
      this.#alarms.watchDigests(entry, scheduled);
    }
    if (entry === 'functions/file-held-accesses.ts') this.#alarms.watchHeld(entry, scheduled);
    if (entry === 'functions/retry-parked.ts' || entry === 'functions/reconcile-feed.ts')
      this.#alarms.watchMending(entry, scheduled);
    if (entry === 'functions/verify-digests.ts') {
      this.#digestKey.letVerifyCodes(scheduled.role);
      this.#alarms.watchVerification(entry, scheduled);
    }
  }

  /** @param mapping - what an event source does in its name. */
  #functionOf(entry: string, timeout: Duration, mapping: readonly Statement[] = []): BundledFunction {
    const { stage, bundleFolder, logKey } = this.#props;
    return new BundledFunction(this, constructName(entry), {
      stage,
      bundleFolder,
      logKey,
      entry,
      description: describeEntry(stage, entry),
      timeout,
      environment: this.#environmentOf(entry),
      statements: [...statementsFor(sharingGrants, entry, this.#places), ...mapping],
    });
  }

  get #places(): SharingPlaces {
    const { table, digests, secretsKeyArn } = this.#props;
    return {
      table: table.resource,
      digests: digests.resource,
      secretsKeyArn,
      busArn: this.#bus.eventBusArn,
      wakes: this.#wakes.resource,
    };
  }

  #environmentOf(entry: string): Readonly<Record<string, string>> {
    const { stage, table, digests, secretsKeyArn } = this.#props;
    const ofTable = { TABLE_NAME: table.tableName };
    const ofRecords = { ...ofTable, BUCKET_NAME: table.bucketName };
    const held = { DIGEST_BUCKET_NAME: digests.bucketName };
    const ofDigests = { ...ofTable, ...held, DIGEST_KEY_ID: this.#digestKey.keyArn };
    const wakes = { WAKE_QUEUE_URL: this.#wakes.queue.queueUrl };
    const bus = { EVENT_BUS_NAME: this.#bus.eventBusName };
    const policy = { POLICY: JSON.stringify(stage.policy) };
    switch (entry) {
      case 'functions/publish-changes.ts':
      case 'functions/retry-parked.ts':
      case 'functions/reconcile-feed.ts':
        return {
          ...ofRecords,
          ...bus,
          ...policy,
          ...wakes,
          PARTNERS: JSON.stringify(stage.partners.map(({ organization }) => organization)),
        };
      case replayEntry:
        return { ...ofRecords, ...bus, ...policy };
      case 'functions/file-accesses.ts':
        return ofTable;
      case 'functions/sweep-transactions.ts':
        return ofRecords;
      case 'functions/write-digests.ts':
      case 'functions/verify-digests.ts':
        return ofDigests;
      case 'functions/file-held-accesses.ts':
        return { ...ofTable, ...held };
      case 'functions/deliver.ts':
        return {
          ...ofRecords,
          ...held,
          ...policy,
          ...wakes,
          SECRETS_KEY_ID: secretsKeyArn,
          WEBHOOK_HOSTS: JSON.stringify(stage.webhooks?.furtherHosts ?? []),
        };
      case 'functions/tick-subscriptions.ts':
        return { ...ofTable, ...wakes };
      case 'functions/purge-by-policy.ts':
        return { ...ofRecords, ...held, ...policy };
      case 'functions/remind.ts':
        return { ...ofRecords, REMINDER_MINUTES: JSON.stringify(stage.reminderMinutes) };
      default:
        throw new Error(`Nothing says what ${entry} is told`);
    }
  }

  /** Puts a function behind the queue of wakes: many messages at once, each by itself, so that a slow receiver keeps nobody waiting. */
  #serve({ entry, timeoutMs, maximumConcurrency }: QueueConsumer): void {
    const { queue, dead } = this.#wakes;
    const consumer = this.#functionOf(entry, Duration.millis(timeoutMs), receiveStatements(this.#wakes.resource));
    this.#alarms.watchDelivery(entry, consumer, queue, dead);
    new EventSourceMapping(this, `${constructName(entry)}Mapping`, {
      target: consumer,
      enabled: this.#props.works,
      eventSourceArn: queue.queueArn,
      batchSize: 1,
      maxConcurrency: maximumConcurrency,
    });
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
    const leftIn = { queueArn: failed.queueArn, keyArn: this.#key.keyArn };
    const consumer = this.#functionOf(entry, backgroundTimeout, consumeStatements(streamArn, leftIn));
    this.#consumers.push(consumer);
    this.#alarms.watchConsumer(entry, consumer, failed);
    new EventSourceMapping(this, `${constructName(name)}Mapping`, {
      target: consumer,
      enabled: this.#props.works,
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
