import { describe, expect, it } from 'vitest';
import type { Statement } from '../../infra/grants/statement.ts';
import { askedBy, type Outgoing } from '../../infra/local/iam/asked-of-services.ts';
import { policyOf } from '../../infra/local/iam/policy.ts';

const account = { region: 'eu-central-1', id: '111122223333' };

const decide = (
  statements: readonly Statement[],
  action: string,
  resource: string,
  context: Readonly<Record<string, readonly string[]>> = {},
) => policyOf(statements).decide({ action, resource, context: (key) => context[key] });

const table = 'arn:aws:dynamodb:eu-central-1:111122223333:table/records';

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
describe('statements of a policy', () => {
  const read: Statement = { actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [table] };

  it.each([
    ['allow what one of them allows', [read], 'dynamodb:Query', table, 'allowed'],
    ['allow nothing by themselves', [], 'dynamodb:Query', table, 'not allowed'],
    ['allow no other action', [read], 'dynamodb:PutItem', table, 'not allowed'],
    ['allow no other resource', [read], 'dynamodb:Query', `${table}-2`, 'not allowed'],
    ['do not tell capitals of actions apart', [read], 'DynamoDB:getitem', table, 'allowed'],
    [
      'tell capitals of resources apart',
      [read],
      'dynamodb:GetItem',
      table.replace('records', 'Records'),
      'not allowed',
    ],
    ['deny before they allow', [read, { ...read, effect: 'Deny' }], 'dynamodb:Query', table, 'denied'],
    ['deny in whatever order', [{ ...read, effect: 'Deny' }, read], 'dynamodb:Query', table, 'denied'],
    [
      'know wildcards in actions',
      [{ actions: ['s3:Get*'], resources: ['*'] }],
      's3:GetObjectTagging',
      'arn:x',
      'allowed',
    ],
    ['know a wildcard for one', [{ actions: ['s3:*'], resources: ['arn:a?c'] }], 's3:GetObject', 'arn:abc', 'allowed'],
    [
      'let a wildcard for one stand for one',
      [{ actions: ['*'], resources: ['arn:a?c'] }],
      's3:GetObject',
      'arn:ac',
      'not allowed',
    ],
    [
      'let a wildcard stand for slashes',
      [{ actions: ['*'], resources: ['arn:b/*'] }],
      's3:GetObject',
      'arn:b/c/d',
      'allowed',
    ],
    ['read dots as dots', [{ actions: ['*'], resources: ['arn:a.c*'] }], 's3:GetObject', 'arn:abc', 'not allowed'],
  ] as const)('%s', (_, statements, action, resource, expected) => {
    expect(decide(statements, action, resource)).toBe(expected);
  });
});

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
describe('conditions', () => {
  const met = (
    conditions: NonNullable<Statement['conditions']>,
    context: Readonly<Record<string, readonly string[]>>,
  ): boolean => decide([{ actions: ['*'], resources: ['*'], conditions }], 'a:B', 'arn', context) === 'allowed';

  it.each([
    ['StringEquals', 'a', ['a'], true],
    ['StringEquals', 'a', ['A'], false],
    ['StringEquals', ['a', 'b'], ['b'], true],
    ['StringEquals', 'a*', ['ab'], false],
    ['StringEquals', 'a', undefined, false],
    ['StringNotEquals', ['a', 'b'], ['c'], true],
    ['StringNotEquals', ['a', 'b'], ['b'], false],
    ['StringNotEquals', 'a', undefined, true],
    ['StringLike', 'a*c', ['abbc'], true],
    ['StringLike', 'a*c', ['ab'], false],
    ['StringLike', 'a?', ['ab'], true],
    ['StringNotLike', 'a*', ['b'], true],
    ['StringNotLike', 'a*', ['ab'], false],
    ['StringEqualsIfExists', 'a', undefined, true],
    ['StringEqualsIfExists', 'a', ['b'], false],
    ['ArnLike', 'arn:*:role/x', ['arn:aws:role/x'], true],
    ['ArnNotEquals', 'arn:a', ['arn:b'], true],
    ['Bool', 'true', ['true'], true],
    ['Null', 'false', ['a'], true],
    ['Null', 'false', undefined, false],
    ['Null', 'false', [], false],
    ['Null', 'true', undefined, true],
    ['Null', 'true', ['a'], false],
    // Every value of the request must match one of the policy. Without a value, all do.
    ['ForAllValues:StringEquals', ['a', 'b'], ['a'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'b'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], false],
    ['ForAllValues:StringEquals', ['a', 'b'], undefined, true],
    ['ForAllValues:StringEquals', ['a', 'b'], [], true],
    ['ForAllValues:StringLike', ['a*'], ['ab', 'ac'], true],
    ['ForAllValues:StringLike', ['a*'], ['ab', 'bc'], false],
    // One value of the request must match one of the policy. Without a value, none does.
    ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'b'], true],
    ['ForAnyValue:StringEquals', ['a', 'b'], ['c'], false],
    ['ForAnyValue:StringEquals', ['a', 'b'], undefined, false],
    ['ForAnyValue:StringEquals', ['a', 'b'], [], false],
    ['ForAnyValue:StringLike', ['A#*'], ['C#1', 'A#1'], true],
    ['ForAnyValue:StringNotEquals', ['a'], ['a', 'b'], true],
    ['ForAnyValue:StringNotEquals', ['a'], undefined, false],
  ] as const)('%s %j of %j: %s', (operator, expected, values, result) => {
    expect(met({ [operator]: { 'k:v': expected } }, values === undefined ? {} : { 'k:v': values })).toBe(result);
  });

  it('are met only together', () => {
    const both = { StringEquals: { 'k:a': 'a', 'k:b': 'b' }, Null: { 'k:c': 'true' } };

    expect(met(both, { 'k:a': ['a'], 'k:b': ['b'] })).toBe(true);
    expect(met(both, { 'k:a': ['a'], 'k:b': ['c'] })).toBe(false);
    expect(met(both, { 'k:a': ['a'], 'k:b': ['b'], 'k:c': ['c'] })).toBe(false);
  });

  it.each([
    ['an operator', { NumericLessThan: { 'k:v': '1' } }, 'NumericLessThan'],
    ['a variable', { StringEquals: { 'k:v': '${aws:username}' } }, 'policy variables'],
  ])('that use %s that is not known here are refused, not passed over', (_, conditions, message) => {
    expect(() => met(conditions, { 'k:v': ['1'] })).toThrow(message);
  });
});

/** A request as clients send it, signed for a service. */
const sent = (service: string, target: string, input: unknown): Outgoing => ({
  method: 'POST',
  path: '/',
  headers: {
    authorization: `AWS4-HMAC-SHA256 Credential=local/20261127/eu-central-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
    'x-amz-target': target,
  },
  body: JSON.stringify(input),
});

const askedFor = (request: Outgoing, ...keys: readonly string[]) =>
  askedBy(request, account).map(({ action, resource, context }) => [
    action,
    resource.split(':').slice(5).join(':') || resource,
    ...keys.map((key) => context(key)),
  ]);

const ofDynamoDb = (operation: string, input: object) => sent('dynamodb', `DynamoDB_20120810.${operation}`, input);

const key = (pk: string) => ({ pk: { S: pk }, sk: { S: 's' } });

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
describe('a call to DynamoDB asks permission', () => {
  const TableName = 'records';

  it.each([
    ['GetItem', { TableName, Key: key('C#1') }, [['dynamodb:GetItem', 'table/records', ['C#1']]]],
    [
      'PutItem',
      { TableName, Item: { ...key('C#1'), a: { S: 'x' } } },
      [['dynamodb:PutItem', 'table/records', ['C#1']]],
    ],
    ['UpdateItem', { TableName, Key: key('C#1') }, [['dynamodb:UpdateItem', 'table/records', ['C#1']]]],
    ['DeleteItem', { TableName, Key: key('C#1') }, [['dynamodb:DeleteItem', 'table/records', ['C#1']]]],
    [
      'Query',
      {
        TableName,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':pk': { S: 'X#1' }, ':from': { S: 'a' }, ':to': { S: 'b' } },
      },
      [['dynamodb:Query', 'table/records', ['X#1']]],
    ],
    [
      'Query',
      {
        TableName,
        KeyConditionExpression: '#s = :s AND #p = :p',
        ExpressionAttributeNames: { '#p': 'pk', '#s': 'sk' },
        ExpressionAttributeValues: { ':p': { S: 'X#1' }, ':s': { S: 'a' } },
      },
      [['dynamodb:Query', 'table/records', ['X#1']]],
    ],
    ['Scan', { TableName }, [['dynamodb:Scan', 'table/records', undefined]]],
    [
      'BatchGetItem',
      { RequestItems: { records: { Keys: [key('C#1'), key('A#1')] }, other: { Keys: [key('X')] } } },
      [
        ['dynamodb:BatchGetItem', 'table/records', ['C#1', 'A#1']],
        ['dynamodb:BatchGetItem', 'table/other', ['X']],
      ],
    ],
    [
      'BatchWriteItem',
      { RequestItems: { records: [{ PutRequest: { Item: key('C#1') } }, { DeleteRequest: { Key: key('A#1') } }] } },
      [['dynamodb:BatchWriteItem', 'table/records', ['C#1', 'A#1']]],
    ],
    [
      'TransactWriteItems',
      {
        TransactItems: [
          { Put: { TableName, Item: key('C#1') } },
          { Update: { TableName, Key: key('C#2') } },
          { Delete: { TableName, Key: key('C#3') } },
          { ConditionCheck: { TableName, Key: key('C#4') } },
        ],
      },
      [
        ['dynamodb:PutItem', 'table/records', ['C#1']],
        ['dynamodb:UpdateItem', 'table/records', ['C#2']],
        ['dynamodb:DeleteItem', 'table/records', ['C#3']],
        ['dynamodb:ConditionCheckItem', 'table/records', ['C#4']],
      ],
    ],
    [
      'TransactGetItems',
      { TransactItems: [{ Get: { TableName, Key: key('C#1') } }] },
      [['dynamodb:GetItem', 'table/records', ['C#1']]],
    ],
  ])('by %s of %j', (operation, input, expected) => {
    expect(askedFor(ofDynamoDb(operation, input), 'dynamodb:LeadingKeys')).toEqual(expected);
  });

  it('within a transaction by its name too', () => {
    const request = ofDynamoDb('TransactWriteItems', { TransactItems: [{ Put: { TableName, Item: key('C#1') } }] });

    expect(askedFor(request, 'dynamodb:EnclosingOperation')[0]?.[2]).toEqual(['TransactWriteItems']);
  });

  it.each([
    ['all attributes', {}, ['ALL_ATTRIBUTES'], undefined],
    [
      'those that it names',
      { ProjectionExpression: 'pk, #c, a.b[0]', ExpressionAttributeNames: { '#c': 'custodian' } },
      ['SPECIFIC_ATTRIBUTES'],
      ['pk', 'custodian', 'a'],
    ],
  ])('to read %s', (_, read, select, attributes) => {
    const request = ofDynamoDb('BatchGetItem', { RequestItems: { records: { Keys: [key('C#1')], ...read } } });

    expect(askedFor(request, 'dynamodb:Select', 'dynamodb:Attributes')[0]?.slice(2)).toEqual([select, attributes]);
  });

  it('and a condition on what is not known here is refused, not passed over', () => {
    const request = ofDynamoDb('PutItem', { TableName, Item: key('C#1') });

    expect(() => askedFor(request, 'dynamodb:ReturnValues')).toThrow('dynamodb:ReturnValues');
    expect(() => askedFor(request, 'dynamodb:Attributes')).toThrow('PutItem');
    expect(askedFor(request, 'dynamodb:Select')[0]?.[2]).toBeUndefined();
  });
});

describe('a call to another service asks permission', () => {
  const ofS3 = (method: string, path: string, more: Partial<Outgoing> = {}): Outgoing => {
    const { headers } = sent('s3', '', {});
    return { method, path, ...more, headers: { ...headers, ...more.headers } };
  };

  it.each([
    ['GET', {}, [['s3:GetObject', 'bodies/a/b%']]],
    ['HEAD', {}, [['s3:GetObject', 'bodies/a/b%']]],
    ['PUT', {}, [['s3:PutObject', 'bodies/a/b%']]],
    ['DELETE', {}, [['s3:DeleteObject', 'bodies/a/b%']]],
    ['GET', { query: { tagging: '' } }, [['s3:GetObjectTagging', 'bodies/a/b%']]],
    ['GET', { query: { attributes: '' } }, [['s3:GetObjectAttributes', 'bodies/a/b%']]],
    [
      'PUT',
      { headers: { 'x-amz-copy-source': '/bodies/quarantine/c' } },
      [
        ['s3:PutObject', 'bodies/a/b%'],
        ['s3:GetObject', 'bodies/quarantine/c'],
      ],
    ],
  ])('of S3 by %s %j', (method, more, expected) => {
    expect(askedFor(ofS3(method, '/bodies/a/b%25', more))).toEqual(expected);
  });

  it('of S3 to list a bucket by a prefix', () => {
    const request = ofS3('GET', '/digests/', { query: { 'list-type': '2', prefix: 'held/' } });

    expect(askedFor(request, 's3:prefix')).toEqual([['s3:ListBucket', 'digests', ['held/']]]);
  });

  it('of EventBridge for each event', () => {
    const Entries = [
      { EventBusName: 'concord', Source: 'a' },
      { EventBusName: 'concord', Source: 'b' },
    ];

    expect(askedFor(sent('events', 'AWSEvents.PutEvents', { Entries }), 'events:source')).toEqual([
      ['events:PutEvents', 'event-bus/concord', ['a']],
      ['events:PutEvents', 'event-bus/concord', ['b']],
    ]);
  });

  it('of SQS by the action of one message', () => {
    const QueueUrl = 'http://localhost:1/111122223333/concord-wakes';

    expect(askedFor(sent('sqs', 'AmazonSQS.SendMessageBatch', { QueueUrl }))).toEqual([
      ['sqs:SendMessage', 'concord-wakes'],
    ]);
  });

  it('of KMS with what a secret belongs to', () => {
    const input = { KeyId: 'alias/secrets', EncryptionContext: { subscription: 's1' } };

    expect(
      askedFor(sent('kms', 'TrentService.Decrypt', input), 'kms:EncryptionContext:subscription', 'kms:ViaService'),
    ).toEqual([['kms:Decrypt', 'alias/secrets', ['s1'], undefined]]);
  });

  it('and what is not known here is refused', () => {
    expect(() => askedFor(sent('secretsmanager', 'secretsmanager.GetSecretValue', {}))).toThrow('secretsmanager');
    expect(() => askedFor(ofS3('POST', '/bodies/a'))).toThrow('POST');
  });
});
