import { ArnFormat, Stack } from 'aws-cdk-lib';
import { CfnMalwareProtectionPlan } from 'aws-cdk-lib/aws-guardduty';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { type Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { quarantinePrefix, verdictTag } from '../../shared/store/content-objects.ts';
import type { StageConfig } from '../stages.ts';

export interface UploadScannerProps {
  readonly stage: StageConfig;
  readonly bucket: Bucket;
  /** Encrypts what is uploaded. */
  readonly key: Key;
}

/**
 * Whoever looks into uploads before they become Binaries: GuardDuty, or a scanner of the deployer's own, which hears of what was put from the bucket. It tells what it has found by a tag, and nobody else may set that;
 * what has no good one nobody else may read.
 */
export class UploadScanner extends Construct {
  /** Of what GuardDuty scans; undefined for another scanner. */
  readonly planArn: string | undefined;

  constructor(scope: Construct, id: string, { stage, bucket, key }: UploadScannerProps) {
    super(scope, id);
    const { scanner } = stage.policy.uploads;
    const guardDuty = scanner === 'guardduty' ? this.#guardDuty(stage, bucket, key) : undefined;
    this.planArn = guardDuty?.planArn;
    const roleArn = guardDuty?.roleArn ?? scanner;
    const resource = bucket.node.defaultChild;
    if (!(resource instanceof CfnBucket)) throw new Error('A bucket is a bucket');
    // CDK's own way to this is a function that sets it, with rights on every bucket.
    resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
    const deny = (sid: string, actions: readonly string[], conditions: Readonly<Record<string, object>>) =>
      bucket.addToResourcePolicy(
        new PolicyStatement({
          sid,
          effect: Effect.DENY,
          principals: [new AnyPrincipal()],
          actions: actions.map((action) => `s3:${action}`),
          resources: [bucket.arnForObjects(`${quarantinePrefix}*`)],
          conditions: { ArnNotEquals: { 'aws:PrincipalArn': roleArn }, ...conditions },
        }),
      );
    deny('ScannerAloneTells', [...telling, 'DeleteObjectTagging', 'DeleteObjectVersionTagging'], {});
    deny('NothingUnscannedIsRead', reading, {
      StringNotEquals: { [`s3:ExistingObjectTag/${verdictTag}`]: 'NO_THREATS_FOUND' },
    });
  }

  /**
   * @returns the role under which it scans, and its plan.
   * @see https://docs.aws.amazon.com/guardduty/latest/ug/malware-protection-s3-iam-policy-prerequisite.html
   */
  #guardDuty(stage: StageConfig, bucket: Bucket, key: Key): { readonly roleArn: string; readonly planArn: string } {
    const service = 'malware-protection-plan.guardduty.amazonaws.com';
    const ownRules = Stack.of(this).formatArn({
      service: 'events',
      resource: 'rule',
      resourceName: 'DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*',
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
    const uploads = bucket.arnForObjects(`${quarantinePrefix}*`);
    const s3 = (actions: readonly string[], resource: string) =>
      new PolicyStatement({ actions: actions.map((action) => `s3:${action}`), resources: [resource] });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal(service),
      description: `Concord ${stage.name}: GuardDuty scans uploads`,
      inlinePolicies: {
        own: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['events:PutRule', 'events:DeleteRule', 'events:PutTargets', 'events:RemoveTargets'],
              resources: [ownRules],
              conditions: { StringLike: { 'events:ManagedBy': service } },
            }),
            new PolicyStatement({
              actions: ['events:DescribeRule', 'events:ListTargetsByRule'],
              resources: [ownRules],
            }),
            s3([...telling, 'GetObjectTagging', 'GetObjectVersionTagging'], uploads),
            s3(reading, uploads),
            s3(['GetBucketNotification', 'PutBucketNotification', 'ListBucket'], bucket.bucketArn),
            s3(['PutObject'], bucket.arnForObjects('malware-protection-resource-validation-object')),
            new PolicyStatement({
              actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
              resources: [key.keyArn],
              conditions: { StringEquals: { 'kms:ViaService': `s3.${stage.region}.amazonaws.com` } },
            }),
          ],
        }),
      },
    });
    const plan = new CfnMalwareProtectionPlan(this, 'Plan', {
      role: role.roleArn,
      protectedResource: {
        s3Bucket: { bucketName: bucket.bucketName, objectPrefixes: [quarantinePrefix] },
      },
      actions: { tagging: { status: 'ENABLED' } },
    });
    return { roleArn: role.roleArn, planArn: plan.attrArn };
  }
}

const telling: readonly string[] = ['PutObjectTagging', 'PutObjectVersionTagging'];
const reading: readonly string[] = ['GetObject', 'GetObjectVersion'];
