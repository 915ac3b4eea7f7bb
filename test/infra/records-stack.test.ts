import { describe, expect, it } from 'vitest';
import { stageNamed } from '../../infra/stages.ts';
import { tableDefinition, timeToLiveAttribute } from '../../shared/store/table.ts';
import { synthesised } from '../support/synthesised.ts';

const tableOf = (stage?: string) => {
  const [table, ...others] = synthesised(stage).resources('AWS::DynamoDB::GlobalTable');
  if (!table || others.length > 0) throw new Error('There is not one table');
  return table;
};

const replicaOf = (stage?: string) => {
  const [replica] = tableOf(stage).properties.Replicas as Record<string, unknown>[];
  if (!replica) throw new Error('The table is nowhere');
  return replica;
};

describe('table of the stack', () => {
  it('has the keys, billing and stream of the local table', () => {
    const { TableName: _, StreamSpecification, ...definition } = tableDefinition('');

    const { properties } = tableOf();

    expect(properties).toMatchObject({
      ...definition,
      StreamSpecification: { StreamViewType: StreamSpecification.StreamViewType },
    });
    expect(properties.GlobalSecondaryIndexes).toBeUndefined();
    expect(properties.LocalSecondaryIndexes).toBeUndefined();
  });

  it('tells subscribers of both images and lets rows expire', () => {
    expect(tableOf().properties).toMatchObject({
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      TimeToLiveSpecification: { AttributeName: timeToLiveAttribute, Enabled: true },
    });
  });

  it('is encrypted with a key of the customer, which is rotated', () => {
    const keys = synthesised().resources('AWS::KMS::Key');

    const encryption = replicaOf().SSESpecification as { KMSMasterKeyId: { 'Fn::GetAtt': [string, string] } };
    const key = keys.find(({ id }) => id === encryption.KMSMasterKeyId['Fn::GetAtt'][0]);

    expect(tableOf().properties.SSESpecification).toEqual({ SSEEnabled: true, SSEType: 'KMS' });
    expect(key?.properties.EnableKeyRotation).toBe(true);
  });

  it('can be restored to any second of the last 35 days in production', () => {
    expect(replicaOf()).toMatchObject({
      Region: stageNamed('production').region,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 35 },
    });
  });

  it('cannot be deleted in production and outlives its stack, with its keys', () => {
    const kept = [
      'AWS::DynamoDB::GlobalTable',
      'AWS::S3::Bucket',
      'AWS::KMS::Key',
      'AWS::Cognito::UserPool',
      'AWS::Logs::LogGroup',
    ];

    const policies = kept.flatMap((type) => synthesised().resources(type)).map(({ deletionPolicy }) => deletionPolicy);

    expect(replicaOf().DeletionProtectionEnabled).toBe(true);
    expect(policies.length).toBeGreaterThan(kept.length);
    expect(new Set(policies)).toEqual(new Set(['Retain', 'RetainExceptOnCreate']));
  });

  it('can be recovered in dev too, and goes with its stack there', () => {
    expect(replicaOf('dev')).toMatchObject({
      DeletionProtectionEnabled: false,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
    expect(tableOf('dev').deletionPolicy).toBe('Delete');
  });

  it.each(['production', 'dev'])(
    'shows nobody its keys by contributor insights in %s, nor does anything else',
    (stage) => {
      const text = JSON.stringify(synthesised(stage).resources());

      expect(text).toContain('PointInTimeRecoverySpecification');
      expect(text).not.toMatch(/ContributorInsights/i);
    },
  );

  it.each(['production', 'dev'])(
    'takes no request without TLS in %s, and its policy allows nobody anything',
    (stage) => {
      const { PolicyDocument } = replicaOf(stage).ResourcePolicy as { PolicyDocument: { Statement: unknown } };

      expect(PolicyDocument.Statement).toEqual([
        {
          Sid: 'TlsOnly',
          Effect: 'Deny',
          Principal: { AWS: '*' },
          Action: 'dynamodb:*',
          Resource: '*',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ]);
    },
  );

  it.each(['production', 'dev'])('is the only one in %s, so that no other is kept with less', (stage) => {
    const tables = synthesised(stage)
      .resources()
      .filter(({ type }) => type.startsWith('AWS::DynamoDB::'));

    expect(tables.map(({ type }) => type)).toEqual(['AWS::DynamoDB::GlobalTable']);
  });
});
