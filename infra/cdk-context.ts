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
  'aws:cdk:enable-path-metadata': false,
  'aws:cdk:disable-version-reporting': true,
};
