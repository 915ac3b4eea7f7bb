import { describe, expect, it } from 'vitest';
import auditRow from '../../events/dynamodb/audit-row.json' with { type: 'json' };
import created from '../../events/dynamodb/created.json' with { type: 'json' };
import deleted from '../../events/dynamodb/deleted.json' with { type: 'json' };
import finalised from '../../events/dynamodb/finalised.json' with { type: 'json' };
import updated from '../../events/dynamodb/updated.json' with { type: 'json' };
import { type EventPattern, matchesPattern } from '../../infra/local/event-pattern.ts';
import { scheduledFunctions } from '../../infra/local/scheduler.ts';
import { streamConsumers } from '../../infra/local/stream-consumers.ts';
import { lateAfterMs } from '../../shared/store/feed/completeness.ts';
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

const mappings = () => resources('AWS::Lambda::EventSourceMapping');

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

  it('encrypts bus and queues with a key of the customer', () => {
    const [key] = resources('AWS::KMS::Key');
    const arn = { 'Fn::GetAtt': [key?.id, 'Arn'] };

    expect(resources('AWS::Events::EventBus').map(({ properties }) => properties.KmsKeyIdentifier)).toEqual([arn]);
    for (const { properties } of resources('AWS::SQS::Queue')) expect(properties.KmsMasterKeyId).toEqual(arn);
    expect(resources('AWS::SQS::Queue')).toHaveLength(streamConsumers.length);
  });

  it('refuses messages that do not come by TLS', () => {
    const policies = resources('AWS::SQS::QueuePolicy');

    expect(policies).toHaveLength(streamConsumers.length);
    for (const { properties } of policies) {
      expect(JSON.stringify(properties)).toContain(
        '"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"',
      );
    }
  });

  it('runs on a schedule what the local scheduler runs, as often', () => {
    const rules = resources('AWS::Events::Rule').map(({ properties }) => ({
      entry: functionBehind(properties.Targets),
      rate: properties.ScheduleExpression,
    }));

    const local = scheduledFunctions.map(({ entry, everyMs }) => ({ entry, rate: `rate(${everyMs / 60_000} minute)` }));

    expect(rules).toEqual(local);
  });

  it('passes to the publisher every change of a record, and no row of an access log', () => {
    const [filter = {}] = filtersOf('functions/publish-changes.ts');

    const samples: readonly { readonly Records: readonly unknown[] }[] = [created, updated, deleted, finalised];
    const changes = samples.flatMap(({ Records }) => Records.slice(0, 1));

    for (const record of changes) expect(matchesPattern(filter, record)).toBe(true);
    for (const record of auditRow.Records) expect(matchesPattern(filter, record)).toBe(false);
  });

  it('passes to what files by time new rows of an access log, changes of records and beats, and nothing that it writes itself', () => {
    const filters = filtersOf('functions/file-by-time.ts');
    const passes = (record: unknown) => filters.some((filter) => matchesPattern(filter, record));
    const put = (pk: string) => ({ eventName: 'MODIFY', dynamodb: { NewImage: { pk: { S: pk } } } });

    expect(auditRow.Records.some(passes)).toBe(true);
    for (const { Records } of [created, updated, deleted]) {
      for (const record of Records) expect(passes(record)).toBe(/^[AC]#/.test(record.dynamodb.Keys.pk.S));
    }
    expect(passes(put('F~7'))).toBe(true);
    expect(passes(put('F#northside#1'))).toBe(false);
    expect(passes(put('F!'))).toBe(false);
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
