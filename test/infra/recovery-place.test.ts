import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { cdkContext } from '../../infra/cdk-context.ts';
import type { Recovery } from '../../infra/recovery-place.ts';
import { RecordsStack } from '../../infra/stacks/records.ts';
import { parseStage, type StageConfig, stageNamed } from '../../infra/stages.ts';
import { entryOf, type Resource, synthesise } from '../support/synthesised.ts';

const streamArn =
  'arn:aws:dynamodb:us-west-2:123456789012:table/concord-production-records/stream/2026-11-27T10:00:00.000';
const secretsKeyId = `mrk-${'0123456789abcdef'.repeat(2)}`;
const withRecovery = (recovery: Recovery): StageConfig => parseStage({ ...stageNamed('production'), recovery });

const certificateIn = (region: string) => `arn:aws:acm:${region}:111122223333:certificate/0a1b`;
const everywhere = synthesise({
  ...withRecovery({ region: 'us-west-2', writer: 'here', standby: { streamArn, secretsKeyId } }),
  domain: {
    name: 'ehr.network.example',
    certificateArn: certificateIn('us-east-1'),
    standbyCertificateArn: certificateIn('us-west-2'),
    hostedZoneId: 'Z0123456789',
  },
});

const partsOf = (stack: string): Resource[] =>
  everywhere
    .resources()
    .filter(({ part }) => part === stack)
    .map((each) => ({ ...each, properties: text(each.properties) as Resource['properties'] }));
const ofType = (stack: string, type: string): Resource[] => partsOf(stack).filter((each) => each.type === type);
const only = (stack: string, type: string): Resource => {
  const [first, ...others] = ofType(stack, type);
  if (!first || others.length > 0) throw new Error(`There is not one ${type} in ${stack}`);
  return first;
};

const startingWith = (id: string, resources: readonly Resource[]): Resource => {
  const found = resources.find((each) => each.id.startsWith(id));
  if (!found) throw new Error(`There is no ${id}`);
  return found;
};

interface Replica {
  readonly Region: string;
  readonly ResourcePolicy?: { readonly PolicyDocument: { readonly Statement: readonly Record<string, unknown>[] } };
  readonly [name: string]: unknown;
}

/** The replicas of the table by region. */
const replicasOf = (stage: StageConfig): Record<string, Replica> => {
  const stack = new RecordsStack(new App({ context: cdkContext }), 'records', {
    stage,
    env: { region: stage.region },
  });
  const [table] = Object.values(Template.fromStack(stack).findResources('AWS::DynamoDB::GlobalTable'));
  const { Replicas } = text((table as { Properties: unknown }).Properties) as { Replicas: Replica[] };
  return Object.fromEntries(Replicas.map((replica) => [replica.Region, replica]));
};

/** What CloudFormation makes of a value in account 1. */
const text = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(text);
  if (typeof value !== 'object' || value === null) return value;
  const { 'Fn::Join': joined, Ref } = value as { 'Fn::Join'?: [string, unknown[]]; Ref?: string };
  if (joined) return joined[1].map(text).join(joined[0]);
  if (Ref === 'AWS::Partition') return 'aws';
  if (Ref === 'AWS::AccountId') return '1';
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, text(each)]));
};

const replicationRole =
  'arn:aws:iam::1:role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication';

/** DynamoDB takes requests without TLS, too. */
const tlsOnly = {
  Sid: 'TlsOnly',
  Effect: 'Deny',
  Principal: { AWS: '*' },
  Action: 'dynamodb:*',
  Resource: '*',
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
};

describe('a second region', () => {
  it('is none where a stage names none', () => {
    const replicas = replicasOf(stageNamed('production'));

    expect(Object.keys(replicas)).toEqual(['us-east-1']);
    expect(replicas['us-east-1']?.ResourcePolicy?.PolicyDocument.Statement).toEqual([tlsOnly]);
  });

  it('holds the table, as protected as the first does, under a key of its own that is there before', () => {
    const { 'us-west-2': replica } = replicasOf(withRecovery({ region: 'us-west-2' }));

    expect(replica).toMatchObject({
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 35 },
      SSESpecification: { KMSMasterKeyId: 'arn:aws:kms:us-west-2:1:alias/concord-production-records' },
    });
    expect(replica?.ContributorInsightsSpecification).toBeUndefined();
    const key = ofType('recoveryKeys', 'AWS::KMS::Alias').map(({ properties }) => properties);
    expect(key).toEqual([
      {
        AliasName: 'alias/concord-production-records',
        TargetKeyId: { 'Fn::GetAtt': [expect.stringMatching(/^TableKey/) as string, 'Arn'] },
      },
    ]);
  });

  it('is in the trail of the first: who touches the replica or the copies of bodies past Concord', () => {
    const trail = JSON.stringify(only('documents', 'AWS::CloudTrail::Trail').properties);

    expect(trail).toContain('"arn:aws:dynamodb:us-west-2:1:table/concord-production-records"');
    expect(trail).toContain('"arn:aws:dynamodb:us-west-2:1:table/concord-production-records/"'); // its stream
    expect(trail).toContain('"arn:aws:s3:::concord-production-bodies-1-us-west-2/"');
  });

  const fence = {
    Sid: 'AnotherRegionWrites',
    Effect: 'Deny',
    Principal: { AWS: '*' },
    Action: [
      'dynamodb:BatchWriteItem',
      'dynamodb:DeleteItem',
      'dynamodb:PartiQLDelete',
      'dynamodb:PartiQLInsert',
      'dynamodb:PartiQLUpdate',
      'dynamodb:PutItem',
      'dynamodb:UpdateItem',
    ],
    Resource: '*',
    Condition: {
      ArnNotEquals: { 'aws:PrincipalArn': replicationRole },
      BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' },
    },
  };

  it.each([
    ['here', ['us-west-2']],
    ['there', ['us-east-1']],
    ['nobody', ['us-east-1', 'us-west-2']],
  ] as const)('has one writer, %s: whatever else a policy allows, only replication writes in %j', (writer, fenced) => {
    const replicas = replicasOf(withRecovery({ region: 'us-west-2', writer, standby: { streamArn, secretsKeyId } }));

    const policies = Object.values(replicas).map(
      ({ Region, ResourcePolicy }) => [Region, ResourcePolicy?.PolicyDocument.Statement] as const,
    );
    expect(Object.fromEntries(policies)).toEqual(
      Object.fromEntries(
        ['us-east-1', 'us-west-2'].map((region) => [
          region,
          fenced.some((each) => each === region) ? [tlsOnly, fence] : [tlsOnly],
        ]),
      ),
    );
  });

  it.each([
    ['fence.json', [tlsOnly, fence]],
    ['open.json', [tlsOnly]],
  ])(
    'is fenced and opened by hand with the very same policies, where its own region cannot be reached: %s',
    (file, statements) => {
      const byHand = readFileSync(path.resolve(import.meta.dirname, '../../docs/runbooks', file), 'utf8');

      expect(JSON.parse(byHand.replace('ACCOUNT', '1'))).toEqual({ Version: '2012-10-17', Statement: statements });
    },
  );

  it('has no policy yet while its replica is made, which CloudFormation cannot do at once', () => {
    const { 'us-west-2': replica } = replicasOf(withRecovery({ region: 'us-west-2' }));

    expect(replica).toBeDefined();
    expect(replica?.ResourcePolicy).toBeUndefined();
  });

  it('lets replication use the keys of both tables, through DynamoDB, and nobody else by that', () => {
    const keys = [
      ['records', 'us-east-1'],
      ['recoveryKeys', 'us-west-2'],
    ] as const;

    for (const [stack, region] of keys) {
      const { properties } = startingWith('TableKey', ofType(stack, 'AWS::KMS::Key'));
      const { Statement } = properties.KeyPolicy as { Statement: Record<string, unknown>[] };
      expect(Statement.filter(({ Sid }) => Sid === 'Replication')).toMatchObject([
        {
          Condition: {
            ArnEquals: { 'aws:PrincipalArn': replicationRole },
            StringEquals: { 'kms:ViaService': `dynamodb.${region}.amazonaws.com` },
          },
        },
      ]);
    }
  });
});

describe('bodies in a second region', () => {
  const bodies = (stack: string) => {
    const [bucket] = ofType(stack, 'AWS::S3::Bucket').filter(({ id }) => id.startsWith('Bodies'));
    return bucket?.properties ?? {};
  };

  it.each([
    ['documents', 'us-east-1', 'us-west-2'],
    ['recoveryDocuments', 'us-west-2', 'us-east-1'],
  ])(
    'of %s in %s are copied to %s within a quarter of an hour, encrypted, and removed there as well',
    (stack, at, to) => {
      expect(bodies(stack)).toMatchObject({
        BucketName: `concord-production-bodies-1-${at}`,
        VersioningConfiguration: { Status: 'Enabled' },
        ReplicationConfiguration: {
          Rules: [
            {
              Status: 'Enabled',
              Filter: { Prefix: '' },
              DeleteMarkerReplication: { Status: 'Enabled' },
              SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } },
              Destination: {
                Bucket: `arn:aws:s3:::concord-production-bodies-1-${to}`,
                EncryptionConfiguration: { ReplicaKmsKeyID: `arn:aws:kms:${to}:1:alias/concord-production-bodies` },
                ReplicationTime: { Status: 'Enabled', Time: { Minutes: 15 } },
              },
            },
          ],
        },
      });
      expect(ofType(stack, 'AWS::KMS::Alias').map(({ properties }) => properties.AliasName)).toEqual([
        'alias/concord-production-bodies',
      ]);
    },
  );

  it('are the same bucket otherwise', () => {
    const { BucketName: _, ReplicationConfiguration: __, ...there } = bodies('recoveryDocuments');
    const { BucketName: ___, ReplicationConfiguration: ____, ...here } = bodies('documents');

    expect(there).toEqual(here);
  });

  it('are copied by a role that reads the one, writes the other, and uses their two keys through S3', () => {
    const { properties } = startingWith('BodiesReplication', ofType('documents', 'AWS::IAM::Role'));
    const [policy] = properties.Policies as [{ PolicyDocument: { Statement: Record<string, unknown>[] } }];
    const statements = policy.PolicyDocument.Statement;

    expect(statements.map(({ Action }) => Action)).toEqual([
      ['s3:GetReplicationConfiguration', 's3:ListBucket'],
      ['s3:GetObjectVersionAcl', 's3:GetObjectVersionForReplication', 's3:GetObjectVersionTagging'],
      ['s3:ReplicateDelete', 's3:ReplicateObject', 's3:ReplicateTags'],
      'kms:Decrypt',
      ['kms:Encrypt', 'kms:GenerateDataKey'],
    ]);
    expect(statements.slice(3).map(({ Condition }) => Condition)).toEqual([
      { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } },
      {
        StringEquals: { 'kms:ViaService': 's3.us-west-2.amazonaws.com' },
        'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/concord-production-bodies' },
      },
    ]);
  });
});

describe('a standby', () => {
  const functionsOf = (stack: string) =>
    ofType(stack, 'AWS::Lambda::Function').map((each) => [entryOf(each), each.properties.Environment]);

  it('is every function, over the replica, the bucket and the keys there', () => {
    for (const stack of ['Api', 'Sharing', 'SignIn']) {
      const here = functionsOf(`${stack.charAt(0).toLowerCase()}${stack.slice(1)}`);
      const there = functionsOf(`recovery${stack}`);
      expect(there.map(([entry]) => entry)).toEqual(here.map(([entry]) => entry));
    }
    const grants = JSON.stringify(ofType('recoveryApi', 'AWS::IAM::Role'));
    expect(grants).toContain(':dynamodb:us-west-2:');
    expect(grants).toContain('dynamodb.us-west-2.amazonaws.com');
    expect(grants).not.toMatch(/us-east-1|concord-production-(?:records|documents):/);
    expect(JSON.stringify(functionsOf('recoveryApi'))).toContain('"TABLE_NAME":"concord-production-records"');
  });

  it('is served under the same name by a certificate there, and leaves the record to whoever fails over', () => {
    const names = ['api', 'recoveryApi'].map((stack) => only(stack, 'AWS::ApiGateway::DomainName').properties);

    expect(names).toMatchObject([
      { DomainName: 'ehr.network.example', RegionalCertificateArn: certificateIn('us-east-1') },
      { DomainName: 'ehr.network.example', RegionalCertificateArn: certificateIn('us-west-2') },
    ]);
    expect(ofType('api', 'AWS::Route53::RecordSet')).toHaveLength(1);
    expect(ofType('recoveryApi', 'AWS::Route53::RecordSet')).toEqual([]);
  });

  it('decrypts what the first region has encrypted, by a replica of its key', () => {
    expect(only('recoveryKeys', 'AWS::KMS::ReplicaKey').properties.PrimaryKeyArn).toBe(
      `arn:aws:kms:us-east-1:1:key/${secretsKeyId}`,
    );
    const primary = ofType('records', 'AWS::KMS::Key').find(({ id }) => id.startsWith('SecretsKey'));
    expect(primary?.properties.MultiRegion).toBe(true);
  });

  it('rests as long as it may not write: it follows no stream, queue or schedule, and its silence alarms nobody', () => {
    const followed = (stack: string) =>
      partsOf(stack).flatMap(({ type, id, properties }) => {
        if (id.startsWith('Recovery')) return []; // follows only what somebody has the archive play again
        if (type === 'AWS::Lambda::EventSourceMapping') return [properties.Enabled];
        if (type === 'AWS::Events::Rule' && properties.ScheduleExpression !== undefined)
          return [properties.State === 'ENABLED'];
        return type === 'AWS::CloudWatch::Alarm' ? [properties.ActionsEnabled] : [];
      });

    expect(followed('sharing').length).toBeGreaterThan(20);
    expect(new Set(followed('sharing'))).toEqual(new Set([true]));
    expect(followed('recoverySharing')).toEqual(followed('sharing').map(() => false));
  });
});

describe('alarms of what is copied', () => {
  it.each([
    ['sharing', 'us-west-2', true],
    ['recoverySharing', 'us-east-1', false],
  ])('tell in %s of what does not arrive in %s, where that region writes', (stack, to, told) => {
    const about = (metric: string) =>
      ofType(stack, 'AWS::CloudWatch::Alarm')
        .map(({ properties }) => properties)
        .filter(({ MetricName }) => MetricName === metric);

    expect(about('OperationsFailedReplication')).toEqual([
      expect.objectContaining({ Threshold: 0, ActionsEnabled: told, Namespace: 'AWS/S3' }),
    ]);
    const latencies = about('ReplicationLatency').map(({ Namespace, Threshold, Dimensions }) => [
      Namespace,
      Threshold,
      JSON.stringify(Dimensions).includes(to),
    ]);
    expect(latencies).toEqual([
      ['AWS/S3', 900, true],
      ['AWS/DynamoDB', 60_000, true],
    ]);
  });
});

describe('the settings of a second region', () => {
  it.each([
    ['a region that is none', { region: 'oregon' }],
    ['two writers', { region: 'us-west-2', writer: 'both' }],
    [
      'the stream of another kind of thing',
      { region: 'us-west-2', standby: { streamArn: 'arn:aws:sqs:us-west-2:123456789012:q', secretsKeyId } },
    ],
    [
      'a key of one region',
      { region: 'us-west-2', standby: { streamArn, secretsKeyId: 'e41f2a0b-0000-4000-8000-000000000000' } },
    ],
    ['a writer where nothing is deployed', { region: 'us-west-2', writer: 'there' }],
    ['the region itself', { region: 'us-east-1' }],
    ['a stream of another region', { region: 'eu-central-1', standby: { streamArn, secretsKeyId } }],
  ])('refuse %s', (_, recovery) => {
    expect(() => parseStage({ ...stageNamed('production'), recovery })).toThrow();
  });
});
