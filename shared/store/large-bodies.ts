import { RecordError } from '../errors.ts';
import { bodyReference } from './body.ts';
import type { IdCodec } from './ids.ts';
import { inParallel } from './in-parallel.ts';
import type { Address } from './keys.ts';
import type { ObjectStore } from './object-store.ts';
import { jsonBytesOf, type RecordRow, type StoredRecord } from './rows.ts';

/** A larger body, compressed, lies in the object store. Bytes: 64 KB, for which a row already costs 64 write units each time it is put. */
export const largestInRow = 65_536;
/** Bodies on their way at the same time. */
export const bodiesAtOnce = 8;

/** JSON of bodies in the object store that one page of rows may bring, in bytes: an answer has no room for more. */
const largestPage = 5_000_000;
/**
 * JSON of all bodies that one page of rows may bring, in bytes. 1 MB of rows has some 4 MB, but what repeats itself is deflated to a thousandth:
 * a page of such bodies would be more than a function's memory.
 */
const largestInflated = 10_000_000;
/** JSON that one request may need at once, in bytes: a function has 1 GB, and a resource takes some times its JSON. */
const largestTogether = 50_000_000;
/** Compressed bodies kept in memory, in bytes of JSON: an interaction may meet one record twice, and an object never changes. */
const largestKept = 16_000_000;

/**
 * Key of the object with one version's body: its record, version and name. The record is told by the id that is derived from its place,
 * which shows neither patient nor date: keys stand in the object store's own logs.
 */
export const objectKey = (ids: IdCodec, { type, chart, place }: Address, version: number, name: string): string =>
  `${ids.idAt(chart, place)}_${type}/${version}/${name}`;

/** JSON that reading a row brings from the object store, in bytes; a staged update may bring either of its versions. */
export const largeBytes = ({ body, intent }: Partial<RecordRow>): number =>
  Math.max(
    ...[body, intent && 'body' in intent ? intent.body : undefined].map((each) => bodyReference(each)?.jsonBytes ?? 0),
  );

/** How many calls to the object store, one after the other, reading these rows takes. */
export const fetchesFor = (rows: readonly Partial<RecordRow>[]): number =>
  Math.ceil(rows.filter((row) => largeBytes(row) > 0).length / bodiesAtOnce);

/** The first of what a page may bring, as far as its large bodies leave room; at least one. `bytes` tells what each adds to them. */
export const pageWithin = <T>(items: readonly T[], bytes: (item: T) => number): readonly T[] => {
  let sum = 0;
  const end = items.findIndex((item) => {
    sum += bytes(item);
    return sum > largestPage;
  });
  return end < 0 ? items : items.slice(0, Math.max(end, 1));
};

/**
 * Requires that rows can be read together, as far as they tell before they are unpacked.
 *
 * @throws RecordError `too-costly`.
 */
export const requireTogether = (rows: readonly RecordRow[]): void => {
  if (rows.reduce((sum, row) => sum + largeBytes(row), 0) > largestTogether) throw tooLargeTogether();
};

const tooLargeTogether = (): RecordError =>
  new RecordError('too-costly', 'The records that this would read at once are too large; ask for fewer at a time');

/**
 * Unpacks records until it is all of them.
 *
 * @throws RecordError `too-costly` if they are too large to be held together.
 */
export const unpackTogether = (records: Iterable<StoredRecord>): StoredRecord[] => {
  const all: StoredRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    bytes += jsonBytesOf(record);
    if (bytes > largestTogether) throw tooLargeTogether();
    all.push(record);
  }
  return all;
};

/** Unpacks the first of records, as far as a page has room for them; at least one. */
export const unpackPage = (records: Iterable<StoredRecord>): StoredRecord[] => {
  const page: StoredRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    bytes += jsonBytesOf(record);
    if (bytes > largestInflated && page.length > 0) break;
    page.push(record);
  }
  return page;
};

/** Reads bodies that lie in the object store. */
export class LargeBodies {
  readonly #objects: ObjectStore;
  readonly #ids: IdCodec;
  readonly #kept = new Map<string, { readonly jsonBytes: number; readonly bytes: Promise<Uint8Array> }>();
  #keptBytes = 0;

  constructor(objects: ObjectStore, ids: IdCodec) {
    this.#objects = objects;
    this.#ids = ids;
  }

  /** Objects of those of these rows whose bodies lie elsewhere, by position. Nothing is asked for where none does. */
  async of(
    rows: readonly { readonly row: RecordRow; readonly at: Address }[],
  ): Promise<ReadonlyMap<number, Uint8Array>> {
    const large = rows.flatMap(({ row, at }, index) => {
      const reference = bodyReference(row.body);
      return reference ? [{ ...reference, index, at, version: row.version }] : [];
    });
    const objects = new Map<number, Uint8Array>();
    await inParallel(bodiesAtOnce, large, async ({ name, jsonBytes, index, at, version }) => {
      objects.set(index, await this.#get(objectKey(this.#ids, at, version, name), jsonBytes));
    });
    return objects;
  }

  #get(key: string, jsonBytes: number): Promise<Uint8Array> {
    const kept = this.#kept.get(key);
    if (kept) return kept.bytes;
    const bytes = this.#objects.get(key);
    this.#kept.set(key, { jsonBytes, bytes });
    this.#keptBytes += jsonBytes;
    bytes.catch(() => this.#forget(key)); // the next request asks again
    for (const [oldest] of this.#kept) {
      if (this.#keptBytes <= largestKept) break;
      this.#forget(oldest);
    }
    return bytes;
  }

  #forget(key: string): void {
    this.#keptBytes -= this.#kept.get(key)?.jsonBytes ?? 0;
    this.#kept.delete(key);
  }
}
