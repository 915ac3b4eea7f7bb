import { type DynamoDBDocumentClient, PutCommand, QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import { nameInRow } from '../access/programmes.ts';
import { renewableSeconds, tokenLifetimeSeconds } from '../access/token-lifetime.ts';
import { deniedKey, deniedPartition, type RowKey } from './keys.ts';
import { Layouts } from './layouts.ts';
import type { RecordStore } from './record-store.ts';

/** Rows outlive the tokens that they deny, and those by which a sign-in is renewed, by this, whatever the clocks say. In seconds. */
const margin = 600;

/**
 * What is denied: a person by the own record (`Practitioner/id`), a user by the pool's `sub`, an application by the pool's `client_id`, whoever it was used by, or one
 * sign-in or token of a person (`sessionName`).
 */
export type DeniedKind = 'person' | 'subject' | 'client' | 'session';

/**
 * Names one sign-in (`origin_jti`) or token (`jti`) of a person. The person is part of it, so that nobody who may end somebody's sessions can end another
 * one's by a name that came from elsewhere.
 */
export const sessionName = (fhirUser: string, session: string): string => `${fhirUser}#${session}`;

/** All tokens that come of sign-ins up to a moment, in milliseconds since 1970, are good for nothing. */
export interface Denial {
  readonly kind: DeniedKind;
  readonly name: string;
  readonly before: number;
}

/** What is a substance-use programme. */
export interface Programme {
  readonly kind: 'programme';
  /** `Type/id` of an organisation, a part of one, a service or a place; or an identifier of it: shared/access/programmes.ts. */
  readonly name: string;
}

/** A row as it lies in the table. */
export interface DenialRow extends RowKey {
  readonly layout: number;
  /** Milliseconds since 1970. */
  readonly before: number;
  /** Seconds since 1970. */
  readonly expires: number;
}

export const denialLayouts = /* @__PURE__ */ new Layouts<(row: DenialRow) => Denial>('denial', {
  1: ({ sk, before }) => {
    const [kind = '', ...name] = sk.split('#');
    return { kind: kind as DeniedKind, name: name.join('#'), before };
  },
});

export const denialRow = ({ kind, name, before }: Denial): DenialRow => ({
  ...deniedKey(kind, name),
  layout: 1,
  before,
  expires: Math.ceil(before / 1_000) + renewableSeconds + tokenLifetimeSeconds + margin,
});

const programme = 'programme';

/** Stands while the directory says so. */
export const programmeRow = (name: string): RowKey & { readonly layout: number } => ({
  ...programmeKey(name),
  layout: 1,
});

export const programmeKey = (name: string): RowKey => deniedKey(programme, name);

export const programmeLayouts = /* @__PURE__ */ new Layouts<(row: RowKey) => Programme>(programme, {
  1: ({ sk }) => ({ kind: programme, name: nameInRow(sk.slice(programme.length + 1)) }),
});

/** Names of all programmes of a list. */
export const programmesAmong = (listed: readonly (Denial | Programme)[]): ReadonlySet<string> =>
  new Set(listed.flatMap(({ kind, name }) => (kind === programme ? [name] : [])));

/** Denies somebody's tokens. What was denied up to a later moment stays so. */
export const deny = async (
  { client, tableName: TableName }: Pick<RecordStore, 'client' | 'tableName'>,
  denial: Denial,
): Promise<void> => {
  const put = new PutCommand({
    TableName,
    Item: { ...denialRow(denial) },
    ConditionExpression: 'attribute_not_exists(pk) OR #before < :before',
    ExpressionAttributeNames: { '#before': 'before' },
    ExpressionAttributeValues: { ':before': denial.before },
  });
  await client.send(put).catch((error: unknown) => {
    if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') throw error;
  });
};

/**
 * All that is denied, and all programmes, strongly consistent. One call a megabyte, which is some ten thousand rows; rows go with the tokens that they deny.
 *
 * @throws WrittenByNewerRelease.
 */
export const readDenials = async (
  client: DynamoDBDocumentClient,
  tableName: string,
): Promise<readonly (Denial | Programme)[]> => {
  const denials: (Denial | Programme)[] = [];
  let after: Record<string, unknown> | undefined;
  do {
    const { Items = [], LastEvaluatedKey }: QueryCommandOutput = await client.send(
      new QueryCommand({
        TableName: tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': deniedPartition },
        ...(after ? { ExclusiveStartKey: after } : {}),
      }),
    );
    for (const row of Items as DenialRow[]) {
      const layouts = row.sk.startsWith(`${programme}#`) ? programmeLayouts : denialLayouts;
      denials.push(layouts.reader(row.layout)(row));
    }
    after = LastEvaluatedKey;
  } while (after);
  return denials;
};
