import { describe, expect, it } from 'vitest';
import auditRow from '../../events/dynamodb/audit-row.json' with { type: 'json' };
import created from '../../events/dynamodb/created.json' with { type: 'json' };
import deleted from '../../events/dynamodb/deleted.json' with { type: 'json' };
import finalised from '../../events/dynamodb/finalised.json' with { type: 'json' };
import updated from '../../events/dynamodb/updated.json' with { type: 'json' };
import scanResult from '../../events/object-store/scan-result.json' with { type: 'json' };
import { type EventPattern, matchesPattern } from '../../infra/local/event-pattern.ts';
import { queueConsumers } from '../../infra/local/queue-consumers.ts';
import { scheduledFunctions } from '../../infra/local/scheduler.ts';
import { streamConsumers } from '../../infra/local/stream-consumers.ts';
import { lateAfterMs } from '../../shared/store/feed/completeness.ts';
import { leaseMs } from '../../shared/store/subscriptions/turns.ts';
import { entryOf, type Resource, synthesised } from '../support/synthesised.ts';

const resources = (type: string) =>
  synthesised()
    .resources(type)
    .filter(({ part }) => part === 'sharing');

const functionBehind = (reference: unknown): string => {
  const text = JSON.stringify(reference);
  const found = resources('AWS::Lambda::Function').find(({ id }) => text.includes(`"${id}"`));
  return found ? entryOf(found) : text;
};

/** Of the stream: what has a queue before it is not meant. */
const mappings = () =>
  resources('AWS::Lambda::EventSourceMapping').filter(({ properties }) => properties.StartingPosition !== undefined);

/** Of the queue of wakes. */
const wakeMapping = () =>
  resources('AWS::Lambda::EventSourceMapping').find(
    ({ properties }) => functionBehind(properties.FunctionName) === queueConsumers[0].entry,
  );

const patternsOf = ({ properties }: Resource) =>
  ((properties.FilterCriteria as { Filters: { Pattern: string }[] } | undefined)?.Filters ?? []).map(
    ({ Pattern }) => JSON.parse(Pattern) as EventPattern,
  );

const filtersOf = (entry: string) => streamConsumers.find((consumer) => consumer.entry === entry)?.filters ?? [];

describe('what stands behind the table', () => {
  it('are the consumers of the local stream, with their filters and sizes of batch', () => {
    const deployed = mappings().map((mapping) => ({
      entry: functionBehind(mapping.properties.FunctionName),
      filters: patternsOf(mapping),
      batchSize: mapping.properties.BatchSize,
    }));

    const local = streamConsumers.map(({ entry, filters = [], batchSize = 100 }) => ({ entry, filters, batchSize }));

    expect(deployed).toEqual(local);
  });

  it('reads the stream of the table from its beginning and isolates a record that fails', () => {
    for (const { properties } of mappings()) {
      expect(properties).toMatchObject({
        EventSourceArn: { 'Fn::ImportValue': expect.stringMatching(/Table\w+StreamArn/) as string },
        StartingPosition: 'TRIM_HORIZON',
        BisectBatchOnFunctionError: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      });
    }
    expect(mappings()).toHaveLength(streamConsumers.length);
  });

  it('gives up a record only while it can still be fetched from the stream, and keeps its place in a queue of its own', () => {
    const ages = mappings().map(({ properties }) => Number(properties.MaximumRecordAgeInSeconds));
    const queues = mappings().map(({ properties }) => JSON.stringify(properties.DestinationConfig));

    expect(Math.min(...ages)).toBeGreaterThanOrEqual(3_600);
    expect(Math.max(...ages)).toBeLessThanOrEqual(12 * 3_600);
    expect(new Set(queues).size).toBe(streamConsumers.length);
    for (const { properties } of mappings()) expect(properties.MaximumRetryAttempts).toBeUndefined();
  });

  it('gives wakes of Subscriptions, one by one and many at once, to the function that they go to locally', () => {
    const mapping = wakeMapping();
    const [consumer] = queueConsumers;
    const text = JSON.stringify(mapping?.properties.EventSourceArn);
    const queue = resources('AWS::SQS::Queue').find(({ id }) => text.includes(`"${id}"`));

    expect(mapping?.properties).toMatchObject({
      BatchSize: 1,
      ScalingConfig: { MaximumConcurrency: consumer.maximumConcurrency },
    });
    // A message that is worked on is given to nobody else.
    expect(Number(queue?.properties.VisibilityTimeout) * 1_000).toBe(consumer.visibilityTimeoutMs);
    expect(consumer.visibilityTimeoutMs).toBeGreaterThanOrEqual(consumer.timeoutMs);
    expect(consumer.timeoutMs).toBeGreaterThanOrEqual(leaseMs);
    expect(queue?.properties.RedrivePolicy).toMatchObject({ maxReceiveCount: consumer.maxReceiveCount });
    expect(JSON.stringify(queue?.properties.QueueName ?? '')).toBe('""');
  });

  it('gives what runs on a schedule the time that it has locally', () => {
    const seconds = resources('AWS::Lambda::Function').map((each) => [entryOf(each), each.properties.Timeout]);

    expect(seconds).toEqual(
      expect.arrayContaining(
        [...scheduledFunctions, ...queueConsumers].map(({ entry, timeoutMs }) => [entry, timeoutMs / 1_000]),
      ),
    );
  });

  it('encrypts bus and queues with a key of the customer', () => {
    const key = resources('AWS::KMS::Key').find(({ properties }) => properties.KeySpec === undefined);
    const arn = { 'Fn::GetAtt': [key?.id, 'Arn'] };

    expect(resources('AWS::Events::EventBus').map(({ properties }) => properties.KmsKeyIdentifier)).toEqual([arn]);
    for (const { properties } of resources('AWS::SQS::Queue')) expect(properties.KmsMasterKeyId).toEqual(arn);
    expect(resources('AWS::SQS::Queue').length).toBeGreaterThanOrEqual(streamConsumers.length);
  });

  it('refuses messages that do not come by TLS', () => {
    const policies = resources('AWS::SQS::QueuePolicy');

    expect(policies.map(({ properties }) => (properties.Queues as [{ Ref: string }])[0].Ref).toSorted()).toEqual(
      resources('AWS::SQS::Queue')
        .map(({ id }) => id)
        .toSorted(),
    );
    for (const { properties } of policies) {
      expect(JSON.stringify(properties)).toContain(
        '"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"',
      );
    }
  });

  it('runs on a schedule what the local scheduler runs, as often', () => {
    const rules = resources('AWS::Events::Rule')
      .filter(({ properties }) => properties.ScheduleExpression !== undefined)
      .map(({ properties }) => ({ entry: functionBehind(properties.Targets), rate: properties.ScheduleExpression }));

    const rates: Readonly<Record<number, string>> = {
      1: 'rate(1 minute)',
      5: 'rate(5 minutes)',
      15: 'rate(15 minutes)',
      60: 'rate(1 hour)',
      1_440: 'rate(1 day)',
    };
    const local = scheduledFunctions.map(({ entry, everyMs }) => ({ entry, rate: rates[everyMs / 60_000] }));

    expect(rules).toEqual(local);
  });

  it('passes to the publisher every change of a record, and no row of an access log', () => {
    const [filter = {}] = filtersOf('functions/publish-changes.ts');

    const samples: readonly { readonly Records: readonly unknown[] }[] = [created, updated, deleted, finalised];
    const changes = samples.flatMap(({ Records }) => Records.slice(0, 1));

    for (const record of changes) expect(matchesPattern(filter, record)).toBe(true);
    for (const record of auditRow.Records) expect(matchesPattern(filter, record)).toBe(false);
  });

  it('passes to the publisher neither earlier versions nor what opens a chart, but every beat', () => {
    const filters = filtersOf('functions/publish-changes.ts');
    const passes = (pk: string, sk: string, eventName = 'MODIFY') =>
      filters.some((filter) =>
        matchesPattern(filter, {
          eventName,
          dynamodb: { NewImage: { pk: { S: pk }, sk: { S: sk }, version: { N: '1' } } },
        }),
      );

    const records = ['Patient#', 'Observation#78m6', 'VisionPrescription#78m6'].map((sk) => passes('C#x', sk));
    const others = ['~H#Observation#78m6#0000000001', '!access#78m6', '!access#~Encounter#78m6'];

    expect(records).toEqual([true, true, true]);
    expect(others.filter((sk) => passes('C#x', sk))).toEqual([]);
    expect([passes('F~7', 'beat', 'INSERT'), passes('F~7', 'beat')]).toEqual([true, true]);
    expect(
      [passes('F#northside#1', 'x'), passes('Q#northside', 'x'), passes('F!', 'beats'), passes('V#x', 'V')].filter(
        Boolean,
      ),
    ).toEqual([]);
  });

  it('hands the publisher more at once than others: what comes together is told in one row', () => {
    const sizes = mappings().map(({ properties }) => [functionBehind(properties), properties.BatchSize]);

    expect(sizes).toEqual([
      ['functions/publish-changes.ts', 500],
      ['functions/file-accesses.ts', 100],
    ]);
  });

  it('passes to the publisher reminders that are new, and not how far it was looked', () => {
    const passes = (eventName: string, pk: string) =>
      filtersOf('functions/publish-changes.ts').some((filter) =>
        matchesPattern(filter, { eventName, dynamodb: { NewImage: { pk: { S: pk } } } }),
      );

    expect([passes('INSERT', 'N#northside'), passes('MODIFY', 'N#northside'), passes('INSERT', 'N!')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('passes to what files accesses rows of an access log, and nothing else', () => {
    const filters = filtersOf('functions/file-accesses.ts');
    const passes = (record: unknown) => filters.some((filter) => matchesPattern(filter, record));
    const put = (pk: string) => ({ eventName: 'MODIFY', dynamodb: { NewImage: { pk: { S: pk } } } });

    expect(auditRow.Records.some(passes)).toBe(true);
    for (const { Records } of [created, updated, deleted]) {
      for (const record of Records) expect(passes(record)).toBe(record.dynamodb.Keys.pk.S.startsWith('A#'));
    }
    expect(['F~7', 'F#northside#1', 'F!', 'Q#northside', 'V#x'].map(put).filter(passes)).toEqual([]);
  });

  it('has no more readers of the stream than a shard serves', () => {
    expect(mappings().length).toBeLessThanOrEqual(2);
  });

  it('reads each shard in its order, and gives up no batch before it has been noted as late: beats rely on both', () => {
    for (const { properties } of mappings()) {
      expect(properties.ParallelizationFactor ?? 1).toBe(1);
      expect(properties.StartingPosition).toBe('TRIM_HORIZON');
      expect(Number(properties.MaximumRecordAgeInSeconds) * 1_000).toBeGreaterThanOrEqual(lateAfterMs + 30 * 60_000);
    }
  });
});

describe('alarms', () => {
  const alarms = () =>
    resources('AWS::CloudWatch::Alarm').map(({ properties }) => ({
      of: functionBehind(properties),
      ...(properties as {
        AlarmDescription: string;
        AlarmActions: unknown[];
        MetricName?: string;
        Namespace?: string;
        Metrics?: { Expression?: string; MetricStat?: { Period: number; Metric: { MetricName: string } } }[];
        Threshold: number;
        Period?: number;
        EvaluationPeriods: number;
        Statistic?: string;
        ComparisonOperator: string;
        TreatMissingData: string;
      }),
    }));
  const about = (entry: string, metric: string) =>
    alarms().find(({ of, MetricName }) => of === entry && MetricName === metric);

  it.each(streamConsumers.map(({ entry }) => entry))(
    'tell that %s is behind, fails, or has given up a record',
    (entry) => {
      expect(about(entry, 'IteratorAge')).toMatchObject({
        Threshold: 900_000,
        Statistic: 'Maximum',
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'notBreaching',
      });
      expect(about(entry, 'Errors')).toMatchObject({ Threshold: 0, ComparisonOperator: 'GreaterThanThreshold' });
      const gaveUp = alarms().filter(({ MetricName }) => MetricName === 'ApproximateNumberOfMessagesVisible');
      expect(gaveUp.map(({ AlarmDescription }) => AlarmDescription.split(' ')[0])).toContain(entry);
    },
  );

  it('tell that no digest was written for six hours, also where nothing ran at all', () => {
    const alarm = alarms().find(({ of, Metrics }) => of === 'functions/write-digests.ts' && Metrics);

    expect(alarm).toMatchObject({
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
    expect(alarm?.Metrics?.map(({ Expression, MetricStat }) => Expression ?? MetricStat)).toEqual([
      'FILL(runs, 0) - FILL(failures, 0)',
      expect.objectContaining({
        Period: 21_600,
        Metric: expect.objectContaining({ MetricName: 'Invocations' }) as object,
      }),
      expect.objectContaining({ Period: 21_600, Metric: expect.objectContaining({ MetricName: 'Errors' }) as object }),
    ]);
  });

  it.each(['ChangesUnpublished', 'ChangesRepublished'])('tell of one of %s', (metric) => {
    expect(alarms().find(({ MetricName }) => MetricName === metric)).toMatchObject({
      Namespace: 'Concord',
      Statistic: 'Sum',
      Threshold: 0,
      ComparisonOperator: 'GreaterThanThreshold',
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
    });
  });

  it.each(['functions/retry-parked.ts', 'functions/reconcile-feed.ts'])(
    'tell that %s fails, or was not run',
    (entry) => {
      expect(about(entry, 'Errors')).toMatchObject({ Threshold: 0, Period: 3_600, EvaluationPeriods: 3 });
      expect(alarms().find(({ of, Metrics }) => of === entry && Metrics)).toMatchObject({
        Threshold: 1,
        ComparisonOperator: 'LessThanThreshold',
        EvaluationPeriods: 2,
        TreatMissingData: 'breaching',
      });
    },
  );

  it('tell that the access log is not as it was written, or that nobody looked', () => {
    expect(about('functions/verify-digests.ts', 'Errors')).toMatchObject({ Threshold: 0, Period: 86_400 });
    expect(about('functions/verify-digests.ts', 'Invocations')).toMatchObject({
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      EvaluationPeriods: 2,
      TreatMissingData: 'breaching',
    });
  });

  it('tell of whoever begins to end a key, a vault, the trail or the protection of a table', () => {
    const patterns = resources('AWS::Events::Rule')
      .filter(({ properties }) => JSON.stringify(properties.EventPattern ?? {}).includes('via CloudTrail'))
      .map(({ properties }) => properties.EventPattern as EventPattern);
    const told = (source: string, eventName: string, requestParameters: object = {}) =>
      patterns.filter((pattern) =>
        matchesPattern(pattern, {
          source: `aws.${source}`,
          'detail-type': 'AWS API Call via CloudTrail',
          detail: { eventName, requestParameters },
        }),
      ).length;

    for (const eventName of ['ScheduleKeyDeletion', 'DisableKey']) expect(told('kms', eventName)).toBe(1);
    for (const eventName of ['StopLogging', 'DeleteTrail']) expect(told('cloudtrail', eventName)).toBe(1);
    expect(told('backup', 'DeleteBackupVaultLockConfiguration')).toBe(1);
    expect(told('s3', 'DeleteBucketPolicy')).toBe(1);
    expect(told('dynamodb', 'UpdateTable', { deletionProtectionEnabled: false })).toBe(1);
    expect(told('dynamodb', 'UpdateTable', { deletionProtectionEnabled: true })).toBe(0);
    expect(told('kms', 'CreateKey')).toBe(0);
  });

  describe('of uploads', () => {
    const plan = scanResult.resources[0] ?? '';
    const rules = (stage?: string) =>
      synthesised(stage)
        .resources('AWS::Events::Rule')
        .filter(({ part, properties }) => part === 'sharing' && JSON.stringify(properties).includes('aws.guardduty'))
        .map(({ properties }) => ({
          pattern: JSON.parse(
            JSON.stringify(properties.EventPattern).replace(
              /\{"Fn::ImportValue":"[^"]*Plan[^"]*"\}/,
              JSON.stringify(plan),
            ),
          ) as EventPattern,
          target: (properties.Targets as { readonly Arn: unknown; readonly InputTransformer: unknown }[])[0],
        }));
    const reached = (event: object) => rules().filter(({ pattern }) => matchesPattern(pattern, event));
    const resultOf = (scanResultStatus: string) => ({
      ...scanResult,
      detail: { ...scanResult.detail, scanResultDetails: { scanResultStatus } },
    });

    it('tell of one that is not clean, by its random name', () => {
      const [topic] = resources('AWS::SNS::Topic');

      for (const status of ['THREATS_FOUND', 'UNSUPPORTED', 'ACCESS_DENIED', 'FAILED'])
        expect(reached(resultOf(status)).map(({ target }) => target)).toEqual([
          {
            Arn: { Ref: topic?.id },
            Id: 'Target0',
            InputTransformer: {
              InputPathsMap: {
                'detail-scanResultDetails-scanResultStatus': '$.detail.scanResultDetails.scanResultStatus',
                'detail-s3ObjectDetails-objectKey': '$.detail.s3ObjectDetails.objectKey',
              },
              InputTemplate:
                '"An upload to Concord was not passed: <detail-scanResultDetails-scanResultStatus>, <detail-s3ObjectDetails-objectKey>"',
            },
          },
        ]);
      expect(reached(resultOf('NO_THREATS_FOUND'))).toEqual([]);
      expect(reached({ ...resultOf('THREATS_FOUND'), resources: [`${plan}2`] })).toEqual([]);
    });

    it.each(['Resource Status Warning', 'Resource Status Error', 'Post Scan Action Failed'])(
      'tell of a scanner that tells of %s',
      (what) => {
        const event = { ...scanResult, 'detail-type': `GuardDuty Malware Protection ${what}`, detail: {} };

        expect(reached(event).map(({ target }) => JSON.stringify(target?.InputTransformer))).toEqual([
          expect.stringContaining('Uploads to Concord may wait for ever: <detail-type>'),
        ]);
      },
    );

    it('are not there without GuardDuty', () => {
      expect(rules()).toHaveLength(2);
      expect(rules('dev')).toEqual([]);
    });
  });

  it('tells of messages that wait, by their number alone', () => {
    expect(alarms().find(({ MetricName }) => MetricName === 'MessagesWaiting')).toMatchObject({
      Namespace: 'Concord',
      Dimensions: [{ Name: 'service', Value: 'concord' }],
      Period: 3_600,
      Statistic: 'Sum',
      Threshold: 20,
    });
  });

  it('go to one topic, encrypted, to which the alarms of this account alone publish', () => {
    const [topic, ...others] = resources('AWS::SNS::Topic');
    const statements = JSON.stringify(resources('AWS::SNS::TopicPolicy').map(({ properties }) => properties));

    expect(others).toEqual([]);
    expect(topic?.properties.KmsMasterKeyId).toBeDefined();
    for (const { AlarmActions } of alarms()) expect(AlarmActions).toEqual([{ Ref: topic?.id }]);
    expect(alarms().length).toBeGreaterThan(3 * streamConsumers.length);
    expect(statements).toContain(
      '"Action":"sns:Publish","Condition":{"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}},"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"}',
    );
  });
});
