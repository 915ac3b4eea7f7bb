import { Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { CfnTrail } from 'aws-cdk-lib/aws-cloudtrail';
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectLockRetention, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { StageConfig } from '../stages.ts';

export interface AccountTrailProps {
  readonly stage: StageConfig;
  /** Tables of which is told who touched a row, or read a stream. */
  readonly tableArns: readonly string[];
  /** Buckets of which is told who touched an object. */
  readonly bucketArns: readonly string[];
}

/**
 * The trail of the account in all regions: every change of settings and of users, and whoever touches the table or a bucket past Concord's functions. What these do is in Concord's own access log, which knows the person. Its files
 * are signed, encrypted, and locked as long as the digests of that log.
 *
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html
 */
export class AccountTrail extends Construct {
  constructor(scope: Construct, id: string, { stage, tableArns, bucketArns }: AccountTrailProps) {
    super(scope, id);
    const trailName = `concord-${stage.name}`;
    const { region } = Stack.of(this);
    const trailArn = `arn:${Aws.PARTITION}:cloudtrail:${region}:${Aws.ACCOUNT_ID}:trail/${trailName}`;
    const key = this.#key(stage, trailArn);
    const bucket = this.#bucket(stage, key, trailArn);
    const trail = new CfnTrail(this, 'Trail', {
      trailName,
      s3BucketName: bucket.bucketName,
      kmsKeyId: key.keyArn,
      isLogging: true,
      isMultiRegionTrail: true,
      includeGlobalServiceEvents: true,
      enableLogFileValidation: true,
      advancedEventSelectors: selectorsOf(stage, { tableArns, bucketArns, trailBucketArn: bucket.bucketArn }),
    });
    if (!bucket.policy) throw new Error('A bucket that takes files from CloudTrail has a policy');
    trail.node.addDependency(bucket.policy); // CloudTrail tries the bucket at once
  }

  /** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html */
  #key(stage: StageConfig, trailArn: string): Key {
    const key = new Key(this, 'Key', {
      description: `Concord ${stage.name}: trail of the account`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const principals = [new ServicePrincipal('cloudtrail.amazonaws.com')];
    const ofTrail = { 'aws:SourceArn': trailArn };
    key.addToResourcePolicy(
      new PolicyStatement({
        principals,
        actions: ['kms:GenerateDataKey', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:Decrypt'],
        resources: ['*'],
        conditions: {
          StringEquals: ofTrail,
          StringLike: {
            'kms:EncryptionContext:aws:cloudtrail:arn': `arn:${Aws.PARTITION}:cloudtrail:*:${Aws.ACCOUNT_ID}:trail/*`,
          },
        },
      }),
    );
    key.addToResourcePolicy(
      new PolicyStatement({
        principals,
        actions: ['kms:DescribeKey'],
        resources: ['*'],
        conditions: { StringEquals: ofTrail },
      }),
    );
    return key;
  }

  /** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html */
  #bucket(stage: StageConfig, encryptionKey: Key, trailArn: string): Bucket {
    const bucket = new Bucket(this, 'Bucket', {
      objectLockEnabled: true,
      objectLockDefaultRetention: ObjectLockRetention.compliance(Duration.days(stage.digestRetentionDays)),
      versioned: true,
      encryption: BucketEncryption.KMS,
      encryptionKey,
      // No key of the bucket's own: S3 makes that for the bucket, and says so to KMS instead of for which trail, by which the policy of the key goes.
      // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
      bucketKeyEnabled: false,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      // Two days behind the lock, so that nothing that is locked is tried.
      lifecycleRules: [
        { expiration: Duration.days(stage.digestRetentionDays + 2), noncurrentVersionExpiration: Duration.days(1) },
      ],
      removalPolicy: RemovalPolicy.RETAIN, // locked objects outlive their stack
    });
    const principals = [new ServicePrincipal('cloudtrail.amazonaws.com')];
    const ofTrail = { 'aws:SourceArn': trailArn };
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'TrailLooks',
        principals,
        actions: ['s3:GetBucketAcl'],
        resources: [bucket.bucketArn],
        conditions: { StringEquals: ofTrail },
      }),
    );
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'TrailWrites',
        principals,
        actions: ['s3:PutObject'],
        resources: [bucket.arnForObjects(`AWSLogs/${Aws.ACCOUNT_ID}/*`)],
        conditions: { StringEquals: { ...ofTrail, 's3:x-amz-acl': 'bucket-owner-full-control' } },
      }),
    );
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'NothingIsRemoved',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
        resources: [bucket.arnForObjects('*')],
      }),
    );
    return bucket;
  }
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html */
const selectorsOf = (
  { name }: StageConfig,
  {
    tableArns,
    bucketArns,
    trailBucketArn,
  }: { readonly tableArns: readonly string[]; readonly bucketArns: readonly string[]; readonly trailBucketArn: string },
): CfnTrail.AdvancedEventSelectorProperty[] => {
  const equal = (field: string, value: string): CfnTrail.AdvancedFieldSelectorProperty => ({
    field,
    equalTo: [value],
  });
  // Roles of a stage are named by its stacks, and a session by its role.
  const notConcord: CfnTrail.AdvancedFieldSelectorProperty = {
    field: 'userIdentity.arn',
    notStartsWith: [`arn:${Aws.PARTITION}:sts::${Aws.ACCOUNT_ID}:assumed-role/concord-${name}-`],
  };
  return [
    { name: 'settings', fieldSelectors: [equal('eventCategory', 'Management')] },
    {
      name: 'rows past Concord',
      fieldSelectors: [
        equal('eventCategory', 'Data'),
        equal('resources.type', 'AWS::DynamoDB::Table'),
        { field: 'resources.ARN', equalTo: [...tableArns] },
        notConcord,
      ],
    },
    {
      // A stream shows whole rows, before and after.
      name: 'streams past Concord',
      fieldSelectors: [
        equal('eventCategory', 'Data'),
        equal('resources.type', 'AWS::DynamoDB::Stream'),
        { field: 'resources.ARN', startsWith: tableArns.map((arn) => `${arn}/`) },
        notConcord,
      ],
    },
    {
      name: 'objects past Concord',
      fieldSelectors: [
        equal('eventCategory', 'Data'),
        equal('resources.type', 'AWS::S3::Object'),
        { field: 'resources.ARN', startsWith: bucketArns.map((arn) => `${arn}/`) },
        notConcord,
      ],
    },
    {
      // Reads alone: the trail's own writing would be told of, and that written, for ever.
      name: 'reads of the trail',
      fieldSelectors: [
        equal('eventCategory', 'Data'),
        equal('resources.type', 'AWS::S3::Object'),
        equal('readOnly', 'true'),
        { field: 'resources.ARN', startsWith: [`${trailBucketArn}/`] },
      ],
    },
  ];
};
