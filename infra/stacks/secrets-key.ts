import { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { StageConfig } from '../stages.ts';

/** The key of the secrets of Subscriptions. Whoever may read the table reads none of them. */
export class SecretsKey extends Key {
  constructor(scope: Construct, id: string, { name, protected: kept }: StageConfig) {
    super(scope, id, {
      description: `Concord ${name}: secrets of Subscriptions`,
      enableKeyRotation: true,
      removalPolicy: kept ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
  }
}

/**
 * What a function may do with secrets: what serves Subscriptions encrypts, what delivers decrypts, and neither does the other's. Only with what says whose secret it is,
 * which KMS writes into its log. https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context
 */
export const secretsStatement = (keyArn: string, action: 'Encrypt' | 'Decrypt'): PolicyStatement =>
  new PolicyStatement({
    actions: [`kms:${action}`],
    resources: [keyArn],
    conditions: { Null: { 'kms:EncryptionContext:subscription': 'false' } },
  });
