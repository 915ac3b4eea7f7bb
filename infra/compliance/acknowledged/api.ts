import type { Acknowledgement } from '../acknowledgement.ts';

const stage = ['api/Api/DeploymentStage.api/Resource'];

/** What stays of the gateway, and of the functions that take uploads. */
export const acknowledgedInApi: readonly Acknowledgement[] = [
  {
    rule: 'AwsSolutions-IAM4',
    finding: 'Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs',
    where: ['api/Api/CloudWatchRole/Resource'],
    reason:
      'The role of all gateways of the account, which API Gateway wants with this policy before it writes any access log. https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html',
  },
  {
    rule: 'Concord-ScopedMethods',
    finding: 'x-amazon-apigateway-any-method /docs/{file}',
    where: ['api/Api'],
    reason:
      'The script and the style sheet of the page at /, which are the same for everybody and hold nothing of patients.',
  },
  {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::<BodiesBucket.Arn>/quarantine/*',
    where: ['api/Binary-Role/Resource'],
    reason: 'What is looked at is every upload that waits, under whichever random name.',
  },
  {
    rule: 'AwsSolutions-APIG2',
    where: ['api/Api/Resource'],
    reason:
      'Every function checks every request itself, against the schema of its record type and by the rules of FHIR, and answers with an OperationOutcome that names the place. A second, coarser check before it would answer otherwise.',
  },
  ...(['AwsSolutions-APIG6', 'HIPAA.Security-APIGWExecutionLoggingEnabled'] as const).map(
    (rule): Acknowledgement => ({
      rule,
      where: stage,
      reason:
        'Lines of execution logs hold addresses with their queries, which name patients. The access log tells who called what, and how it ended, without them.',
    }),
  ),
  {
    rule: 'HIPAA.Security-APIGWCacheEnabledAndEncrypted',
    where: stage,
    reason:
      'An answer depends on who asks, on consent as it is now, and leaves a trace of its own. One out of a cache would be none of these.',
  },
  {
    rule: 'HIPAA.Security-APIGWSSLEnabled',
    where: stage,
    reason:
      'A certificate of the gateway is for backends that are called by HTTP. Functions are called by Lambda’s API over TLS, and their policies let nobody else than this gateway call them.',
  },
  {
    rule: 'HIPAA.Security-APIGWXrayEnabled',
    where: stage,
    reason:
      'A trace of the gateway shows the whole address with its query, which may name a patient. Functions are traced, and the latency of both stands in each line of the access log.',
  },
];
