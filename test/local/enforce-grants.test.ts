import {
  BatchGetCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { localAccount } from '../../infra/local/event-bus.ts';
import { inNameOf, roleOf } from '../../infra/local/iam/enforce-grants.ts';
import { localPlaces } from '../../infra/local/iam/local-places.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { ObjectStoreError, s3ObjectStore } from '../../shared/store/object-store.ts';
import { bareStack } from '../support/concord.ts';
import { localBucket, localTable } from '../support/dynamodb.ts';

const account = { region: dummyCredentials.AWS_REGION, id: localAccount };

let places: ReturnType<typeof localPlaces>;
let client: ReturnType<typeof documentClient>;
let TableName: string;
let bucket: Awaited<ReturnType<typeof localBucket>>;
beforeAll(async () => {
  const table = await localTable();
  bucket = await localBucket();
  client = documentClient({ endpoint: table.endpoint });
  TableName = table.tableName;
  places = localPlaces(
    {
      tableName: TableName,
      bucketName: bucket.bucket,
      digestBucketName: 'digests',
      digestKeyId: 'alias/digests',
      secretsKeyId: 'alias/secrets',
      eventBusName: 'bus',
      wakeQueueArn: 'arn:aws:sqs:us-east-1:000000000000:wakes',
    },
    account,
  );
  vi.spyOn(console, 'error').mockImplementation(() => undefined); // which tells developers of what was refused
});
afterAll(() => vi.restoreAllMocks());

const as = <Result>(entry: string, run: () => Promise<Result>): Promise<Result> =>
  inNameOf(roleOf(`functions/${entry}.ts`, places, account), run);

const row = (pk: string, more: object = {}) => ({ TableName, Item: { pk, sk: 's', ...more } });
const put = (pk: string, more?: object) => client.send(new PutCommand(row(pk, more)));
const keyOf = (pk: string) => ({ TableName, Key: { pk, sk: 's' } });
const read = async (pk: string) => (await client.send(new GetCommand(keyOf(pk)))).Item;

/** Name of the refusal, or `done`. */
const outcome = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (error: unknown) => (error as Error).name,
  );

describe('a function on this machine', () => {
  it('does what its role allows', async () => {
    await as('records/patient', () => put('C#allowed'));

    expect(await read('C#allowed')).toBeDefined();
  });

  it('is refused what its role does not allow, in the words of AWS, and nothing is written', async () => {
    await expect(as('add-token-claims', () => put('C#refused'))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 400, attempts: 1 },
      message: `User: arn:aws:sts::${localAccount}:assumed-role/add-token-claims/add-token-claims is not authorized to perform: dynamodb:PutItem on resource: ${places.table.tableArn} because no identity-based policy allows the dynamodb:PutItem action`,
    });
    expect(await read('C#refused')).toBeUndefined();
  });

  it('is refused what its role denies, whatever allows it', async () => {
    await as('records/patient', () => put('A#log'));
    const change = { ...keyOf('A#log'), UpdateExpression: 'SET a = :a', ExpressionAttributeValues: { ':a': 1 } };

    await expect(as('records/patient', () => client.send(new UpdateCommand(change)))).rejects.toThrow(
      'with an explicit deny in an identity-based policy',
    );
    expect(await read('A#log')).not.toHaveProperty('a');
  });

  it('is refused a whole transaction for one of its parts', async () => {
    const of = (...partitions: string[]) =>
      as('deliver', () =>
        client.send(new TransactWriteCommand({ TransactItems: partitions.map((pk) => ({ Put: row(pk) })) })),
      );

    expect(await outcome(of('W#one', 'L#other'))).toBe('AccessDeniedException');
    expect(await read('W#one')).toBeUndefined();
    expect(await outcome(of('W#one', 'W#other'))).toBe('done');
  });

  it('is refused attributes that its role does not name, and rows among others that it may read', async () => {
    const batch = (partitions: readonly string[], ProjectionExpression?: string) =>
      as('file-accesses', () =>
        client.send(
          new BatchGetCommand({
            RequestItems: {
              [TableName]: {
                Keys: partitions.map((pk) => ({ pk, sk: 's' })),
                ...(ProjectionExpression === undefined ? {} : { ProjectionExpression }),
              },
            },
          }),
        ),
      );

    expect(await outcome(batch(['C#1', 'C#2'], 'pk, sk, custodian'))).toBe('done');
    expect(await outcome(batch(['C#1'], 'pk, sk, custodian, body'))).toBe('AccessDeniedException');
    expect(await outcome(batch(['C#1']))).toBe('AccessDeniedException');
    expect(await outcome(batch(['C#1', 'X#2'], 'pk, sk, custodian'))).toBe('AccessDeniedException');
  });

  it('is refused what its role speaks of by partition where it asks for no partition', async () => {
    const query = {
      TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': 'W!0' },
    };

    expect(await outcome(as('tick-subscriptions', () => client.send(new QueryCommand(query))))).toBe('done');
    expect(await outcome(as('tick-subscriptions', () => client.send(new ScanCommand({ TableName }))))).toBe(
      'AccessDeniedException',
    );
  });

  it('is refused another table', async () => {
    const { tableName } = await localTable();

    expect(
      await outcome(
        as('records/patient', () => client.send(new GetCommand({ ...keyOf('C#1'), TableName: tableName }))),
      ),
    ).toBe('AccessDeniedException');
  });

  it('is refused objects likewise', async () => {
    const objects = s3ObjectStore(client, { endpoint: bucket.endpoint, bucket: bucket.bucket });
    const put = (entry: string) => as(entry, () => objects.put('a/b', Buffer.from('x'), Number.POSITIVE_INFINITY));

    await put('records/patient');
    expect(await outcome(as('records/patient', () => objects.delete('a/b')))).toBe(
      new ObjectStoreError('AccessDenied').name,
    );
    expect(await outcome(put('history'))).toBe(new ObjectStoreError('AccessDenied').name);
    expect(await bucket.keys()).toEqual(['a/b']);
    expect(await outcome(as('sweep-transactions', () => objects.delete('a/b')))).toBe('done');
  });

  it('is refused a table, if its role may not use the key by which it is encrypted', async () => {
    const { policy, ...role } = roleOf('functions/records/patient.ts', places, account);
    const withoutKeys = {
      ...role,
      policy: {
        decide: (asked: Parameters<typeof policy.decide>[0]) =>
          asked.action.startsWith('kms:') ? ('not allowed' as const) : policy.decide(asked),
      },
    };

    await expect(inNameOf(withoutKeys, () => read('C#1'))).rejects.toThrow(
      `kms:Decrypt on resource: ${places.table.keyArn}`,
    );
  });

  it('may do nothing if nothing says what it may do', async () => {
    expect(await outcome(as('made-up', () => read('C#1')))).toBe('AccessDeniedException');
  });

  it('keeps its role through all that it waits for, beside others', async () => {
    const later = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return put('C#later');
    };

    expect(
      await Promise.all(['records/patient', 'history', 'records/patient'].map((entry) => outcome(as(entry, later)))),
    ).toEqual(['done', 'AccessDeniedException', 'done']);
  });

  it('leaves the local stack itself alone', async () => {
    expect(await outcome(put('Z#anything'))).toBe('done');
  });
});

describe('the local stack', () => {
  it('runs functions in the name of their roles, whoever calls them', async () => {
    const tried: string[] = [];
    const asked = async (entry: string) => {
      const { TABLE_NAME } = process.env;
      const call = documentClient().send(
        new PutCommand({ TableName: TABLE_NAME, Item: { pk: 'C#1', sk: entry.replaceAll('/', ' ') } }),
      );
      tried.push(`${entry} ${await outcome(call)}`);
      return { statusCode: 204, body: '' };
    };
    const stack = await bareStack({
      load: async (entry) => () => asked(entry),
      routes: [
        { path: '/fhir/metadata', entry: 'functions/metadata.ts', open: true },
        { path: '/fhir', entry: 'functions/records/patient.ts', open: true },
      ],
      schedule: [{ entry: 'functions/tick-subscriptions.ts', everyMs: 3_600_000, timeoutMs: 1_000 }],
    });
    try {
      await fetch(`${stack.url}/metadata`);
      await fetch(stack.url);
      await expect
        .poll(() => tried.toSorted())
        .toEqual([
          'functions/metadata.ts AccessDeniedException',
          'functions/records/patient.ts done',
          'functions/tick-subscriptions.ts AccessDeniedException',
        ]);
    } finally {
      await stack.stop();
    }
  });
});
