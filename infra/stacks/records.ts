import { ArnFormat, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, Billing, StreamViewType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, HttpMethods, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { quarantinePrefix } from '../../shared/store/content-objects.ts';
import { tableDefinition, timeToLiveAttribute } from '../../shared/store/table.ts';
import type { StageConfig } from '../stages.ts';
import { DigestBucket } from './digest-bucket.ts';
import { SecretsKey } from './secrets-key.ts';
import type { TableResource } from './table-access.ts';
import { UploadScanner } from './upload-scanner.ts';

export interface RecordsStackProps extends StackProps {
  readonly stage: StageConfig;
}

/** Where records are kept: the one table, the bucket of bodies that are too large for a row, their key, the bucket of digests of the access log, the key of all logs, and that of the secrets of Subscriptions. */
export class RecordsStack extends Stack {
  readonly table: TableV2;
  readonly bodies: Bucket;
  readonly digests: DigestBucket;
  readonly logKey: Key;
  readonly secretsKey: SecretsKey;
  /** GuardDuty's plan, where it scans uploads. */
  readonly uploadPlanArn: string | undefined;
  /** The table as the policies of functions name it. */
  readonly tableResource: TableResource;

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
    // Objects that rows name are never changed, and removed only with their chart: whenever the table is restored to, its bodies are there.
    this.bodies = new Bucket(this, 'Bodies', {
      encryption: BucketEncryption.KMS,
      encryptionKey: tableKey,
      bucketKeyEnabled: true, // else each body would cost a call to the key service
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true, // what is removed by mistake can be had back
      lifecycleRules: [
        {
          noncurrentVersionExpiration: Duration.days(stage.recoveryDays),
          expiredObjectDeleteMarker: true,
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
        // What was uploaded and completed was copied to where it stays; what was not is nobody's.
        { prefix: quarantinePrefix, expiration: Duration.days(1), noncurrentVersionExpiration: Duration.days(1) },
      ],
      // Whoever has a signed address may use it from any page: the address is all the right that there is.
      cors: [
        {
          allowedMethods: [HttpMethods.GET, HttpMethods.PUT],
          allowedOrigins: ['*'],
          allowedHeaders: ['*'],
          maxAge: 3000,
        },
      ],
      removalPolicy,
    });
    if (stage.policy.uploads.scanner !== 'none') {
      const scanner = new UploadScanner(this, 'UploadScanner', { stage, bucket: this.bodies, key: tableKey });
      this.uploadPlanArn = scanner.planArn;
    }
    this.tableResource = {
      tableArn: this.table.tableArn,
      bucketArn: this.bodies.bucketArn,
      keyArn: tableKey.keyArn,
      region: stage.region,
    };

    this.digests = new DigestBucket(this, 'Digests', stage);
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
