/** CDK's switches. They stand here and not in cdk.json, which only the CLI reads. */
export const cdkContext = {
  '@aws-cdk/core:enablePartitionLiterals': true,
  '@aws-cdk/core:checkSecretUsage': true,
  '@aws-cdk/core:validateAgainstDefaultRules': true, // what CloudFormation would find wrong is an error
  '@aws-cdk/aws-iam:minimizePolicies': true,
  '@aws-cdk/aws-apigateway:disableCloudWatchRole': true,
  '@aws-cdk/aws-dynamodb:resourcePolicyPerReplica': true, // else what is refused in one region would be in the other
  '@aws-cdk/aws-events:eventsTargetQueueSameAccount': true,
  '@aws-cdk/aws-lambda:recognizeLayerVersion': true,
  '@aws-cdk/core:target-partitions': ['aws'],
  '@aws-cdk/core:defaultCrossStackReferences': 'strong', // what another stack uses cannot be taken away under it
  '@aws-cdk/core:suppressTemplateIndentation': true, // with it the API's template has 570 KB of the 1 MB that CloudFormation takes, else 910
  'aws:cdk:enable-path-metadata': false,
  'aws:cdk:disable-version-reporting': true,
};
