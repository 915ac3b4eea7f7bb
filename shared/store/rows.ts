import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { packBody, unpackBody } from './body.ts';
import type { IdCodec } from './ids.ts';
import { type Address, historyKey, lastingKey, mentionKey, pointerKey, type RowKey, recordKey } from './keys.ts';
import { Layouts } from './layouts.ts';
import { isSealed, type Seal, type Withholding } from './seal.ts';

/**
 * Layout of the records' rows that this release writes: 2 where one says at which place it is shown, 3 where it is sealed, 4 where it says which sealed ones it names, 5 where it
 * was in the wrong chart, so that a release that knows nothing of that refuses the row.
 */
const layoutOf = (record: Pick<StoredRecord, 'shown' | keyof Seal>): number => {
  if (record.misfiled) return 5;
  if (record.notes) return 4;
  return isSealed(record) ? 3 : pointerLayoutOf(record);
};

const pointerLayoutOf = ({ shown }: Pick<StoredRecord, 'shown'>): number => (shown === undefined ? 1 : 2);

/** One version of one record. */
export interface StoredRecord extends Address, Seal {
  readonly id: string;
  readonly version: number;
  /** When this version was written, in milliseconds since 1970. */
  readonly updated: number;
  /** The organisation that keeps the record. */
  readonly custodian: string;
  /** `system|code` of meta.security, for decisions that need no body. */
  readonly labels: readonly string[];
  /** Undefined in the version that deletes it. */
  readonly resource: Resource | undefined;
  /** How many references others have made to this version since it was written; absent for none. Only a deletion asks. */
  readonly refs?: number;
  /** Where its charts show it, if its date is another one than when it was created: then a pointer stands there. */
  readonly shown?: string | undefined;
  /** Its chart is purged: from this version on nothing of it is to be seen, and its rows go. */
  readonly purged?: true;
}

/** What a version says, in a record's row, in its history row and in the intent of a staged transaction. */
export interface VersionAttributes {
  /** Absent in intents from before there was a second one. */
  readonly layout?: number;
  readonly version: number;
  readonly updated: number;
  readonly custodian: string;
  readonly labels?: Set<string>;
  readonly body?: Uint8Array;
  readonly shown?: string;
  readonly purged?: true;
  readonly originators?: Set<string>;
  readonly notes?: Readonly<Record<string, readonly string[]>>;
  readonly withheld?: Withholding;
  readonly misfiled?: true;
}

/** A record's row. */
export interface RecordRow extends RowKey, VersionAttributes {
  readonly layout: number;
  /** Only an id that a client chose: one of ours follows from the key. */
  readonly id?: string;
  /** Created by a staged transaction that may not be committed. */
  readonly tx?: string;
  /** How many references others have made to this version. A condition of a deletion; no version of its own. */
  readonly refs?: number;
  readonly intent?: Intent | Held;
}

/** The version that a staged transaction will make of a record, once committed. */
export interface Intent extends VersionAttributes, Pick<RecordRow, 'id'> {
  readonly tx: string;
  readonly layout?: number;
}

/** A staged transaction refers to the record: it changes nothing, but nobody else may change it, until that is settled. */
export interface Held {
  readonly tx: string;
}

/** What the labels of a record add to its rows, in bytes. */
export const labelBytes = ({ labels }: Pick<StoredRecord, 'labels'>): number =>
  labels.reduce((sum, label) => sum + Buffer.byteLength(label), 0);

/**
 * Bodies of records as their rows have them: as they were read, or packed once, which is most of what a write costs in CPU. Kept beside
 * the records and not in them, so that a copy with other contents cannot take the body along.
 */
const bodies = new WeakMap<StoredRecord, Uint8Array>();

/** What the row of a record has as its body; undefined for a version that deletes it. */
export const bodyOf = (record: StoredRecord): Uint8Array | undefined => {
  if (!record.resource) return undefined;
  const body = bodies.get(record) ?? packBody(record.resource, record.chart);
  bodies.set(record, body);
  return body;
};

/** How long the JSON was of which records were read. */
const lengths = new WeakMap<StoredRecord, number>();

/** Bytes of JSON of a record that was read: what it takes of memory is some times that. 0 for a deletion. */
export const jsonBytesOf = (record: StoredRecord): number => lengths.get(record) ?? 0;

/** The same record with what its row is to have as its body. */
export const withBody = (record: StoredRecord, body: Uint8Array): StoredRecord => {
  const same = { ...record };
  bodies.set(same, body);
  return same;
};

/** The same record, of which this is shown. It has as many bytes to hold, and no body: it is nothing to be written. */
export const withResource = (record: StoredRecord, resource: Resource): StoredRecord => {
  const same = { ...record, resource };
  lengths.set(same, jsonBytesOf(record));
  return same;
};

export const versionAttributes = (record: StoredRecord): VersionAttributes & Pick<RecordRow, 'layout'> => {
  const body = bodyOf(record);
  return {
    layout: layoutOf(record),
    version: record.version,
    updated: record.updated,
    custodian: record.custodian,
    ...(record.labels.length > 0 ? { labels: new Set(record.labels) } : {}),
    ...(body ? { body } : {}),
    ...(record.shown === undefined ? {} : { shown: record.shown }),
    ...(record.purged ? { purged: true } : {}),
    ...(record.originators ? { originators: new Set(record.originators) } : {}),
    ...(record.notes ? { notes: record.notes } : {}),
    ...(record.withheld ? { withheld: record.withheld } : {}),
    ...(record.misfiled ? { misfiled: true } : {}),
  };
};

const row = (key: RowKey, record: StoredRecord, ids: IdCodec): RecordRow => ({
  ...key,
  ...versionAttributes(record),
  ...(record.id === ids.idAt(record.chart, record.place) ? {} : { id: record.id }),
});

export const recordRow = (record: StoredRecord, ids: IdCodec): RecordRow => row(recordKey(record), record, ids);

export const historyRow = (record: StoredRecord, ids: IdCodec): RecordRow =>
  row(historyKey(record, record.version), record, ids);

/** What a record's row says of its version, without what others have left on it. */
const ownAttributes = ({ tx: _tx, intent: _intent, refs: _refs, ...own }: RecordRow): RecordRow => own;

/**
 * The row of an earlier version under the seals of the current one: what is closed is closed in all its versions, and what was withheld once is no more.
 *
 * @param current - the record's own row, as it may be seen.
 */
export const sealedLike = (
  { withheld: _then, ...earlier }: RecordRow,
  { originators, notes, withheld, misfiled, layout }: RecordRow,
): RecordRow => ({
  ...earlier,
  ...(originators || notes || withheld || misfiled ? { layout } : {}),
  ...(originators ? { originators } : {}),
  ...(notes ? { notes } : {}),
  ...(withheld ? { withheld } : {}),
  ...(misfiled ? { misfiled } : {}),
});

/** The history row that a record's row becomes when its next version, no longer an intent, takes its place: the same bytes under another key. */
export const asHistory = (row: RecordRow, address: Address): RecordRow => ({
  ...ownAttributes(row),
  ...historyKey(address, row.version),
});

/** What a record's row says, its current and its earlier ones and those of the registry that repeat it. */
export const recordLayouts = /* @__PURE__ */ new Layouts<(row: RecordRow) => VersionAttributes & Pick<RecordRow, 'id'>>(
  'record',
  {
    1: (row) => row,
    2: (row) => row,
    3: (row) => row,
    4: (row) => row,
    5: (row) => row,
  },
);

/**
 * The record that a row holds. `address` is known from the key that was asked for, or from `addressOf`.
 *
 * @param object - its body, where that lies in the object store.
 * @throws WrittenByNewerRelease; Error if the body is damaged, of another chart, or not fetched.
 */
export const recordFrom = (row: RecordRow, address: Address, ids: IdCodec, object?: Uint8Array): StoredRecord => {
  const { id, version, updated, custodian, labels, body, shown, originators, notes, withheld, misfiled } =
    recordLayouts.reader(row.layout)(row);
  const unpacked = body && unpackBody(body, address.chart, object);
  const record = {
    ...address,
    id: id ?? ids.idAt(address.chart, address.place),
    version,
    updated,
    custodian,
    labels: [...(labels ?? [])],
    resource: unpacked?.resource,
    ...(row.refs === undefined ? {} : { refs: row.refs }),
    ...(shown === undefined ? {} : { shown }),
    ...(originators ? { originators: [...originators] } : {}),
    ...(notes ? { notes } : {}),
    ...(withheld ? { withheld } : {}),
    ...(misfiled ? { misfiled } : {}),
  };
  if (body) bodies.set(record, body);
  if (unpacked) lengths.set(record, unpacked.jsonBytes);
  return record;
};

/** Stands among a chart's records for one whose own row is elsewhere, or in the chart of a record that it refers to. */
export interface PointerRow extends RowKey {
  readonly layout: number;
  /** The chart that has the record. */
  readonly home: string;
  /** The record's own place, where it is another one than the pointer's. */
  readonly place?: string;
}

export const isPointer = (row: RowKey): row is PointerRow => 'home' in row;

/** Whether a pointer is there because its record refers to one of this chart, and not because the record belongs to it. */
export const isMention = ({ sk }: RowKey): boolean => sk.includes('!');

/** Chart and place of the record that a pointer names. */
export const pointerLayouts = /* @__PURE__ */ new Layouts<(row: PointerRow) => Pick<PointerRow, 'home' | 'place'>>(
  'pointer',
  {
    1: ({ home }) => ({ home }),
    2: (row) => row,
  },
);

export const pointerRow = (record: Pick<StoredRecord, keyof Address | 'shown'>, chart: string): PointerRow => ({
  ...pointerKey(record, chart),
  layout: pointerLayoutOf(record),
  home: record.chart,
  ...(record.shown === undefined ? {} : { place: record.place }),
});

export const mentionRow = (record: Pick<StoredRecord, keyof Address | 'shown'>, chart: string): PointerRow => ({
  ...mentionKey(record, chart),
  layout: 2,
  home: record.chart,
  place: record.place,
});

/** Leads to a record of a chart that a search for a date may not come by at its place. */
export interface LastingRow extends PointerRow {
  /** When the record begins and ends, as `timeKey` has it. */
  readonly begins: string;
  readonly ends: string;
}

export const lastingRow = (
  record: Pick<StoredRecord, keyof Address | 'shown'>,
  chart: string,
  times: Pick<LastingRow, 'begins' | 'ends'>,
  mentioned: boolean,
): LastingRow => ({
  ...lastingKey(record, chart, mentioned),
  layout: 2,
  home: record.chart,
  place: record.place,
  ...times,
});

/**
 * Where the record is that a pointer stands for.
 *
 * @throws WrittenByNewerRelease.
 */
export const targetOf = (row: PointerRow): Address => {
  const { home, place } = pointerLayouts.reader(row.layout)(row);
  const [type = '', own = ''] = row.sk.split('#');
  return { type, chart: home, place: place ?? own };
};

/** The address in the key of a record's row; undefined for any other row. */
export const addressOf = ({ pk, sk }: RowKey): Address | undefined => {
  const [, type, place] = /^([A-Z][A-Za-z]+)#([0-9a-v]*)$/.exec(sk) ?? [];
  return pk.startsWith('C#') && type !== undefined && place !== undefined
    ? { type, chart: pk.slice(2), place }
    : undefined;
};

/** The resource as FHIR shows it: with its id, version and time. */
export const presented = (record: StoredRecord): Resource => {
  const body: Resource = record.resource ?? { resourceType: record.type };
  const { resourceType, id: _id, meta, ...elements } = body;
  const shown = {
    resourceType,
    id: record.id,
    meta: { ...meta, versionId: String(record.version), lastUpdated: new Date(record.updated).toISOString() },
    ...elements,
  };
  return withSpellingOf(shown, body);
};
