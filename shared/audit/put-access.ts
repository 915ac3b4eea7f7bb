import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { log } from '../log.ts';
import { tryWrite } from '../store/transact.ts';
import type { Table } from '../store/write-rows.ts';
import type { AuditRow } from './audit-row.ts';

/**
 * Writes a row of the access log. Nothing is told if it is there: now, or by an earlier sending of it. If the table cannot take it, the bucket of digests does, from where it is filed once the table can
 * (held/file-held.ts): whoever treats a patient is not blinded by a log that is slow.
 *
 * @throws what kept the row from the table or, in the end, from the bucket: no access without a trace.
 */
export const putAccess = async ({ client, tableName: TableName }: Table, Item: AuditRow): Promise<void> => {
  try {
    await tryWrite(client, new PutCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }));
  } catch (error) {
    const { hold } = await import('./held/hold.lazy.ts');
    await hold(client, Item, error);
    log.fault('a row of the access log is held in the bucket', error);
    log.count('AccessesHeld');
  }
};
