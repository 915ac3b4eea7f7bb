import type { Acknowledgement } from '../acknowledgement.ts';

const backing = ['backups/BackupRole/Resource'];
const testing = ['backups/RestoreTestRole/Resource'];

/** What stays of backups. AWS Backup acts by roles of ours: what it needs, https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html */
export const acknowledgedInBackups: readonly Acknowledgement[] = [
  {
    rule: 'HIPAA.Security-IAMNoInlinePolicy',
    where: [...backing, ...testing],
    reason:
      'Each role has one policy, which nobody else may carry, and takes the place of one that AWS manages, which names every table and bucket of the account.',
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::<Table.Arn>/backup/*',
    where: backing,
    reason: 'Backups of the one table, under names that DynamoDB gives them.',
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::<BodiesBucket.Arn>/*',
    where: backing,
    reason: 'Every object of the one bucket is backed up, whatever its name.',
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::arn:<AWS::Partition>:events:<region>:<AWS::AccountId>:rule/AwsBackupManagedRule*',
    where: backing,
    reason: "AWS Backup's own rules, by which it hears of objects that have changed; their names end as it chooses.",
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::*',
    where: backing,
    reason: 'Calls that cannot be limited to a resource; each lists or counts, and none reads a record.',
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::arn:<AWS::Partition>:dynamodb:<region>:<AWS::AccountId>:table/awsbackup-restore-test-*',
    where: testing,
    reason: 'Tables that a test of restoring makes and removes again, whose names begin like this and like no other.',
  },
  {
    rule: 'Concord-GuardedKeys',
    where: ['backups/VaultKey'],
    reason:
      'The account that keeps copies may make grants of the key, for services of AWS that copy and restore alone. https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html',
    when: ({ backup }) => backup.copyTo !== undefined,
  },
];
