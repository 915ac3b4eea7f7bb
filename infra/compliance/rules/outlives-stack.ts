import type { OwnRule } from './rule.ts';

/** What cannot be made again: records, who may sign in, what they are encrypted by, and what tells who saw them. */
const stateful: ReadonlySet<string> = new Set([
  'AWS::Backup::BackupVault',
  'AWS::Cognito::UserPool',
  'AWS::DynamoDB::GlobalTable',
  'AWS::KMS::Key',
  'AWS::KMS::ReplicaKey',
  'AWS::Logs::LogGroup',
  'AWS::S3::Bucket',
]);

/** `RetainExceptOnCreate`: kept, but for what a creation that failed has just made. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html */
const keeps: readonly (string | undefined)[] = ['Retain', 'RetainExceptOnCreate'];

export const outlivesStack: OwnRule = {
  name: 'Concord-OutlivesStack',
  asks: 'In a protected stage table, buckets, keys, pools, logs and backups stay when their stack goes, and when a change would replace them.',
  because: 'The packs do not look at policies of deletion.',
  violations: (resources, stage) =>
    resources
      .filter(
        ({ type, kept }) =>
          stage.protected && stateful.has(type) && !(keeps.includes(kept.deletion) && kept.replacement === 'Retain'),
      )
      .map((resource) => ({ resource, says: 'It goes with its stack.' })),
};
