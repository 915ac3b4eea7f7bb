import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectLockRetention, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { DigestResource } from '../grants/digest-access.ts';
import type { StageConfig } from '../stages.ts';

/**
 * Where daily digests of the access log lie: written once, and removed by nobody before their time is over, whoever it is. A bucket with locked objects cannot be deleted, so it outlives its
 * stack in every stage.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 */
export class DigestBucket extends Construct {
  readonly bucketName: string;
  readonly resource: DigestResource;

  constructor(scope: Construct, id: string, stage: StageConfig) {
    super(scope, id);
    const encryptionKey = new Key(this, 'Key', {
      description: `Concord ${stage.name}: digests of the access log`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const bucket = new Bucket(this, 'Bucket', {
      objectLockEnabled: true,
      objectLockDefaultRetention: ObjectLockRetention.compliance(Duration.days(stage.digestRetentionDays)),
      versioned: true, // which a lock needs
      encryption: BucketEncryption.KMS,
      encryptionKey,
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const deny = (sid: string, actions: readonly string[], conditions?: Record<string, Record<string, string>>) =>
      bucket.addToResourcePolicy(
        new PolicyStatement({
          sid,
          effect: Effect.DENY,
          principals: [new AnyPrincipal()],
          actions: actions.map((action) => `s3:${action}`),
          resources: [bucket.arnForObjects('*')],
          ...(conditions ? { conditions } : {}),
        }),
      );
    // The lock keeps each version. Without these, a new version or the mark of a deletion could hide it.
    deny('NothingIsRemoved', ['DeleteObject', 'DeleteObjectVersion']);
    deny('NothingIsReplaced', ['PutObject'], { Null: { 's3:if-none-match': 'true' } });
    this.bucketName = bucket.bucketName;
    this.resource = { bucketArn: bucket.bucketArn, keyArn: encryptionKey.keyArn, region: stage.region };
  }
}
