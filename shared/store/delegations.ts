import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import type { Delegation } from '../access/delegation.ts';
import { delegationPartition, type RowKey } from './keys.ts';
import { Layouts } from './layouts.ts';
import type { RecordStore } from './record-store.ts';

/** What a PractitionerRole grants that delegates, by organisation and person. */
export interface DelegationRow extends RowKey {
  readonly layout: number;
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

export const delegationLayouts = new Layouts<(row: DelegationRow) => Delegation>('delegation', {
  1: ({ sk, by, from, to }) => ({ role: `PractitionerRole/${sk}`, by, from, to }),
});

/**
 * What lets a person act for an organisation now. One call, strongly consistent: what was granted or ended, the next request sees. A period that has begun or
 * lapsed needs no write.
 *
 * @param person - reference to the own record, such as `Practitioner/1`.
 * @param now - in milliseconds since 1970.
 */
export const delegationInForce = async (
  { client, tableName }: Pick<RecordStore, 'client' | 'tableName'>,
  organization: string,
  person: string,
  now: number,
): Promise<Delegation | undefined> => {
  const { Items = [] }: QueryCommandOutput = await client.send(
    new QueryCommand({
      TableName: tableName,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': delegationPartition(organization, person) },
    }),
  );
  return (Items as DelegationRow[])
    .map((row) => delegationLayouts.reader(row.layout)(row))
    .find(({ from, to }) => from <= now && now < to);
};
