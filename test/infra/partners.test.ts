import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { beforeAll, describe, expect, it } from 'vitest';
import appointmentBooked from '../../events/event-bridge/appointment-changed.v1.booked.json' with { type: 'json' };
import reminderDue from '../../events/event-bridge/appointment-reminder-due.v1.json' with { type: 'json' };
import recordUpdated from '../../events/event-bridge/record-changed.v1.updated.json' with { type: 'json' };
import { cdkContext } from '../../infra/cdk-context.ts';
import { type EventPattern, matchesPattern } from '../../infra/local/event-pattern.ts';
import { eventTypes, partnersSchema } from '../../infra/partners.ts';
import { SharingStack } from '../../infra/stacks/sharing.ts';
import { parseStage, type StageConfig, stageNamed, stages } from '../../infra/stages.ts';
import { type Resource, synthesised } from '../support/synthesised.ts';

const lakeside = {
  organization: 'lakeside',
  busArn: 'arn:aws:events:us-east-1:111122223333:event-bus/concord-changes',
};
const hillside = {
  organization: 'hillside.example',
  busArn: 'arn:aws:events:eu-central-1:444455556666:event-bus/default',
  eventTypes: ['RecordChanged.v1'],
} as const;

const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:777788889999:${resource}`;
const table = arn('dynamodb', 'table/records');

/** The stack alone: what the others have is named by made-up names. */
const sharingOf = (
  stage: StageConfig,
): readonly (Pick<Resource, 'id' | 'properties'> & { readonly type: string })[] => {
  const folder = mkdtempSync(path.join(tmpdir(), 'concord-partners-'));
  try {
    const code = path.join(folder, 'code');
    mkdirSync(code);
    writeFileSync(path.join(code, 'index.js'), 'exports.handler = () => undefined;');
    const app = new App({ outdir: path.join(folder, 'out'), context: cdkContext });
    const env = { region: stage.region };
    const stack = new SharingStack(app, `concord-${stage.name}-sharing`, {
      stage,
      env,
      bundleFolder: () => code,
      logKey: new Key(new Stack(app, 'others', { env }), 'LogKey'),
      table: {
        tableName: 'records',
        bucketName: 'bodies',
        streamArn: `${table}/stream/1`,
        resource: {
          tableArn: table,
          keyArn: arn('kms', 'key/22222222-2222-4222-8222-222222222222'),
          bucketArn: 'arn:aws:s3:::bodies',
          bucketKeyArn: arn('kms', 'key/55555555-5555-4555-8555-555555555555'),
          region: stage.region,
        },
      },
      digests: {
        bucketName: 'digests',
        resource: {
          bucketArn: 'arn:aws:s3:::digests',
          keyArn: arn('kms', 'key/33333333-3333-4333-8333-333333333333'),
          region: stage.region,
        },
      },
      secretsKeyArn: arn('kms', 'key/44444444-4444-4444-8444-444444444444'),
      uploadPlanArn: undefined,
      backups: {
        vaultArn: arn('backup', 'backup-vault:concord'),
        restoreTestRoleArn: 'arn:aws:iam::123456789012:role/restore-test',
      },
      works: true,
    });
    const { Resources } = Template.fromStack(stack).toJSON() as {
      Resources: Readonly<Record<string, { Type: string; Properties?: Readonly<Record<string, unknown>> }>>;
    };
    return Object.entries(Resources).map(([id, { Type, Properties = {} }]) => ({
      id,
      type: Type,
      properties: Properties,
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

let made: ReturnType<typeof sharingOf>;
beforeAll(() => {
  made = sharingOf(parseStage({ ...stageNamed('dev'), partners: [lakeside, hillside] }));
});

const sharing = (type: string) => made.filter((each) => each.type === type);

interface Target {
  readonly Arn: unknown;
  readonly RoleArn?: { readonly 'Fn::GetAtt': readonly [string, string] };
  readonly DeadLetterConfig?: { readonly Arn: { readonly 'Fn::GetAtt': readonly [string, string] } };
  readonly RetryPolicy?: { readonly MaximumEventAgeInSeconds: number };
}

const ruleOf = (name: string) => {
  const found = sharing('AWS::Events::Rule').find(({ properties }) => properties.Name === name);
  if (!found) throw new Error(`There is no rule ${name}`);
  return found;
};
const targetOf = (name: string): Target => (ruleOf(name).properties.Targets as [Target])[0];
const patternOf = (name: string) => ruleOf(name).properties.EventPattern as EventPattern;

/** The resource that a template names by `Fn::GetAtt`. */
const named = (reference: { readonly 'Fn::GetAtt': readonly [string, string] } | undefined) => {
  const found = made.find(({ id }) => id === (reference?.['Fn::GetAtt'][0] ?? ''));
  if (!found) throw new Error('The template names nothing of its own');
  return found;
};

const account = { Ref: 'AWS::AccountId' };
const ruleArn = (name: string): unknown => ({
  'Fn::Join': [
    '',
    [
      expect.stringMatching(/^arn:aws:events:us-east-1:$/),
      account,
      ':rule/',
      { Ref: expect.stringMatching(/^Bus/) as string },
      `/${name}`,
    ],
  ],
});

interface Statement {
  readonly Effect: string;
  readonly Action: unknown;
  readonly Principal?: unknown;
  readonly Resource?: unknown;
  readonly Condition?: unknown;
}

const event = (
  recipient: string,
  {
    sample = recordUpdated as object & { detail: object },
    ...over
  }: { sample?: object & { detail: object } } & Record<string, unknown> = {},
) => ({ ...sample, ...over, detail: { ...sample.detail, recipient } });

describe('the rule of a partner', () => {
  const reaches = (partner: string, sent: unknown) => matchesPattern(patternOf(partner), sent);

  it('passes what is for its own organisation and for every organisation, and nothing of another', () => {
    expect(
      ['lakeside', '*', 'hillside.example', 'northside', 'lakeside2', 'lake', ''].filter((recipient) =>
        reaches('lakeside', event(recipient)),
      ),
    ).toEqual(['lakeside', '*']);
    expect(reaches('hillside.example', event('lakeside'))).toBe(false);
    expect(reaches('hillside.example', event('hillside.example'))).toBe(true);
  });

  it.each([
    ['RecordChanged.v1', recordUpdated],
    ['AppointmentChanged.v1', appointmentBooked],
    ['AppointmentReminderDue.v1', reminderDue],
  ])('passes %s, and only to whom wants it', (type, sample) => {
    expect(reaches('lakeside', event('lakeside', { sample }))).toBe(true);
    expect(reaches('hillside.example', event('hillside.example', { sample }))).toBe(type === 'RecordChanged.v1');
  });

  it('passes every kind of event that there is a sample of', () => {
    const folder = path.resolve(import.meta.dirname, '../../events/event-bridge');
    const samples = readdirSync(folder)
      .filter((file) => !file.endsWith('.schema.json'))
      .map((file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as { detail: object });

    expect(new Set(samples.map((sample) => (sample as { 'detail-type'?: string })['detail-type']))).toEqual(
      new Set(eventTypes),
    );
    for (const sample of samples) expect(reaches('lakeside', event('lakeside', { sample }))).toBe(true);
  });

  it('passes nothing that an archive plays again, nothing of another source and no other kind of event', () => {
    for (const partner of ['lakeside', 'hillside.example']) {
      expect(reaches(partner, event(partner, { 'replay-name': 'after-the-outage' }))).toBe(false);
      expect(reaches(partner, event(partner, { source: 'aws.events' }))).toBe(false);
      expect(reaches(partner, event(partner, { 'detail-type': 'Scheduled Event' }))).toBe(false);
    }
    expect(reaches('lakeside', { ...recordUpdated, detail: { ...recordUpdated.detail, recipient: undefined } })).toBe(
      false,
    );
  });

  it('is on the bus of Concord, and targets the bus of the partner alone', () => {
    const [bus] = sharing('AWS::Events::EventBus');

    expect(ruleOf('lakeside').properties).toMatchObject({ EventBusName: { Ref: bus?.id } });
    expect(ruleOf('lakeside').properties.Targets).toEqual([expect.objectContaining({ Arn: lakeside.busArn })]);
    expect(targetOf('hillside.example').Arn).toBe(hillside.busArn);
  });

  it('tries for a quarter of an hour at most', () => {
    for (const partner of ['lakeside', 'hillside.example'])
      expect(targetOf(partner).RetryPolicy?.MaximumEventAgeInSeconds).toBe(900);
  });

  it('has a role of its own that EventBridge assumes for this rule, and that puts events on this bus and does nothing else', () => {
    const [one, other] = ['lakeside', 'hillside.example'].map((partner) => named(targetOf(partner).RoleArn));

    expect(one?.id).not.toBe(other?.id);
    expect(one?.properties).toEqual({
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Action: 'sts:AssumeRole',
            Condition: { StringEquals: { 'aws:SourceAccount': account, 'aws:SourceArn': ruleArn('lakeside') } },
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
          },
        ],
        Version: '2012-10-17',
      },
      Description: expect.any(String) as string,
      Policies: [
        {
          PolicyDocument: {
            Statement: [{ Action: 'events:PutEvents', Effect: 'Allow', Resource: lakeside.busArn }],
            Version: '2012-10-17',
          },
          PolicyName: 'own',
        },
      ],
    });
  });

  it('keeps what was not delivered in an encrypted queue of its own, to which this rule alone writes, by TLS', () => {
    const [queue, other] = ['lakeside', 'hillside.example'].map((partner) =>
      named(targetOf(partner).DeadLetterConfig?.Arn),
    );
    const arn = { 'Fn::GetAtt': [queue?.id, 'Arn'] };
    const statements = sharing('AWS::SQS::QueuePolicy')
      .filter(({ properties }) => JSON.stringify(properties.Queues) === JSON.stringify([{ Ref: queue?.id }]))
      .flatMap(({ properties }) => (properties.PolicyDocument as { Statement: Statement[] }).Statement);

    expect(queue?.id).not.toBe(other?.id);
    expect(queue?.type).toBe('AWS::SQS::Queue');
    expect(named(queue?.properties.KmsMasterKeyId as never).type).toBe('AWS::KMS::Key');
    expect(queue?.properties.MessageRetentionPeriod).toBe(14 * 86_400);
    expect(statements).toEqual([
      {
        Action: 'sqs:*',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Resource: arn,
      },
      {
        Action: 'sqs:SendMessage',
        Condition: { StringEquals: { 'aws:SourceAccount': account, 'aws:SourceArn': ruleArn('lakeside') } },
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Resource: arn,
      },
    ]);
  });

  it('lets EventBridge encrypt what it keeps, for this account alone, by one statement however many partners there are', () => {
    const key = named(named(targetOf('lakeside').DeadLetterConfig?.Arn).properties.KmsMasterKeyId as never);
    const statements = (key.properties.KeyPolicy as { Statement: Statement[] }).Statement.filter(
      ({ Principal, Condition }) =>
        JSON.stringify(Principal).includes('"events.amazonaws.com"') &&
        JSON.stringify(Condition) === '{"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}}',
    );

    expect(statements.map(({ Action }) => Action)).toEqual([['kms:Decrypt', 'kms:GenerateDataKey']]);
  });

  it.each([
    ['ApproximateNumberOfMessagesVisible', 'Maximum'],
    ['InvocationsFailedToBeSentToDlq', 'Sum'],
  ])('is told of by %s', (metric, statistic) => {
    const queue = named(targetOf('lakeside').DeadLetterConfig?.Arn);
    const dimensions =
      statistic === 'Sum'
        ? [
            { Name: 'EventBusName', Value: { Ref: expect.stringMatching(/^Bus/) as string } },
            { Name: 'RuleName', Value: 'lakeside' },
          ]
        : [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue.id, 'QueueName'] } }];
    const alarms = sharing('AWS::CloudWatch::Alarm').filter(({ properties }) =>
      String(properties.AlarmDescription).startsWith('Events for lakeside '),
    );

    expect(alarms.map(({ properties }) => properties)).toContainEqual(
      expect.objectContaining({
        MetricName: metric,
        Statistic: statistic,
        Dimensions: dimensions,
        Threshold: 0,
        ComparisonOperator: 'GreaterThanThreshold',
        AlarmActions: [{ Ref: expect.stringMatching(/^Alarms/) as string }],
      }),
    );
  });
});

describe('partners of a stage', () => {
  it('are none where nobody has named any', () => {
    expect(stages.map(({ partners }) => partners)).toEqual([[], []]);
    const roles = synthesised('dev').resources('AWS::IAM::Role');
    expect(JSON.stringify(roles)).not.toContain(':event-bus/concord-changes');
  });

  it('are added without a change to what others are given', () => {
    const without = synthesised('dev')
      .resources()
      .flatMap(({ part, id }) => (part === 'sharing' ? [id] : []));

    expect(made.map(({ id }) => id)).toEqual(expect.arrayContaining(without));
  });

  it.each([
    ['an organisation twice', [lakeside, { ...lakeside, busArn: hillside.busArn }]],
    ['every organisation at once', [{ ...lakeside, organization: '*' }]],
    ['a bus without an account', [{ ...lakeside, busArn: 'arn:aws:events:us-east-1:event-bus/concord' }]],
    ['any bus of an account', [{ ...lakeside, busArn: 'arn:aws:events:us-east-1:111122223333:event-bus/*' }]],
    ['a queue', [{ ...lakeside, busArn: 'arn:aws:sqs:us-east-1:111122223333:concord' }]],
    ['a kind of event that there is not', [{ ...lakeside, eventTypes: ['RecordRead.v1'] }]],
    ['no kind of event', [{ ...lakeside, eventTypes: [] }]],
    ['a setting that nobody knows', [{ ...lakeside, role: 'admin' }]],
  ])('are not %s', (_, partners) => {
    expect(() => partnersSchema.parse([lakeside, hillside])).not.toThrow();
    expect(() => partnersSchema.parse(partners)).toThrow();
  });
});
