import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import recordCreated from '../../events/event-bridge/record-changed.v1.created.json' with { type: 'json' };
import { type EventPattern, matchesPattern } from '../../infra/local/event-pattern.ts';
import { synthReceiving } from '../../infra/receiving-side/app.ts';
import example from '../../infra/receiving-side/settings.example.json' with { type: 'json' };
import { parseSettings } from '../../infra/receiving-side/settings.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'concord-receiving-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Raw {
  readonly Type: string;
  // A template is JSON of many shapes; each test knows its own.
  readonly Properties: Readonly<Record<string, unknown>>;
}
interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Principal?: unknown;
  readonly Resource?: unknown;
  readonly Condition?: unknown;
}

let resources: Readonly<Record<string, Raw>>;
let needed: { readonly missing?: readonly unknown[]; readonly account: string };
let code: string;
beforeAll(async () => {
  const assembly = await synthReceiving(example, path.join(folder, 'out'));
  const stack = assembly.getStackByName('concord-receiving');
  const { Resources } = stack.template as { Resources: typeof resources };
  resources = Resources;
  needed = { missing: assembly.manifest.missing ?? [], account: stack.environment.account };
  const assets = readdirSync(assembly.directory).filter((name) => name.startsWith('asset.'));
  code = path.join(assembly.directory, assets[0] ?? '', 'index.js');
});

const of = (type: string) =>
  Object.entries(resources).flatMap(([id, { Type, Properties }]) => (Type === type ? [{ id, ...Properties }] : []));
const one = (type: string): Readonly<Record<string, unknown>> & { readonly id: string } => {
  const [found, ...others] = of(type);
  if (!found || others.length > 0) throw new Error(`Not one ${type}`);
  return found;
};
const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

const statementsIn = (value: unknown): Statement[] => {
  if (Array.isArray(value)) return value.flatMap(statementsIn);
  if (typeof value !== 'object' || value === null) return [];
  return 'Effect' in value && 'Action' in value ? [value as Statement] : Object.values(value).flatMap(statementsIn);
};

describe('the receiving side of a partner', () => {
  it('is synthesised for whichever account deploys it, without a look-up', () => {
    expect(needed).toEqual({ missing: [], account: 'unknown-account' });
  });

  it('has a bus on which one account puts events, of Concord alone', () => {
    const { Statement: statement, EventBusName } = one('AWS::Events::EventBusPolicy');
    const bus = one('AWS::Events::EventBus');

    expect(EventBusName).toEqual({ Ref: bus.id });
    expect(statement).toEqual({
      Sid: 'Concord',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${example.concordAccount}:root` },
      Action: 'events:PutEvents',
      Resource: arnOf(bus.id),
      Condition: { StringEquals: { 'events:source': 'concord.records' } },
    });
  });

  it('takes notices for the own organisation and for every organisation, that come from Concord’s account', () => {
    const pattern = one('AWS::Events::Rule').EventPattern as EventPattern;
    const passes = (over: object, detail: object = {}) =>
      matchesPattern(pattern, {
        ...recordCreated,
        account: example.concordAccount,
        ...over,
        detail: { ...recordCreated.detail, recipient: 'lakeside', ...detail },
      });

    expect([passes({}), passes({}, { recipient: '*' })]).toEqual([true, true]);
    expect(passes({}, { recipient: 'northside' })).toBe(false);
    expect(passes({ account: '999999999999' })).toBe(false);
    expect(passes({ source: 'somebody.else' })).toBe(false);
    expect(passes({ 'detail-type': 'AppointmentChanged.v1' })).toBe(false);
  });

  it('brings them into a queue, and what fails five times into another one, of which an alarm tells', () => {
    const [target] = one('AWS::Events::Rule').Targets as [{ Arn: unknown; DeadLetterConfig: unknown }];
    const [notices] = of('AWS::SQS::Queue').filter((queue) => 'RedrivePolicy' in queue);
    const failed = of('AWS::SQS::Queue').find(({ id }) => id !== notices?.id);

    expect(target).toMatchObject({ Arn: arnOf(notices?.id ?? ''), DeadLetterConfig: { Arn: arnOf(failed?.id ?? '') } });
    expect(notices).toMatchObject({
      RedrivePolicy: { deadLetterTargetArn: arnOf(failed?.id ?? ''), maxReceiveCount: 5 },
    });
    expect(Number((notices as { VisibilityTimeout?: number }).VisibilityTimeout)).toBeGreaterThanOrEqual(
      6 * Number(one('AWS::Lambda::Function').Timeout),
    );
    expect(one('AWS::Lambda::EventSourceMapping')).toMatchObject({
      EventSourceArn: arnOf(notices?.id ?? ''),
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    expect(one('AWS::CloudWatch::Alarm')).toMatchObject({
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [failed?.id, 'QueueName'] } }],
      Threshold: 0,
    });
  });

  it('encrypts bus, queues, copies and the client’s secret with one key, and takes messages by TLS alone', () => {
    const key = arnOf(one('AWS::KMS::Key').id);
    const policies = of('AWS::SQS::QueuePolicy').map((policy) => statementsIn(policy));

    expect(one('AWS::Events::EventBus').KmsKeyIdentifier).toEqual(key);
    expect(one('AWS::SecretsManager::Secret').KmsKeyId).toEqual(key);
    for (const queue of of('AWS::SQS::Queue')) expect(queue).toMatchObject({ KmsMasterKeyId: key });
    expect(one('AWS::DynamoDB::GlobalTable').Replicas).toEqual([
      expect.objectContaining({ SSESpecification: { KMSMasterKeyId: key }, DeletionProtectionEnabled: true }),
    ]);
    expect(policies.length).toBe(of('AWS::SQS::Queue').length);
    for (const statements of policies)
      expect(statements).toContainEqual(
        expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      );
  });

  it('lets EventBridge use the key for this bus from another account, and for queues from its own alone', () => {
    const conditions = statementsIn(one('AWS::KMS::Key'))
      .filter(({ Principal }) => JSON.stringify(Principal).includes('events.amazonaws.com'))
      .map(({ Condition }) => Object.keys((Condition as { StringEquals: object }).StringEquals));

    expect(conditions).toEqual([
      ['aws:SourceAccount', 'aws:SourceArn', 'kms:EncryptionContext:aws:events:event-bus:arn'],
      ['kms:EncryptionContext:aws:events:event-bus:arn'],
      ['aws:SourceAccount'],
    ]);
  });

  it('gives its function what it needs and nothing else', () => {
    const statements = statementsIn(one('AWS::IAM::Role').Policies);
    const actions = statements.flatMap(({ Action }) => listOf(Action)).toSorted();

    expect(actions).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:PutItem',
      'dynamodb:UpdateItem',
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:GetSecretValue',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
    ]);
    for (const { Resource } of statements) expect(JSON.stringify(Resource)).not.toContain('*');
    expect(one('AWS::IAM::Role')).not.toHaveProperty('ManagedPolicyArns');
    expect(of('AWS::IAM::Policy')).toEqual([]);
  });

  it('allows nothing by wildcard but that an account administers its own key', () => {
    const allows = Object.entries(resources).flatMap(([, raw]) =>
      statementsIn(raw.Properties).filter(({ Effect }) => Effect === 'Allow'),
    );

    expect(allows.flatMap(({ Action }) => listOf(Action)).filter((action) => String(action).includes('*'))).toEqual([
      'kms:*',
    ]);
    for (const { Principal } of allows) expect(JSON.stringify(Principal ?? '')).not.toMatch(/"\*"/);
  });

  it('holds a function that loads as it is deployed, and asks for the variables that it is given', async () => {
    const { handler } = createRequire(import.meta.url)(code) as { handler: (event: unknown) => Promise<unknown> };
    const { Variables } = one('AWS::Lambda::Function').Environment as { Variables: Record<string, unknown> };
    const source = readFileSync(path.resolve(import.meta.dirname, '../../infra/receiving-side/handler.ts'), 'utf8');
    const asked = [...source.matchAll(/variable\('(\w+)'\)/g)].map(([, name]) => name ?? '');
    const ofTheExtension = /^(?:PARAMETERS|SECRETS|SSM)_/;

    await expect(handler({ Records: [] })).rejects.toThrow('Missing in the environment: ORGANIZATION');
    expect(
      Object.keys(Variables)
        .filter((name) => !ofTheExtension.test(name))
        .toSorted(),
    ).toEqual(asked.toSorted());
  });

  it.each([
    ['an address without TLS', { concordUrl: 'http://concord.example/fhir' }],
    ['an account that is none', { concordAccount: '4444' }],
    ['every account', { concordAccount: '*' }],
    ['every organisation', { organization: '*' }],
    ['a setting that nobody knows', { role: 'admin' }],
  ])('is not made of %s', (_, change) => {
    expect(() => parseSettings(example)).not.toThrow();
    expect(() => parseSettings({ ...example, ...change })).toThrow();
  });
});
