import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { entryOf, type StoredAuditRow } from '../../../shared/audit/audit-row.ts';
import { type LinkRow, linkIn } from '../../../shared/audit/chain/link.ts';
import { uploadedOf } from '../../../shared/content/uploaded.ts';
import { stringifyJson } from '../../../shared/fhir/json.ts';
import { contentKey } from '../../../shared/store/content-objects.ts';
import { inParallel } from '../../../shared/store/in-parallel.ts';
import { type Address, keepingKey, type Row, suspensionPrefix } from '../../../shared/store/keys.ts';
import type { RecordStore } from '../../../shared/store/record-store.ts';
import { addressOf, presented, type RecordRow, type StoredRecord } from '../../../shared/store/rows.ts';
import { CommandFailed } from '../command.ts';
import { ExportFiles, type Manifest } from './export-files.ts';

/** Parts of the table that are written out beside one another, each into files of its own. */
const usualParts = 8;
/** Rows whose bodies are unpacked at once: each may have megabytes. */
const unpackedAtOnce = 50;
/** Content up to this many bytes is also in its Binary's line, so that an import brings it along. */
const largestInLine = 2_000_000;

/** What an export is made of. */
export interface Export {
  readonly store: RecordStore;
  readonly folder: string;
  readonly baseUrl: string;
  readonly parts?: number;
  readonly say?: (words: string) => void;
}

/**
 * Writes out all that a table holds for people: the records as they are, every earlier version and deletion, content that was uploaded, the access log and its chains. A run that broke off goes on where it
 * was. Rows that lead to records are left out: whoever imports the records makes their own.
 *
 * @throws CommandFailed where a transaction is under way, or what was written is not what was read.
 */
export const exportAll = async ({
  store,
  folder,
  baseUrl,
  parts = usualParts,
  say = () => {},
}: Export): Promise<Manifest> => {
  const files = await ExportFiles.open(folder);
  await inParallel(parts, Array.from({ length: parts }), async (_, Segment) => {
    const part = `${Segment}-of-${parts}`;
    let { next, done } = files.part(part);
    while (!done) {
      const page = await store.client.send(
        new ScanCommand({
          TableName: store.tableName,
          ConsistentRead: true,
          Segment,
          TotalSegments: parts,
          ...(next ? { ExclusiveStartKey: next } : {}),
        }),
      );
      const lines = await linesOf({ store, files, baseUrl, part }, (page.Items ?? []) as Row[]);
      next = page.LastEvaluatedKey;
      done = next === undefined;
      await files.add(part, lines, next);
      say(`${part}: ${page.Count ?? 0} rows more`);
    }
  });
  return files.finish({ fhirVersion: '4.0.1', baseUrl, made: new Date().toISOString() });
};

interface Writing {
  readonly store: RecordStore;
  readonly files: ExportFiles;
  readonly baseUrl: string;
  readonly part: string;
}

const linesOf = async (writing: Writing, rows: readonly Row[]): Promise<ReadonlyMap<string, readonly string[]>> => {
  const { store, part } = writing;
  const lines = new Map<string, string[]>();
  const add = (kind: string, line: string) => {
    const name = `${kind}/${part}.ndjson`;
    lines.set(name, [...(lines.get(name) ?? []), line]);
  };
  const versions = rows.flatMap((row) => versionIn(row));
  for (let at = 0; at < versions.length; at += unpackedAtOnce) {
    const some = versions.slice(at, at + unpackedAtOnce);
    const records = await store.recordsIn(some);
    for (const [index, record] of records.entries()) {
      const isCurrent = some[index]?.isCurrent === true;
      const resource = await withContent(writing, record);
      if (isCurrent && resource) add(`records/${record.type}`, resource);
      else add(`history/${record.type}`, historyLine(writing, record, resource));
    }
  }
  for (const row of rows) {
    if (/^A#[^#]+#chain$/.test(row.pk)) add('chain', JSON.stringify(linkIn(row as LinkRow)));
    else if (/^A#[^#]+$/.test(row.pk)) add('access-log', accessLine(store, row));
    else if (isOfKeeping(row)) add('keeping', keepingLine(row));
  }
  return lines;
};

interface VersionRow {
  readonly row: RecordRow;
  readonly at: Address;
  readonly isCurrent: boolean;
}

/** A version that somebody may see. */
const versionIn = (row: Row): VersionRow[] => {
  const record = row as unknown as RecordRow;
  const current = addressOf(row);
  const [, type = '', place = ''] = /^~H#([A-Z]\w+)#([0-9a-v]*)#\d+$/.exec(row.sk) ?? [];
  if (record.version === undefined || record.purged || record.misfiled) return [];
  if (record.tx !== undefined || (current && record.intent !== undefined))
    throw new CommandFailed(
      'A transaction is under way: close the door, wait a quarter of an hour for the sweeper, and go on',
    );
  if (current) return [{ row: record, at: current, isCurrent: true }];
  return type === '' ? [] : [{ row: record, at: { type, chart: row.pk.slice(2), place }, isCurrent: false }];
};

/** A version as a line; undefined for a deletion. Content is kept beside it, and in it where it is small. */
const withContent = async ({ store, files }: Writing, record: StoredRecord): Promise<string | undefined> => {
  if (!record.resource) return undefined;
  const shown = presented(record);
  const uploaded = record.type === 'Binary' ? uploadedOf(record.resource) : undefined;
  if (!uploaded) return stringifyJson(shown);
  const content = await store.objects.get(contentKey(store.ids, record, uploaded));
  await files.keepContent(uploaded.sha256, content);
  const data = content.length <= largestInLine ? { data: Buffer.from(content).toString('base64') } : {};
  return stringifyJson({ ...shown, ...data });
};

/** As the history of a record shows it. https://hl7.org/fhir/R4/http.html#history */
const historyLine = (
  { baseUrl }: Pick<Writing, 'baseUrl'>,
  { type, id, version, updated }: StoredRecord,
  resource: string | undefined,
): string => {
  const response = { etag: `W/"${version}"`, lastModified: new Date(updated).toISOString() };
  const method = resource === undefined ? 'DELETE' : version === 1 ? 'POST' : 'PUT';
  const entry = JSON.stringify({
    fullUrl: `${baseUrl}/${type}/${id}`,
    request: { method, url: method === 'POST' ? type : `${type}/${id}` },
    response,
  });
  return resource === undefined ? entry : `${entry.slice(0, -1)},"resource":${resource}}`;
};

/** What is to become of a chart, and what an authority has forbidden to tell: no record says so, and whoever goes on keeping the chart is bound by it. */
const isOfKeeping = ({ pk, sk }: Row): boolean =>
  /^D#[^#]+$/.test(pk) && (sk === keepingKey('').sk || sk.startsWith(suspensionPrefix));

const keepingLine = ({ pk, sk, ...said }: Row): string => JSON.stringify({ chart: pk.slice(2), what: sk, ...said });

/** What an access was, and the row as DynamoDB has it: the chain has the hash of that. */
const accessLine = ({ ids }: RecordStore, row: Row): string => {
  const access = entryOf(row as unknown as StoredAuditRow, ids);
  return JSON.stringify({ log: row.pk.slice(2), place: row.sk, access, row: inBase64(marshall(row)) });
};

/** DynamoDB's JSON with bytes in base 64, as its own export to S3 writes them. */
const inBase64 = (image: Record<string, AttributeValue>): object =>
  Object.fromEntries(
    Object.entries(image).map(([name, value]) => [
      name,
      value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') },
    ]),
  );
