import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { StageConfig } from '../stages.ts';
import { BodyBucket } from './body-bucket.ts';
import { DigestBucket } from './digest-bucket.ts';
import { UploadScanner } from './upload-scanner.ts';

export interface DocumentsStackProps extends StackProps {
  readonly stage: StageConfig;
}

/** What lies beside the table: bodies that are too large for a row, with whoever scans uploads, and digests of the access log. */
export class DocumentsStack extends Stack {
  readonly bodies: BodyBucket;
  readonly digests: DigestBucket;
  /** GuardDuty's plan, where it scans uploads. */
  readonly uploadPlanArn: string | undefined;

  constructor(scope: Construct, id: string, { stage, ...props }: DocumentsStackProps) {
    super(scope, id, props);
    this.bodies = new BodyBucket(this, 'Bodies', stage);
    if (stage.policy.uploads.scanner !== 'none') {
      const { planArn } = new UploadScanner(this, 'UploadScanner', { stage, ...this.bodies });
      this.uploadPlanArn = planArn;
    }
    this.digests = new DigestBucket(this, 'Digests', stage);
  }
}
