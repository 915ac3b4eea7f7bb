import type { NativeAttributeValue } from '@aws-sdk/util-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';

// DynamoDB as far as booking asks for it: a pure function of a table and a call. What it does not know it refuses to guess at, and its answers are
// compared with those of the embedded DynamoDB.

export type Item = Readonly<Record<string, NativeAttributeValue>>;
/** Items by partition and sort key. Never changed in place. */
export type Table = ReadonlyMap<string, Item>;

/** A call as the SDK's document client would send it. */
export interface Call {
  readonly name: string;
  readonly input: Readonly<Record<string, NativeAttributeValue>>;
}

export type Outcome = { readonly answer: unknown } | { readonly error: Error };

interface Expressed {
  readonly Key: Item;
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Item;
}
type Action = Partial<Record<'Put' | 'Update' | 'Delete' | 'ConditionCheck', Expressed & { readonly Item?: Item }>>;

const nameOf = ({ pk, sk }: Item) => `${pk}\n${sk}`;
/** As it comes back from the table: without what is undefined. */
const stored = (item: Item): Item => unmarshall(marshall(item, { removeUndefinedValues: true }));

/** What becomes of a table, and what is answered. */
export const perform = (table: Table, { name, input }: Call): { readonly table: Table; readonly outcome: Outcome } => {
  if (name === 'Get') return { table, outcome: { answer: { Item: table.get(nameOf(input.Key as Item)) } } };
  if (name === 'BatchGet') return { table, outcome: { answer: batchGot(table, input) } };
  if (name === 'Query') return { table, outcome: { answer: { Items: queried(table, input) } } };
  if (name === 'TransactWrite') return transacted(table, input.TransactItems as Action[]);
  throw new Error(`The model knows no ${name}`);
};

const batchGot = (table: Table, { RequestItems }: Call['input']) => {
  const [[tableName, { Keys }] = ['', { Keys: [] }]] = Object.entries(RequestItems as Record<string, { Keys: Item[] }>);
  return { Responses: { [tableName]: Keys.flatMap((key) => table.get(nameOf(key)) ?? []) }, UnprocessedKeys: {} };
};

const queried = (table: Table, { KeyConditionExpression, ExpressionAttributeValues }: Call['input']) => {
  if (KeyConditionExpression !== 'pk = :pk') throw new Error(`The model knows no ${KeyConditionExpression}`);
  return [...table.values()].filter(({ pk }) => pk === (ExpressionAttributeValues as Item)[':pk']);
};

const transacted = (table: Table, actions: readonly Action[]) => {
  const next = new Map(table);
  const reasons = actions.map((action) => {
    const [[kind, one] = []] = Object.entries(action);
    if (!kind || !one) throw new Error('An action of nothing');
    const key = nameOf(one.Item ?? one.Key);
    const before = table.get(key);
    if (!holds(one, before)) return { Code: 'ConditionalCheckFailed', ...(before ? { Item: marshall(before) } : {}) };
    if (kind === 'Put' && one.Item) next.set(key, stored(one.Item));
    else if (kind === 'Delete') next.delete(key);
    else if (kind === 'Update') next.set(key, stored(updated(one, before)));
    else if (kind !== 'ConditionCheck') throw new Error(`The model knows no ${kind}`);
    return { Code: 'None' };
  });
  if (reasons.every(({ Code }) => Code === 'None')) return { table: next, outcome: { answer: {} } };
  const error = Object.assign(new Error('Cancelled'), {
    name: 'TransactionCanceledException',
    CancellationReasons: reasons,
  });
  return { table, outcome: { error } };
};

const holds = ({ ConditionExpression = '', ...names }: Expressed, item: Item | undefined): boolean =>
  ConditionExpression === '' ||
  ConditionExpression.split(' AND ').every((condition) => {
    const exists = /^attribute_(not_)?exists\(([#\w]+)\)$/.exec(condition);
    if (exists) return (item?.[attribute(names, exists[2])] === undefined) === (exists[1] !== undefined);
    const equals = /^([#\w]+) = (:\w+)$/.exec(condition);
    if (!equals) throw new Error(`The model knows no ${condition}`);
    const value = item?.[attribute(names, equals[1])];
    return value !== undefined && asText(value) === asText(names.ExpressionAttributeValues?.[equals[2] ?? '']);
  });

const updated = ({ UpdateExpression = '', Key, ...names }: Expressed, before: Item | undefined): Item => {
  const [, sets = '', removes = ''] = /^SET (.+?)(?: REMOVE (.+))?$/.exec(UpdateExpression) ?? [];
  if (sets === '') throw new Error(`The model knows no ${UpdateExpression}`);
  const item: Record<string, NativeAttributeValue> = { ...before, ...Key };
  for (const set of sets.split(', ')) {
    const [, name, value] = /^(#\w+) = (:\w+)$/.exec(set) ?? [];
    if (!name || !value) throw new Error(`The model knows no ${set}`);
    item[attribute(names, name)] = names.ExpressionAttributeValues?.[value];
  }
  for (const name of removes === '' ? [] : removes.split(', ')) delete item[attribute(names, name)];
  return item;
};

const attribute = (
  { ExpressionAttributeNames = {} }: Pick<Expressed, 'ExpressionAttributeNames'>,
  name = '',
): string => (name.startsWith('#') ? (ExpressionAttributeNames[name] ?? '') : name);

/** Equal values have equal texts. */
export const asText = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => {
    if (each instanceof Set) return [...each].sort();
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)));
  });

const texts = new WeakMap<Item, string>();

/** Equal tables have equal texts. */
export const textOf = (table: Table): string =>
  [...table]
    .map(([name, item]) => {
      const text = texts.get(item) ?? asText(item);
      texts.set(item, text);
      return `${name}\n${text}`;
    })
    .sort()
    .join('\n');
