import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { StageConfig } from '../stages.ts';
import { AccountTrail } from './account-trail.ts';
import { BodyBucket } from './body-bucket.ts';
import { DigestBucket } from './digest-bucket.ts';
import { UploadScanner } from './upload-scanner.ts';

export interface DocumentsStackProps extends StackProps {
  readonly stage: StageConfig;
  /** Region whose bucket of bodies gets a copy of all. */
  readonly bodiesCopiedTo?: string | undefined;
  /** Of which a trail tells who touches them past Concord, beside this stack's own. No trail, if absent: one place's trail is for all regions. */
  readonly trailOf?: { readonly tableArns: readonly string[]; readonly bucketArns: readonly string[] } | undefined;
}

/** What lies beside the table: bodies that are too large for a row, with whoever scans uploads, digests of the access log, and the trail of the account. */
export class DocumentsStack extends Stack {
  readonly bodies: BodyBucket;
  readonly digests: DigestBucket;
  /** GuardDuty's plan, where it scans uploads. */
  readonly uploadPlanArn: string | undefined;

  constructor(scope: Construct, id: string, { stage, bodiesCopiedTo, trailOf, ...props }: DocumentsStackProps) {
    super(scope, id, props);
    this.bodies = new BodyBucket(this, 'Bodies', { stage, copiesTo: bodiesCopiedTo });
    if (stage.policy.uploads.scanner !== 'none') {
      const { planArn } = new UploadScanner(this, 'UploadScanner', {
        stage,
        bucket: this.bodies.bucket,
        key: this.bodies.key,
      });
      this.uploadPlanArn = planArn;
    }
    this.digests = new DigestBucket(this, 'Digests', stage);
    if (stage.trail === 'own' && trailOf)
      new AccountTrail(this, 'Trail', {
        stage,
        tableArns: trailOf.tableArns,
        bucketArns: [this.bodies.bucket.bucketArn, this.digests.resource.bucketArn, ...trailOf.bucketArns],
      });
  }
}
