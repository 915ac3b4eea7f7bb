import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { canaryEntry } from '../../infra/canary.ts';
import { functionEntries } from '../../infra/concord-stacks.ts';
import { grantsOf, type Places } from '../../infra/grants/function-grants.ts';
import { tokenClaimsEntries } from '../../infra/local/pool-functions.ts';
import { streamConsumers } from '../../infra/local/stream-consumers.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { beatPrefix } from '../../shared/store/feed/feed-keys.ts';
import { auditPartition } from '../../shared/store/keys.ts';
import { bareStack } from '../support/concord.ts';
import { keyStatements, roleStatements } from '../support/policies-of-templates.ts';
import { entryOf, type Resource, synthesised } from '../support/synthesised.ts';

// Routes, gateway answers, filters, batches, queues, schedules and the table's keys are compared where their stacks are tested.

const functions = () => synthesised().resources('AWS::Lambda::Function');

const variablesOf = ({ properties }: Resource) =>
  (properties.Environment as { Variables?: Readonly<Record<string, unknown>> } | undefined)?.Variables ?? {};

/** What the templates tell a function, and the local stack does not. */
const onlyDeployed: Readonly<Record<string, string>> = {
  API_URL: 'npm run canary takes the address of the local server',
  CANARY_SECRET: 'and an application of the local pools',
  CONTENT_KEY_ARN: 'nothing is encrypted here, so no upload has to name a key',
  PARTNERS: 'nobody has a bus of his own here',
  STAFF_SIGN_IN: 'there are no pages of sign-in here: npm run token takes their place',
  PATIENT_SIGN_IN: 'likewise',
};

/** What the local stack tells a function, and the templates do not. */
const onlyLocal: Readonly<Record<string, string>> = {
  AWS_ENDPOINT_URL: 'the stand-ins are elsewhere than the services',
  AWS_ENDPOINT_URL_DYNAMODB: 'likewise',
  AWS_ENDPOINT_URL_S3: 'likewise',
  AWS_ENDPOINT_URL_EVENTBRIDGE: 'likewise',
  AWS_REGION: 'Lambda itself gives these three',
  AWS_ACCESS_KEY_ID: 'likewise',
  AWS_SECRET_ACCESS_KEY: 'likewise',
  USER_POOL_JWKS: 'what a function fetches once in an account',
  KNOWLEDGE_PACK: 'is empty here and absent there where a deployment has no pack of its own',
};

/** What references of the templates lead to, by variable: what the local stack gives is one of the same. */
const meanings: Readonly<Record<string, RegExp>> = {
  TABLE_NAME: /records:ExportsOutputRefTable\w{16}"/,
  BUCKET_NAME: /documents:ExportsOutputRefBodiesBucket/,
  DIGEST_BUCKET_NAME: /documents:ExportsOutputRefDigestsBucket/,
  DIGEST_KEY_ID: /\["DigestKey\w{8}","Arn"\]/,
  SECRETS_KEY_ID: /records:ExportsOutputFnGetAttSecretsKey\w+Arn/,
  EVENT_BUS_NAME: /"Ref":"Bus\w{8}"/,
  STAFF_POOL_ID: /Staff/,
  PATIENT_POOL_ID: /Patient/,
  WAKE_QUEUE_URL: /"Ref":"WakesQueue\w{8}"/,
};

describe('the environment of functions', () => {
  it('has the same variables on this machine and deployed, but for some with a reason', async () => {
    const deployed = [...new Set(functions().flatMap((each) => Object.keys(variablesOf(each))))];
    // A stack of another file may have set them to the same.
    for (const name of [...deployed, ...Object.keys(onlyLocal)]) vi.stubEnv(name, undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    const before = { ...process.env };
    const stack = await bareStack();
    onTestFinished(() => stack.stop());

    const local = Object.keys(process.env).filter((name) => process.env[name] !== before[name]);

    expect(local.filter((name) => !deployed.includes(name) && !(name in onlyLocal))).toEqual([]);
    expect(deployed.filter((name) => !local.includes(name) && !(name in onlyDeployed))).toEqual([]);
    expect(deployed.filter((name) => name in onlyLocal)).toEqual([]);
    expect(local.filter((name) => name in onlyDeployed)).toEqual([]);
  });

  it.each(Object.entries(meanings))('means by %s the same resource wherever a function has it', (name, meaning) => {
    const values = functions().flatMap((each) =>
      name in variablesOf(each) ? [JSON.stringify(variablesOf(each)[name])] : [],
    );

    expect(values.length).toBeGreaterThan(0);
    expect(values.filter((value) => !meaning.test(value))).toEqual([]);
  });
});

describe('the time of functions', () => {
  it('is that of the templates, in whatever way they are called', async () => {
    const seconds = new Map<string, number>();
    const stack = await bareStack({
      load: async (entry) => (event, context) => {
        seconds.set(entry, Math.round(context.getRemainingTimeInMillis() / 1_000));
        return entry.startsWith('functions/metadata') ? { statusCode: 204, body: '' } : event;
      },
      routes: [{ path: '/fhir/metadata', entry: 'functions/metadata.ts', open: true }],
      consumers: streamConsumers,
      poolFunctions: true,
    });
    onTestFinished(() => stack.stop());
    const { TABLE_NAME } = process.env;
    const put = (Item: Readonly<Record<string, unknown>>) =>
      documentClient().send(new PutCommand({ TableName: TABLE_NAME, Item }));

    await fetch(`${stack.url}/metadata`);
    await stack.token('nurse@northside.example');
    await put({ pk: `${beatPrefix}0`, sk: 'beat' });
    await put({ pk: auditPartition('chart'), sk: 'place' });
    await stack.settled();

    const deployed = new Map(functions().map((each) => [entryOf(each), each.properties.Timeout]));
    expect([...seconds.keys()].sort()).toEqual(
      [...streamConsumers.map(({ entry }) => entry), tokenClaimsEntries.staff, 'functions/metadata.ts'].sort(),
    );
    for (const [entry, each] of seconds) expect([entry, each]).toEqual([entry, deployed.get(entry)]);
  });
});

const places: Places = {
  table: {
    tableArn: 'records/Table',
    keyArn: 'records/TableKey',
    bucketArn: 'documents/BodiesBucket',
    bucketKeyArn: 'documents/BodiesKey',
    region: 'us-east-1',
  },
  digests: { bucketArn: 'documents/DigestsBucket', keyArn: 'documents/DigestsKey', region: 'us-east-1' },
  digestKeyArn: 'sharing/DigestKey',
  secretsKeyArn: 'records/SecretsKey',
  busArn: 'sharing/Bus',
  wakes: { queueArn: 'sharing/WakesQueue', keyArn: 'sharing/Key' },
};

/** What Lambda does in a function's name, and no code of it: write its log, read the stream or a queue before it, and put what it has failed on into a queue. */
const byLambda = [
  /^Allow logs:(?:CreateLogStream|PutLogEvents) on \w+\/\w+Log /,
  /^Allow dynamodb:(?:DescribeStream|GetRecords|GetShardIterator) on records\/TableStream /,
  /^Allow dynamodb:ListStreams on \* /,
  /^Allow xray:(?:PutTelemetryRecords|PutTraceSegments) on \* /,
  /^Allow sqs:SendMessage on sharing\/\w+Failed /,
  /^Allow sqs:(?:DeleteMessage|GetQueueAttributes|ReceiveMessage) on sharing\/(?:WakesQueue|RecoveryWaiting) /,
  /^Allow kms:(?:Decrypt|GenerateDataKey) on sharing\/Key /,
];

/** One line for each action on each resource: CDK puts statements together where that means the same. */
const lines = (effect: string, actions: readonly string[], resources: readonly string[], conditions: unknown = {}) =>
  actions.flatMap((action) =>
    resources.map((resource) => `${effect} ${action} on ${resource} ${JSON.stringify(conditions)}`),
  );

/** Statements of a function's role, and those of keys that name it. */
const deployedGrants = ({ part, properties }: Resource): string[] => {
  const [roleId] = (properties.Role as { 'Fn::GetAtt': [string] })['Fn::GetAtt'];
  return [...roleStatements(), ...keyStatements()]
    .filter((each) => each.part === part && each.holder === roleId)
    .flatMap(({ effect, actions, resources, conditions }) => lines(effect, actions, resources, conditions));
};

describe('what functions may do', () => {
  // The canary is no function here: npm run canary does what it does, with a token.
  it.each(functionEntries.filter((entry) => entry !== canaryEntry))(
    'of %s is on this machine what it is deployed, but for what Lambda does in its name',
    (entry) => {
      const found = functions().find((each) => entryOf(each) === entry);
      if (!found) throw new Error(`${entry} is not deployed`);
      const local = grantsOf(entry, places).flatMap(({ effect = 'Allow', actions, resources, conditions }) =>
        lines(effect, actions, resources, conditions),
      );

      const deployed = deployedGrants(found);

      expect(local.filter((each) => !deployed.includes(each))).toEqual([]);
      expect(
        deployed.filter((each) => !local.includes(each) && !byLambda.some((pattern) => pattern.test(each))),
      ).toEqual([]);
      expect(deployed.length).toBeGreaterThan(0);
    },
  );
});
