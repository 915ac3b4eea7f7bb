import { BatchGetCommand, GetCommand, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import type { RecordStore } from '../../../shared/store/record-store.ts';
import { Random } from '../../support/naive-search/random.ts';
import { testStore } from '../../support/test-store.ts';
import { follow, storeOver, type Told } from './client.ts';
import { type Exploration, explore, type Mutation } from './explore.ts';
import { invariantsOf } from './invariants.ts';
import { mutations } from './mutations.ts';
import { type Case, cases, later, now, tableWith } from './scenarios.ts';
import { asText, type Call, type Item, type Outcome, perform } from './table.ts';

const { ids } = storeOver(() => Promise.reject(new Error('Nothing is read through it')));

/** No pause before a repetition is drawn longer than nothing. */
const withoutPauses = async <T>(work: () => Promise<T>): Promise<T> => {
  const { random } = Math;
  Math.random = () => 0;
  try {
    return await work();
  } finally {
    Math.random = random;
  }
};

const search = ({ there, clients, lapses, faults = {} }: Case, mutation?: Mutation): Promise<Exploration> =>
  withoutPauses(async () => {
    const works = clients.map(({ work }) => work);
    const scenario = { table: await tableWith(there), works, now, later: lapses ? later : now, faults };
    const wanted = clients.map((client) => client.wanted);
    return explore(scenario, invariantsOf({ ids }, works, wanted), mutation);
  });

describe('booking keeps every promise in every order of the calls of three clients:', () => {
  it.each(cases)('$name', async (each) => {
    const { states, interleavings, endings, violation } = await search(each);

    expect(violation).toBeUndefined();
    expect([...endings].sort()).toEqual(each.endings);
    expect(interleavings).toBeGreaterThanOrEqual(each.atLeast);
    expect(states).toBeGreaterThan(30);
  });
});

describe('each rule of booking is needed:', () => {
  it.each(Object.entries(mutations))('%s', async (_, [mutation, name, invariant]) => {
    const one = cases.find((each) => each.name === name);
    if (!one) throw new Error(`There is no case of ${name}`);

    const { violation } = await search(one, mutation);

    expect(violation?.invariant).toBe(invariant);
  });
});

describe('the table of the model', () => {
  it('answers as DynamoDB does', async () => {
    const compared: string[] = [];
    await withoutPauses(async () => {
      for (const [number, one] of cases.entries()) compared.push(...(await compareOneOrder(one, number)));
    });

    expect(compared.length).toBeGreaterThan(50);
    expect(new Set(compared)).toEqual(new Set(['Get', 'BatchGet', 'TransactWrite', 'TransactWrite refused']));
  });
});

/** Follows one order of the calls of a case, and expects that DynamoDB answers each as the table does. @returns what was called. */
const compareOneOrder = async ({ there, clients }: Case, seed: number): Promise<string[]> => {
  const store = await testStore();
  const random = new Random(seed);
  let table = await tableWith(there);
  for (const Item of table.values())
    await store.client.send(new PutCommand({ TableName: store.tableName, Item: { ...Item } }));
  const noSchedules = ({ name }: Call) => (name === 'Query' ? { Items: [] } : undefined);
  const told: Told[][] = clients.map(() => []);
  const compared: string[] = [];
  for (let open = [...clients.keys()]; open.length > 0; ) {
    const client = random.of(open);
    const { work } = clients[client] ?? {};
    const { waiting } = work ? await follow(work, now, told[client] ?? [], noSchedules) : { waiting: [] };
    const [call] = waiting;
    if (!call) {
      open = open.filter((each) => each !== client);
      continue;
    }
    const done = perform(table, call);
    table = done.table;
    expect(await answerOf(store, call)).toEqual(comparable(done.outcome));
    told[client]?.push({ which: 0, outcome: done.outcome });
    compared.push('error' in done.outcome ? `${call.name} refused` : call.name);
  }
  return compared;
};

const commands = { Get: GetCommand, BatchGet: BatchGetCommand, TransactWrite: TransactWriteCommand };

/** What DynamoDB answers to a call of the model. */
const answerOf = async ({ client, tableName: TableName }: RecordStore, { name, input }: Call) => {
  const { ClientRequestToken: _number, ...rest } = input;
  const [keys] = Object.values((rest.RequestItems ?? {}) as Record<string, unknown>);
  const items = ((rest.TransactItems ?? []) as Record<string, object>[]).map((item) =>
    Object.fromEntries(Object.entries(item).map(([kind, write]) => [kind, { ...write, TableName }])),
  );
  const Command = commands[name as keyof typeof commands] as new (input: unknown) => GetCommand;
  const own = {
    Get: { TableName },
    BatchGet: { RequestItems: { [TableName]: keys } },
    TransactWrite: { TransactItems: items },
  };
  try {
    return comparable({ answer: await client.send(new Command({ ...rest, ...own[name as keyof typeof commands] })) });
  } catch (error) {
    return comparable({ error: error as Error });
  }
};

/** What clients of an answer look at. */
const comparable = (outcome: Outcome) => {
  if ('error' in outcome) {
    const { name, CancellationReasons = [] } = outcome.error as Error & {
      CancellationReasons?: { Code?: string; Item?: Item }[];
    };
    return {
      name,
      reasons: CancellationReasons.map(({ Code, Item: row }) => ({ Code, row: row && plain(unmarshall(row)) })),
    };
  }
  const { Item: item, Responses = {} } = outcome.answer as { Item?: Item; Responses?: Record<string, Item[]> };
  return { item: item && plain(item), rows: Object.values(Responses).flat().map(plain).map(asText).sort() };
};

/** Bytes come as one class or another. */
const plain = (item: Item): Item =>
  Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ]),
  );
