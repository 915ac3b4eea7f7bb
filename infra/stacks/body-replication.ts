import { Aws, Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { type Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { StageConfig } from '../stages.ts';
import { bodyBucketName, fixedNames } from './fixed-names.ts';

/** Names the rule by which bodies are copied, also in what is measured of it. */
export const bodiesRule = 'bodies';

export interface BodyReplicationProps {
  readonly stage: StageConfig;
  readonly bucket: Bucket;
  readonly key: Key;
  /** Where the other bucket of the same stage is. */
  readonly to: string;
}

/**
 * Copies bodies to the bucket of the other region, within a quarter of an hour by S3's own promise, and what is removed is removed there too: what a purge takes is nowhere. What came by replication is not copied back, so
 * that both buckets may copy to each other.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
 */
export class BodyReplication extends Construct {
  constructor(scope: Construct, id: string, { stage, bucket, key, to }: BodyReplicationProps) {
    super(scope, id);
    const { region } = Stack.of(this);
    // By name, both: a bucket needs its role, so the role cannot ask the bucket for its name.
    const arnIn = (each: string) => `arn:${Aws.PARTITION}:s3:::${bodyBucketName(stage.name, each)}`;
    const [source, target] = [arnIn(region), arnIn(to)];
    const alias = fixedNames(stage.name).bodiesKeyAlias;
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('s3.amazonaws.com'),
      description: `Concord ${stage.name}: S3 copies bodies to ${to}`,
      inlinePolicies: {
        own: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['s3:GetReplicationConfiguration', 's3:ListBucket'],
              resources: [source],
            }),
            new PolicyStatement({
              actions: ['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'],
              resources: [`${source}/*`],
            }),
            new PolicyStatement({
              actions: ['s3:ReplicateDelete', 's3:ReplicateObject', 's3:ReplicateTags'],
              resources: [`${target}/*`],
            }),
            new PolicyStatement({
              actions: ['kms:Decrypt'],
              resources: [key.keyArn],
              conditions: { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } },
            }),
            new PolicyStatement({
              actions: ['kms:Encrypt', 'kms:GenerateDataKey'],
              resources: [`arn:${Aws.PARTITION}:kms:${to}:${Aws.ACCOUNT_ID}:key/*`], // only what the alias leads to
              conditions: {
                StringEquals: { 'kms:ViaService': `s3.${to}.amazonaws.com` },
                'ForAnyValue:StringEquals': { 'kms:ResourceAliases': alias },
              },
            }),
          ],
        }),
      },
    });
    const resource = bucket.node.defaultChild;
    if (!(resource instanceof CfnBucket)) throw new Error('A bucket is a bucket');
    const withinAQuarter = { status: 'Enabled', time: { minutes: 15 } };
    // CDK's own way allows the role more than this.
    resource.replicationConfiguration = {
      role: role.roleArn,
      rules: [
        {
          id: bodiesRule,
          status: 'Enabled',
          priority: 1,
          filter: { prefix: '' },
          deleteMarkerReplication: { status: 'Enabled' },
          sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: 'Enabled' } },
          destination: {
            bucket: target,
            encryptionConfiguration: {
              replicaKmsKeyId: `arn:${Aws.PARTITION}:kms:${to}:${Aws.ACCOUNT_ID}:${alias}`,
            },
            metrics: { status: 'Enabled', eventThreshold: { minutes: 15 } },
            replicationTime: withinAQuarter,
          },
        },
      ],
    };
  }
}
