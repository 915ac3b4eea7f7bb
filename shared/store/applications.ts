import { GetCommand, PutCommand, QueryCommand, type QueryCommandOutput, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { RecordError } from '../errors.ts';
import { applicationKey, applicationsPartition, type RowKey } from './keys.ts';
import { Layouts } from './layouts.ts';
import type { Table } from './write-rows.ts';

/** An application that signs in by its own credentials, as an administrator has entered it: the pool knows a client's secret and scopes, and nothing of organisations. */
export interface Application {
  /** The pool's `client_id`. */
  readonly client: string;
  /** Id of the organisation that it acts for. */
  readonly organization: string;
  /** What it is called in the access log. */
  readonly name: string;
  /** Reference to its own record, such as `Device/northside-system`. */
  readonly fhirUser: string;
  /** When it was entered, in milliseconds since 1970. */
  readonly since: number;
  /** Since when it gets no token any more, in milliseconds since 1970. It stays, for the access log names it. */
  readonly revoked?: number;
}

export interface ApplicationRow extends RowKey, Omit<Application, 'client'> {
  readonly layout: number;
}

export const applicationLayouts = /* @__PURE__ */ new Layouts<(row: ApplicationRow) => Application>('application', {
  1: ({ sk, organization, name, fhirUser, since, revoked }) => ({
    client: sk,
    organization,
    name,
    fhirUser,
    since,
    ...(revoked === undefined ? {} : { revoked }),
  }),
});

export const applicationRow = ({ client, ...application }: Application): ApplicationRow => ({
  ...applicationKey(client),
  layout: 1,
  ...application,
});

const applicationIn = (row: ApplicationRow): Application => applicationLayouts.reader(row.layout)(row);

/**
 * Whose application this is; undefined for one that nobody has entered. One GetItem, strongly consistent: what an administrator has ended gets no further token.
 *
 * @throws WrittenByNewerRelease.
 */
export const readApplication = async (
  { client, tableName: TableName }: Table,
  clientId: string,
): Promise<Application | undefined> => {
  const { Item } = await client.send(
    new GetCommand({ TableName, Key: applicationKey(clientId), ConsistentRead: true }),
  );
  return Item && applicationIn(Item as ApplicationRow);
};

/** All applications, revoked ones as well, in order of their `client_id`. One Query a megabyte, which is some five thousand. */
export const readApplications = async ({ client, tableName: TableName }: Table): Promise<readonly Application[]> => {
  const found: Application[] = [];
  let after: Record<string, unknown> | undefined;
  do {
    const { Items = [], LastEvaluatedKey }: QueryCommandOutput = await client.send(
      new QueryCommand({
        TableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': applicationsPartition },
        ...(after ? { ExclusiveStartKey: after } : {}),
      }),
    );
    found.push(...(Items as ApplicationRow[]).map(applicationIn));
    after = LastEvaluatedKey;
  } while (after);
  return found;
};

/** Enters an application, and says whether it has: one that is there already stays as it is, and does not become another organisation's. */
export const addApplication = async (
  { client, tableName: TableName }: Table,
  application: Application,
): Promise<boolean> => {
  const put = new PutCommand({
    TableName,
    Item: { ...applicationRow(application) },
    ConditionExpression: 'attribute_not_exists(pk)',
  });
  return client.send(put).then(() => true, unmet);
};

/**
 * Ends the access of an application, for good: it gets no further token. Those that it has are denied by `deny` with its `client_id`.
 *
 * @param at - milliseconds since 1970.
 * @throws RecordError `not-found` for one that nobody has entered.
 */
export const revokeApplication = async (
  { client, tableName: TableName }: Table,
  clientId: string,
  at: number,
): Promise<void> => {
  const update = new UpdateCommand({
    TableName,
    Key: applicationKey(clientId),
    UpdateExpression: 'SET revoked = if_not_exists(revoked, :at)',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: { ':at': at },
  });
  if (!(await client.send(update).then(() => true, unmet)))
    throw new RecordError('not-found', 'There is no such application');
};

const unmet = (error: unknown): false => {
  if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
  throw error;
};
