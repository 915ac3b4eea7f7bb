import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { BackupVault as Vault } from 'aws-cdk-lib/aws-backup';
import { AccountPrincipal, AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { StageConfig } from '../stages.ts';
import { keptOnceMade } from './kept-once-made.ts';

/** Longest time that a lock leaves to think it over; AWS Backup wants three days at least. */
const daysToRepent = 3;

/**
 * Where backups lie under a key of their own. The vault is locked: no backup is removed before its time, nor kept beyond it. In a protected stage nobody can take the lock off any more from the fourth day on, not
 * the account and not AWS; elsewhere an administrator can.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
 */
export class BackupVault extends Construct {
  readonly vault: Vault;
  readonly key: Key;

  constructor(scope: Construct, id: string, stage: StageConfig) {
    super(scope, id);
    const removalPolicy = stage.protected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    const { dailyDays, monthlyDays, copyTo } = stage.backup;
    this.key = new Key(this, 'Key', {
      description: `Concord ${stage.name}: backups`,
      enableKeyRotation: true,
      removalPolicy,
    });
    if (copyTo !== undefined) letCopyTo(this.key, copyTo);
    this.vault = new Vault(this, 'Vault', {
      backupVaultName: `concord-${stage.name}`,
      encryptionKey: this.key,
      lockConfiguration: {
        minRetention: Duration.days(dailyDays),
        maxRetention: Duration.days(monthlyDays),
        ...(stage.protected ? { changeableFor: Duration.days(daysToRepent) } : {}),
      },
      accessPolicy: new PolicyDocument({
        statements: [
          new PolicyStatement({
            sid: 'NothingIsRemoved',
            effect: Effect.DENY,
            principals: [new AnyPrincipal()],
            actions: ['backup:DeleteRecoveryPoint', 'backup:UpdateRecoveryPointLifecycle'],
            resources: ['*'], // in a vault's policy: what is in this vault
          }),
        ],
      }),
      removalPolicy: keptOnceMade(stage),
    });
  }
}

/** Whoever keeps the copies has to read what is copied. https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html */
const letCopyTo = (key: Key, vaultArn: string): void => {
  const principals = [new AccountPrincipal(vaultArn.split(':')[4])];
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'CopiesAreRead',
      principals,
      actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
      resources: ['*'],
    }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'CopiesAreMade',
      principals,
      actions: ['kms:CreateGrant'],
      resources: ['*'],
      conditions: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    }),
  );
};
