import type { Acknowledgement } from '../acknowledgement.ts';

/** Where functions are: in their stack, the triggers of pools beside their pool. */
const places = ['sign-in', 'sign-in/Staff', 'sign-in/Patients', 'sharing', 'api', 'observability/Canary'];
const functions = places.map((place) => `${place}/*/Resource`);

/** What stays of functions and their roles, in whichever stack they are. */
export const acknowledgedOfFunctions: readonly Acknowledgement[] = [
  {
    rule: 'HIPAA.Security-IAMNoInlinePolicy',
    where: places.map((place) => `${place}/*-Role/Resource`),
    reason:
      'A role of one function has one policy, which nobody else may carry and which goes with it. A policy apart could be attached elsewhere, and would outlive its function.',
  },
  {
    rule: 'HIPAA.Security-LambdaConcurrency',
    where: functions,
    reason:
      "Calls are limited before they come here: by the gateway's throttling, by the stream's shards, by the concurrency of a queue's mapping, by a schedule that starts one run. A limit on top would refuse clinicians first.",
  },
  {
    rule: 'HIPAA.Security-LambdaInsideVPC',
    where: functions,
    reason:
      'Nothing that a function calls is in a network of the account: DynamoDB, S3, KMS, SQS and EventBridge are called over TLS by its role, which names table, bucket and keys. A VPC would add addresses that can run out and gateways that cost while idle, and keep nobody out that the roles do not.',
  },
  {
    rule: 'HIPAA.Security-LambdaDLQ',
    where: ['api/*/Resource'],
    reason:
      'The gateway waits for the answer: whoever asked is told of a failure, and nothing is left to be kept in a queue.',
  },
  {
    rule: 'HIPAA.Security-LambdaDLQ',
    where: ['sharing/*/Resource'],
    reason:
      "No event is handed to these by Lambda's own queue, the only one that a dead-letter queue of a function serves. What fails behind the stream or a queue goes to a queue of the mapping, with an alarm; what a schedule started is done by the next run.",
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::<BodiesBucket.Arn>/*',
    where: [
      'api/*-Role/Resource',
      ...[
        'PublishChanges',
        'Deliver',
        'SweepTransactions',
        'Remind',
        'RetryParked',
        'ReconcileFeed',
        'PurgeByPolicy',
        'ReplayChanges',
      ].map((name) => `sharing/${name}-Role/Resource`),
    ],
    reason:
      'A body may have any name under its record: these are the objects of the one bucket, and not the bucket itself.',
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::<DigestsBucket.Arn>/held/*',
    where: [
      'api/*-Role/Resource',
      'sharing/*-Role/Resource',
      'sign-in/*-Role/Resource',
      'sign-in/Staff/*-Role/Resource',
      'sign-in/Patients/*-Role/Resource',
    ],
    reason:
      'Accesses that the table could not take are held there under names of their own, for which the lock and the policy of the bucket let nobody replace or remove any.',
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::*',
    where: places.map((place) => `${place}/*-Role/Resource`),
    reason:
      'Calls that cannot be limited to a resource: X-Ray takes segments of traces, and DynamoDB lists streams, which shows names alone. https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html',
  },
];
