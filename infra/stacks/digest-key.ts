import { RemovalPolicy } from 'aws-cdk-lib';
import { AnyPrincipal, ArnPrincipal, Effect, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { StageConfig } from '../stages.ts';

/** The key that authenticates digests. It never leaves KMS; what may be done with it, its own policy says. */
export class DigestKey extends Key {
  constructor(scope: Construct, id: string, { name, protected: kept }: StageConfig) {
    super(scope, id, {
      description: `Concord ${name}: authenticates digests of the access log`,
      keySpec: KeySpec.HMAC_256,
      keyUsage: KeyUsage.GENERATE_VERIFY_MAC,
      removalPolicy: kept ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
  }

  /** Lets one role make codes, and nobody else, whatever another policy allows. */
  letMakeCodes({ roleArn }: IRole): void {
    this.addToResourcePolicy(
      new PolicyStatement({ principals: [new ArnPrincipal(roleArn)], actions: ['kms:GenerateMac'], resources: ['*'] }),
    );
    this.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['kms:GenerateMac'],
        resources: ['*'],
        conditions: { ArnNotEquals: { 'aws:PrincipalArn': roleArn } },
      }),
    );
  }

  letVerifyCodes({ roleArn }: IRole): void {
    this.addToResourcePolicy(
      new PolicyStatement({ principals: [new ArnPrincipal(roleArn)], actions: ['kms:VerifyMac'], resources: ['*'] }),
    );
  }
}
