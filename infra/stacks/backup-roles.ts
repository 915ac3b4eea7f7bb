import { Aws } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/** What is backed up, and with which keys, by ARN. */
export interface BackedUp {
  readonly region: string;
  readonly tableArn: string;
  readonly tableKeyArn: string;
  readonly bucketArn: string;
  readonly bucketKeyArn: string;
}

/** Where to, by ARN. */
export interface Vaults {
  readonly vaultArn: string;
  readonly vaultKeyArn: string;
  readonly copyTo: string | undefined;
}

const allow = (actions: readonly string[], resources: readonly string[], conditions?: Record<string, object>) =>
  new PolicyStatement({ actions: [...actions], resources: [...resources], ...(conditions ? { conditions } : {}) });

const through = (service: string, region: string) => ({
  StringEquals: { 'kms:ViaService': `${service}.${region}.amazonaws.com` },
});

const forServices = { Bool: { 'kms:GrantIsForAWSResource': 'true' } };

const roleOf = (scope: Construct, id: string, description: string, statements: PolicyStatement[]): Role =>
  new Role(scope, id, {
    assumedBy: new ServicePrincipal('backup.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
    description,
    inlinePolicies: { own: new PolicyDocument({ statements }) },
  });

/**
 * Reads the one table and the one bucket, and writes into vaults. AWS's own policies for this are for every table, disk and database of the account.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html
 */
export const backupRole = (scope: Construct, id: string, stageName: string, of: BackedUp, to: Vaults): Role => {
  const rules = [`arn:${Aws.PARTITION}:events:${of.region}:${Aws.ACCOUNT_ID}:rule/AwsBackupManagedRule*`];
  return roleOf(scope, id, `Concord ${stageName}: AWS Backup backs up`, [
    allow(
      ['CreateBackup', 'DescribeTable', 'ListTagsOfResource', 'StartAwsBackupJob'].map((each) => `dynamodb:${each}`),
      [of.tableArn],
    ),
    allow(['dynamodb:DescribeBackup', 'dynamodb:DeleteBackup'], [`${of.tableArn}/backup/*`]),
    allow(
      [
        'GetBucketAcl',
        'GetBucketLocation',
        'GetBucketNotification',
        'GetBucketTagging',
        'GetBucketVersioning',
        'GetInventoryConfiguration',
        'ListBucket',
        'ListBucketVersions',
        'PutBucketNotification',
        'PutInventoryConfiguration',
      ].map((each) => `s3:${each}`),
      [of.bucketArn],
    ),
    allow(
      ['', 'Acl', 'Tagging', 'Version', 'VersionAcl', 'VersionTagging'].map((each) => `s3:GetObject${each}`),
      [`${of.bucketArn}/*`],
    ),
    allow(
      [
        'DeleteRule',
        'DescribeRule',
        'DisableRule',
        'EnableRule',
        'ListTargetsByRule',
        'PutRule',
        'PutTargets',
        'RemoveTargets',
      ].map((each) => `events:${each}`),
      rules,
    ),
    allow(['cloudwatch:GetMetricData', 'events:ListRules', 's3:ListAllMyBuckets', 'tag:GetResources'], ['*']),
    allow(
      ['backup:CopyFromBackupVault', 'backup:CopyIntoBackupVault', 'backup:DescribeBackupVault'],
      [to.vaultArn, ...(to.copyTo === undefined ? [] : [to.copyTo])],
    ),
    allow(['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'], [to.vaultKeyArn]),
    allow(['kms:Decrypt', 'kms:DescribeKey'], [of.tableKeyArn], through('dynamodb', of.region)),
    allow(['kms:Decrypt', 'kms:DescribeKey'], [of.bucketKeyArn], through('s3', of.region)),
    allow(['kms:CreateGrant'], [to.vaultKeyArn, of.tableKeyArn], forServices),
  ]);
};

/**
 * Restores into tables that AWS Backup makes for a test, and into no other. They are named by it, and removed by it in the end.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-inferred-metadata.html
 */
export const restoreTestRole = (scope: Construct, id: string, stageName: string, of: BackedUp, from: Vaults): Role =>
  roleOf(scope, id, `Concord ${stageName}: AWS Backup tests restoring`, [
    allow(
      [
        'BatchWriteItem',
        'DeleteItem',
        'DescribeTable',
        'GetItem',
        'PutItem',
        'Query',
        'RestoreTableFromAwsBackup',
        'Scan',
        'UpdateItem',
      ].map((each) => `dynamodb:${each}`),
      [`arn:${Aws.PARTITION}:dynamodb:${of.region}:${Aws.ACCOUNT_ID}:table/awsbackup-restore-test-*`],
    ),
    allow(['kms:Decrypt', 'kms:DescribeKey'], [from.vaultKeyArn]),
    allow(
      ['Decrypt', 'DescribeKey', 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo'].map(
        (each) => `kms:${each}`,
      ),
      [of.tableKeyArn],
      through('dynamodb', of.region),
    ),
    allow(['kms:CreateGrant'], [of.tableKeyArn], forServices),
  ]);
