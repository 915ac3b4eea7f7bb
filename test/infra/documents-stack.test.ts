import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { DocumentsStack } from '../../infra/stacks/documents.ts';
import { stageNamed } from '../../infra/stages.ts';
import { synthesised } from '../support/synthesised.ts';

const bucketOf = (stage?: string, name = 'Bodies') => {
  const [bucket, ...others] = synthesised(stage)
    .resources('AWS::S3::Bucket')
    .filter(({ id }) => id.startsWith(name));
  if (!bucket || others.length > 0) throw new Error('There is not one such bucket');
  return bucket;
};

const keyOf = (bucket: ReturnType<typeof bucketOf>) =>
  /"KMSMasterKeyID":\{"Fn::GetAtt":\["(\w+)"/.exec(JSON.stringify(bucket.properties.BucketEncryption))?.[1];

const statementsOn = (bucket: ReturnType<typeof bucketOf>) =>
  synthesised()
    .resources('AWS::S3::BucketPolicy')
    .filter(({ properties }) => JSON.stringify(properties.Bucket).includes(`"${bucket.id}"`))
    .flatMap(({ properties }) => (properties.PolicyDocument as { Statement: Record<string, unknown>[] }).Statement);

describe('bucket of large bodies', () => {
  it('is encrypted with a key of its own, which is rotated', () => {
    const keys = synthesised()
      .resources('AWS::KMS::Key')
      .filter(({ part, properties }) => part === 'documents' && properties.EnableKeyRotation === true);

    expect(keys.map(({ id }) => id)).toContain(keyOf(bucketOf()));
    expect(keyOf(bucketOf())).not.toBe(keyOf(bucketOf(undefined, 'Digests')));
    expect(bucketOf().properties.BucketEncryption).toMatchObject({
      ServerSideEncryptionConfiguration: [
        { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
      ],
    });
  });

  it('is closed to the world, whatever a policy or an object says', () => {
    expect(bucketOf().properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
  });

  it('refuses what comes unencrypted or by an old TLS, and allows nothing', () => {
    const statements = statementsOn(bucketOf()).map(({ Effect, Action, Condition }) => [Effect, Action, Condition]);

    expect(statements.slice(0, 2)).toEqual([
      ['Deny', 's3:*', { Bool: { 'aws:SecureTransport': 'false' } }],
      ['Deny', 's3:*', { NumericLessThan: { 's3:TlsVersion': 1.2 } }],
    ]);
    expect(new Set(statements.map(([effect]) => effect))).toEqual(new Set(['Deny']));
  });

  describe('with a scanner', () => {
    const ofScanner = () => {
      const [role, ...others] = synthesised()
        .resources('AWS::IAM::Role')
        .filter(({ id }) => id.startsWith('UploadScanner'));
      if (!role || others.length > 0) throw new Error('There is not one role of a scanner');
      return role;
    };

    it('has GuardDuty look into what is uploaded, and tell by a tag', () => {
      const plans = synthesised().resources('AWS::GuardDuty::MalwareProtectionPlan');

      expect(plans.map(({ properties }) => properties)).toEqual([
        {
          Role: { 'Fn::GetAtt': [ofScanner().id, 'Arn'] },
          ProtectedResource: { S3Bucket: { BucketName: { Ref: bucketOf().id }, ObjectPrefixes: ['quarantine/'] } },
          Actions: { Tagging: { Status: 'ENABLED' } },
        },
      ]);
      expect(bucketOf().properties.NotificationConfiguration).toEqual({
        EventBridgeConfiguration: { EventBridgeEnabled: true },
      });
      expect(JSON.stringify(ofScanner().properties.AssumeRolePolicyDocument)).toContain(
        '"malware-protection-plan.guardduty.amazonaws.com"',
      );
    });

    it('lets nobody else tell that uploads are clean, nor read what is not', () => {
      const scanner = { ArnNotEquals: { 'aws:PrincipalArn': { 'Fn::GetAtt': [ofScanner().id, 'Arn'] } } };
      const onUploads = statementsOn(bucketOf()).filter(({ Resource }) =>
        JSON.stringify(Resource).includes('/quarantine/*'),
      );

      expect(onUploads.map(({ Principal, Action, Condition }) => [Principal, Action, Condition])).toEqual([
        [
          { AWS: '*' },
          [
            's3:DeleteObjectTagging',
            's3:DeleteObjectVersionTagging',
            's3:PutObjectTagging',
            's3:PutObjectVersionTagging',
          ],
          scanner,
        ],
        [
          { AWS: '*' },
          ['s3:GetObject', 's3:GetObjectVersion'],
          {
            ...scanner,
            StringNotEquals: { 's3:ExistingObjectTag/GuardDutyMalwareScanStatus': 'NO_THREATS_FOUND' },
          },
        ],
      ]);
    });

    it('may be somebody’s own, who hears of uploads and alone may tell', () => {
      const stage = stageNamed('production');
      const scanner = 'arn:aws:iam::123456789012:role/scanner';
      const own = { ...stage, policy: { ...stage.policy, uploads: { ...stage.policy.uploads, scanner } } };
      const template = Template.fromStack(
        new DocumentsStack(new App(), 'own', { stage: own, env: { region: stage.region } }),
      );
      const text = JSON.stringify(template.toJSON());

      expect(Object.keys(template.findResources('AWS::GuardDuty::MalwareProtectionPlan'))).toEqual([]);
      expect(text).toContain('"EventBridgeEnabled":true');
      expect(text.split(`{"aws:PrincipalArn":"${scanner}"}`)).toHaveLength(3);
    });

    it('is not there where a stage says so', () => {
      expect(stageNamed('dev').policy.uploads.scanner).toBe('none');
      expect(synthesised('dev').resources('AWS::GuardDuty::MalwareProtectionPlan')).toEqual([]);
      expect(bucketOf('dev').properties.NotificationConfiguration).toBeUndefined();
    });
  });

  it.each([
    ['production', 35],
    ['dev', 1],
  ])('gives back what was removed in %s for %i days, as long as the table can be restored', (stage, days) => {
    expect(bucketOf(stage).properties).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      LifecycleConfiguration: {
        Rules: expect.arrayContaining([
          expect.objectContaining({
            Status: 'Enabled',
            NoncurrentVersionExpiration: { NoncurrentDays: days },
            ExpiredObjectDeleteMarker: true,
          }),
        ]),
      },
    });
    expect(stageNamed(stage).recoveryDays).toBe(days);
  });

  it('expires nothing that is current, but what was uploaded and was not completed in a day', () => {
    const { Rules } = bucketOf().properties.LifecycleConfiguration as { Rules: Record<string, unknown>[] };
    const expiring = Rules.filter((rule) => Object.keys(rule).some((name) => /^(Expiration|Transition)/.test(name)));

    expect(expiring).toEqual([
      {
        Status: 'Enabled',
        Prefix: 'quarantine/',
        ExpirationInDays: 1,
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      },
    ]);
  });

  it('lets pages put and get what they have a signed address for', () => {
    expect(bucketOf().properties.CorsConfiguration).toEqual({
      CorsRules: [{ AllowedHeaders: ['*'], AllowedMethods: ['GET', 'PUT'], AllowedOrigins: ['*'], MaxAge: 3000 }],
    });
  });
});

describe('bucket of digests', () => {
  it.each([
    ['production', 2192],
    ['dev', 1],
  ])('locks each object in %s for %i days, against everybody, and outlives its stack', (stage, days) => {
    const { properties, deletionPolicy } = bucketOf(stage, 'Digests');

    expect(properties).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: days } },
      },
    });
    expect(properties.LifecycleConfiguration).toBeUndefined();
    expect(deletionPolicy).toBe('Retain');
    expect(stageNamed(stage).digestRetentionDays).toBe(days);
  });

  it('is closed to the world and encrypted with a key of its own', () => {
    const { properties } = bucketOf(undefined, 'Digests');

    expect(properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
    expect(keyOf(bucketOf(undefined, 'Digests'))).toMatch(/Digests/);
  });

  it('refuses everybody to remove or replace an object, what comes unencrypted or by an old TLS, and allows nothing', () => {
    const statements = statementsOn(bucketOf(undefined, 'Digests'));

    expect(
      statements.map(({ Effect, Principal, Action, Condition }) => [Effect, Principal, Action, Condition]),
    ).toEqual([
      ['Deny', { AWS: '*' }, 's3:*', { Bool: { 'aws:SecureTransport': 'false' } }],
      ['Deny', { AWS: '*' }, 's3:*', { NumericLessThan: { 's3:TlsVersion': 1.2 } }],
      ['Deny', { AWS: '*' }, ['s3:DeleteObject', 's3:DeleteObjectVersion'], undefined],
      ['Deny', { AWS: '*' }, 's3:PutObject', { Null: { 's3:if-none-match': 'true' } }],
    ]);
  });
});

describe('trail of the account', () => {
  const only = (type: string) => {
    const [first, ...others] = synthesised().resources(type);
    if (!first || others.length > 0) throw new Error(`There is not one ${type}`);
    return first;
  };
  const bucket = () => bucketOf(undefined, 'Trail');
  const arnOf = (id: string) => ({ 'Fn::Join': ['', [{ 'Fn::GetAtt': [id, 'Arn'] }, '/']] });

  it('is kept in all regions, signed and encrypted with a key of its own', () => {
    expect(only('AWS::CloudTrail::Trail').properties).toMatchObject({
      IsLogging: true,
      IsMultiRegionTrail: true,
      IncludeGlobalServiceEvents: true,
      EnableLogFileValidation: true,
      S3BucketName: { Ref: bucket().id },
      KMSKeyId: { 'Fn::GetAtt': [keyOf(bucket()), 'Arn'] },
    });
    expect(keyOf(bucket())).toMatch(/^TrailKey/);
  });

  it('is kept by the account where a stage says so', () => {
    expect(stageNamed('dev').trail).toBe('account');
    expect(synthesised('dev').resources('AWS::CloudTrail::Trail')).toEqual([]);
  });

  it('tells of every change of settings and users, and of who touches rows and objects past the roles of the stage', () => {
    const { AdvancedEventSelectors: selectors } = only('AWS::CloudTrail::Trail').properties as {
      AdvancedEventSelectors: { FieldSelectors: { Field: string }[] }[];
    };
    const past = {
      Field: 'userIdentity.arn',
      NotStartsWith: [{ 'Fn::Join': ['', expect.arrayContaining([':assumed-role/concord-production-'])] }],
    };
    const data = { Field: 'eventCategory', Equals: ['Data'] };
    const objects = { Field: 'resources.type', Equals: ['AWS::S3::Object'] };

    expect(selectors.map(({ FieldSelectors }) => FieldSelectors)).toEqual([
      [{ Field: 'eventCategory', Equals: ['Management'] }],
      [
        data,
        { Field: 'resources.type', Equals: ['AWS::DynamoDB::Table'] },
        {
          Field: 'resources.ARN',
          Equals: [{ 'Fn::ImportValue': expect.stringMatching(/records:.*Table\w+Arn/) as string }],
        },
        past,
      ],
      [
        data,
        { Field: 'resources.type', Equals: ['AWS::DynamoDB::Stream'] },
        {
          Field: 'resources.ARN',
          StartsWith: [
            {
              'Fn::Join': ['', [{ 'Fn::ImportValue': expect.stringMatching(/records:.*Table\w+Arn/) as string }, '/']],
            },
          ],
        },
        past,
      ],
      [
        data,
        objects,
        {
          Field: 'resources.ARN',
          StartsWith: [arnOf(bucketOf().id), arnOf(bucketOf(undefined, 'Digests').id)],
        },
        past,
      ],
      // a trail that told of its own files would never come to an end
      [
        data,
        objects,
        { Field: 'readOnly', Equals: ['true'] },
        { Field: 'resources.ARN', StartsWith: [arnOf(bucket().id)] },
      ],
    ]);
  });

  it('is locked for six years against everybody, then goes by itself, and outlives its stack', () => {
    expect(bucket()).toMatchObject({
      deletionPolicy: 'Retain',
      properties: {
        ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 2192 } } },
        LifecycleConfiguration: {
          Rules: [{ ExpirationInDays: 2194, NoncurrentVersionExpiration: { NoncurrentDays: 1 } }],
        },
        PublicAccessBlockConfiguration: { BlockPublicPolicy: true, RestrictPublicBuckets: true },
      },
    });
  });

  it('takes files from this one trail, by TLS, and lets nobody remove any', () => {
    const ofTrail = { 'aws:SourceArn': { 'Fn::Join': ['', expect.arrayContaining([':trail/concord-production'])] } };

    expect(
      statementsOn(bucket()).map(({ Effect, Principal, Action, Condition }) => [Effect, Principal, Action, Condition]),
    ).toEqual([
      ['Deny', { AWS: '*' }, 's3:*', { Bool: { 'aws:SecureTransport': 'false' } }],
      ['Deny', { AWS: '*' }, 's3:*', { NumericLessThan: { 's3:TlsVersion': 1.2 } }],
      ['Allow', { Service: 'cloudtrail.amazonaws.com' }, 's3:GetBucketAcl', { StringEquals: ofTrail }],
      [
        'Allow',
        { Service: 'cloudtrail.amazonaws.com' },
        's3:PutObject',
        { StringEquals: { ...ofTrail, 's3:x-amz-acl': 'bucket-owner-full-control' } },
      ],
      ['Deny', { AWS: '*' }, ['s3:DeleteObject', 's3:DeleteObjectVersion'], undefined],
    ]);
  });

  it('lets CloudTrail encrypt with its key for this trail alone', () => {
    const [key] = synthesised()
      .resources('AWS::KMS::Key')
      .filter(({ id }) => id.startsWith('TrailKey'));
    if (!key) throw new Error('There is no key of the trail');
    const { Statement } = key.properties.KeyPolicy as { Statement: Record<string, unknown>[] };

    const ofService = Statement.filter(({ Principal }) => JSON.stringify(Principal).includes('cloudtrail'));
    expect(ofService.map(({ Action }) => Action)).toEqual([
      ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:GenerateDataKeyWithoutPlaintext'],
      'kms:DescribeKey',
    ]);
    // S3 asks for a key of the bucket without saying for which trail
    expect(bucket().properties.BucketEncryption).toMatchObject({
      ServerSideEncryptionConfiguration: [{ BucketKeyEnabled: false }],
    });
    for (const { Condition } of ofService) expect(JSON.stringify(Condition)).toContain(':trail/concord-production');
  });
});
