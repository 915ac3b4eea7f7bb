import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import {
  BackupPlan,
  BackupPlanRule,
  BackupResource,
  BackupSelection,
  CfnRestoreTestingPlan,
  CfnRestoreTestingSelection,
  BackupVault as Vault,
} from 'aws-cdk-lib/aws-backup';
import { Schedule } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import type { StageConfig } from '../stages.ts';
import { type BackedUp, backupRole, restoreTestRole } from './backup-roles.ts';
import { BackupVault } from './backup-vault.ts';

export interface BackupsStackProps extends StackProps {
  readonly stage: StageConfig;
  readonly backedUp: BackedUp;
}

/** Backups of the table and of bodies, which outlive both, and a test once a month that they can be restored. */
export class BackupsStack extends Stack {
  readonly vaultArn: string;
  /** Of the role under which restoring is tested. */
  readonly restoreTestRoleArn: string;

  constructor(scope: Construct, id: string, { stage, backedUp, ...props }: BackupsStackProps) {
    super(scope, id, props);
    const { dailyDays, monthlyDays, copyTo } = stage.backup;
    const { vault, key } = new BackupVault(this, 'Vault', stage);
    const copies = copyTo === undefined ? undefined : Vault.fromBackupVaultArn(this, 'Copies', copyTo);
    const vaults = { vaultArn: vault.backupVaultArn, vaultKeyArn: key.keyArn, copyTo };
    const rule = (ruleName: string, scheduleExpression: Schedule, days: number) =>
      new BackupPlanRule({
        ruleName,
        scheduleExpression,
        deleteAfter: Duration.days(days),
        ...(copies ? { copyActions: [{ destinationBackupVault: copies, deleteAfter: Duration.days(days) }] } : {}),
      });
    const plan = new BackupPlan(this, 'Plan', {
      backupPlanName: `concord-${stage.name}`,
      backupVault: vault,
      backupPlanRules: [
        rule('daily', Schedule.cron({ hour: '3', minute: '0' }), dailyDays),
        rule('monthly', Schedule.cron({ day: '1', hour: '1', minute: '0' }), monthlyDays),
      ],
    });
    new BackupSelection(this, 'Selection', {
      backupPlan: plan,
      backupSelectionName: 'records-and-bodies',
      role: backupRole(this, 'BackupRole', stage.name, backedUp, vaults).withoutPolicyUpdates(),
      disableDefaultBackupPolicy: true, // which is for everything of the account
      resources: [BackupResource.fromArn(backedUp.tableArn), BackupResource.fromArn(backedUp.bucketArn)],
    });
    const tester = restoreTestRole(this, 'RestoreTestRole', stage.name, backedUp, vaults);
    const test = new CfnRestoreTestingPlan(this, 'RestoreTest', {
      restoreTestingPlanName: `concord_${stage.name.replaceAll('-', '_')}`,
      scheduleExpression: 'cron(0 5 2 * ? *)', // the day behind that of the monthly backup
      startWindowHours: 8,
      recoveryPointSelection: {
        algorithm: 'LATEST_WITHIN_WINDOW',
        includeVaults: [vault.backupVaultArn],
        recoveryPointTypes: ['SNAPSHOT'],
        selectionWindowDays: 7,
      },
    });
    new CfnRestoreTestingSelection(this, 'RestoreTestSelection', {
      restoreTestingPlanName: test.ref,
      restoreTestingSelectionName: 'records',
      protectedResourceType: 'DynamoDB',
      protectedResourceArns: [backedUp.tableArn],
      iamRoleArn: tester.roleArn,
      restoreMetadataOverrides: { encryptionType: 'KMS', kmsMasterKeyArn: backedUp.tableKeyArn },
      validationWindowHours: 4,
    });
    this.vaultArn = vault.backupVaultArn;
    this.restoreTestRoleArn = tester.roleArn;
  }
}
