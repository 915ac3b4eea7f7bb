import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { cdkContext } from '../../infra/cdk-context.ts';
import { BackupsStack } from '../../infra/stacks/backups.ts';
import { parseStage, stageNamed } from '../../infra/stages.ts';
import { type Resource, synthesised } from '../support/synthesised.ts';

const only = (type: string, stage?: string): Resource => {
  const [first, ...others] = synthesised(stage)
    .resources(type)
    .filter(({ part }) => part === 'backups');
  if (!first || others.length > 0) throw new Error(`There is not one ${type}`);
  return first;
};

const imported = (name: RegExp) => ({ 'Fn::ImportValue': expect.stringMatching(name) as string });
const tableArn = imported(/records:.*Table\w+Arn/);
const tableKeyArn = imported(/records:.*TableKey\w+Arn/);
const bucketArn = imported(/documents:.*BodiesBucket\w+Arn/);

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

const statementsOf = (name: string): readonly Statement[] => {
  const [role, ...others] = synthesised()
    .resources('AWS::IAM::Role')
    .filter(({ part, id }) => part === 'backups' && id.startsWith(name));
  if (!role || others.length > 0) throw new Error(`There is not one ${name}`);
  const [policy] = role.properties.Policies as [{ PolicyDocument: { Statement: Statement[] } }];
  return policy.PolicyDocument.Statement;
};

describe('backups', () => {
  it('are made of the table and the bodies, every day and every month', () => {
    expect(only('AWS::Backup::BackupSelection').properties.BackupSelection).toMatchObject({
      Resources: [tableArn, bucketArn],
    });
    expect(only('AWS::Backup::BackupPlan').properties.BackupPlan).toMatchObject({
      BackupPlanRule: [
        { RuleName: 'daily', ScheduleExpression: 'cron(0 3 * * ? *)', Lifecycle: { DeleteAfterDays: 7 } },
        { RuleName: 'monthly', ScheduleExpression: 'cron(0 1 1 * ? *)', Lifecycle: { DeleteAfterDays: 395 } },
      ],
    });
  });

  it('lie in a vault with a key of its own, whose lock nobody can take off after three days in production', () => {
    const { properties, deletionPolicy } = only('AWS::Backup::BackupVault');
    const key = only('AWS::KMS::Key');

    expect(properties).toMatchObject({
      EncryptionKeyArn: { 'Fn::GetAtt': [key.id, 'Arn'] },
      LockConfiguration: { MinRetentionDays: 7, MaxRetentionDays: 395, ChangeableForDays: 3 },
    });
    expect(key.properties.EnableKeyRotation).toBe(true);
    expect([deletionPolicy, key.deletionPolicy]).toEqual(['RetainExceptOnCreate', 'Retain']);
  });

  it('are locked in dev too, so that an administrator can take the lock off', () => {
    expect(only('AWS::Backup::BackupVault', 'dev').properties.LockConfiguration).toEqual({
      MinRetentionDays: 1,
      MaxRetentionDays: 2,
    });
  });

  it('are removed by nobody, whatever somebody’s role allows', () => {
    expect(only('AWS::Backup::BackupVault').properties.AccessPolicy).toMatchObject({
      Statement: [
        {
          Effect: 'Deny',
          Principal: { AWS: '*' },
          Action: ['backup:DeleteRecoveryPoint', 'backup:UpdateRecoveryPointLifecycle'],
        },
      ],
    });
  });

  it('are made by a role that writes into no table and no object, and touches no other table or bucket', () => {
    const statements = statementsOf('BackupRole');
    const actions = statements.flatMap(({ Action }) => Action);

    expect(
      actions.filter((action) =>
        /^dynamodb:(?:Put|Update|Delete(?!Backup)|Batch|Restore)|^s3:(?:Put|Delete|Replicate)Object/.test(action),
      ),
    ).toEqual([]);
    const resources = statements
      .filter(({ Action }) => [Action].flat().some((each) => /^(?:dynamodb|s3:GetObject|kms)/.test(each)))
      .map(({ Resource }) => JSON.stringify(Resource));
    for (const resource of resources)
      expect(resource).toMatch(/Fn::(?:ImportValue|GetAtt)":.*(?:Table|BodiesBucket|BodiesKey|VaultKey)/);
    expect(statements.filter(({ Resource }) => Resource === '*').flatMap(({ Action }) => Action)).toEqual([
      'cloudwatch:GetMetricData',
      'events:ListRules',
      's3:ListAllMyBuckets',
      'tag:GetResources',
    ]);
  });

  it('are restored once a month for a test, under the key of the table, into tables of that test alone', () => {
    expect(only('AWS::Backup::RestoreTestingPlan').properties).toMatchObject({
      ScheduleExpression: 'cron(0 5 2 * ? *)',
      RecoveryPointSelection: {
        Algorithm: 'LATEST_WITHIN_WINDOW',
        IncludeVaults: [{ 'Fn::GetAtt': [only('AWS::Backup::BackupVault').id, 'BackupVaultArn'] }],
        RecoveryPointTypes: ['SNAPSHOT'],
      },
    });
    expect(only('AWS::Backup::RestoreTestingSelection').properties).toMatchObject({
      ProtectedResourceType: 'DynamoDB',
      ProtectedResourceArns: [tableArn],
      RestoreMetadataOverrides: { encryptionType: 'KMS', kmsMasterKeyArn: tableKeyArn },
    });
    const onTables = statementsOf('RestoreTestRole').filter(({ Action }) =>
      [Action].flat().some((each) => each.startsWith('dynamodb:')),
    );
    expect(onTables.map(({ Resource }) => Resource)).toEqual([
      { 'Fn::Join': ['', expect.arrayContaining([':table/awsbackup-restore-test-*'])] },
    ]);
  });

  it('tell the one topic when one is not made, not copied, or cannot be restored', () => {
    const rules = synthesised()
      .resources('AWS::Events::Rule')
      .filter(({ properties }) => JSON.stringify(properties.EventPattern ?? {}).includes('["aws.backup"]'));
    const [topic] = synthesised().resources('AWS::SNS::Topic');
    const vaultArn = imported(/backups:.*Vault\w+BackupVaultArn/);

    expect(rules.map(({ properties }) => properties.EventPattern)).toEqual([
      {
        source: ['aws.backup'],
        'detail-type': ['Backup Job State Change'],
        detail: { backupVaultArn: [vaultArn], state: ['ABORTED', 'EXPIRED', 'FAILED'] },
      },
      {
        source: ['aws.backup'],
        'detail-type': ['Copy Job State Change'],
        detail: { sourceBackupVaultArn: [vaultArn], state: ['FAILED', 'PARTIAL'] },
      },
      {
        source: ['aws.backup'],
        'detail-type': ['Restore Job State Change'],
        detail: { iamRoleArn: [imported(/backups:.*RestoreTestRole\w+Arn/)], status: ['ABORTED', 'FAILED'] },
      },
    ]);
    for (const { properties } of rules) expect(properties.Targets).toMatchObject([{ Arn: { Ref: topic?.id } }]);
  });

  it('are copied to another account where a stage names a vault there, which may read them for that', () => {
    const production = stageNamed('production');
    const copyTo = 'arn:aws:backup:us-west-2:210987654321:backup-vault:concord-copies';
    const stage = parseStage({ ...production, backup: { ...production.backup, copyTo } });
    const arn = (rest: string) => `arn:aws:${rest}`;
    const stack = new BackupsStack(new App({ context: cdkContext }), 'backups', {
      stage,
      env: { region: stage.region },
      backedUp: {
        region: stage.region,
        tableArn: arn('dynamodb:us-east-1:123456789012:table/records'),
        tableKeyArn: arn('kms:us-east-1:123456789012:key/11111111-1111-4111-8111-111111111111'),
        bucketArn: arn('s3:::bodies'),
        bucketKeyArn: arn('kms:us-east-1:123456789012:key/22222222-2222-4222-8222-222222222222'),
      },
    });
    const template = Template.fromStack(stack);

    const [plan] = Object.values(template.findResources('AWS::Backup::BackupPlan'));
    expect((plan as { Properties: unknown }).Properties).toMatchObject({
      BackupPlan: {
        BackupPlanRule: [7, 395].map((days) => ({
          CopyActions: [{ DestinationBackupVaultArn: copyTo, Lifecycle: { DeleteAfterDays: days } }],
        })),
      },
    });
    const [key] = Object.values(template.findResources('AWS::KMS::Key')) as [
      { Properties: { KeyPolicy: { Statement: { Sid?: string; Principal: unknown }[] } } },
    ];
    const ofCopies = key.Properties.KeyPolicy.Statement.filter(({ Sid }) => Sid?.startsWith('Copies'));
    expect(ofCopies).toHaveLength(2);
    for (const { Principal } of ofCopies) expect(JSON.stringify(Principal)).toContain(':iam::210987654321:root');
    const text = JSON.stringify(template.findResources('AWS::IAM::Role'));
    expect(text).toContain(copyTo);
  });

  it.each([
    ['a vault that is none', { copyTo: 'arn:aws:s3:::backups' }],
    ['no day', { dailyDays: 0 }],
    ['monthly ones that end with daily ones', { dailyDays: 35, monthlyDays: 35 }],
  ])('refuse %s', (_, change) => {
    const dev = stageNamed('dev');
    expect(() => parseStage({ ...dev, backup: { ...dev.backup, ...change } })).toThrow();
  });
});
