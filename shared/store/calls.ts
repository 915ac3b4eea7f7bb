import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { type CallRow, callSort } from './delegations.ts';
import { delegationKey } from './keys.ts';
import type { RecordStore } from './record-store.ts';
import { tryWrite } from './transact.ts';

/** @param until - milliseconds since 1970. */
export const callRow = (organization: string, person: string, chart: string, until: number): CallRow => ({
  ...delegationKey(organization, person, callSort),
  layout: 1,
  chart,
  until,
  expires: Math.ceil(until / 1_000),
});

/** Notes who calls now. */
export const beginCall = async ({ client, tableName }: RecordStore, row: CallRow): Promise<void> => {
  await tryWrite(client, new PutCommand({ TableName: tableName, Item: { ...row } }));
};
