import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { isRefusal } from '../audit/following-rows.ts';
import { chartKey, locatorPrefix, type RowKey, recordKey } from './keys.ts';
import type { RecordStore } from './record-store.ts';
import type { StoredRecord } from './rows.ts';

/** A call to DynamoDB or the object store, as somebody who looks into the cost of a search may be told of it. */
export interface NotedCall {
  readonly operation: 'GetItem' | 'BatchGetItem' | 'Query' | 'PutItem' | 'TransactWriteItems' | 'GetObject' | 'another';
  /** Partition and range. Keys hold ids, hashes and what was searched for. */
  readonly where: string;
  readonly rows: number;
  /** Whether it read charts, or records of them. */
  readonly inCharts: boolean;
  /** Whether it looked up where the record is whose id a client chose: all organisations share these ids. */
  readonly locates: boolean;
  /** Whether it read a record that the caller may find. */
  readonly seen: boolean;
  /** Whether it writes that an access came to nothing. */
  readonly refusal: boolean;
  /** Rows that hold a record which met the conditions that it was read for. */
  readonly matched: number;
  readonly readUnits: number;
  readonly writeUnits: number;
}

type Noted = { -readonly [K in keyof NotedCall]: NotedCall[K] };
type Values = Readonly<Record<string, unknown>>;
interface Command {
  readonly input: Values;
}
interface Capacity {
  readonly CapacityUnits?: number;
}

/** Notes the calls of one request, and what they consume, which DynamoDB tells only then. Another request knows nothing of it. */
export class CallNotes {
  /** The same store, whose calls are noted. */
  readonly store: RecordStore;
  readonly #calls: Noted[] = [];
  readonly #charts = new Set<string>();
  /** The call that has read a record's row, by the row's key. */
  readonly #readBy = new Map<string, Noted>();
  #deepestStarted = 0;
  #deepestFinished = 0;

  constructor(store: RecordStore) {
    const { client, objects } = store;
    const send = (command: Command) => this.#noted(client, command);
    const noting = Object.assign(Object.create(client) as DynamoDBDocumentClient, { send });
    this.store = store.over(noting, {
      ...objects,
      get: (key) =>
        this.#timed({ ...nothing, inCharts: true, operation: 'GetObject', where: 'a large body' }, () =>
          objects.get(key),
        ),
    });
  }

  /** In the order in which they were sent. */
  get calls(): readonly NotedCall[] {
    return this.#calls;
  }

  /** In which the caller has found something. */
  get charts(): ReadonlySet<string> {
    return this.#charts;
  }

  /** The longest chain of calls that waited for one another. */
  get sequential(): number {
    return this.#deepestStarted;
  }

  /** Notes that a record has met the conditions that it was read for. */
  matched(record: StoredRecord): void {
    const { pk, sk } = recordKey(record);
    const call = this.#readBy.get(`${pk} ${sk}`);
    if (call) call.matched++;
  }

  /** Notes that a record is one that the caller may find. */
  seen(record: StoredRecord): void {
    const { pk, sk } = recordKey(record);
    const call = this.#readBy.get(`${pk} ${sk}`);
    if (call) call.seen = true;
    this.#charts.add(record.chart);
  }

  async #noted(client: DynamoDBDocumentClient, command: Command): Promise<unknown> {
    const call = callOf(command.input);
    Object.assign(command.input, { ReturnConsumedCapacity: 'TOTAL' });
    const answer = (await this.#timed(call, () => client.send(command as never))) as Values;
    const rows = rowsIn(answer);
    call.rows = rows.length;
    for (const row of rows) this.#readBy.set(recordIn(row), call);
    const consumed = [(answer.ConsumedCapacity ?? []) as Capacity | readonly Capacity[]].flat();
    const units = consumed.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
    if (writes.has(call.operation)) call.writeUnits = units;
    else call.readUnits = units;
    return answer;
  }

  /** A call follows another one if it was sent after that one had been answered. */
  async #timed<T>(call: Noted, send: () => Promise<T>): Promise<T> {
    this.#calls.push(call);
    const depth = 1 + this.#deepestFinished;
    this.#deepestStarted = Math.max(this.#deepestStarted, depth);
    try {
      return await send();
    } finally {
      this.#deepestFinished = Math.max(this.#deepestFinished, depth);
    }
  }
}

const nothing = {
  rows: 0,
  matched: 0,
  readUnits: 0,
  writeUnits: 0,
  inCharts: false,
  locates: false,
  seen: false,
  refusal: false,
};
const writes: ReadonlySet<string> = new Set(['PutItem', 'TransactWriteItems']);

/** By its shape: the names of classes are short in a deployed function. */
const callOf = (input: Values): Noted => {
  const call = (operation: Noted['operation'], where: string): Noted => ({
    ...nothing,
    operation,
    where,
    inCharts: operation !== 'PutItem' && where.startsWith(chartKey('')),
    locates: operation !== 'PutItem' && where.startsWith(locatorPrefix),
    refusal: operation === 'PutItem' && isRefusal(input.Item as RowKey),
  });
  if (input.KeyConditionExpression !== undefined) return call('Query', rangeOf(input));
  if (input.RequestItems !== undefined) {
    const keys = Object.values(input.RequestItems as Record<string, { Keys?: Values[] }>).flatMap(
      ({ Keys = [] }) => Keys,
    );
    return call('BatchGetItem', keys.map(keyText).join(', '));
  }
  if (input.Key !== undefined) return call('GetItem', keyText(input.Key as Values));
  if (input.Item !== undefined) return call('PutItem', keyText(input.Item as Values));
  return input.TransactItems === undefined ? call('another', '') : call('TransactWriteItems', '');
};

const keyText = ({ pk, sk }: Values): string => `${String(pk)} ${String(sk)}`;

/** Where a page goes on is not told: the key of a row there may hold another patient's name. */
const rangeOf = (input: Values): string => {
  const values = (input.ExpressionAttributeValues ?? {}) as Readonly<Record<string, string>>;
  const { ':pk': partition = '', ':from': from = '', ':to': to, ...others } = values;
  const [beginning = from] = Object.values(others);
  const prefixed = beginning === '' ? '' : `beginning with ${beginning}`;
  const range = to === undefined ? prefixed : `from ${from} to ${to}`;
  return [
    `${partition} ${range}`.trim(),
    ...(input.ScanIndexForward === false ? ['newest first'] : []),
    ...(input.Limit === undefined ? [] : [`at most ${JSON.stringify(input.Limit)} rows`]),
    ...(input.ExclusiveStartKey === undefined ? [] : ['going on']),
  ].join(', ');
};

const rowsIn = ({ Item, Items, Responses }: Values): Values[] => [
  ...(Item === undefined ? [] : [Item as Values]),
  ...((Items ?? []) as Values[]),
  ...Object.values((Responses ?? {}) as Record<string, Values[]>).flat(),
];

/** The key of the record that a row holds: its own, or in a registry that of the record which it repeats. */
const recordIn = ({ pk, sk, chart, place }: Values): string => {
  const [kind, , type = ''] = String(pk).split('#');
  if (kind !== 'X') return `${String(pk)} ${String(sk)}`;
  const key = recordKey({ type, chart: String(chart), place: String(place) });
  return `${key.pk} ${key.sk}`;
};
