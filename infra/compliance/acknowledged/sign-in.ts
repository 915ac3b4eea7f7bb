import type { StageConfig } from '../../stages.ts';
import type { Acknowledgement } from '../acknowledgement.ts';

/** Cognito exports what it logs of sign-ins in this plan alone. */
const exportsLogs = ({ signIn }: Pick<StageConfig, 'signIn'>): boolean => signIn.plan === 'plus';

/** What stays of sign-in. */
export const acknowledgedInSignIn: readonly Acknowledgement[] = [
  {
    rule: 'AwsSolutions-COG2',
    where: ['sign-in/Staff/Pool/Resource'],
    reason: 'A stage that holds nobody’s record may leave the second factor to whoever tries it.',
    when: ({ protected: kept, signIn }) => !kept && signIn.secondFactor === 'optional',
  },
  {
    rule: 'AwsSolutions-COG2',
    where: ['sign-in/Patients/Pool/Resource'],
    reason:
      'Patients may show a second factor and need not: whoever has no telephone that can be one is not to be kept from the own record. They see that record and no other.',
  },
  {
    rule: 'AwsSolutions-COG8',
    where: ['sign-in/Staff/Pool/Resource', 'sign-in/Patients/Pool/Resource'],
    reason: 'A stage that holds nobody’s record does without the plan that watches for stolen passwords.',
    when: ({ protected: kept, signIn }) => !kept && signIn.plan === 'essentials',
  },
  {
    rule: 'HIPAA.Security-LambdaDLQ',
    where: ['sign-in/Staff/AddTokenClaims/Resource', 'sign-in/Patients/AddTokenClaims/Resource'],
    reason: 'Cognito waits for the answer: without one there is no token.',
  },
  {
    rule: 'HIPAA.Security-LambdaDLQ',
    where: ['sign-in/FollowUserPool/Resource'],
    reason:
      'Lambda tries it three times. What it misses all the same ends by itself: Cognito renews no token of a user who was turned off, and the last one lives for an hour at most.',
  },
  {
    rule: 'HIPAA.Security-CloudWatchLogGroupEncrypted',
    where: ['sign-in/FailedSignIns-*/Log/Resource'],
    reason:
      'Cognito refuses to export to a log that has a key of the account; CloudWatch encrypts it by its own. It holds sign-ins, and nothing of care. https://docs.aws.amazon.com/cognito/latest/developerguide/exporting-quotas-and-usage.html',
    when: exportsLogs,
  },
  {
    rule: 'Concord-EncryptedAtRest',
    where: ['sign-in/FailedSignIns*Log'],
    reason: 'As above: Cognito refuses to export to a log that has a key of the account.',
    when: exportsLogs,
  },
  {
    rule: 'Concord-KeptLogs',
    where: ['sign-in/FailedSignIns*Log'],
    reason:
      'It is kept for a week, because it has no key of ours. What is to be kept of it for six years stands in the access log.',
    when: (stage) => exportsLogs(stage) && stage.logRetentionDays !== 7,
  },
];
