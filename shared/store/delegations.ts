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

export const delegationLayouts = /* @__PURE__ */ new Layouts<(row: DelegationRow) => Delegation>('delegation', {
  1: ({ sk, by, from, to }) => ({ role: `PractitionerRole/${sk}`, by, from, to }),
  /** One that opens patients' records in verified calls alone. */
  2: ({ sk, by, from, to }) => ({ role: `PractitionerRole/${sk}`, by, from, to, callsOnly: true }),
});

/** Sorts before what lets a person act, and is read with it. */
export const callSort = '!call';

/** Which patient calls a person now, as verified. There is one such row a person: who calls next ends the call before. */
export interface CallRow extends RowKey {
  readonly layout: number;
  /** Of the patient. */
  readonly chart: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Seconds since 1970: time to live. */
  readonly expires: number;
}

export const callLayouts = /* @__PURE__ */ new Layouts<
  (row: CallRow) => { readonly chart: string; readonly until: number }
>('call', {
  1: ({ chart, until }) => ({ chart, until }),
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
  const rows = Items as (DelegationRow | CallRow)[];
  const given = rows
    .filter(isDelegation)
    .map((row) => delegationLayouts.reader(row.layout)(row))
    .filter(({ from, to }) => from <= now && now < to);
  // Each of several grants what it says, so the one that grants most counts.
  const delegation = given.find(({ callsOnly }) => !callsOnly) ?? given[0];
  const call = rows.find((row): row is CallRow => !isDelegation(row));
  const { chart, until } = call ? callLayouts.reader(call.layout)(call) : { chart: undefined, until: 0 };
  return delegation?.callsOnly && now < until ? { ...delegation, calling: chart } : delegation;
};

const isDelegation = (row: DelegationRow | CallRow): row is DelegationRow => row.sk !== callSort;
