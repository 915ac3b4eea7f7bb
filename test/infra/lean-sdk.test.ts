import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import * as sdk from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleFunctions } from '../../infra/bundle-function.ts';
import { defaultEndpointResolver } from '../../infra/sdk/dynamodb-endpoint.ts';
import * as fewDates from '../../infra/sdk/few-dates.ts';
import { replacedFiles } from '../../infra/sdk/lean-sdk.ts';
import { DefaultRateLimiter } from '../../infra/sdk/no-adaptive-retry.ts';
import { Sha256Js } from '../../infra/sdk/no-hash-in-script.ts';
import { HeaderFormatter } from '../../infra/sdk/no-signed-events.ts';
import { InvokeStore } from '../../infra/sdk/one-request-at-a-time.ts';
import { getInstanceMetadataRegion } from '../../infra/sdk/region-from-environment.ts';
import { failureOf } from '../../shared/store/failure.ts';
import { type DeployedFunctions, deployedFunctions } from '../support/deployed-functions.ts';
import { scratchFolder } from '../support/dynamodb.ts';

const fromHere = createRequire(import.meta.url);
/** What the SDK itself parses dates with. */
const sdkDates = createRequire(fromHere.resolve('@aws-sdk/client-dynamodb'))('@smithy/core/serde') as typeof fewDates;

const settings = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
};

type Client = Pick<typeof sdk, 'DynamoDBClient' | 'GetItemCommand'>;
const entry = 'test/support/deployed/dynamodb-client.ts';
let bundled: Client;
let deployed: DeployedFunctions;
beforeAll(async () => {
  deployed = await deployedFunctions();
  const folderOf = await bundleFunctions([entry], scratchFolder());
  bundled = createRequire(import.meta.url)(path.join(folderOf(entry), 'index.js')) as Client;
});

describe('what bundles hold of the SDK', () => {
  it.each(Object.entries(replacedFiles))('%s is replaced', (file, replacement) => {
    const { inputs } = deployed.bundleOf('functions/records/patient.ts');

    expect(inputs).not.toContain(`node_modules/${file}`);
    expect(inputs).toContain(path.join('infra/sdk', replacement));
  });

  it('leaves out the rules of endpoints where nobody has such rules', () => {
    const records = deployed.bundleOf('functions/records/patient.ts');
    const publishing = deployed.bundleOf('functions/publish-changes.ts');
    const rules = expect.stringMatching(/util-endpoints\/aws\.js$/) as string;

    expect(records.inputs).not.toContainEqual(rules);
    expect(publishing.inputs).toContainEqual(rules);
  });

  it('tells of a package its version and nothing else', () => {
    const { code } = deployed.bundleOf('functions/records/patient.ts');
    const { version } = createRequire(import.meta.url)('@aws-sdk/client-dynamodb/package.json') as { version: string };
    const text = Buffer.from(code).toString();

    expect(text).toContain(version);
    expect(text).not.toContain('devDependencies');
  });

  it('takes region and trace from the environment alone', async () => {
    expect(await getInstanceMetadataRegion()).toBeUndefined();
    expect(await InvokeStore.getInstanceAsync()).toBeUndefined();
  });

  it.each([
    ['the rate limiter of adaptive retries', () => new DefaultRateLimiter()],
    ['SHA-256 in JavaScript', () => new Sha256Js()],
    ['the signing of events', () => new HeaderFormatter().format()],
  ])('refuses where it is asked for what was left out: %s', (_, use) => {
    expect(use).toThrow('not part of this bundle');
  });

  it.each([
    ['parseRfc3339DateTime', '2024-05-06T07:08:09Z'],
    ['parseRfc3339DateTime', '2024-05-06T07:08:09.123Z'],
    ['parseRfc3339DateTimeWithOffset', '2024-05-06T07:08:09+02:00'],
    ['parseRfc7231DateTime', 'Mon, 06 May 2024 07:08:09 GMT'],
    ['parseEpochTimestamp', 1_714_979_289.123],
    ['parseEpochTimestamp', '1714979289'],
    ['parseEpochTimestamp', undefined],
  ] as const)('reads dates as the SDK does: %s(%s)', (name, value) => {
    expect(fewDates[name](value as never)).toEqual(sdkDates[name](value as never));
  });

  it('refuses a date that is none, and writes one as the SDK does', () => {
    const date = new Date(1_714_979_289_000);

    expect(() => fewDates.parseRfc3339DateTime('tomorrow')).toThrow('Invalid');
    expect(fewDates.dateToUtcString(date)).toBe(sdkDates.dateToUtcString(date));
  });

  it('refuses adaptive retries at the first call', async () => {
    const client = new bundled.DynamoDBClient({ ...settings, retryMode: 'adaptive' });

    await expect(client.send(new bundled.GetItemCommand({ TableName: 'table', Key: {} }))).rejects.toThrow(
      'Adaptive retries are not part of this bundle',
    );
  });
});

describe("DynamoDB's endpoint in bundles", () => {
  const resolve = (parameters: Record<string, string | boolean>) =>
    new sdk.DynamoDBClient(settings).config.endpointProvider(parameters);
  const plain = { UseFIPS: false, UseDualStack: false, AccountIdEndpointMode: 'preferred' };

  it.each([
    'us-east-1',
    'us-west-2',
    'eu-central-1',
    'eu-west-3',
    'ap-southeast-2',
    'sa-east-1',
    'ca-central-1',
    'me-south-1',
    'af-south-1',
    'il-central-1',
    'mx-central-1',
    'us-gov-west-1',
    'us-gov-east-1',
  ])('is that of the SDK in %s', (Region) => {
    expect(defaultEndpointResolver({ ...plain, Region })).toEqual(resolve({ ...plain, Region }));
  });

  it('is the one that is configured', () => {
    const Endpoint = 'http://127.0.0.1:8000/store';

    expect(defaultEndpointResolver({ ...plain, Region: 'us-east-1', Endpoint })).toEqual(
      resolve({ ...plain, Region: 'us-east-1', Endpoint }),
    );
  });

  it.each([
    [{ Region: 'cn-north-1' }],
    [{ Region: 'us-iso-east-1' }],
    [{ Region: 'us-isob-east-1' }],
    [{ Region: 'eu-isoe-west-1' }],
    [{ Region: 'eusc-de-east-1' }],
    [{ Region: 'local' }],
    [{ Region: 'us-east-1.example.org/' }],
    [{}],
    [{ Region: 'us-east-1', UseFIPS: true }],
    [{ Region: 'us-east-1', UseDualStack: true }],
    [{ Region: 'us-east-1', UseFIPS: true, Endpoint: 'http://127.0.0.1:8000' }],
    [{ Region: 'us-east-1', AccountIdEndpointMode: 'required' }],
  ])('is refused, not guessed, for %j', (parameters) => {
    expect(() => defaultEndpointResolver({ ...plain, ...parameters })).toThrow('not part of this bundle');
  });
});

describe('an exception of DynamoDB in a bundle', () => {
  const exceptions = Object.entries(sdk).flatMap(([name, value]) =>
    typeof value === 'function' && value.prototype instanceof sdk.DynamoDBServiceException
      ? [[name, value as unknown as new (options: object) => Error & { $fault: string }] as const]
      : [],
  );
  /** What some of them say besides. */
  const more: Readonly<Record<string, object>> = {
    ConditionalCheckFailedException: { Item: { pk: { S: 'a' }, body: { B: 'AAEC' } } },
    TransactionCanceledException: {
      CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Item: { body: { B: 'AAEC' } } }],
    },
  };

  let service: Server;
  let answer: { status: number; body: object };
  beforeAll(async () => {
    service = createServer((_request, response) => {
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify(answer.body));
    });
    await new Promise<void>((resolve) => {
      service.listen(0, '127.0.0.1', resolve);
    });
  });
  afterAll(() => {
    service.close();
  });

  const thrownBy = async ({ DynamoDBClient, GetItemCommand }: Client) => {
    const { port } = service.address() as AddressInfo;
    const client = new DynamoDBClient({ ...settings, endpoint: `http://127.0.0.1:${port}` });
    const error = await client.send(new GetItemCommand({ TableName: 'table', Key: { pk: { S: 'a' } } })).then(
      () => new Error('No exception'),
      (thrown: unknown) => thrown as sdk.DynamoDBServiceException,
    );
    client.destroy();
    const { name, message, $fault, $metadata, $retryable, Item, CancellationReasons } = error as Partial<
      sdk.TransactionCanceledException & sdk.ConditionalCheckFailedException
    >;
    const { httpStatusCode } = $metadata ?? {};
    const said = { name, message, $fault, httpStatusCode, $retryable, Item, CancellationReasons };
    return { ...said, failure: failureOf(error), isError: error instanceof Error };
  };

  it.each(exceptions)('%s says the same', async (name, exception) => {
    const { $fault } = new exception({ message: '', $metadata: {} });
    answer = {
      status: $fault === 'server' ? 500 : 400,
      body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'Why it is so', ...more[name] },
    };
    const original = await thrownBy(sdk);

    expect(original).toMatchObject({ name, message: 'Why it is so' });
    expect(await thrownBy(bundled)).toEqual(original);
  });

  it('is there for each that the SDK knows', () => {
    expect(exceptions.length).toBeGreaterThan(30);
  });

  it.each(['UnrecognizedClientException', 'ValidationException'])(
    '%s, of all services, says the same',
    async (name) => {
      answer = { status: 400, body: { __type: `com.amazon.coral.service#${name}`, message: 'Why it is so' } };
      const original = await thrownBy(sdk);

      expect(original).toMatchObject({ name, message: 'Why it is so' });
      expect(await thrownBy(bundled)).toEqual(original);
    },
  );
});
