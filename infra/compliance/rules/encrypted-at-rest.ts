import type { OwnRule, TemplateResource } from './rule.ts';

type KeyOf = (properties: TemplateResource['properties']) => unknown;

const property =
  (name: string): KeyOf =>
  (properties) =>
    properties[name];

const each =
  (list: string, key: (item: Readonly<Record<string, unknown>>) => unknown): KeyOf =>
  (properties) => {
    const items = (properties[list] ?? []) as readonly Readonly<Record<string, unknown>>[];
    return items.length > 0 && items.every((item) => key(item) !== undefined) ? items : undefined;
  };

/** What holds data, with the key of ours that each is encrypted by. */
const keys: Readonly<Record<string, KeyOf>> = {
  'AWS::Backup::BackupVault': property('EncryptionKeyArn'),
  'AWS::Backup::LogicallyAirGappedBackupVault': property('EncryptionKeyArn'),
  'AWS::CloudTrail::Trail': property('KMSKeyId'),
  'AWS::DynamoDB::GlobalTable': each(
    'Replicas',
    ({ SSESpecification }) => (SSESpecification as { KMSMasterKeyId?: unknown } | undefined)?.KMSMasterKeyId,
  ),
  'AWS::Events::Archive': property('KmsKeyIdentifier'),
  'AWS::Events::EventBus': property('KmsKeyIdentifier'),
  'AWS::Logs::LogGroup': property('KmsKeyId'),
  'AWS::S3::Bucket': ({ BucketEncryption }) =>
    each(
      'ServerSideEncryptionConfiguration',
      ({ ServerSideEncryptionByDefault }) =>
        (ServerSideEncryptionByDefault as { KMSMasterKeyID?: unknown } | undefined)?.KMSMasterKeyID,
    )((BucketEncryption ?? {}) as TemplateResource['properties']),
  'AWS::SNS::Topic': property('KmsMasterKeyId'),
  'AWS::SQS::Queue': property('KmsMasterKeyId'),
  'AWS::SecretsManager::Secret': property('KmsKeyId'),
};

/** What holds no data of its own: rules, rights, addresses, names and settings. */
const holdsNothing: ReadonlySet<string> = new Set([
  'AWS::ApiGateway::Account',
  'AWS::ApiGateway::BasePathMapping',
  'AWS::ApiGateway::BasePathMappingV2',
  'AWS::ApiGateway::Deployment',
  'AWS::ApiGateway::DomainName',
  'AWS::ApiGateway::RestApi',
  'AWS::ApiGateway::Stage',
  'AWS::Backup::BackupPlan',
  'AWS::Backup::BackupSelection',
  'AWS::Backup::RestoreTestingPlan',
  'AWS::Backup::RestoreTestingSelection',
  'AWS::Budgets::Budget',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::Cognito::LogDeliveryConfiguration',
  'AWS::Cognito::UserPoolClient',
  'AWS::Cognito::UserPoolDomain',
  'AWS::Cognito::UserPoolGroup',
  'AWS::Cognito::UserPoolIdentityProvider',
  'AWS::Cognito::UserPoolResourceServer',
  'AWS::Cognito::UserPoolRiskConfigurationAttachment',
  'AWS::Events::Rule',
  'AWS::GuardDuty::MalwareProtectionPlan',
  'AWS::IAM::OIDCProvider',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::KMS::Alias',
  'AWS::KMS::Key',
  'AWS::KMS::ReplicaKey',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function', // its code; what its environment says are names
  'AWS::Lambda::Permission',
  'AWS::Logs::MetricFilter',
  'AWS::Logs::ResourcePolicy',
  'AWS::Logs::SubscriptionFilter',
  'AWS::Route53::RecordSet',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::Subscription',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::WAFv2::LoggingConfiguration',
  'AWS::WAFv2::WebACL',
  'AWS::WAFv2::WebACLAssociation',
  'AWS::XRay::SamplingRule',
]);

/** Cognito encrypts its pools with a key of its own, and takes no other. https://docs.aws.amazon.com/cognito/latest/developerguide/data-protection.html */
const byTheServiceAlone: ReadonlySet<string> = new Set(['AWS::Cognito::UserPool']);

export const encryptedAtRest: OwnRule = {
  name: 'Concord-EncryptedAtRest',
  asks: 'What holds data is encrypted by a key of the account: table, buckets, queues, topic, bus, archive, logs, secrets, backups and trail.',
  because:
    'The packs know CfnTable and no global table, no bus and no archive, and take a key of AWS for one of ours. A type that nobody has thought of is a finding here.',
  violations: (resources) =>
    resources.flatMap((resource) => {
      const { type, properties } = resource;
      if (holdsNothing.has(type) || byTheServiceAlone.has(type)) return [];
      const key = keys[type];
      if (!key) return [{ resource, says: `Nobody has said whether a ${type} holds data.` }];
      const found = key(properties);
      if (found === undefined || (typeof found === 'string' && found.startsWith('alias/aws/')))
        return [{ resource, says: 'It is not encrypted by a key of the account.' }];
      return [];
    }),
};
