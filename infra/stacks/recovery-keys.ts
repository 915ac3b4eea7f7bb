import { Aws, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AccountRootPrincipal, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Alias, CfnReplicaKey, Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { StageConfig } from '../stages.ts';
import { fixedNames } from './fixed-names.ts';
import { LogKey } from './log-key.ts';
import { letReplicationUse } from './table-policy.ts';

export interface RecoveryKeysStackProps extends StackProps {
  readonly stage: StageConfig;
  /** Region of the recovery. */
  readonly region: string;
}

/** Keys in the region of the recovery: of the replica of the table, which has to be there before it, of logs, and of the secrets of Subscriptions. */
export class RecoveryKeysStack extends Stack {
  readonly tableKey: Key;
  readonly logKey: LogKey;
  /** Undefined until a standby says which key the secrets are encrypted with. */
  readonly secretsKeyArn: string | undefined;

  constructor(scope: Construct, id: string, { stage, region, ...props }: RecoveryKeysStackProps) {
    super(scope, id, props);
    const removalPolicy = stage.protected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    this.tableKey = new Key(this, 'TableKey', {
      description: `Concord ${stage.name}: records`,
      enableKeyRotation: true,
      removalPolicy,
    });
    letReplicationUse(this.tableKey, region);
    new Alias(this, 'TableKeyAlias', {
      aliasName: fixedNames(stage.name).tableKeyAlias,
      targetKey: this.tableKey,
    });
    this.logKey = new LogKey(this, 'LogKey', stage);
    const secretsKeyId = stage.recovery?.standby?.secretsKeyId;
    if (secretsKeyId === undefined) return;
    const replica = new CfnReplicaKey(this, 'SecretsKey', {
      description: `Concord ${stage.name}: secrets of Subscriptions`,
      primaryKeyArn: `arn:${Aws.PARTITION}:kms:${stage.region}:${Aws.ACCOUNT_ID}:key/${secretsKeyId}`,
      keyPolicy: new PolicyDocument({
        statements: [
          new PolicyStatement({ principals: [new AccountRootPrincipal()], actions: ['kms:*'], resources: ['*'] }),
        ],
      }),
    });
    replica.applyRemovalPolicy(removalPolicy);
    this.secretsKeyArn = replica.attrArn;
  }
}
