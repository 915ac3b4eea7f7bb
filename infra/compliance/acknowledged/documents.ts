import type { StageConfig } from '../../stages.ts';
import type { Acknowledgement } from '../acknowledgement.ts';

const scans = ({ policy }: Pick<StageConfig, 'policy'>): boolean => policy.uploads.scanner === 'guardduty';

/** Bodies are copied to another region. */
const copies = ({ recovery }: Pick<StageConfig, 'recovery'>): boolean => recovery !== undefined;
const copying = ['documents/Bodies/Replication/Role/Resource'];

const ownTrail = ({ trail }: Pick<StageConfig, 'trail'>): boolean => trail === 'own';

/** What stays of the bucket of bodies, its scanner and the bucket of digests. */
export const acknowledgedInDocuments: readonly Acknowledgement[] = [
  ...(['AwsSolutions-S1', 'HIPAA.Security-S3BucketLoggingEnabled'] as const).flatMap((rule): Acknowledgement[] => [
    {
      rule,
      where: ['documents/Bodies/Bucket/Resource'],
      reason:
        'Who saw a body stands in the access log of its chart, written before the body or an address for it leaves. Lines of an access log of the bucket come as best they can and name random keys.',
    },
    {
      rule,
      where: ['documents/Digests/Bucket/Resource'],
      reason:
        'Objects are written once and removed by nobody: there is no access that could harm them, and no patient in them. What reads them checks them, daily, and tells of what is missing.',
    },
    {
      rule,
      where: ['documents/Trail/Bucket/Resource'],
      reason:
        'Files are written by CloudTrail alone, locked against everybody, and signed in a chain of their own. A log of a log would need a log, too.',
      when: ownTrail,
    },
  ]),
  {
    rule: 'HIPAA.Security-S3BucketReplicationEnabled',
    where: ['documents/Bodies/Bucket/Resource'],
    reason:
      'A stage without a second region has its copies in the one it has, in three zones, with every version that was replaced or removed for as long as the table can be restored.',
    when: ({ recovery }) => recovery?.writer === undefined,
  },
  {
    rule: 'HIPAA.Security-IAMNoInlinePolicy',
    where: copying,
    reason: 'The one policy of the one role by which S3 copies bodies, which nobody else may carry.',
    when: copies,
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::arn:<AWS::Partition>:s3:::concord-<stage>-bodies-<AWS::AccountId>-<region>/*',
    where: copying,
    reason: 'Every object of the one bucket is copied to the one in the other region, whatever its name.',
    when: copies,
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::arn:<AWS::Partition>:kms:<region>:<AWS::AccountId>:key/*',
    where: copying,
    reason:
      'The key of a stack in another region has an id that is not known here. A condition names it by its alias, and S3 as the one that uses it.',
    when: copies,
  },
  {
    rule: 'HIPAA.Security-S3BucketReplicationEnabled',
    where: ['documents/Digests/Bucket/Resource'],
    reason:
      'Digests prove what the access log was, and are no record of care. They are locked against everybody; were they lost with their region, the chain of the log would still show a change.',
  },
  {
    rule: 'HIPAA.Security-S3BucketReplicationEnabled',
    where: ['documents/Trail/Bucket/Resource'],
    reason:
      'The trail tells who touched what past Concord, and is no record of care. It is locked, and CloudTrail itself shows the last ninety days of every region.',
    when: ownTrail,
  },
  {
    rule: 'HIPAA.Security-CloudTrailCloudWatchLogsEnabled',
    where: ['documents/Trail/Trail'],
    reason:
      'What has to be heard of at once, such as a user who was turned off, is heard of through EventBridge. The files are there to be asked afterwards; a copy in a log would be one more place that shows who is a patient.',
    when: ownTrail,
  },
  {
    rule: 'HIPAA.Security-IAMNoInlinePolicy',
    where: ['documents/UploadScanner/Role/Resource'],
    reason: 'The one policy of the one role of the scanner, which nobody else may carry.',
    when: scans,
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::<BodiesBucket.Arn>/quarantine/*',
    where: ['documents/UploadScanner/Role/Resource'],
    reason: 'What is scanned is every upload that waits, under whichever random name.',
    when: scans,
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding:
      'Resource::arn:aws:events:<region>:<AWS::AccountId>:rule/DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*',
    where: ['documents/UploadScanner/Role/Resource'],
    reason:
      "GuardDuty's own rules, whose names end as it chooses. https://docs.aws.amazon.com/guardduty/latest/ug/malware-protection-s3-iam-policy-prerequisite.html",
    when: scans,
  },
];
