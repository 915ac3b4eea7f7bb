import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Row } from './keys.ts';
import { tryWrite } from './transact.ts';
import type { Table } from './write-rows.ts';

/**
 * Puts a row that never changes: one that is there already, such as by an earlier sending, stays as it is.
 *
 * @throws RecordError `throttled`; the error that left it without an answer.
 */
export const putOnce = async ({ client, tableName: TableName }: Table, Item: Row): Promise<void> => {
  await tryWrite(client, new PutCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }));
};
