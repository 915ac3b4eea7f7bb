import { DynamoDBClient, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import type { Restoring } from '../../infra/cli/restore/write-records.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import type { Row } from '../../shared/store/keys.ts';
import { RecordStore } from '../../shared/store/record-store.ts';
import { tableDefinition } from '../../shared/store/table.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { type LocalBucket, type LocalTable, localTableWithoutStream } from './dynamodb.ts';
import { fileRecords, streamOf } from './feed.ts';
import { type FhirServer, fhirServer } from './fhir-server.ts';
import { allRows, rowAt } from './test-store.ts';

/** A table as the service makes it of another one's past: its rows, and nothing of its settings. */
export const tableAsOf = async (store: RecordStore): Promise<LocalTable> => {
  const table = await localTableWithoutStream();
  const client = documentClient({ endpoint: table.endpoint });
  const key = await rowAt(store, { pk: '!deployment', sk: 'key' });
  await writeRows({ client, tableName: table.tableName }, [key as Row, ...(await allRows(store))]);
  return table;
};

/** What a restore works on, between two tables that share a bucket. */
export const restoring = (old: RecordStore, table: LocalTable, at: number): Restoring => ({
  old,
  restored: new RecordStore(documentClient({ endpoint: table.endpoint }), table.tableName, old.keys, old.objects),
  at,
  segments: 1,
  now: Date.now(),
  baseUrl: 'https://concord.test/fhir',
  operator: 'somebody@laptop',
});

/** Gives a restored table its stream. */
export const beginStream = async ({ endpoint, tableName }: LocalTable): Promise<void> => {
  const client = new DynamoDBClient({ endpoint });
  const { StreamSpecification } = tableDefinition(tableName);
  await client.send(new UpdateTableCommand({ TableName: tableName, StreamSpecification }));
  client.destroy();
};

/**
 * A server on a restored table, and what hands all that its stream tells to who follows it. The stream bears a name as of a second later: the service takes longer to begin one, the embedded
 * store does it in the second in which the other stream was read.
 */
export const reopened = async (
  table: LocalTable,
  bodies: LocalBucket,
): Promise<FhirServer & { readonly file: () => Promise<void> }> => {
  const streamed = await streamOf(table);
  const server = await fhirServer(table, {}, bodies);
  const eventSourceARN = `arn:aws:dynamodb:eu-central-1:000000000000:table/restored/stream/${Date.now() / 1_000 + 1}`;
  return {
    ...server,
    file: async () =>
      fileRecords(
        server.store,
        (await streamed()).map((record) => ({ ...record, eventSourceARN })),
      ),
  };
};
