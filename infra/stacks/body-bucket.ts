import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, HttpMethods, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { quarantinePrefix } from '../../shared/store/content-objects.ts';
import type { StageConfig } from '../stages.ts';
import { BodyReplication } from './body-replication.ts';
import { bodyBucketName, fixedNames } from './fixed-names.ts';

export interface BodyBucketProps {
  readonly stage: StageConfig;
  /** Region whose bucket of the same stage gets a copy of all. */
  readonly copiesTo?: string | undefined;
}

/**
 * The bucket of bodies that are too large for a row, and its key. Objects that rows name are never changed, and removed only with their chart: whenever the table is restored to, its bodies are
 * there.
 */
export class BodyBucket extends Construct {
  readonly bucket: Bucket;
  readonly key: Key;

  constructor(scope: Construct, id: string, { stage, copiesTo }: BodyBucketProps) {
    super(scope, id);
    const removalPolicy = stage.protected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    this.key = new Key(this, 'Key', {
      description: `Concord ${stage.name}: large bodies of records`,
      enableKeyRotation: true,
      removalPolicy,
    });
    new Alias(this, 'KeyAlias', { aliasName: fixedNames(stage.name).bodiesKeyAlias, targetKey: this.key });
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName: bodyBucketName(stage.name, stage.region), // by which another region knows it
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
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
    if (copiesTo !== undefined)
      new BodyReplication(this, 'Replication', { stage, bucket: this.bucket, key: this.key, to: copiesTo });
  }
}
