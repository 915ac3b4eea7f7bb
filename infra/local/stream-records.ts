import { DatabaseSync } from 'node:sqlite';

/** How long to wait for a writer that holds the file, in milliseconds. */
const busyTimeoutMs = 2_000;

const withDatabase = (dbPath: string, use: (database: DatabaseSync) => void) => {
  const database = new DatabaseSync(dbPath, { timeout: busyTimeoutMs });
  try {
    use(database);
  } finally {
    database.close();
  }
};

/**
 * The embedded DynamoDB looks for the highest sequence number at each write, by reading all stream records of the table:
 * without this index 7,500 records make it six times slower.
 */
export const indexStreamRecords = (dbPath: string) => {
  withDatabase(dbPath, (database) => {
    database.exec(
      'CREATE INDEX IF NOT EXISTS stream_records_by_sequence ON _stream_records(table_name, CAST(sequence_number AS INTEGER))',
    );
  });
};

/** Deletes the records up to and including a sequence number, but never the newest one: the next number is counted from it. */
export const trimStreamRecords = (dbPath: string, tableName: string, upTo: string) => {
  withDatabase(dbPath, (database) => {
    database
      .prepare(
        `DELETE FROM _stream_records
          WHERE table_name = ?1
            AND CAST(sequence_number AS INTEGER) <= CAST(?2 AS INTEGER)
            AND CAST(sequence_number AS INTEGER) <
                (SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?1)`,
      )
      .run(tableName, upTo);
  });
};
