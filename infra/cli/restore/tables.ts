import { isDeepStrictEqual } from 'node:util';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { inParallel } from '../../../shared/store/in-parallel.ts';
import type { Row, RowKey } from '../../../shared/store/keys.ts';
import type { RecordStore } from '../../../shared/store/record-store.ts';
import type { Table } from '../../../shared/store/write-rows.ts';

/** Parts in which a table is read beside one another, each some 10 MB a second. */
export const usualSegments = 16;

/**
 * Reads all of a table, a page of at most 1 MB at a time, strongly consistent.
 *
 * @param look - is given each page; the next one of its part waits for it.
 */
export const scanTable = async (
  { client, tableName }: Table,
  look: (rows: readonly Row[]) => Promise<void>,
  segments = usualSegments,
): Promise<void> => {
  await inParallel(segments, Array.from({ length: segments }), async (_, Segment) => {
    let ExclusiveStartKey: Record<string, unknown> | undefined;
    do {
      const page = await client.send(
        new ScanCommand({
          TableName: tableName,
          ConsistentRead: true,
          Segment,
          TotalSegments: segments,
          ...(ExclusiveStartKey ? { ExclusiveStartKey } : {}),
        }),
      );
      await look((page.Items ?? []) as Row[]);
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey);
  });
};

export const nameOf = ({ pk, sk }: RowKey): string => `${pk}\n${sk}`;

export const isSame = (one: Row, other: Row | undefined): boolean => isDeepStrictEqual(one, other);

/** The rows of these keys, by `nameOf`. One BatchGet a hundred. */
export const rowsAt = async (store: RecordStore, keys: readonly RowKey[]): Promise<ReadonlyMap<string, Row>> =>
  new Map(
    (keys.length === 0 ? [] : ((await store.getMany(keys.map(({ pk, sk }) => ({ pk, sk })))) as Row[])).map((row) => [
      nameOf(row),
      row,
    ]),
  );
