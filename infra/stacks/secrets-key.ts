import { RemovalPolicy } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { StageConfig } from '../stages.ts';

/** The key of the secrets of Subscriptions. Whoever may read the table reads none of them. */
export class SecretsKey extends Key {
  constructor(scope: Construct, id: string, { name, protected: kept }: StageConfig) {
    super(scope, id, {
      description: `Concord ${name}: secrets of Subscriptions`,
      enableKeyRotation: true,
      multiRegion: true, // which cannot be changed later: a recovery region reads what this one has encrypted
      removalPolicy: kept ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
  }
}
