import { describe, expect, it } from 'vitest';
import replayedChange from '../../events/queues/replayed-change.json' with { type: 'json' };
import { type EventPattern, matchesPattern } from '../../infra/local/event-pattern.ts';
import { eventTypes } from '../../infra/partners.ts';
import { stageNamed } from '../../infra/stages.ts';
import { entryOf, type Resource, synthesised } from '../support/synthesised.ts';

const sharing = (type: string, stage?: string) =>
  synthesised(stage)
    .resources(type)
    .filter(({ part }) => part === 'sharing');

const replays = (): Resource => {
  const found = sharing('AWS::Events::Rule').find(({ properties }) => properties.Name === 'replayed_events');
  if (!found) throw new Error('There is no rule for what an archive plays again');
  return found;
};

interface Reference {
  readonly 'Fn::GetAtt': readonly [string, string];
}
const queue = (reference: unknown): Resource => {
  const [id] = (reference as Reference)['Fn::GetAtt'];
  const found = sharing('AWS::SQS::Queue').find((each) => each.id === id);
  if (!found) throw new Error(`There is no queue ${id}`);
  return found;
};
const target = () =>
  (replays().properties.Targets as [{ Arn: Reference; DeadLetterConfig: { Arn: Reference }; RoleArn?: unknown }])[0];

interface Statement {
  readonly Action: string | readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

describe('the archive of events', () => {
  it.each(['production', 'dev'])('of %s keeps them as long as the stage says, and no longer', (stage) => {
    const archives = sharing('AWS::Events::Archive', stage).map(({ properties }) => properties.RetentionDays);

    expect(archives).toEqual([stageNamed(stage).eventArchiveDays]);
  });

  it('is of the bus, of what Concord says on it, and encrypted by the key of the bus', () => {
    const [bus] = sharing('AWS::Events::EventBus');
    const [archive] = sharing('AWS::Events::Archive');

    expect(archive?.properties).toMatchObject({
      SourceArn: { 'Fn::GetAtt': [bus?.id, 'Arn'] },
      EventPattern: { source: ['concord.records'] },
      KmsKeyIdentifier: bus?.properties.KmsKeyIdentifier,
    });
  });

  it('uses the key for this bus alone', () => {
    const statements = sharing('AWS::KMS::Key')
      .flatMap(({ properties }) => (properties.KeyPolicy as { Statement: Statement[] }).Statement)
      .filter(({ Action }) => Action.includes('kms:ReEncryptFrom'));

    expect(statements).toEqual([
      expect.objectContaining({
        Action: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
        Principal: { Service: 'events.amazonaws.com' },
        Condition: {
          StringEquals: {
            'kms:EncryptionContext:aws:events:event-bus:arn': {
              'Fn::Join': [
                '',
                ['arn:aws:events:us-east-1:', { Ref: 'AWS::AccountId' }, ':event-bus/concord-production'],
              ],
            },
          },
        },
      }),
    ]);
  });
});

describe('what an archive plays again', () => {
  const archived = JSON.parse(replayedChange.Records[0]?.body ?? '') as { detail: object };
  const passes = (event: object) => matchesPattern(replays().properties.EventPattern as EventPattern, event);

  it('goes to one queue, whatever kind of event it is and whoever it is for', () => {
    for (const type of eventTypes) expect(passes({ ...archived, 'detail-type': type })).toBe(true);
    expect(passes({ ...archived, detail: { ...archived.detail, recipient: '*' } })).toBe(true);
    expect(queue(target().Arn).id).not.toBe(queue(target().DeadLetterConfig.Arn).id);
  });

  it('is not what was published, or comes from elsewhere', () => {
    const { 'replay-name': _name, ...published } = archived as typeof archived & { 'replay-name': string };

    expect(passes(published)).toBe(false);
    expect(passes({ ...archived, source: 'aws.events' })).toBe(false);
  });

  it('is matched by no other rule of the bus', () => {
    const others = sharing('AWS::Events::Rule').filter(
      ({ id, properties }) => id !== replays().id && properties.EventBusName !== undefined,
    );

    expect(
      others.filter(({ properties }) => matchesPattern(properties.EventPattern as EventPattern, archived)),
    ).toEqual([]);
  });

  it('is decided upon few at a time, each again if it fails, and waits for a person after five times', () => {
    const waiting = queue(target().Arn);
    const failed = queue(target().DeadLetterConfig.Arn);
    const mapping = sharing('AWS::Lambda::EventSourceMapping').find(
      ({ properties }) => JSON.stringify(properties.EventSourceArn) === JSON.stringify(target().Arn),
    );
    const deciding = sharing('AWS::Lambda::Function').find((each) => entryOf(each) === 'functions/replay-changes.ts');

    expect(mapping?.properties).toMatchObject({
      FunctionName: { Ref: deciding?.id },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 2 },
    });
    expect(waiting.properties).toMatchObject({
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [failed.id, 'Arn'] }, maxReceiveCount: 5 },
    });
    expect(Number(waiting.properties.VisibilityTimeout)).toBeGreaterThanOrEqual(
      6 * Number(deciding?.properties.Timeout),
    );
    expect(
      sharing('AWS::CloudWatch::Alarm').map(({ properties }) => [properties.MetricName, properties.Dimensions]),
    ).toContainEqual([
      'ApproximateNumberOfMessagesVisible',
      [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [failed.id, 'QueueName'] } }],
    ]);
  });

  it('is put into its queues by EventBridge for this rule alone', () => {
    const policies = sharing('AWS::SQS::QueuePolicy').filter(({ properties }) =>
      [target().Arn, target().DeadLetterConfig.Arn].some((arn) =>
        JSON.stringify(properties.Queues).includes(`"${queue(arn).id}"`),
      ),
    );
    const allowed = policies.flatMap(({ properties }) =>
      (properties.PolicyDocument as { Statement: (Statement & { Effect: string })[] }).Statement.filter(
        ({ Effect }) => Effect === 'Allow',
      ),
    );

    expect(allowed.map(({ Action, Principal }) => [Action, Principal])).toEqual(
      [1, 2].map(() => ['sqs:SendMessage', { Service: 'events.amazonaws.com' }]),
    );
    for (const { Condition } of allowed) expect(JSON.stringify(Condition)).toContain('/replayed_events"');
    expect(target().RoleArn).toBeUndefined();
  });
});
