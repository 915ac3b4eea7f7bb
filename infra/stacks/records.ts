import { ArnFormat, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, Billing, StreamViewType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { tableDefinition, timeToLiveAttribute } from '../../shared/store/table.ts';
import type { StageConfig } from '../stages.ts';
import { SecretsKey } from './secrets-key.ts';

export interface RecordsStackProps extends StackProps {
  readonly stage: StageConfig;
}

/** Where records are kept: the one table with its key, the key of all logs, and that of the secrets of Subscriptions. */
export class RecordsStack extends Stack {
  readonly table: TableV2;
  readonly tableKey: Key;
  readonly logKey: Key;
  readonly secretsKey: SecretsKey;

  constructor(scope: Construct, id: string, { stage, ...props }: RecordsStackProps) {
    super(scope, id, props);
    const removalPolicy = stage.protected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    const tableKey = new Key(this, 'TableKey', {
      description: `Concord ${stage.name}: records`,
      enableKeyRotation: true,
      removalPolicy,
    });
    const definition = tableDefinition('');
    this.table = new TableV2(this, 'Table', {
      partitionKey: keyOf(definition, 'HASH'),
      sortKey: keyOf(definition, 'RANGE'),
      billing: Billing.onDemand(),
      dynamoStream: StreamViewType[definition.StreamSpecification.StreamViewType],
      timeToLiveAttribute,
      encryption: TableEncryptionV2.customerManagedKey(tableKey),
      pointInTimeRecoverySpecification: {
        pointInTimeRecoveryEnabled: true,
        recoveryPeriodInDays: stage.recoveryDays,
      },
      deletionProtection: stage.protected,
      removalPolicy,
    });
    this.tableKey = tableKey;
    this.secretsKey = new SecretsKey(this, 'SecretsKey', stage);
    this.logKey = new Key(this, 'LogKey', {
      description: `Concord ${stage.name}: logs`,
      enableKeyRotation: true,
      removalPolicy,
    });
    this.logKey.addToResourcePolicy(letLogsUse(this));
  }
}

const keyOf = ({ KeySchema, AttributeDefinitions }: ReturnType<typeof tableDefinition>, type: 'HASH' | 'RANGE') => {
  const name = KeySchema.find(({ KeyType }) => KeyType === type)?.AttributeName ?? '';
  const attribute = AttributeDefinitions.find(({ AttributeName }) => AttributeName === name);
  return { name, type: attribute?.AttributeType as AttributeType };
};

/** CloudWatch Logs, and only for the logs of this account. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html */
const letLogsUse = (stack: Stack) =>
  new PolicyStatement({
    principals: [new ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
    actions: [
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
    ],
    resources: ['*'], // in a key's policy: this key
    conditions: {
      ArnLike: {
        'kms:EncryptionContext:aws:logs:arn': stack.formatArn({
          service: 'logs',
          resource: 'log-group',
          resourceName: '*',
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      },
    },
  });
