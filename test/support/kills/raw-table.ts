import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** One row of the table as the embedded DynamoDB keeps it. */
export interface RawRow {
  readonly pk: string;
  readonly sk: string;
  /** In DynamoDB's JSON. */
  readonly item: Readonly<Record<string, { readonly S?: string; readonly N?: string; readonly B?: string }>>;
}

/** The table read past the store and its rules, from the file that the embedded DynamoDB keeps it in, also while that one runs. */
export interface RawTable {
  /** Keys of all rows, and for a pointer the key of the record that it stands for. */
  readonly keys: () => { readonly pk: string; readonly sk: string; readonly target: string | undefined }[];
  /** Rows whose partition key begins so. */
  readonly rowsUnder: (prefix: string) => RawRow[];
  /** What a staged transaction leaves behind if nobody settles it, in words. */
  readonly leftBehind: () => string[];
  /** How many rows carry the mark of a staged transaction, and whether one that is committed is not finished. */
  readonly underWay: () => { readonly staged: number; readonly committed: boolean };
  readonly close: () => void;
}

/** Opens the file, which must hold the table. */
export const openRawTable = (file: string): RawTable => {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  const rows = (where: string, ...values: string[]): RawRow[] =>
    (
      database.prepare(`SELECT pk, sk, item_json FROM concord WHERE ${where}`).all(...values) as Record<
        'pk' | 'sk' | 'item_json',
        string
      >[]
    ).map(({ pk, sk, item_json }) => ({
      pk: valueOf(pk),
      sk: valueOf(sk),
      item: JSON.parse(item_json) as RawRow['item'],
    }));
  const rowsUnder = (prefix: string) => rows('pk >= ? AND pk < ?', `S:${prefix}`, `S:${prefix}\u{10FFFF}`);
  const marked = () =>
    rows(`item_json LIKE '%"tx":%' OR item_json LIKE '%"intent":%'`).filter(
      ({ item }) => item.tx !== undefined || item.intent !== undefined,
    );
  const unfinished = () => rowsUnder('T~');
  return {
    keys: () =>
      (
        database
          .prepare(
            `SELECT pk, sk, item_json ->> '$.home.S' AS home, item_json ->> '$.place.S' AS place
               FROM (SELECT pk, sk, CASE WHEN instr(item_json, '"home":{"S"') > 0 THEN item_json END AS item_json FROM concord)`,
          )
          .all() as Record<'pk' | 'sk' | 'home' | 'place', string | null>[]
      ).map(({ pk, sk, home, place }) => {
        const [type = '', own = ''] = valueOf(sk ?? '').split('#');
        return {
          pk: valueOf(pk ?? ''),
          sk: valueOf(sk ?? ''),
          target: home === null ? undefined : `C#${home} ${type}#${place ?? own}`,
        };
      }),
    rowsUnder,
    leftBehind: () => [
      ...marked().map(({ pk, sk }) => `the row ${pk} ${sk} carries the mark of a transaction`),
      ...unfinished().map(({ sk }) => `the transaction ${sk} is unfinished`),
      ...rowsUnder('O~').map(({ sk }) => `the upload ${sk} was neither used nor given up`),
      ...rowsUnder('T#').flatMap(({ pk, sk }) => (sk === 'T' ? [] : [`${pk} has kept its redo log ${sk}`])),
    ],
    underWay: () => ({
      staged: marked().length,
      committed: unfinished().some(({ sk }) =>
        rows('pk = ? AND sk = ?', `S:T#${sk}`, 'S:T').some(({ item }) => item.status?.S === 'committed'),
      ),
    }),
    close: () => database.close(),
  };
};

/** Keys stand in the file behind their type. */
const valueOf = (key: string): string => key.slice('S:'.length);

/** Whether the file is there and holds the table. */
export const hasTable = (file: string): boolean => {
  if (!existsSync(file)) return false;
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    return database.prepare(`SELECT name FROM sqlite_master WHERE name = 'concord'`).get() !== undefined;
  } finally {
    database.close();
  }
};
