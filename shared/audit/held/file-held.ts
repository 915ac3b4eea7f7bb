import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { log } from '../../log.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { LockedObjects } from '../../store/locked-objects.ts';
import { tryWrite } from '../../store/transact.ts';
import type { Table } from '../../store/write-rows.ts';
import { type FiledRow, filedKey, filedPrefix, heldPrefix, rowHeld } from './held-access.ts';

/** Rows that are filed at once: few, since the table was busy. */
const concurrency = 4;
/** Days for which a row is looked for that could not be filed. An alarm tells of it from the first quarter of an hour on. */
export const soughtDays = 35;
const dayMs = 86_400_000;

/**
 * Files the rows of the access log that are held in the bucket since the table could not take them. Nothing there is ever removed, so a second object tells of each that it was filed. Each step may be repeated, and two
 * runs at once do no harm: a row that is there stays as it is.
 *
 * @param now - milliseconds since 1970.
 * @returns how many were filed.
 * @throws Error if some could not be.
 */
export const fileHeld = async (table: Table, locked: LockedObjects, now = Date.now()): Promise<number> => {
  const since = `${heldPrefix}${new Date(now - soughtDays * dayMs).toISOString()}`;
  const held = await locked.names(heldPrefix, since);
  if (held.length === 0) return 0;
  const filed = new Set(await locked.names(filedPrefix, filedKey(since)));
  const waiting = held.filter((name) => !filed.has(filedKey(name)));
  const failed: unknown[] = [];
  await inParallel(concurrency, waiting, async (name) => {
    try {
      await file(table, locked, name);
    } catch (error) {
      failed.push(error);
    }
  });
  for (const error of failed.slice(0, 1)) log.fault('a held row of the access log was not filed', error);
  if (failed.length > 0) throw new Error(`${failed.length} held rows of the access log were not filed`);
  return waiting.length;
};

const file = async ({ client, tableName: TableName }: Table, locked: LockedObjects, name: string): Promise<void> => {
  const object = await locked.get(name);
  if (!object) throw new Error('A held row of the access log is gone');
  const Item: FiledRow = { ...rowHeld(object), held: name };
  await tryWrite(client, new PutCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }));
  await locked.putOnce(filedKey(name), Buffer.of());
};
