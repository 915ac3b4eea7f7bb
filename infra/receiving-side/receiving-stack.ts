import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, Billing, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { CfnEventBusPolicy, CfnRule, EventBus } from 'aws-cdk-lib/aws-events';
import { AccountPrincipal, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  Architecture,
  Code,
  EventSourceMapping,
  Function as LambdaFunction,
  ParamsAndSecretsLayerVersion,
  ParamsAndSecretsVersions,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { eventSource, recordChangedType } from '../../shared/changes/record-changed.ts';
import { everyOrganization } from '../partners.ts';
import { queueForRule } from '../stacks/rule-queue.ts';
import { copiesTable } from './copies.ts';
import type { ReceivingSettings } from './settings.ts';

export interface ReceivingStackProps extends StackProps {
  readonly settings: ReceivingSettings;
  /** Folder of the function's bundle. */
  readonly code: string;
}

const busName = 'concord-changes';
const ruleName = 'record-changes';
const timeout = Duration.minutes(2);
/** Tries of a notice before it waits for a person. */
const tries = 5;

/**
 * What an organisation deploys into its own account to hear of changes: a bus that Concord's account puts events on and nobody else, a queue, and a function that fetches what the notices name and
 * keeps copies. All of it is encrypted by one key of the organisation.
 */
export class ReceivingStack extends Stack {
  readonly #key: Key;

  constructor(scope: Construct, id: string, { settings, code, ...props }: ReceivingStackProps) {
    super(scope, id, props);
    this.#key = new Key(this, 'Key', {
      description: 'What comes from Concord',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const queue = this.#receive(settings);
    const copies = new TableV2(this, 'Copies', {
      partitionKey: { name: copiesTable.key, type: AttributeType.STRING },
      timeToLiveAttribute: copiesTable.timeToLive,
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.customerManagedKey(this.#key),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // Not CDK's Secret, which lets the key be used in more ways than are needed.
    const credentials = new CfnSecret(this, 'Credentials', {
      description: 'Client of Concord, as {"clientId":…,"clientSecret":…}: to be put in by hand',
      kmsKeyId: this.#key.keyArn,
    });
    this.#fetch({ settings, code, queue, copies, credentials });
  }

  /** The bus, and the way from it into a queue. */
  #receive({ concordAccount, organization }: ReceivingSettings): Queue {
    const bus = new EventBus(this, 'Bus', { eventBusName: busName, kmsKey: this.#key });
    // EventBridge encrypts for this key already in Concord's account, in whose name it then acts: so this names the bus alone.
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-target.html
    this.#key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: {
          StringEquals: { 'kms:EncryptionContext:aws:events:event-bus:arn': this.#eventArn(`event-bus/${busName}`) },
        },
      }),
    );
    new CfnEventBusPolicy(this, 'BusPolicy', {
      eventBusName: bus.eventBusName,
      statementId: 'Concord',
      statement: new PolicyStatement({
        sid: 'Concord',
        principals: [new AccountPrincipal(concordAccount)],
        actions: ['events:PutEvents'],
        resources: [bus.eventBusArn],
        conditions: { StringEquals: { 'events:source': eventSource } },
      }).toStatementJson(),
    });
    const rule = { key: this.#key, ruleArn: this.#eventArn(`rule/${busName}/${ruleName}`) };
    const failed = queueForRule(this, 'Failed', rule);
    const queue = queueForRule(this, 'Notices', {
      ...rule,
      visibilityTimeout: Duration.seconds(6 * timeout.toSeconds()),
      deadLetterQueue: { queue: failed, maxReceiveCount: tries },
    });
    new CfnRule(this, 'Rule', {
      name: ruleName,
      description: `Changes of records that ${organization} may know of`,
      eventBusName: bus.eventBusName,
      eventPattern: {
        source: [eventSource],
        account: [concordAccount],
        'detail-type': [recordChangedType],
        detail: { recipient: [organization, everyOrganization] },
      },
      targets: [{ id: 'notices', arn: queue.queueArn, deadLetterConfig: { arn: failed.queueArn } }],
    });
    new Alarm(this, 'NoticesWait', {
      alarmDescription: 'Notices of Concord could not be received, and wait',
      metric: failed.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5), statistic: 'Maximum' }),
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    new CfnOutput(this, 'BusArn', {
      value: bus.eventBusArn,
      description: 'To be told to the network that runs Concord',
    });
    return queue;
  }

  /** The function behind the queue, with a role that is not allowed anything that is not said here. */
  #fetch({
    settings,
    code,
    queue,
    copies,
    credentials,
  }: Pick<ReceivingStackProps, 'settings' | 'code'> & { queue: Queue; copies: TableV2; credentials: CfnSecret }): void {
    const logGroup = new LogGroup(this, 'Log', { retention: RetentionDays.ONE_MONTH });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'Receives notices of Concord',
      inlinePolicies: {
        own: new PolicyDocument({
          statements: [
            allow([logGroup.logGroupArn], 'logs:CreateLogStream', 'logs:PutLogEvents'),
            allow([queue.queueArn], 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'),
            allow([copies.tableArn], 'dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
            allow([credentials.ref], 'secretsmanager:GetSecretValue'),
            // DynamoDB asks for more than it needs of those who use a table. https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html
            allow([this.#key.keyArn], 'kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'),
          ],
        }),
      },
    });
    const receiving = new LambdaFunction(this, 'Receive', {
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(code),
      handler: 'index.handler',
      memorySize: 512,
      timeout,
      description: 'Fetches the records that notices of Concord name',
      environment: {
        ORGANIZATION: settings.organization,
        CONCORD_URL: settings.concordUrl,
        TOKEN_URL: settings.tokenUrl,
        TABLE_NAME: copies.tableName,
        CREDENTIALS_ARN: credentials.ref,
      },
      paramsAndSecrets: ParamsAndSecretsLayerVersion.fromVersion(ParamsAndSecretsVersions.V1_0_103),
      role: role.withoutPolicyUpdates(),
      logGroup,
    });
    new EventSourceMapping(this, 'Mapping', {
      target: receiving,
      eventSourceArn: queue.queueArn,
      batchSize: 10,
      reportBatchItemFailures: true,
      maxConcurrency: 5, // Concord's API has limits, too
    });
  }

  #eventArn(resource: string): string {
    return `arn:aws:events:${this.region}:${this.account}:${resource}`;
  }
}

const allow = (resources: string[], ...actions: string[]) => new PolicyStatement({ actions, resources });
