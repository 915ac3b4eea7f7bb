import { tableDefinition } from '../../../shared/store/table.ts';
import type { ContextOf } from './conditions.ts';
import type { Asked } from './policy.ts';

/** A row as DynamoDB's protocol writes it. */
type Item = Readonly<Record<string, { readonly S?: string }>>;

/** What of an operation's input decides whether it is permitted. */
interface Input {
  readonly TableName?: string;
  readonly Key?: Item;
  readonly Item?: Item;
  readonly KeyConditionExpression?: string;
  readonly ProjectionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Item;
  readonly Select?: string;
}

interface ReadOfTable extends Pick<Input, 'ProjectionExpression' | 'ExpressionAttributeNames'> {
  readonly Keys: readonly Item[];
}

type WriteOfTable = readonly { readonly PutRequest?: { Item: Item }; readonly DeleteRequest?: { Key: Item } }[];

const partitionKey = tableDefinition('').KeySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName ?? '';

/** @returns ARN of a table by its name. */
export type TableArn = (tableName: string) => string;

/**
 * What a call asks permission for. A batch asks for each of its tables, with the keys of all its rows there; a transaction asks for each of its parts, and has no action of its own.
 *
 * @param operation - such as `TransactWriteItems`.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
 */
export const askedOfDynamoDb = (
  operation: string,
  input: Readonly<Record<string, unknown>>,
  tableArn: TableArn,
): readonly Asked[] => {
  switch (operation) {
    case 'TransactWriteItems':
    case 'TransactGetItems':
      return (input.TransactItems as readonly Readonly<Record<string, Input>>[]).flatMap((part) =>
        Object.entries(part).map(([action, of]) => askedOfItem(`${action}Item`, of, tableArn, operation)),
      );
    case 'BatchGetItem':
      return Object.entries(input.RequestItems as Readonly<Record<string, ReadOfTable>>).map(
        ([tableName, { Keys, ...read }]) => ({
          action: 'dynamodb:BatchGetItem',
          resource: tableArn(tableName),
          context: contextOf('BatchGetItem', read, Keys.map(partitionOf)),
        }),
      );
    case 'BatchWriteItem':
      return Object.entries(input.RequestItems as Readonly<Record<string, WriteOfTable>>).map(
        ([tableName, requests]) => ({
          action: 'dynamodb:BatchWriteItem',
          resource: tableArn(tableName),
          context: contextOf(
            'BatchWriteItem',
            {},
            requests.map(({ PutRequest, DeleteRequest }) => partitionOf(PutRequest?.Item ?? DeleteRequest?.Key)),
          ),
        }),
      );
    default:
      return [askedOfItem(operation, input, tableArn)];
  }
};

const askedOfItem = (action: string, input: Input, tableArn: TableArn, enclosing?: string): Asked => ({
  action: `dynamodb:${action}`,
  resource: tableArn(input.TableName ?? ''),
  context: contextOf(action, input, partitionsOf(input), enclosing),
});

const partitionsOf = (input: Input): readonly string[] | undefined => {
  const row = input.Key ?? input.Item;
  if (row) return [partitionOf(row)];
  return input.KeyConditionExpression === undefined ? undefined : partitionsAskedFor(input);
};

const partitionOf = (row: Item | undefined): string => row?.[partitionKey]?.S ?? '';

/** A query asks for one partition: by an equation, whose value is never written out. */
const partitionsAskedFor = ({
  KeyConditionExpression = '',
  ExpressionAttributeNames = {},
  ExpressionAttributeValues = {},
}: Input): readonly string[] =>
  [...KeyConditionExpression.matchAll(/(#?\w+)\s*=\s*(:\w+)/g)]
    .filter(([, name = '']) => (ExpressionAttributeNames[name] ?? name) === partitionKey)
    .map(([, , value = '']) => ExpressionAttributeValues[value]?.S ?? '');

const selects = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan']);

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html#FGAC_DDB.ConditionKeys */
const contextOf =
  (action: string, input: Input, partitions: readonly string[] | undefined, enclosing?: string): ContextOf =>
  (key) => {
    switch (key) {
      case 'dynamodb:LeadingKeys':
        return partitions;
      case 'dynamodb:EnclosingOperation':
        return enclosing === undefined ? undefined : [enclosing];
      case 'dynamodb:Select':
        return selects.has(action) ? [selectOf(input)] : undefined;
      case 'dynamodb:Attributes':
        if (!selects.has(action)) throw new Error(`The local stack does not know which attributes ${action} touches`);
        return attributesOf(input);
      default:
        throw new Error(`The local stack does not know ${key} of ${action}`);
    }
  };

const selectOf = ({ Select, ProjectionExpression }: Input): string =>
  Select ?? (ProjectionExpression === undefined ? 'ALL_ATTRIBUTES' : 'SPECIFIC_ATTRIBUTES');

/** Top-level attributes that a read names: without a projection it names none, and gets all. */
const attributesOf = ({ ProjectionExpression, ExpressionAttributeNames = {} }: Input): readonly string[] | undefined =>
  ProjectionExpression?.split(',').map((path) => {
    const [name = ''] = path.trim().split(/[.[]/);
    return ExpressionAttributeNames[name] ?? name;
  });
