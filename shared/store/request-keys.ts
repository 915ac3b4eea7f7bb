import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { DeleteCommand, GetCommand } from '@aws-sdk/lib-dynamodb';
import { RecordError } from '../errors.ts';
import type { Row, RowKey } from './keys.ts';
import { Layouts } from './layouts.ts';
import type { RecordStore } from './record-store.ts';
import { tryWrite } from './transact.ts';
import { readMarker } from './visibility.ts';

/** What a request came to: all of its answer but the record, or what is told of one, which is read anew when it is asked for again. */
export interface KeptAnswer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds since 1970; earlier releases kept only the header, in seconds. */
  readonly updated?: number;
  readonly warnings?: fhir4.OperationOutcome;
  readonly resource?: fhir4.OperationOutcome | fhir4.Parameters;
}

/** What a request was, hashed, and what it was answered with: one answer, or for a transaction one for each entry that writes. */
export interface KeptRequest {
  readonly request: string;
  readonly answers: readonly KeptAnswer[];
}

/** A row as it lies in the table. It is put once, with what the request wrote, and never changed. */
export interface RequestKeyRow extends RowKey {
  readonly layout: number;
  readonly request: string;
  /** JSON, deflated. */
  readonly answers: Uint8Array;
  /** Seconds since 1970. */
  readonly expires: number;
  readonly tx?: string;
}

export const requestKeyLayouts = /* @__PURE__ */ new Layouts<(row: RequestKeyRow) => KeptRequest>('requestKey', {
  1: ({ request, answers }) => ({
    request,
    answers: JSON.parse(inflateRawSync(answers).toString('utf8')) as KeptAnswer[],
  }),
});

const keptForSeconds = 24 * 3600;

/** A row of DynamoDB has 400 KB. Five thousand answers take some 150. */
const largestAnswers = 390_000;

/**
 * The row that keeps what a request came to, to be claimed by its commit.
 *
 * @throws RecordError `too-large`.
 */
export const requestKeyRow = (key: RowKey, { request, answers }: KeptRequest, now: number): RequestKeyRow & Row => {
  const packed = deflateRawSync(JSON.stringify(answers));
  if (packed.length > largestAnswers) {
    throw new RecordError('too-large', 'The answers are too many to be kept under a key', {
      expression: 'Idempotency-Key',
    });
  }
  return { ...key, layout: 1, request, answers: packed, expires: Math.floor(now / 1_000) + keptForSeconds };
};

/**
 * What was kept under a key. One whose time is up is removed, whenever DynamoDB would have come for it.
 *
 * @returns `under way` if a staged transaction is about to decide it; undefined if nothing is kept.
 * @throws WrittenByNewerRelease.
 */
export const readRequestKey = async (
  { client, tableName: TableName }: RecordStore,
  Key: RowKey,
  now: number,
): Promise<KeptRequest | 'under way' | undefined> => {
  const { Item } = await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
  if (!Item) return undefined;
  const row = Item as RequestKeyRow;
  if (row.tx !== undefined) {
    const marker = await readMarker(client, TableName, row.tx);
    if (marker?.status === 'open' && marker.deadline > now) return 'under way';
    if (marker?.status !== 'committed') return undefined;
  }
  if (row.expires * 1_000 > now) return requestKeyLayouts.reader(row.layout)(row);
  const { expires } = row;
  const condition = {
    ConditionExpression: 'expires = :expires AND attribute_not_exists(tx)',
    ExpressionAttributeValues: { ':expires': expires },
  };
  await tryWrite(client, new DeleteCommand({ TableName, Key, ...condition }));
  return undefined;
};
