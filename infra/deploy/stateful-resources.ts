/**
 * Types of resources that hold something which a new one would not have, and what would be lost with one. Every resource that a protected stage keeps
 * when its stack goes is of one of these types.
 */
export const statefulResources: Readonly<Record<string, string>> = {
  'AWS::ApiGateway::RestApi': 'the address of the API, which every app has, if it has no domain of its own',
  'AWS::Backup::BackupVault': 'backups',
  'AWS::CloudTrail::Trail': 'the record of who used the account, for as long as there is none',
  'AWS::Cognito::UserPool': 'everybody who may sign in',
  'AWS::Cognito::UserPoolClient': 'the client id that an app signs in with',
  'AWS::Cognito::UserPoolDomain': 'the address of the sign-in pages',
  'AWS::DynamoDB::GlobalTable': 'all records',
  'AWS::DynamoDB::Table': 'all records',
  'AWS::Events::Archive': 'published events',
  'AWS::Events::EventBus': 'the bus that partners know',
  'AWS::KMS::Key': 'whatever is encrypted under the key',
  'AWS::Logs::LogGroup': 'logs',
  'AWS::S3::Bucket': 'large bodies, digests of the access log or other objects',
  'AWS::SNS::Topic': 'who is told of alarms',
  'AWS::SQS::Queue': 'what waits, and what has failed',
  'AWS::SecretsManager::Secret': 'a secret that somebody has filled in',
};
