import type { StageConfig } from '../../stages.ts';
import type { Acknowledgement } from '../acknowledgement.ts';

const hasPartners = ({ partners }: Pick<StageConfig, 'partners'>): boolean => partners.length > 0;

/** What stays of what happens behind the table. */
export const acknowledgedInSharing: readonly Acknowledgement[] = [
  {
    rule: 'AwsSolutions-SQS3',
    where: ['sharing/PublishChangesFailed/Resource', 'sharing/FileAccessesFailed/Resource'],
    reason: 'This is the dead-letter queue of a mapping of the stream; an alarm tells of what is in it.',
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::<DigestsBucket.Arn>/*',
    where: ['sharing/WriteDigests-Role/Resource', 'sharing/VerifyDigests-Role/Resource'],
    reason:
      'Digests are named by day and hour. One of these may write new ones, the other one read; neither may remove or replace any.',
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::<DigestsBucket.Arn>/filed/*',
    where: ['sharing/FileHeldAccesses-Role/Resource'],
    reason: 'Notes that held accesses were filed, each under the name of what was held.',
  },
  {
    rule: 'AwsSolutions-SQS3',
    where: ['sharing/Partner-*/Undelivered/Resource'],
    reason: "This is the dead-letter queue of a partner's rule; an alarm tells of what is in it.",
    when: hasPartners,
  },
  {
    rule: 'HIPAA.Security-IAMNoInlinePolicy',
    where: ['sharing/Partner-*/Role/Resource'],
    reason: 'The one policy of the one role that puts events on the bus of a partner, which nobody else may carry.',
    when: hasPartners,
  },
  {
    rule: 'HIPAA.Security-CloudWatchAlarmAction',
    where: ['sharing/Alarms/*/Resource'],
    reason:
      'In the region that does not write, nothing consumes the stream and no schedule runs: its alarms are there for the day that it does, and tell nobody before.',
    when: ({ recovery }) => recovery?.standby !== undefined,
  },
];
