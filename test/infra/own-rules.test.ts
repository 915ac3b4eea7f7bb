import { describe, expect, it } from 'vitest';
import type { ToldFinding } from '../../infra/compliance/acknowledgement.ts';
import { ownFindingsOf, ownRules } from '../../infra/compliance/own-rules.ts';
import { nameOf, resourcesIn, type TemplateResource } from '../../infra/compliance/rules/rule.ts';
import { type StageConfig, stageNamed } from '../../infra/stages.ts';
import { stackTemplates } from '../support/synthesised.ts';

const production = stageNamed('production');
const sound = resourcesIn(stackTemplates());

type Properties = Record<string, unknown>;
type Change = (properties: Properties) => void;

/** The first resource of a type, and of a name where that is said. */
const resourceOf = (type: string, name?: string): TemplateResource => {
  const found = sound.find((each) => each.type === type && (name === undefined || nameOf(each) === name));
  if (!found) throw new Error(`There is no ${type} ${name ?? ''}`);
  return found;
};

const keyOf = ({ rule, finding, place }: ToldFinding) => [rule, finding, place].join(' ');
/** What has a reason to be as it is. */
const known = new Set(ownFindingsOf(sound, production).map(keyOf));

/** What the rules say of production once one resource of it is another, besides what they say of it as it is. */
const saidOf = (resource: TemplateResource, changed: TemplateResource, stage: StageConfig = production) =>
  ownFindingsOf(
    sound.map((each) => (each === resource ? changed : each)),
    stage,
  ).filter((said) => !known.has(keyOf(said)));

const withProperties = (resource: TemplateResource, change: Change): TemplateResource => {
  const properties = structuredClone(resource.properties) as Properties;
  change(properties);
  return { ...resource, properties };
};

const without =
  (name: string): Change =>
  (properties) => {
    delete properties[name];
  };
const as =
  (name: string, value: unknown): Change =>
  (properties) => {
    properties[name] = value;
  };

const replica =
  (name: string, value: unknown): Change =>
  ({ Replicas }) => {
    for (const each of Replicas as Properties[]) each[name] = value;
  };

const statements = (document: unknown): Properties[] => (document as { Statement: Properties[] }).Statement;
const allow = (more: object) => ({ Effect: 'Allow', Resource: '*', ...more });

const bodyPath = ({ Body }: Properties, path: string): Properties =>
  (Body as { paths: Record<string, Properties> }).paths[path] ?? {};
const anyMethod = 'x-amazon-apigateway-any-method';

const queue = 'AWS::SQS::Queue';
const topic = 'AWS::SNS::Topic';
const bucket = 'AWS::S3::Bucket';
const key = 'AWS::KMS::Key';
const table = 'AWS::DynamoDB::GlobalTable';
const api = 'AWS::ApiGateway::RestApi';

/** What breaks each rule: the rule, what is wrong, the type of the resource and, where it matters, its name; and where the rule finds it, if elsewhere. */
const breaks: readonly [rule: string, what: string, type: string, change: Change, name?: string, where?: string][] = [
  ['EncryptedAtRest', 'a queue without a key', queue, without('KmsMasterKeyId')],
  ['EncryptedAtRest', 'a queue with a key of AWS', queue, as('KmsMasterKeyId', 'alias/aws/sqs')],
  ['EncryptedAtRest', 'a topic without a key', topic, without('KmsMasterKeyId')],
  ['EncryptedAtRest', 'a bus without a key', 'AWS::Events::EventBus', without('KmsKeyIdentifier')],
  ['EncryptedAtRest', 'an archive without a key', 'AWS::Events::Archive', without('KmsKeyIdentifier')],
  ['EncryptedAtRest', 'a log without a key', 'AWS::Logs::LogGroup', without('KmsKeyId'), 'AccessLog'],
  ['EncryptedAtRest', 'a table with a key of AWS', table, replica('SSESpecification', undefined)],
  ['EncryptedAtRest', 'a bucket with no encryption', bucket, without('BucketEncryption')],
  [
    'EncryptedAtRest',
    'a bucket with a key of AWS',
    bucket,
    as('BucketEncryption', {
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }],
    }),
  ],
  [
    'EncryptedTransport',
    'a queue without a policy',
    'AWS::SQS::QueuePolicy',
    as('Queues', []),
    'WakesDeadPolicy',
    'WakesDead',
  ],
  [
    'EncryptedTransport',
    'a topic that takes plain text',
    'AWS::SNS::TopicPolicy',
    ({ PolicyDocument }) => statements(PolicyDocument).shift(),
    'AlarmsTopicPolicy',
    'AlarmsTopic',
  ],
  [
    'EncryptedTransport',
    'a bucket that takes plain text from all but one',
    'AWS::S3::BucketPolicy',
    ({ PolicyDocument }) => {
      for (const each of statements(PolicyDocument)) each.Principal = { AWS: 'arn:aws:iam::111122223333:root' };
    },
    'BodiesBucketPolicy',
    'BodiesBucket',
  ],
  [
    'GuardedKeys',
    'a key that anybody may use',
    key,
    ({ KeyPolicy }) => statements(KeyPolicy).push(allow({ Action: 'kms:Decrypt', Principal: { AWS: '*' } })),
  ],
  [
    'GuardedKeys',
    'a key that a service may delete',
    key,
    ({ KeyPolicy }) =>
      statements(KeyPolicy).push(
        allow({
          Action: ['kms:ScheduleKeyDeletion'],
          Principal: { Service: 'lambda.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
        }),
      ),
  ],
  [
    'GuardedKeys',
    'a key that another account has whole',
    key,
    ({ KeyPolicy }) =>
      statements(KeyPolicy).push(allow({ Action: 'kms:*', Principal: { AWS: 'arn:aws:iam::111122223333:root' } })),
  ],
  ['GuardedKeys', 'a key that is never changed', key, as('EnableKeyRotation', false), 'TableKey'],
  ['KeptLogs', 'a log that is kept for a week', 'AWS::Logs::LogGroup', as('RetentionInDays', 7), 'AccessLog'],
  ['KeptLogs', 'a log that is kept for ever', 'AWS::Logs::LogGroup', without('RetentionInDays'), 'AccessLog'],
  ['KeptLogs', 'a function whose log Lambda makes', 'AWS::Lambda::Function', without('LoggingConfig')],
  ['NothingPublic', 'a bucket that may be opened', bucket, without('PublicAccessBlockConfiguration')],
  [
    'NothingPublic',
    'a queue that anybody sends to',
    'AWS::SQS::QueuePolicy',
    ({ PolicyDocument }) => statements(PolicyDocument).push(allow({ Action: 'sqs:SendMessage', Principal: '*' })),
    'WakesDeadPolicy',
    'WakesDead',
  ],
  ['NothingPublic', 'a function that anybody calls', 'AWS::Lambda::Permission', as('Principal', '*')],
  ['NothingPublic', 'a function that a service calls for anybody', 'AWS::Lambda::Permission', without('SourceArn')],
  [
    'OwnRoles',
    'a function with the role of another',
    'AWS::Lambda::Function',
    as('Role', resourceOf('AWS::Lambda::Function', 'Patient').properties.Role),
    'Encounter',
  ],
  [
    'RecoverableTable',
    'a table that cannot be restored',
    table,
    replica('PointInTimeRecoverySpecification', { PointInTimeRecoveryEnabled: false }),
  ],
  [
    'RecoverableTable',
    'a table that can be restored for a day',
    table,
    replica('PointInTimeRecoverySpecification', { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 1 }),
  ],
  ['RecoverableTable', 'a table that can be deleted', table, replica('DeletionProtectionEnabled', false)],
  [
    'RecoverableTable',
    'a table whose keys are shown',
    table,
    replica('ContributorInsightsSpecification', { Enabled: true }),
  ],
  ['RecoverableTable', 'a stream without what was', table, as('StreamSpecification', { StreamViewType: 'NEW_IMAGE' })],
  [
    'ScopedMethods',
    'a method without a token',
    api,
    (properties) => {
      bodyPath(properties, '/fhir/Patient')[anyMethod] = { security: [] };
    },
  ],
  [
    'ScopedMethods',
    'a method without a scope',
    api,
    (properties) => {
      bodyPath(properties, '/fhir/Patient')[anyMethod] = { security: [{ accessToken: [] }] };
    },
  ],
  [
    'ScopedMethods',
    'a method that goes without a token, too',
    api,
    (properties) => {
      bodyPath(properties, '/fhir/Patient')[anyMethod] = { security: [{ accessToken: ['user/*.cruds'] }, {}] };
    },
  ],
  [
    'ScopedMethods',
    'a method of an authorizer that nobody knows',
    api,
    (properties) => {
      bodyPath(properties, '/fhir/Patient')[anyMethod] = { security: [{ other: ['user/*.cruds'] }] };
    },
  ],
  [
    'ScopedMethods',
    'a preflight that a function answers',
    api,
    (properties) => {
      bodyPath(properties, '/fhir/Patient').options = { 'x-amazon-apigateway-integration': { type: 'aws_proxy' } };
    },
  ],
  ['ScopedMethods', 'a gateway that is described elsewhere', api, without('Body')],
];

describe('own rules', () => {
  it.each(breaks)('%s finds %s', (rule, _, type, change, name, where) => {
    const resource = resourceOf(type, name);

    const said = saidOf(resource, withProperties(resource, change)).filter((each) => each.rule === `Concord-${rule}`);

    expect(said.map(({ place }) => place)).toContain(`${resource.stack}/${where ?? nameOf(resource)}`);
  });

  it('EncryptedAtRest finds a type that nobody has thought of', () => {
    const resource = resourceOf(queue);

    expect(saidOf(resource, { ...resource, type: 'AWS::OpenSearchService::Domain' })).toContainEqual(
      expect.objectContaining({ says: 'Nobody has said whether a AWS::OpenSearchService::Domain holds data.' }),
    );
  });

  it.each([bucket, table, key, 'AWS::Cognito::UserPool', 'AWS::Logs::LogGroup'])(
    'OutlivesStack finds a %s that goes with its stack, in a protected stage alone',
    (type) => {
      const resource = resourceOf(type);

      for (const kept of [
        { deletion: 'Delete', replacement: 'Retain' },
        { deletion: 'Retain', replacement: undefined },
      ]) {
        const changed = { ...resource, kept };
        const rules = (stage?: StageConfig) => saidOf(resource, changed, stage).map(({ rule }) => rule);
        expect(rules()).toEqual(['Concord-OutlivesStack']);
        expect(rules({ ...production, protected: false })).toEqual([]);
      }
      const once = { ...resource, kept: { deletion: 'RetainExceptOnCreate', replacement: 'Retain' } };
      expect(saidOf(resource, once)).toEqual([]);
    },
  );

  it('are each shown to find something', () => {
    const shown = new Set([...breaks.map(([rule]) => `Concord-${rule}`), 'Concord-OutlivesStack']);

    expect(ownRules.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
  });
});
