import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import type { UniqueChange } from './commit.ts';
import type { Division } from './divide-commit.ts';
import { type Row, type RowKey, recordKey, redoKey, transactionKey } from './keys.ts';
import { Layouts } from './layouts.ts';
import type { RecordStore } from './record-store.ts';

/** One step that a committed transaction still owes. Each may be repeated, by anybody, at any time. */
export type Redo =
  /** Takes the mark off a row that the transaction created, together with the putting of rows that lead to it. */
  | { readonly do: 'reveal'; readonly key: RowKey; readonly puts: readonly Row[] }
  /** Nothing: a hint is there already. It goes if the transaction is taken back. */
  | { readonly do: 'hint'; readonly key: RowKey }
  /** Turns an intent into the record's version, together with the change of the rows that lead to it. */
  | { readonly do: 'apply'; readonly key: RowKey; readonly puts: readonly Row[]; readonly removes: readonly RowKey[] }
  | ({ readonly do: 'unique' } & Pick<UniqueChange, 'key' | 'add' | 'remove' | 'replaces'>)
  /** Turns the intent on a day of a calendar into what stands there. */
  | { readonly do: 'calendar'; readonly key: RowKey }
  /** Lets go of a record that the transaction refers to. */
  | { readonly do: 'release'; readonly key: RowKey }
  /** Puts a row of the access log. */
  | { readonly do: 'log'; readonly row: Row };

/**
 * What a commit does once it is decided.
 *
 * @param days - the days of calendars that it changes.
 */
export const redoLog = (
  { staged, hints, held }: Pick<Division, 'staged' | 'hints' | 'held'>,
  days: readonly RowKey[],
): Redo[] => [
  ...staged.log.map((row): Redo => ({ do: 'log', row })),
  ...hints.map(({ pk, sk }): Redo => ({ do: 'hint', key: { pk, sk } })),
  ...staged.writes.map(({ next, previous, puts, removes }): Redo => {
    const key = recordKey(next);
    return previous ? { do: 'apply', key, puts, removes } : { do: 'reveal', key, puts };
  }),
  ...staged.claims.map(({ pk, sk }): Redo => ({ do: 'reveal', key: { pk, sk }, puts: [] })),
  ...staged.unique.map(
    ({ key, add, remove, replaces }): Redo => ({ do: 'unique', key, add, remove, ...(replaces && { replaces }) }),
  ),
  ...days.map((key): Redo => ({ do: 'calendar', key })),
  ...held.map(({ address }): Redo => ({ do: 'release', key: recordKey(address) })),
];

/** A part of the log is a row of its own, and a row has 400 KB. */
const partBytes = 390_000;

/** Layout 1: the steps as JSON, deflated. */
const deflated = 1;

/** How a log is read. Its first byte names its layout. */
export const redoLayouts = /* @__PURE__ */ new Layouts<(bytes: Buffer) => Redo[]>('redo', {
  [deflated]: (bytes) => JSON.parse(inflateRawSync(bytes.subarray(1)).toString('utf8'), withBytesAndSets) as Redo[],
});

/** The log as bytes: some 20 for a record without index rows, since keys of one chart differ only in their places. */
export const packRedo = (redo: readonly Redo[]): Buffer =>
  Buffer.concat([Buffer.of(deflated), deflateRawSync(JSON.stringify(redo, asJson), { level: 9 })]);

/**
 * What `packRedo` wrote.
 *
 * @throws WrittenByNewerRelease.
 */
export const unpackRedo = (bytes: Buffer): Redo[] => redoLayouts.reader(bytes[0])(bytes);

/** The log's rows. */
export const redoRows = (tx: string, packed: Buffer): Row[] =>
  Array.from({ length: Math.ceil(packed.length / partBytes) }, (_, part) => ({
    ...redoKey(tx, part),
    packed: packed.subarray(part * partBytes, (part + 1) * partBytes),
  }));

// What a row may hold and JSON has no word for. No attribute of a row begins with a dollar sign.
function asJson(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const given = this[key]; // a Buffer has turned itself into something else by now
  if (given instanceof Uint8Array) return { $bytes: Buffer.from(given).toString('base64') };
  return given instanceof Set ? { $set: [...(given as Set<unknown>)] } : value;
}

const withBytesAndSets = (_key: string, value: unknown): unknown => {
  const { $bytes, $set } = (value ?? {}) as { $bytes?: string; $set?: unknown[] };
  if ($bytes !== undefined) return Buffer.from($bytes, 'base64');
  return $set === undefined ? value : new Set($set);
};

/**
 * The log of a transaction, as its writer left it. Empty where part of it is missing: then it is not written yet, and nothing is staged; or
 * it is being forgotten, and nothing is left to do.
 *
 * @param parts - how many rows it has, as the marker says.
 */
export const readRedoLog = async (store: RecordStore, tx: string, parts: number): Promise<Redo[]> => {
  const rows: { packed: Uint8Array }[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page: QueryCommandOutput = await store.client.send(
      new QueryCommand({
        TableName: store.tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :part)',
        ExpressionAttributeValues: { ':pk': transactionKey(tx).pk, ':part': 'R#' },
        ExclusiveStartKey,
      }),
    );
    rows.push(...((page.Items ?? []) as { packed: Uint8Array }[]));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return rows.length < parts ? [] : unpackRedo(Buffer.concat(rows.map(({ packed }) => packed)));
};
