import { describe, expect, it } from 'vitest';
import { mayDo, type RequestContext } from '../support/iam-model.ts';
import { roleStatements, type TemplateStatement } from '../support/policies-of-templates.ts';
import { entryOf, synthesised } from '../support/synthesised.ts';

/** Every role of a stage with what it may do, by the source of its function, or by its name where it is none's. */
const roles = (stage?: string): ReadonlyMap<string, readonly TemplateStatement[]> => {
  const functions = synthesised(stage).resources('AWS::Lambda::Function');
  const found = new Map<string, TemplateStatement[]>();
  for (const statement of roleStatements(stage)) {
    const its = functions.find(
      ({ part, properties }) =>
        part === statement.part && JSON.stringify(properties.Role).includes(`"${statement.holder}"`),
    );
    const name = its ? entryOf(its).replace('functions/', '') : `${statement.part}/${statement.holder.slice(0, -8)}`;
    found.set(name, [...(found.get(name) ?? []), statement]);
  }
  return found;
};

/** Names of the roles that may do something. */
const whoMay = (action: string, resource: string, context: RequestContext = {}, stage?: string): string[] =>
  [...roles(stage)]
    .flatMap(([name, statements]) => (mayDo(statements, action, resource, context) ? [name] : []))
    .sort();

const rows = (...partitions: readonly string[]): RequestContext => ({ 'dynamodb:LeadingKeys': partitions });

const table = 'records/Table';
const logs = ['A#chart', 'A#northside#2026-11-24'];
const chains = ['A#chart#chain', 'A#northside#2026-11-24#chain', 'A~2026-11-24#3'];
const removing = ['DeleteItem', 'UpdateItem', 'BatchWriteItem', 'PartiQLDelete', 'PartiQLUpdate'];

describe.each(['production', 'dev'])('in %s no role', (stage) => {
  it.each(removing.flatMap((action) => [...logs, ...chains].map((partition) => [action, partition])))(
    'may %s rows of %s: an access log, its chain, or what its digests go by',
    (action, partition) => {
      expect(whoMay(`dynamodb:${action}`, table, rows(partition), stage)).toEqual([]);
      expect(whoMay(`dynamodb:${action}`, table, rows('C#chart', partition), stage)).toEqual([]);
    },
  );

  it.each(['PutItem', ...removing])('may %s what says for which organisation an application acts', (action) => {
    expect(whoMay(`dynamodb:${action}`, table, rows('!applications'), stage)).toEqual([]);
    expect(whoMay(`dynamodb:${action}`, table, rows('C#chart', '!applications'), stage)).toEqual([]);
  });

  it.each(
    [
      'DeleteTable',
      'UpdateTable',
      'UpdateTimeToLive',
      'UpdateContinuousBackups',
      'DeleteBackup',
      'DeleteTableReplica',
      'PutResourcePolicy',
      'DeleteResourcePolicy',
      'Scan',
      'PartiQLInsert',
      'ExportTableToPointInTime',
    ].map((action) => `dynamodb:${action}`),
  )('may %s', (action) => {
    expect(whoMay(action, table, {}, stage)).toEqual([]);
  });

  it.each(
    ['ScheduleKeyDeletion', 'DisableKey', 'DisableKeyRotation', 'PutKeyPolicy', 'CreateGrant', 'DeleteAlias'].map(
      (action) => `kms:${action}`,
    ),
  )('may %s, whichever key it is', (action) => {
    const keys = synthesised(stage)
      .resources('AWS::KMS::Key')
      .map(({ part, id }) => `${part}/${id.slice(0, -8)}`);

    expect(keys.length).toBeGreaterThan(5);
    expect(keys.flatMap((key) => whoMay(action, key, {}, stage))).toEqual([]);
  });

  it.each(
    [
      'DeleteObject',
      'DeleteObjectVersion',
      'BypassGovernanceRetention',
      'PutObjectRetention',
      'PutObjectLegalHold',
      'PutBucketObjectLockConfiguration',
      'PutLifecycleConfiguration',
      'PutBucketPolicy',
      'DeleteBucketPolicy',
      'DeleteBucket',
    ].map((action) => `s3:${action}`),
  )('may %s where objects are locked', (action) => {
    const locked = synthesised(stage)
      .resources('AWS::S3::Bucket')
      .filter(({ properties }) => properties.ObjectLockEnabled === true)
      .map(({ part, id }) => `${part}/${id.slice(0, -8)}`);

    expect(locked).toContain('documents/DigestsBucket');
    expect(
      locked.flatMap((bucket) => [bucket, `${bucket}/2026/11/24`]).flatMap((each) => whoMay(action, each, {}, stage)),
    ).toEqual([]);
  });
});

describe.each(['production', 'dev'])('each role of %s', (stage) => {
  /** A policy as IAM counts it: what is known at deployment alone is taken to be a long ARN. */
  const counted = (value: unknown): string =>
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === 'object' &&
      each !== null &&
      Object.keys(each).some((key) => key === 'Ref' || key.startsWith('Fn::'))
        ? 'x'.repeat(130)
        : each,
    );

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  it('has no more to say than IAM takes of policies within a role: 10,240 letters', () => {
    const sizes = synthesised(stage)
      .resources('AWS::IAM::Role')
      .map(({ part, id, properties }) => ({
        part,
        id,
        policies: (properties.Policies ?? []) as { PolicyDocument: unknown }[],
      }))
      .map(({ part, id, policies }) => {
        const attached = synthesised(stage)
          .resources('AWS::IAM::Policy')
          .filter((each) => each.part === part && JSON.stringify(each.properties.Roles).includes(`"${id}"`))
          .map((each) => each.properties.PolicyDocument);
        const documents = [...policies.map(({ PolicyDocument }) => PolicyDocument), ...attached];
        return { role: `${part}/${id}`, size: documents.map(counted).join('').length };
      });

    expect(Math.max(...sizes.map(({ size }) => size))).toBeGreaterThan(1_000);
    expect(sizes.filter(({ size }) => size > 10_240)).toEqual([]);
  });
});

describe('one function alone', () => {
  it.each(chains)('writes %s: the proof of an access log, which whoever writes logs does not write', (partition) => {
    expect(whoMay('dynamodb:PutItem', table, rows(partition))).toEqual(['file-accesses.ts']);
  });

  it.each([
    ['F!walk', ['reconcile-feed.ts']],
    ['N#2026', ['remind.ts']],
    ['N!', ['remind.ts']],
  ])('writes %s', (partition, writers) => {
    expect(whoMay('dynamodb:PutItem', table, rows(partition))).toEqual(writers);
  });
});

describe('what was told of changes', () => {
  const publishers = ['publish-changes.ts', 'reconcile-feed.ts', 'retry-parked.ts'];

  it.each([
    ['BatchWriteItem', 'F#northside#0', publishers],
    ['BatchWriteItem', 'F!', publishers],
    ['PutItem', 'Q#northside', publishers],
    ['UpdateItem', 'V#chart', [...publishers, 'sweep-transactions.ts']],
    ['DeleteItem', 'V#chart', ['sweep-transactions.ts']], // where a chart was purged
    ['DeleteItem', 'F!', ['reconcile-feed.ts', 'retry-parked.ts']],
    ['DeleteItem', 'F#northside#0', []],
    ['DeleteItem', 'Q#northside', []],
    ['UpdateItem', 'Q#northside', []],
  ])('is changed by %s of %s by what tells alone', (action, partition, writers) => {
    expect(whoMay(`dynamodb:${action}`, table, rows(partition))).toEqual(writers);
  });
});

describe('records', () => {
  const charts = rows('C#chart');

  it('are written by what serves, settles or purges them; what delivers writes Subscriptions, which lie in charts of their own', () => {
    const writers = whoMay('dynamodb:PutItem', table, charts);

    expect(writers.filter((name) => !name.startsWith('records/'))).toEqual([
      'cds-services.ts',
      'deliver.ts',
      'hl7-v2.ts',
      'other-records.ts',
      'purge-by-policy.ts',
      'sweep-transactions.ts',
      'system.ts',
    ]);
    expect(writers).toContain('records/patient.ts');
  });

  it('are written by nothing that shows them: the history, the access log and the description', () => {
    for (const action of ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'ConditionCheckItem']) {
      const writers = whoMay(`dynamodb:${action}`, table, charts);
      for (const reader of ['history.ts', 'records/audit-event.ts', 'metadata.ts'])
        expect(writers).not.toContain(reader);
    }
  });
});
