import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  type BatchGetCommandInput,
  DynamoDBDocumentClient,
  GetCommand,
  type GetCommandInput,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { countCalls } from '../support/count-calls.ts';
import type { FhirServer } from '../support/fhir-server.ts';

/** One call to DynamoDB through the document client and nothing around it. May be sent again and again. */
export type BareCall = () => Promise<unknown>;

interface Sent {
  readonly name: string;
  readonly input: object;
}

/** A client for bare calls on the same endpoint, as the SDK makes it by default. */
export const bareClient = async ({ store }: FhirServer): Promise<DynamoDBDocumentClient> => {
  const endpoint = await store.client.config.endpoint?.();
  if (!endpoint) throw new Error('The client has no endpoint');
  const url = `${endpoint.protocol}//${endpoint.hostname}:${endpoint.port}`;
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: url }), {
    marshallOptions: { removeUndefinedValues: true },
  });
  countCalls(client); // as the server's own are: counting must not make the one dearer than the other
  return client;
};

/** Does some work and tells what it sent. */
const sentBy = async ({ store: { client } }: FhirServer, work: () => Promise<unknown>): Promise<Sent[]> => {
  const sent: Sent[] = [];
  const send = client.send.bind(client) as (command: object) => Promise<unknown>;
  Object.assign(client, {
    send: (command: { input: object }) => {
      sent.push({ name: command.constructor.name.replace('Command', ''), input: command.input });
      return send(command);
    },
  });
  try {
    await work();
  } finally {
    Reflect.deleteProperty(client, 'send'); // the prototype's own shows again
  }
  return sent;
};

/**
 * The call that a request cannot do without, on its own: its transaction if it writes, else its read. Of a transaction the rows and
 * their number and sizes stay; the keys are others, and conditions hold, so that it can be repeated.
 */
export const bareCallOf = async (
  server: FhirServer,
  client: DynamoDBDocumentClient,
  work: () => Promise<unknown>,
): Promise<BareCall> => {
  const sent = await sentBy(server, work);
  const transaction = sent.find(({ name }) => name === 'TransactWrite');
  const main = transaction ?? sent.find(({ name }) => name !== 'Put');
  const { name, input } = main ?? { name: 'nothing', input: {} };
  if (name === 'TransactWrite') {
    const TransactItems = repeatable((input as TransactWriteCommandInput).TransactItems ?? []);
    return () => client.send(new TransactWriteCommand({ TransactItems }));
  }
  if (name === 'Get') return () => client.send(new GetCommand(input as GetCommandInput));
  if (name === 'BatchGet') return () => client.send(new BatchGetCommand(input as BatchGetCommandInput));
  if (name === 'Query') return () => client.send(new QueryCommand(input as QueryCommandInput));
  throw new Error(`There is no bare call for ${name}`);
};

type Actions = NonNullable<TransactWriteCommandInput['TransactItems']>;

let transactions = 0;

/** Holds whatever the row is, and still mentions all names and values that come with the condition. */
const holding = (condition: string | undefined) =>
  condition === undefined ? 'attribute_not_exists(bare)' : `attribute_not_exists(bare) OR (${condition})`;

const repeatable = (actions: Actions): Actions => {
  const transaction = ++transactions;
  return actions.map(({ Put, Update, Delete, ConditionCheck }, index) => {
    const Key = { pk: `!bare#${transaction}#${index}`, sk: 'row' };
    const holds = (action: { readonly ConditionExpression?: string | undefined } | undefined) => ({
      ConditionExpression: holding(action?.ConditionExpression),
    });
    if (Put) return { Put: { ...Put, Item: { ...Put.Item, ...Key }, ...holds(Put) } };
    if (Delete) return { Delete: { ...Delete, Key, ...holds(Delete) } };
    if (Update) return { Update: { ...Update, Key, ...holds(Update) } };
    return {
      ConditionCheck: { ...ConditionCheck, TableName: ConditionCheck?.TableName, Key, ...holds(ConditionCheck) },
    };
  });
};

/** A bare GetItem and a bare PutItem of one row of 600 bytes. */
export const bareItem = (client: DynamoDBDocumentClient, TableName: string): { get: BareCall; put: BareCall } => {
  const Key = { pk: '!bare', sk: 'row' };
  const Item = {
    ...Key,
    layout: 1,
    version: 1,
    updated: 1_700_000_000_000,
    custodian: 'northside',
    body: Buffer.alloc(500, 7),
  };
  return {
    get: () => client.send(new GetCommand({ TableName, Key, ConsistentRead: true })),
    put: () => client.send(new PutCommand({ TableName, Item })),
  };
};
